#!/usr/bin/perl

# PostgreSQL goes away and comes back in the middle of a sync: stopped, crashed, or
# frozen. Requests say 503 soon after db.timeout meanwhile and are served again without
# anyone's help; streams stay open; the job goes on and ends right.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

# Seconds for one request; in a crowd it may have to queue behind another one's. There is
# room in them, and in the times below, for what stands still though nobody froze it.
use constant { SIZE => 1200, PAGE => 40, PAGE_MS => 250, PATIENCE => 8, CROWD_PATIENCE => 9 };

my $slow = $ENV{TEST_SLOW} || 1;

my $s = Lockstep::Stack->start(conf => {
	'jobs.lease'         => '10s',
	'jobs.heartbeat'     => '1s',
	'db.timeout'         => '4s',
	'db.job_timeout'     => '5s',
	'partner.retry_base' => '20ms',
	'api.workers'        => 2,
	'live.workers'       => 2,
	'stream.ping'        => '500ms',
});
my $partner   = $s->partner;
my $bystander = known($s, 41);

my @request = (
	[GET  => '/api/jobs'],
	[GET  => '/api/reseller/business-ids'],
	[GET  => '/api/reseller/programs?limit=1'],
	[POST => '/api/reseller/programs/sync'],
	[POST => '/api/reseller/programs/sync-stream'],
	[POST => '/api/auth/validate-credentials'],
);

# A process that is stopped when the test dies would keep PostgreSQL from ending.
my @frozen;
sub freeze { push @frozen, @_; return kill 'STOP', @_ }
sub thaw   { return kill 'CONT', splice @frozen }
END { thaw() }

sub watchers { my ($stream) = $s->workers('stream'); return $stream->{clients} }

# A sync that is in the middle, with two who watch it: its last page is held until
# ends_right.
sub begin {
	my ($user) = @_;
	my $before = rows_of($s, $user);
	$partner->fault(user => $user, kind => 'delay', ms => PAGE_MS);
	$partner->hold(user => $user, offset => SIZE - PAGE);
	my $sse = $s->sync_stream($user, timeout => 30);
	my @event = $sse->until('progress');
	my $ask = { %{ ask($s, $user) }, before => $before };
	wait_until { watchers() == 2 } 20, 'the second who watches';
	sleep 0.05;
	$s->log_mark;
	return { user => $user, sse => $sse, event => \@event, ask => $ask };
}

# It ends as if nothing had happened.
sub ends_right {
	my ($sync, %counts) = @_;
	$partner->heal;
	my @event = (@{ $sync->{event} }, $sync->{sse}->rest(60));
	ok $sync->{sse}->complete, 'the stream was never cut';
	is_deeply [map { ($_->{id} =~ /\.(\d+)$/)[0] } grep { $_->{id} } @event], [1 .. @event], 'every event once';
	is $event[-1]{json}{type}, 'complete', '... to the last';
	my $got = outcome($sync->{ask});
	is_done($got);
	is_deeply $got->{job}{counts}, { added => 0, updated => 0, removed => 0, unchanged => 0, failed => 0,
		%counts }, 'the counts are true';
	is $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', account_id($s, $sync->{user})),
	    $sync->{jobs} // 1, 'it was one job';
}

# How many requests were refused.
my $refused = 0;

