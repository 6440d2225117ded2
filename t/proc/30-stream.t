#!/usr/bin/perl

# One event loop for all: peers that are silent, half-open or do not read cost the
# others nothing. The peers talk to stream.sock directly, as nginx never would; the
# others come through nginx.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Lockstep::FastCGI qw(fcgi_begin fcgi_params fcgi_record fcgi_request);
use Lockstep::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $slow = $ENV{TEST_SLOW} || 1;

use constant { PEERS => 100, FULL => 10 };

my $s = Lockstep::Stack->start(conf => {
	'stream.buffer_max' => '64k', 'stream.ping' => '1s' });
$s->sync('p1');
my $account = $s->sql_value('SELECT id FROM account');

# A job that nobody works on: its events are made here.
sub job {
	return $s->sql_value("INSERT INTO job (kind, account_id, state)
		VALUES ('test-' || gen_random_uuid(), ?, 'paused') RETURNING id", $account);
}

sub event {
	my ($job, $size) = @_;
	return $s->sql_value(q{
		WITH me AS (UPDATE job SET n = n + 1 WHERE id = $1::uuid RETURNING id, n),
		     e AS (INSERT INTO job_event (job_id, n, data)
		           SELECT id, n, '{"type":"progress","x":"'
		                  || repeat('x', $2::integer) || '"}' FROM me)
		SELECT n, pg_notify('job', id::text) FROM me}, $job, $size // 1);
}

sub finish {
	my ($job) = @_;
	$s->sql_value(q{
		WITH me AS (UPDATE job SET state = 'done', status = 200, answer = '{}',
		                   finished_at = clock_timestamp()
		             WHERE id = $1::uuid RETURNING id)
		SELECT pg_notify('job', id::text) FROM me}, $job);
	return;
}

sub watch { my ($job, %how) = @_; return $s->sse("/api/jobs/$job/events", as => 'p1', %how) }

sub handover {
	my ($job) = @_;
	return (QUERY_STRING => "job=$job&as=sse&account=$account&after=0&until=9999999999");
}

sub peers {
	my ($bytes) = @_;
	return map {
		my $socket = $s->fcgi('stream');
		syswrite $socket, $bytes if length $bytes;
		$socket;
	} 1 .. PEERS;
}

# The peer has been closed, whatever was sent to it before.
sub closed {
	my ($socket) = @_;
	my $select = IO::Select->new($socket);
	while ($select->can_read(0)) {
		return 1 if !sysread $socket, my $bytes, 65536;
	}
	return 0;
}

subtest 'silent, half-open and non-reading peers cost the others nothing' => sub {
	my $job   = job();
	my @other = map { watch($job) } 1 .. 5;
	is $_->status, 200, 'another one watches' for @other;

	my @silent  = peers('');
	my @half    = peers(fcgi_begin() . substr fcgi_params(handover($job)), 0, 40);
	my @nonread = peers(fcgi_request({ handover($job) }));
	my $late = 0;
	for my $n (1 .. 60) {
		my $began = time;
		event($job, 8192);
		for my $sse (@other) {
			my $event = $sse->next(20);
			is $event && $event->{id}, "$job.$n", "event $n" or return;
		}
		$late++ if time - $began > 2 * $slow;
	}
	# Not none: something may have stood still for other reasons.
	cmp_ok $late, '<=', 2, '... each of them at once';
	ok $s->wait_log(qr/how="too slow"/, 20), 'who does not read is dropped';
	is scalar(() = $s->log(qr/how="too slow"/, PEERS)), PEERS, '... each of them, nobody else';
	ok wait_until { !grep { !closed($_) } @silent, @half } 10,
	    'silent and half-open peers are closed after five seconds';
	finish($job);
	for my $sse (@other) {
		is scalar(grep { $_->{id} } $sse->rest(20)), 0, 'no event twice';
		ok $sse->complete, 'ends with the job';
	}
};

subtest 'what is not FastCGI is closed at once' => sub {
	my $foreign = pack 'C C n n C C n C x5', 1, 1, 1, 8, 0, 0, 2, 0;
	for my $bytes ("GET / HTTP/1.0\r\n\r\n", $foreign, fcgi_begin() . fcgi_begin(),
		fcgi_begin() . fcgi_record(3, '12345678'),
		fcgi_begin() . fcgi_record(4, 'x' x 65535) x 2) {
		my $socket = $s->fcgi('stream');
		local $SIG{PIPE} = 'IGNORE';
		syswrite $socket, $bytes;
		# Well before the five seconds of a peer that is silent.
		ok wait_until { closed($socket) } 4.5 / $slow, 'closed';
	}
};

subtest 'who leaves is freed at once' => sub {
	my $job = job();
	my $sse = watch($job);
	is $sse->status, 200, 'watches';
	$sse->close;
	ok $s->wait_log(qr/job=\Q$job\E .*how=left/, 10), 'noticed without an event';
};

subtest 'the database goes and comes, the streams stay' => sub {
	my $job = job();
	my $sse = watch($job);
	event($job);
	is +($sse->next(20) // {})->{id}, "$job.1", 'an event';
	$s->stop_part('postgres');
	my $before = $sse->comments;
	ok wait_until { $sse->next(0.2); $sse->comments > $before } 15, 'pings go on';
	ok !$sse->ended, '... and it is still open';
	$s->start_part('postgres');
	event($job);
	my $event = $sse->next(20);
	is $event && $event->{id}, "$job.2", 'the next event, and only once';
	$sse->close;
};

$s->stop;

# Seconds of processor time that the stream worker has used so far.
sub cpu {
	my ($stack) = @_;
	my $pid = $stack->pid('stream', 0);
	open my $file, '<', "/proc/$pid/stat" or die "/proc/$pid/stat: $!";
	my @field = split ' ', <$file> =~ s/.*\) //r;
	return ($field[11] + $field[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

subtest 'a full loop sleeps until somebody leaves' => sub {
	$s = Lockstep::Stack->start(conf => { 'stream.max_clients' => FULL });
	my @sse;
	for my $user (qw(p1 p39)) {
		$s->sync($user);
		$account = $s->sql_value('SELECT id FROM account WHERE user_name = ?', $user);
		my $job = job();
		push @sse, map { watch($job, as => $user) } 1 .. FULL / 2;
		is $_->status, 200, 'a place' for @sse;
		is watch($job, as => $user)->status, 503, '... half of them are for one account'
		    if $user eq 'p1';
	}
	my $late   = watch(job(), as => 'p39');
	my $before = cpu($s);
	ok !$late->read_head(time + 1), 'one more has to wait';
	cmp_ok cpu($s) - $before, '<', 0.3, '... and nothing spins meanwhile';
	$sse[-1]->close;
	is $late->status, 200, 'a place is free';
	$s->stop;
};

done_testing;
