#!/usr/bin/perl

# Deaths in the middle of runs: kill -9 of everything at random moments, PostgreSQL
# restarted, a worker that stands still for longer than its lease. Nothing is lost or
# doubled, and no more than one call is repeated for each death. The seed is printed;
# CHAOS_SEED repeats it, CHAOS_KILLS says how many.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed  = $ENV{CHAOS_SEED} // int(time) % 100_000;
my $kills = $ENV{CHAOS_KILLS} // 50;
srand $seed;
diag "seed $seed";

# The API's limit is out of the way: how often it is asked is what counts here.
my $s = analytics(1, conf => { 'analytics.funnel_interval' => '150ms', 'analytics.texts_interval' => '150ms',
	'jobs.workers' => 2, 'jobs.lease' => '7s', 'jobs.heartbeat' => '1s' });
$s->allow(qr/by=signal status=9/);

sub free { my ($seller) = @_; $s->seller->limits($seller->{name}, method => $_, interval => 0) for qw(funnel texts); return $seller }

# Every product has what the API sent last, once.
sub sound {
	my ($seller, $name) = @_;
	my ($row, $sent) = (pages($seller), $s->seller->sent($seller->{name}));
	my @odd = grep { my $f = $sent->{funnel}{$_}[-1]{selected}; my $t = $sent->{texts}{$_}[-1]{items} // [];
		my $r = $row->{$_}; !$r || $r->{syncStatus} ne 'success' || $r->{views} != $f->{openCount} || $r->{revenue} != $f->{orderSum} || $r->{totalQueries} != @$t }
	    @{ $seller->{ids} };
	is_deeply [splice @odd, 0, 5], [], "$name: every product as the API sent it";
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ?', $seller->{id}), scalar(@{ $seller->{ids} }), '... once';
	return;
}

# Events of a job: numbered without a gap, each batch once, one end.
sub told {
	my ($id, $batches) = @_;
	my @n = map { $_->{n} } @{ $s->sql('SELECT n FROM job_event WHERE job_id = ? ORDER BY n', $id) };
	is_deeply \@n, [1 .. @n], '... its events are numbered without a gap';
	my @event = events_of($id);
	is_deeply [map { $_->{batch} } grep { $_->{type} eq 'progress' } @event], [1 .. $batches], '... each batch was told once';
	is scalar(grep { $_->{type} =~ /^(?:complete|error)$/ } @event), 1, '... and one end';
	return;
}

subtest "kill -9 of everything, $kills times" => sub {
	my $done = 0;
	while ($done < $kills) {
		my $one = free(seller_of(products => 438, jam => 'standard'));
		$s->seller->forget;
		$s->seller->call(DELETE => '/_sim/journal');
		my $id = ask($one);
		my $here = 0;
		for (1 .. 10) {
			sleep 0.05 + rand 0.45;
			last if $s->sql_value('SELECT finished_at IS NOT NULL FROM job WHERE id = ?', $id);
			last if $done >= $kills;
			my @pid = ($s->{PID_MASTER}, $s->pids);
			CORE::kill 'KILL', @pid;
			# A big one takes a moment to go, and looks as if it ran.
			wait_until { !grep { Lockstep::Stack::slurp("/proc/$_/stat") =~ /\) [^ZX]/ } @pid } 20, 'their end';
			$s->start_part('lockstep');
			$done++;
			$here++;
		}
		my $job = ended($id, 120);
		is $job->{state}, 'done', "after $here deaths: done" or diag explain $job;
		my $calls = $s->seller->counts($one->{name})->{calls};
		cmp_ok $calls, '>=', 10, "... $calls calls";
		cmp_ok $calls, '<=', 10 + $here, '... at most one more for each death';
		cmp_ok $job->{calls}{made}, '>=', $calls, '... all of which the job has counted';
		cmp_ok $job->{calls}{made}, '<=', $calls + $here, '... and no more than it died before';
		sound($one, 'then');
		told($id, 44);
	}
};