# Requests all at once, each several times: what was answered how late.
sub crowd {
	my ($times, @request) = @_;
	my $began = time;
	my @open  = map { my ($method, $path) = @$_;
		{ what => "$method $path", sse => $s->sse($path, method => $method, as => $bystander, timeout => 30) } }
	    (@request) x $times;
	my @said;
	# Whichever comes first, or the order of reading would be taken for lateness.
	while (@open) {
		IO::Select->new(map { $_->{sse}->socket } @open)->can_read(30) or die 'no answer';
		my @now = map { $_->{sse}->fill(time); $_->{sse}->read_head(time) ? $_ : () } @open;
		for my $one (@now) {
			my $sse = $one->{sse};
			push @said, { what => $one->{what}, took => time - $began, status => $sse->status,
				retry => $sse->headers->{'retry-after'}, code => ($sse->json // {})->{code} };
			$refused++ if $sse->status == 503;
			@open = grep { $_ != $one } @open;
		}
	}
	return @said;
}

sub ask_once {
	my ($method, $path) = @_;
	my $began  = time;
	my $answer = $s->request($method, $path, as => $bystander);
	$refused++ if $answer->{status} == 503;
	return { what => "$method $path", status => $answer->{status}, took => time - $began,
		code => $answer->{json}{code}, retry => $answer->{headers}{'retry-after'} };
}

# Every kind of request, round and round for that long: what was answered how late.
sub requests {
	my ($seconds) = @_;
	my ($end, @said) = (time + $seconds);
	while (1) {
		for (@request) {
			push @said, ask_once(@$_);
			return @said if time >= $end;
		}
	}
}

sub all_refused {
	my ($patience, @said) = @_;
	is_deeply [grep { $_->{status} != 503 } @said], [], scalar(@said) . ' requests, all 503';
	is_deeply [grep { ($_->{code} // '') ne 'database' } @said], [], '... because of the database';
	is_deeply [grep { !$_->{retry} } @said], [], '... to be tried again';
	in_time($patience, @said);
}

sub in_time {
	my ($patience, @said) = @_;
	my ($slowest) = sort { $b->{took} <=> $a->{took} } @said;
	cmp_ok $slowest->{took}, '<', $patience * $slow,
	    sprintf "within $patience seconds: the slowest took %.2f (%s)", @$slowest{qw(took what)};
}

sub serves_again {
	my ($name) = @_;
	# A crash is recovered from first, at the disk's speed.
	ok wait_until { ask_once(@{ $request[0] })->{status} == 200 } 20, $name;
	my $good = wait_until { my @said = requests(0.2); !grep { $_->{status} !~ /^20[02]$/ } @said } 20;
	ok $good, '... every request';
}

subtest 'stopped, and started again' => sub {
	my $sync = begin(known($s, SIZE));
	$s->stop_part('postgres');
	all_refused(PATIENCE, requests(1.5));
	is $s->operator('/healthz')->{status}, 200, 'lockstep itself is healthy';
	is $s->operator('/readyz')->{status}, 503, '... but not ready';
	ok !$sync->{sse}->ended, 'the stream is open';
	$s->start_part('postgres');
	serves_again('back by itself');
	ends_right($sync, added => SIZE);
	is $s->operator('/readyz')->{status}, 200, 'ready';
};

subtest 'a restart that nobody noticed costs nobody an answer' => sub {
	requests(0.5);
	$s->restart('postgres');
	my @said = map { crowd(1, @request[0 .. 2]) } 1 .. 6;
	is_deeply [grep { $_->{status} != 200 } @said], [], 'idle connections that broke are made anew in time';
};

# Waiting for the partner it does not even notice; the lease is renewed meanwhile.
subtest 'a connection that is lost does not cost the job' => sub {
	my $user = known($s, 160);
	$partner->hold(user => $user);
	$partner->forget;
	my $ask = ask($s, $user);
	ok wait_until { ($partner->counters->{users}{$user}{calls} // 0) == 160 / PAGE } 20, 'the partner is asked';
	cmp_ok $s->sql_value(q(SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE usename = 'lockstep' AND application_name = 'lockstep')), '>', 0, 'connections end';
	sleep 1.5;
	$partner->heal;
	my $got = outcome($ask);
	is_done($got);
	is $s->sql_value('SELECT fence FROM job WHERE id = ?', $got->{job}{id}), 1, 'it was claimed once';
};

# Without a checkpoint: sync_seen is unlogged, so a crash empties it.
subtest 'crashed: the pass starts again' => sub {
	my $sync = begin(known($s, SIZE));
	$s->disconnect;
	kill 'QUIT', $s->{PID_POSTGRES};
	ok wait_until { !$s->alive($s->{PID_POSTGRES}) } 20, 'PostgreSQL is gone at once';
	all_refused(PATIENCE, requests(0.5));
	$s->start_part('postgres');
	serves_again('back by itself');
	ends_right($sync, added => SIZE);
	is scalar(() = $s->log(qr/what was seen is gone, reading again/, 1)), 1, 'the log says so';
};

subtest 'one of its processes is killed: it restarts by itself' => sub {
	my $user = known($s, SIZE);
	$s->sync($user);
	$partner->edit(user => $user, op => 'change', field => 'dates', n => 100, pick => 'random');
	$partner->edit(user => $user, op => 'add', n => 10, pick => 'last');
	my $sync = begin($user);
	$sync->{jobs} = 2;
	my $pid = $s->sql_value(q(SELECT pid FROM pg_stat_activity WHERE application_name = 'lockstep:stream'));
	$s->disconnect;
	kill 'KILL', $pid;
	serves_again('back by itself');
	ends_right($sync, added => 10, updated => 100, unchanged => SIZE - 100);
};

# The processes of PostgreSQL that serve lockstep: application name => pids.
sub backends {
	my %pid;
	push @{ $pid{ $_->{application_name} } }, $_->{pid} for @{ $s->sql(
		q(SELECT application_name, pid FROM pg_stat_activity WHERE usename = 'lockstep')) };
	return \%pid;
}

# Connections to where lockstep has its statements run, be it a pool.
sub connections {
	return scalar @{ backends()->{lockstep} } if !$s->{POOL_URL};
	my $port = sprintf '%04X', $s->{POOL_URL} =~ /:(\d+)\//;
	return scalar(() = Lockstep::Stack::slurp('/proc/net/tcp') =~ /^ *\d+: \S+ [0-9A-F]{8}:$port 01 /mg);
}

subtest 'the connections of requests and jobs hang' => sub {
	my $sync = begin(known($s, SIZE));
	ok wait_until { connections() >= 6 } 20, 'each worker has a connection';
	my @pid = @{ backends()->{lockstep} };
	cmp_ok scalar @pid, '<', 6, '... which share those of the pool' if $s->{POOL_URL};
	freeze(@pid);
	# The first two, which one worker answers by itself.
	my @said = crowd(6, @request[0, 1]);
	cmp_ok scalar(grep { $_->{status} == 503 } @said), '>=', 1, 'who meets a hanging one is told 503';
	is_deeply [grep { $_->{status} !~ /^(?:200|503)$/ } @said], [], '... and nothing else';
	in_time(CROWD_PATIENCE, @said);
	serves_again('new connections take their place, while the old ones hang');
	thaw();
	ends_right($sync, added => SIZE);
};

# The one connection of the streams is frozen, then somebody asks for what has to be
# looked up: what is answered, how late.
sub ask_frozen {
	my ($path, $pid) = @_;
	freeze($pid);
	$s->log_mark;
	my $began = time;
	my $sse   = $s->sse($path, as => $bystander);
	my $said  = { status => $sse->status // 0, took => time - $began };
	if ($said->{status} == 503) {
		$said->{code} = $sse->json->{code};
		$refused++;
	}
	$sse->close;
	return $said;
}

# The process that serves the streams' one connection; not that of the last one, which
# may still be there.
sub stream_backend {
	my ($but) = @_;
	return wait_until {
		my @pid = @{ backends()->{'lockstep:stream'} // [] };
		@pid == 1 && $pid[0] != ($but // 0) && $pid[0]
	} 10, 'the connection of the streams';
}

subtest 'the connection of the streams hangs' => sub {
	my $sync  = begin(known($s, SIZE));
	my $other = newest($s, $bystander)->{id};
	my $pid   = stream_backend();
	ok $pid, 'there is one';
	my $said;
	# A statement of just before is late before this one is: then another connection is
	# there in time to answer it. Once more, with that.
	for my $try (1 .. 5) {
		$said = ask_frozen("/api/jobs/$other/events", $pid);
		last if $try == 5 || ($said->{status} == 503 && $said->{took} < PATIENCE * $slow);
		$s->wait_log(qr/"link: database is back"/, 20);
		thaw();
		$pid = stream_backend($pid) or last;
	}
	is $said->{status}, 503, 'who asks for what has to be looked up is told so';
	is $said->{code}, 'database', '... and why';
	cmp_ok $said->{took}, '<', PATIENCE * $slow, '... soon after db.timeout';
	ok $s->wait_log(qr/"link: database is back"/, 20), 'another connection takes its place';
	ends_right($sync, added => SIZE);
	thaw();
};

subtest 'all of PostgreSQL hangs' => sub {
	my $sync = begin(known($s, SIZE));
	$s->disconnect;
	my @pid = ($s->{PID_POSTGRES}, split ' ', Lockstep::Stack::slurp(
		"/proc/$s->{PID_POSTGRES}/task/$s->{PID_POSTGRES}/children"));
	freeze(@pid);
	my @said = crowd(4, @request);
	thaw();
	all_refused(CROWD_PATIENCE, @said);
	serves_again('back by itself');
	ends_right($sync, added => SIZE);
};

subtest 'nothing is left of it' => sub {
	is $s->sql_value(q(SELECT count(*) FROM job WHERE finished_at IS NULL)), 0, 'no job is stuck';
	is $s->sql_value(q(SELECT count(*) FROM pg_stat_activity WHERE usename = 'lockstep'
		AND state LIKE 'idle in transaction%')), 0, 'no transaction is open';
	$s->{mark} = 0;
	my @line = $s->log(qr/level=(?:warn|error)/);
	return cmp_ok scalar @line, '<', 400, 'the log was not flooded: ' . @line . ' lines' if !$s->{POOL_URL};
	# The pool takes a connection before it knows that PostgreSQL is gone, so that each who
	# asks is told anew: a request once, a jobs worker some five times a second.
	my $of_requests = grep { m{worker=(?:api|live)/} } @line;
	cmp_ok $of_requests, '<', $refused + 100, "the log was not flooded: $of_requests lines for $refused requests";
	my %in_second;
	for (@line) { $in_second{"$1 $2"}++ if m{^ts=(\S+?)\.\d+Z .*worker=((?:jobs|stream)/\d+) } }
	my ($most) = sort { $b <=> $a } values %in_second;
	cmp_ok $most, '<=', 30, "... nor by the others: $most lines of one of them in a second";
};

$s->stop;
done_testing;
