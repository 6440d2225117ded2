#!/usr/bin/perl

# An account of two hundred thousand programs: a jobs worker needs no more memory for
# it than for a tenth of that, and when it dies, or all of us do, the next one goes on
# where it was. With the sanitizers, whose red zones take room of their own, a tenth
# of all programs and four times as much memory.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Outcome qw(newest);
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(time);

# BATCH_MAX: PASS_FLIGHTS_MAX, as many pages as are written at once.
use constant { PAGE => 40, CONCURRENCY => 8, BATCH_MAX => 64, BUSINESSES => 300, MORE_KB => 4000 };

my ($small, $large, $more_kb) = $ENV{ASAN_OPTIONS} ? (2_000, 20_000, 4 * MORE_KB) : (20_000, 200_000, MORE_KB);

my $s = Lockstep::Stack->start(env => { STACK_FREES => 1 }, latency => 2, conf => { 'jobs.workers' => 1, 'partner.concurrency' => CONCURRENCY });
my $partner = $s->partner;
$s->account("small$_", programs => $small, businesses => BUSINESSES) for 1 .. $large / $small;
$s->account('large', programs => $large, businesses => BUSINESSES);

# kB of the jobs worker at its largest.
sub peak_kb { return Lockstep::Stack::slurp('/proc/' . $s->pid('jobs') . '/status') =~ /^VmHWM:\s+(\d+)/m ? $1 : die 'no VmHWM' }

sub calls { my ($user) = @_; return $partner->counters->{users}{$user} // { calls => 0, offsets => [] } }

sub pages { my ($n) = @_; return int($n / PAGE) + 1 }

sub full {
	my ($user) = @_;
	my $began  = time;
	my $answer = $s->post('/api/reseller/programs/sync?mode=full', as => $user, timeout => 280);
	note sprintf '%s: %.1f s', $user, time - $began;
	is $answer->{status}, 200, "$user: an answer" or diag $answer->{body};
	return $answer->{json};
}

my $pid = $s->pid('jobs');
my %peak;

subtest 'memory stays as it is' => sub {
	# How many pages come while others are written is chance: as many of them before.
	for ((map { ["small$_", $small] } 1 .. $large / $small), ['large', $large]) {
		my ($user, $n) = @$_;
		my $json = full($user);
		is "$json->{status} $json->{total_db_after}", "synced $n", "$n programs are there";
		is rows_of($s, $user), $n, '... in the registry';
		$peak{ $user =~ s/\d+//r } = peak_kb();
	}
	is $s->pid('jobs'), $pid, 'one worker did it all';
	note "peak: $peak{small} kB, $peak{large} kB";
	cmp_ok $peak{large} - $peak{small}, '<', $more_kb, "kB more: " . ($peak{large} - $peak{small});
};

# Once the sync has read so many programs.
sub once_read {
	my ($n) = @_;
	return wait_until { my $job = newest($s, 'large'); $job->{state} eq 'running' && $job->{progress}{done} >= $n } 120, "$n programs";
}

# What the database knows to have been read.
sub covered { return $s->sql_value(q(SELECT checkpoint->>'unique' FROM job WHERE account_id = ? ORDER BY created_at DESC LIMIT 1), account_id($s, 'large')) }

subtest 'whoever dies, at most a batch is read again' => sub {
	my @gone = @{ $partner->edit(user => 'large', op => 'remove', n => 30, pick => 'random')->{ids} };
	$partner->edit(user => 'large', op => 'change', n => 500, field => 'dates', pick => 'random');
	$partner->edit(user => 'large', op => 'add', n => 20, pick => 'random');
	my $total = $large - 10;
	$partner->forget;
	my $post = $s->sse('/api/reseller/programs/sync?mode=full', method => 'POST', as => 'large', timeout => 280);

	ok once_read($large / 4), 'a quarter is read';
	$s->kill(KILL => 'jobs');
	ok once_read($large / 2), 'half of it: another worker went on';
	ok kill_all(), 'all our processes are killed';
	my $noted = covered();
	$s->start_lockstep;
	ok once_read($noted + 1), 'and it goes on from where it was';
	ok wait_until { newest($s, 'large')->{finished_at} } 250, 'to its end';
	undef $post;

	my $job = newest($s, 'large');
	is $job->{state}, 'done', 'done' or diag explain $job;
	is_deeply $job->{counts}, { added => 20, updated => 500, removed => 30, unchanged => $total - 520, failed => 0 }, 'the counts are true';
	is_deeply retired($s, 'large'), [sort @gone], 'what is gone is retired';
	is_deeply $s->counts('large'), $partner->counts('large'), 'every business has its programs';
	my $calls = calls('large');
	my %asked;
	$asked{$_}++ for @{ $calls->{offsets} };
	is scalar(keys %asked), pages($total), 'every page was read';
	my $again = $calls->{calls} - pages($total);
	# What had come and was not yet written, and what was in flight meanwhile.
	cmp_ok $again, '<=', 2 * (BATCH_MAX + CONCURRENCY), "pages read again after two deaths: $again";
	cmp_ok $again, '>', 0, '... and it was under way each time';
};

# The master first, lest it replaces the others.
sub kill_all {
	my @pid = map { $_->{pid} } $s->workers;
	$s->kill(KILL => 'master');
	CORE::kill('KILL', @pid);
	return wait_until { !grep { $s->alive($_) } @pid, $s->{PID_MASTER} } 10, 'everybody to be dead';
}

$s->stop;
done_testing;