subtest 'PostgreSQL is restarted' => sub {
	my $one = free(seller_of(products => 438, jam => 'standard'));
	$s->seller->forget;
	$s->seller->call(DELETE => '/_sim/journal');
	my $id = ask($one);
	wait_until { (job_of($id)->{calls}{made} // 0) >= 3 } 20, 'three calls';
	$s->stop_part('postgres', '--kill');
	$s->start_part('postgres');
	my $job = ended($id, 120);
	is $job->{state}, 'done', 'done';
	cmp_ok $s->seller->counts($one->{name})->{calls}, '<=', 11, 'one call more at most';
	sound($one, 'then');
	told($id, 44);
};

subtest 'a worker that stood still for longer than its lease writes nothing' => sub {
	my $one = free(seller_of(products => 150, jam => 'standard'));
	$s->seller->forget;
	# The call in which it stops, and that in which the next holder has it wake up.
	my ($first) = map { $s->seller->hold(seller => $one->{name}, method => 'texts', call => $_) } 2, 3;
	my $id = ask($one);
	my $now = sub { return $s->sql(q(SELECT holder, fence, state, n, checkpoint::text FROM job WHERE id = ?), $id)->[0] };
	my $texts = sub { return $s->seller->counts($one->{name})->{methods}{texts}{calls} // 0 };
	# Whose call it is the row says, asked once it is there: two may have taken turns.
	my $row = wait_until { $texts->() == 2 && do { my $r = $now->(); $r->{state} eq 'running' ? $r : 0 } } 20, 'the slow call';
	my ($index) = $row->{holder} =~ m{jobs/(\d+)$};
	my $pid = $s->kill('STOP', 'jobs', $index);
	ok wait_until(sub { $texts->() == 3 }, 40, 'the next holder\'s call'), 'another worker has taken it over';
	my $next = $now->();
	cmp_ok $next->{fence}, '>', $row->{fence}, '... with a fence of its own';
	isnt $next->{holder}, $row->{holder}, '... in its own name';
	my $rows = stored($one);
	$s->log_mark;
	# It wakes up with the answer to its call.
	$s->seller->release($first);
	CORE::kill 'CONT', $pid;
	ok $s->wait_log(qr{worker=jobs/$index .*"job: lease lost"}, 40), 'the late one learns that it is late';
	is_deeply $now->(), $next, '... the job is as the next holder has it, who is still at it';
	ok stored($one) eq $rows, '... nothing was written';
	$s->seller->heal;
	my $job = ended($id, 120);
	is $job->{state}, 'done', 'the next holder has done it';
	is $s->seller->counts($one->{name})->{calls}, 5, 'one call was repeated';
	is job_of($id)->{calls}{made}, 5, '... and counted';
	sound($one, 'then');
	told($id, 15);
};

subtest 'a run that is cancelled loses nothing' => sub {
	my $one = free(seller_of(products => 300, jam => 'standard'));
	ended(ask($one));
	my $before = pages($one);
	# The second call for texts: until it is answered the run is not over.
	my $slowly = sub { $s->seller->hold(seller => $one->{name}, method => 'texts', call => 2) };
	$slowly->();
	my $id = ask($one);
	wait_until { (job_of($id)->{progress}{done} // 0) >= 50 } 20, 'fifty products';
	is op(POST => "jobs/$id/cancel")->{json}{state}, 'cancelled', 'cancelled';
	$s->seller->heal;
	my $after = pages($one);
	is_deeply [grep { !defined $after->{$_}{views} } keys %$after], [], 'every product has figures';
	is_deeply [grep { !defined $after->{$_}{totalQueries} } keys %$after], [], '... and texts';
	$slowly->();
	$id = ask($one);
	wait_until { job_of($id)->{state} =~ /running|waiting/ } 20, 'running';
	is op(POST => "jobs/$id/pause")->{json}{state}, 'paused', 'paused';
	is op(POST => "jobs/$id/resume")->{json}{state}, 'queued', 'resumed';
	$s->seller->heal;
	is ended($id)->{state}, 'done', '... and done';
};

$s->stop;
done_testing;
