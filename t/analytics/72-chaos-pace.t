#!/usr/bin/perl

# Deaths with the API's limits in force: what was taken out of a budget stays taken,
# whoever dies. The seed is printed; CHAOS_SEED repeats it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{CHAOS_SEED} // int(time) % 100_000;
srand $seed;
diag "seed $seed";

# An interval of more than a second: its turns are written before they are used.
my $s = analytics(20, conf => { 'jobs.workers' => 2, 'jobs.lease' => '10s', 'jobs.heartbeat' => '1s' });
$s->allow(qr/by=signal status=9/);

my $writer;	# PostgreSQL's, while it stands still

END { local $?; CORE::kill 'KILL', $writer if $writer }

# No limit was broken, and each death cost a call at most.
sub kept {
	my ($seller, $calls, $deaths) = @_;
	my $count = $s->seller->counts($seller->{name});
	cmp_ok $count->{calls}, '>=', $calls, "$count->{calls} calls";
	cmp_ok $count->{calls}, '<=', $calls + $deaths, "... $calls, and one for each of $deaths deaths at most";
	is $count->{early}, 0, '... none came early';
	for my $method (sort keys %{ $count->{methods} }) {
		my $m = $count->{methods}{$method};
		is $m->{statuses}{429}, undef, "... $method: none was refused";
		cmp_ok $m->{smallest_gap}, '>=', 20, '... 20 s between any two' if $m->{calls} > 1;
	}
	return;
}

subtest 'kill -9 of everything, five times, at random' => sub {
	my $one = seller_of(products => 250, jam => 'standard');
	$s->seller->forget;
	my $id = ask($one);
	my $deaths = 0;
	for (1 .. 5) {
		sleep 0.2 + rand 1;
		last if $s->sql_value('SELECT finished_at IS NOT NULL FROM job WHERE id = ?', $id);
		my @pid = ($s->{PID_MASTER}, $s->pids);
		CORE::kill 'KILL', @pid;
		wait_until { !grep { $s->alive($_) } @pid } 20, 'their end';
		$s->start_part('lockstep');
		$deaths++;
	}
	my $job = ended($id, 120);
	is $job->{state}, 'done', "after $deaths deaths: done" or diag explain $job;
	kept($one, 6, $deaths);
};

subtest 'all is killed, PostgreSQL too, in the moment of a call' => sub {
	# Up again long before the next call is due.
	$s->seller->clock(factor => 1);
	$s->conf_edit(sub { s/^(funnel_interval|texts_interval) = .*/$1 = 20600ms/mg; s/^heartbeat = .*/heartbeat = 4s/m });
	hup();
	my $one = seller_of(products => 50, jam => 'standard');
	$s->seller->forget;
	$s->seller->hold(seller => $one->{name}, method => 'texts', times => 1);
	my $id = ask($one);
	my $texts = sub { return $s->seller->counts($one->{name})->{methods}{texts}{calls} // 0 };
	# What nobody waits for is not written either, from now on.
	$writer = $s->sql_value(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'));
	CORE::kill 'STOP', $writer or die "kill $writer: $!";
	my @pid = ($s->{PID_MASTER}, $s->pids);
	wait_until { $texts->() == 1 } 20, 'the call for texts';
	CORE::kill 'KILL', @pid, $writer;
	undef $writer;
	$s->stop_part('postgres', '--kill');
	wait_until { !grep { $s->alive($_) } @pid } 20, 'their end';
	$s->start_part('postgres');
	$s->start_part('lockstep');
	is $texts->(), 1, 'nobody has called meanwhile';
	my $job = ended($id, 60);
	$s->seller->heal;
	is $job->{state}, 'done', 'done' or diag explain $job;
	is $texts->(), 2, 'the call was repeated';
	kept($one, 2, 1);
};

$s->stop;
done_testing;
