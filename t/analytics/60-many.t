#!/usr/bin/perl

# Many sellers, two masters on one database: no limit is broken, and none waits for
# another. Settings that change in the middle of a run.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min);
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

# Ten runs share one simulator, whose answers take their real time: slow enough for it.
my $factor = 4;
my $s = analytics($factor, conf => { 'jobs.workers' => 4 });

# A second master on the same database, beside the stack's.
sub second_master {
	my $dir = "$s->{DIR}/second";
	my $conf = Lockstep::Stack::slurp($s->{CONF});
	$conf =~ s{^run_dir = .*}{run_dir = $dir}m;
	mkdir $dir;
	my @owner = (stat $s->{DIR})[4, 5];
	chown @owner, $dir;
	open my $out, '>', "$dir.conf" or die "$dir.conf: $!";
	print $out $conf;
	close $out;
	chmod 0600, "$dir.conf";
	chown @owner, "$dir.conf";
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', "$dir.log";
	open STDERR, '>&', \*STDOUT;
	chdir '/';
	if ($> == 0) { $( = $) = "$owner[1] $owner[1]"; $< = $> = $owner[0] }
	exec $s->{BIN}, '-c', "$dir.conf", 'serve' or die "exec: $!";
}

subtest 'ten sellers, two masters, four workers each' => sub {
	my @seller = map { seller_of(products => 200, jam => 'standard') } 1 .. 10;
	my $master = second_master();
	ok wait_until(sub { -S "$s->{DIR}/second/api.sock" }, 20, 'the second master'), 'a second master';
	$s->seller->forget;
	my @task = map { ask($_) } @seller;
	my @job  = map { ended($_, 90) } @task;
	is_deeply [map { $_->{state} } @job], [('done') x 10], 'all are done';
	is_deeply [map { $_->{calls}{made} } @job], [(5) x 10], 'five calls each';
	# The floor of 200 products: four calls for texts, three intervals between them.
	my $floor = 3 * $factor * (int(20_500 / $factor) + 60) / 1000;
	for my $i (0 .. 9) {
		my $count = $s->seller->counts($seller[$i]{name});
		my $texts = $count->{methods}{texts};
		is "$count->{calls} $count->{early} " . join(' ', map { keys %{ $_->{statuses} } } values %{ $count->{methods} }), '5 0 200 200', "$seller[$i]{name}: five calls, none refused";
		cmp_ok $texts->{smallest_gap}, '>=', 20, '... 20 s between them';
		# From the first to the last call, by the API's clock: nobody has waited for others.
		my $took = $texts->{last_at} - $texts->{first_at};
		cmp_ok $took, '<=', (1 + 0.2 * ($ENV{TEST_SLOW} || 1)) * $floor, sprintf '... within 1.2 of its floor (%.1f s of %.1f)', $took, $floor;
	}
	my @second = grep { /"analytics: (?:start|batch|done)/ } split /\n/, Lockstep::Stack::slurp("$s->{DIR}/second.log");
	cmp_ok scalar(@second), '>', 0, 'the second master has done its share';
	kill 'TERM', $master;
	waitpid $master, 0;
	is $? >> 8, 0, 'it ends by itself';
};

subtest 'slower by a new setting, in the middle of a run' => sub {
	my $one = seller_of(products => 250, jam => 'standard');
	$s->seller->forget;
	my $id = ask($one);
	wait_until { (job_of($id)->{calls}{made} // 0) >= 2 } 20, 'two calls';
	$s->conf_edit(sub { s/^texts_interval = .*/texts_interval = 10200ms/m });
	hup();
	my $made = job_of($id)->{calls}{made};
	my $job = ended($id, 90);
	is $job->{state}, 'done', 'done';
	my @at = @{ $s->seller->counts($one->{name})->{methods}{texts}{times} };
	my @gap = map { $at[$_ + 1] - $at[$_] } 0 .. $#at - 1;
	is scalar(@at), 5, 'no call more than without';
	cmp_ok min(@gap[-2, -1]), '>=', 40, 'the calls after it are as far apart as it says';
	cmp_ok $gap[0], '<', 40, '... those before it were not';
};

$s->stop;
done_testing;
