#!/usr/bin/perl

# Many sellers, two masters on one database: no limit is broken, and none waits for
# another. Settings that change in the middle of a run.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(min);
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(time);

# Ten runs share one simulator, whose answers take their real time: slow enough for it.
# A fifth of the floor is six real seconds.
my $factor = 2;
my $s = analytics($factor, conf => { 'jobs.workers' => 4 });

# The floor of 200 products: four calls for texts, three intervals between them.
my $floor = 3 * $factor * (int(20_500 / $factor) + 60) / 1000;

# How near ten new sellers came to it: [name, seconds from the asking to the end, from
# the first call to the last], all by the API's clock. No limit is broken, however it went.
sub ten_sellers {
	my @seller = map { seller_of(products => 200, jam => 'standard') } 1 .. 10;
	$s->seller->forget;
	my @task = map { ask($_) } @seller;
	my @job  = map { ended($_, 120) } @task;
	is_deeply [map { $_->{state} } @job], [('done') x 10], 'all are done';
	is_deeply [map { $_->{calls}{made} } @job], [(5) x 10], 'five calls each';
	return map {
		my $count = $s->seller->counts($seller[$_]{name});
		my $texts = $count->{methods}{texts};
		is "$count->{calls} $count->{early} " . join(' ', map { keys %{ $_->{statuses} } } values %{ $count->{methods} }), '5 0 200 200', "$seller[$_]{name}: five calls, none refused";
		cmp_ok $texts->{smallest_gap}, '>=', 20, '... 20 s between them';
		[$seller[$_]{name}, $factor * $s->sql_value('SELECT extract(epoch FROM finished_at - created_at) FROM job WHERE id = ?', $task[$_]),
			$texts->{last_at} - $texts->{first_at}];
	} 0 .. 9;
}

subtest 'ten sellers, two masters, four workers each' => sub {
	my $master = $s->second_master;
	ok wait_until(sub { -S "$s->{DIR}/second/api.sock" }, 20, 'the second master'), 'a second master';
	# Replies take their real time here, which counts as $factor times as much.
	my ($whole, $took) = ((1 + 0.2 * ($ENV{TEST_SLOW} || 1)) * $floor, 1.2 * $floor);
	my @pace;
	# What stands still for some seconds is late by itself: once more, with others.
	for (1 .. 3) {
		@pace = ten_sellers();
		last if !grep { $_->[1] > $whole || $_->[2] > $took } @pace;
	}
	for (@pace) {
		cmp_ok $_->[1], '<=', $whole, sprintf '%s: within 1.2 of its floor, from the asking to the end (%.1f s of %.1f)', @$_[0, 1], $floor;
		# Nobody has waited for others.
		cmp_ok $_->[2], '<=', $took, sprintf '... from the first call to the last (%.1f s of %.1f)', $_->[2], $floor;
	}
	my @second = grep { /"analytics: (?:start|batch|done)/ } split /\n/, Lockstep::Stack::slurp("$s->{DIR}/second.log");
	cmp_ok scalar(@second), '>', 0, 'the second master has done its share';
	kill 'TERM', $master;
	waitpid $master, 0;
	is $? >> 8, 0, 'it ends by itself';
};

# One run at a time, without an upper bound: faster.
$s->seller->clock(factor => 4);
$s->conf_edit(sub { s/^(funnel_interval|texts_interval) = .*/$1 = 5185ms/mg });
hup();

subtest 'a turn that is used late holds back the next' => sub {
	my $one = seller_of(products => 250, jam => 'standard');
	# Every other grant takes most of a second to become known.
	$s->sql($_) for 'CREATE SEQUENCE slow_turn', q(CREATE FUNCTION slow_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF new.granted > 0 AND new.method = 'search-texts' AND nextval('slow_turn') % 2 = 1 THEN PERFORM pg_sleep(0.8); END IF;
			RETURN NULL;
		END $$),
	    'CREATE TRIGGER slow_turn AFTER INSERT OR UPDATE OF granted ON rate_bucket FOR EACH ROW EXECUTE FUNCTION slow_turn()';
	my $job = sync_of($one, seconds => 120);
	$s->sql($_) for 'DROP TRIGGER slow_turn ON rate_bucket', 'DROP FUNCTION slow_turn()', 'DROP SEQUENCE slow_turn';
	is $job->{state}, 'done', 'done';
	my $texts = $s->seller->counts($one->{name})->{methods}{texts};
	is $texts->{calls}, 5, 'five calls';
	cmp_ok $texts->{smallest_gap}, '>=', 20, '... 20 s between them, as they arrive';
};

subtest 'slower by a new setting, in the middle of a run' => sub {
	my $one = seller_of(products => 250, jam => 'standard');
	$s->seller->forget;
	my $id = ask($one);
	wait_until { (job_of($id)->{calls}{made} // 0) >= 2 } 20, 'two calls';
	$s->conf_edit(sub { s/^texts_interval = .*/texts_interval = 10200ms/m });
	hup();
	my $made = job_of($id)->{calls}{made};
	my $job = ended($id, 120);
	is $job->{state}, 'done', 'done';
	my @at = @{ $s->seller->counts($one->{name})->{methods}{texts}{times} };
	my @gap = map { $at[$_ + 1] - $at[$_] } 0 .. $#at - 1;
	is scalar(@at), 5, 'no call more than without';
	cmp_ok min(@gap[-2, -1]), '>=', 40, 'the calls after it are as far apart as it says';
	cmp_ok $gap[0], '<', 40, '... those before it were not';
};

$s->stop;
done_testing;
