#!/usr/bin/perl

# What libfcgi, nginx, PostgreSQL and libcurl really do, and that we are prepared for
# it: the traps of the platform with the cures that the code depends on. Here is
# what no other test shows; where each one is:
#
#	libfcgi
#	  silent peer, half a request          here (api, live); 30-stream (stream)
#	  BEGIN, then the end                  here; 30-stream
#	  slow reader                          30-stream
#	  peer that does not close             here
#	  FCGX_Init takes signals              20-master
#	  its accept loses a connection to a signal   20-master
#	  TERM while blocked in accept         here (idle workers end), 20-master
#	  TERM sends streams away with retry:, and they miss nothing   here
#	  libpq in the loop, LISTEN before the query   30-stream
#	nginx
#	  @live keeps method, login and body   here
#	  the body of a redirect to /_stream/  here
#	  stream reads our query string only   here; unit handover
#	  a hand-over has no other header      here
#	  a client that left costs no work     here (in the backlog), 30-stream
#	  what a client types is nobody's name here
#	  full backlog: 503 with Retry-After   here; 10-stack (nobody there)
#	  fastcgi_keep_conn, gzip, shutdown    here (the files), 12-site
#	  nginx waits longer than we do        here
#	PostgreSQL
#	  dead owner's open transaction, fence here
#	  session options, keepalive           here
#	  numbers of events are commit order   here
#	  kept counts are a recount            here, api/80-sync
#	  deadlock: tried again                here
#	  UNLOGGED emptied by a crash          here
#	  PgBouncer: nothing prepared          here, in the whole file
#	caches
#	  no worker answers from before        here
#	libcurl
#	  time in the queue is not the call's  here

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use List::Util qw(min);
use Lockstep::FastCGI qw(fcgi_answer fcgi_begin fcgi_params fcgi_request);
use Lockstep::Registry;
use Lockstep::Stack;
use MIME::Base64 qw(encode_base64);
use Socket qw(SOCK_STREAM AF_UNIX SOCK_NONBLOCK pack_sockaddr_un);
use Test::More;
use Time::HiRes qw(sleep time);

use constant { WORKERS => 2, PARTNER_TIMEOUT_S => 5, IDLE_IN_TRANSACTION_S => 10 };

my $slow  = $ENV{TEST_SLOW} || 1;
my $lease = 5 * $slow;

# What a worker, a call or a statement may take leaves room for something that stands
# still though nobody stopped it.
my $s = Lockstep::Stack->start(conf => {
	'api.workers' => WORKERS, 'live.workers' => WORKERS, 'jobs.workers' => WORKERS,
	'db.prepare' => 'off', 'jobs.lease' => "${lease}s", 'jobs.heartbeat' => '1s',
	'request_timeout' => 12 * $slow . 's', 'live.deadline' => 6 * $slow . 's', 'db.job_timeout' => '120s',
	'partner.retry_base' => '20ms', 'partner.concurrency' => 2,
	'partner.timeout' => PARTNER_TIMEOUT_S * $slow . 's',
});
$s->account("keep$_", programs => 80) for 1 .. 4;
my $ids = '/api/reseller/business-ids';

sub authorization { my ($name) = @_; return 'Basic ' . encode_base64("$name:$name-password", '') }

# A request past nginx, as it would send it.
sub record {
	my ($method, $uri, %param) = @_;
	return fcgi_request({ REQUEST_METHOD => $method, REQUEST_URI => $uri,
		REQUEST_ID => '0' x 32, REMOTE_ADDR => '127.0.0.1',
		HTTP_AUTHORIZATION => authorization('keep1'), %param });
}

sub ask_directly {
	my ($kind, $bytes) = @_;
	my $socket = $s->fcgi($kind);
	syswrite $socket, $bytes;
	return $socket;
}

sub slurp { return Lockstep::Stack::slurp(@_) }

$s->sql(q(ALTER SYSTEM SET log_statement = 'all'));
$s->sql('SELECT pg_reload_conf()');
$s->sync('keep1');

# A jobs worker is stopped within a transaction; what becomes of its job shows at the
# end, after the ten seconds that PostgreSQL leaves it.
my ($held, $held_at);
subtest 'a worker is stopped in the middle of a transaction' => sub {
	$s->get('/api/jobs', as => 'keep2');
	$s->db->begin_work;
	$s->sql('LOCK TABLE program IN EXCLUSIVE MODE');
	my $sse = $s->sync_stream('keep2');
	is $sse->status, 200, 'a sync begins';
	ok wait_until { $s->sql_value(q(SELECT count(*) FROM pg_locks WHERE NOT granted
	    AND relation = 'program'::regclass)) } 20, 'it waits for the table';
	($held) = grep { $_->{state} eq 'busy' } $s->workers('jobs');
	CORE::kill(STOP => $held->{pid});
	$s->db->commit;
	$held_at = time;
	like $held->{what}, qr/^programs\.sync /, 'its worker is stopped';
	$sse->close;
};

my $stopped = $s->kill(STOP => 'live', 1);

subtest 'peers that say nothing, half of it, or do not leave hold no worker for long' => sub {
	my @pids = $s->pids('api');
	my $whole = record(GET => $ids);
	for my $case (['silent, and half a header', '', substr $whole, 0, 4],
		['BEGIN alone, and half of the parameters', fcgi_begin(), substr $whole, 0, 60],
		['those that do not close', ($whole) x WORKERS]) {
		my ($name, @bytes) = @$case;
		my @peer = map { ask_directly(api => $_) } @bytes;
		my $began = time;
		is $s->get($ids, as => 'keep1')->{status}, 200, "$name: the next one is served";
		cmp_ok time - $began, '<', 12 * $slow, '... in time';
	}

	$s->log_mark;
	close ask_directly(api => fcgi_begin()) for 1 .. 10;
	is $s->get($ids, as => 'keep1')->{status}, 200, 'BEGIN and the end: the next one is served';
	$s->wait_log(qr/http: request/, 15);
	is_deeply [grep { !/ path=\Q$ids\E / } $s->log(qr/http: request/)], [], '... and nothing else was';
	is_deeply [$s->pids('api')], \@pids, 'no worker was lost';
};

# Connects until the backlog is full.
sub fill_backlog {
	my ($kind) = @_;
	my @socket;
	while (@socket < 1000) {
		socket my $socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0 or die "socket: $!";
		connect $socket, pack_sockaddr_un("$s->{RUN_DIR}/$kind.sock") or last;
		push @socket, $socket;
	}
	return @socket;
}

subtest 'a full backlog is 503 at once, and who left it costs no work' => sub {
	my @pids = $s->pids('api');
	CORE::kill(STOP => @pids);
	wait_until { @pids == grep { slurp("/proc/$_/stat") =~ /\) T / } @pids } 20, 'their stop';
	my $rid = 'f' x 32;
	my @left = map { ask_directly(api => record(GET => $ids, REQUEST_ID => $rid)) } 1 .. 5;
	my @queue = fill_backlog('api');
	cmp_ok @left + @queue, '<', 100, 'the backlog is short';
	my @took;
	for (1 .. 3) {
		my $began = time;
		my $busy = $s->get($ids, as => 'keep1');
		push @took, time - $began;
		is $busy->{status}, 503, 'refused';
		is $busy->{json}{code}, 'busy', '... as busy';
		is $busy->{headers}{'retry-after'}, 1, '... with Retry-After';
	}
	cmp_ok min(@took), '<', 1 * $slow, 'answered at once';
	close $_ for @left, @queue;
	$s->log_mark;
	CORE::kill(CONT => @pids);
	ok wait_until { $s->get($ids, as => 'keep1')->{status} == 200 } 15, 'then all is well';
	is scalar(() = $s->log(qr/rid=$rid/)), 0, 'nobody worked for those who left';
};

subtest 'a hand-over is one header and nothing else' => sub {
	my $sync = fcgi_answer(ask_directly(api => record(POST => '/api/reseller/programs/sync-stream')));
	like $sync, qr{\AStatus: 200 OK\r\nX-Accel-Redirect: /_stream/job\?[\x21-\x7e]+\r\n\r\n\z}, 'to stream';
	my $live = fcgi_answer(ask_directly(api => record(POST => '/api/auth/validate-credentials')));
	is $live, "Status: 200 OK\r\nX-Accel-Redirect: \@live\r\n\r\n", 'to live';
	ok wait_until { !grep { $_->{state} =~ /queued|running/ }
	    @{ $s->get('/api/jobs', as => 'keep1')->{json}{jobs} } } 20, 'that sync has ended';
};

subtest 'method, login and body survive the redirect to live, and a body the one to stream' => sub {
	$s->log_mark;
	my $valid = $s->post('/api/auth/validate-credentials', as => 'keep3', body => 'x' x 1024);
	is $valid->{status}, 200, 'a login that is not known yet';
	my $rid = $valid->{headers}{'x-request-id'};
	# Who has handed it over may write its line after the one who answers.
	is_deeply [sort map { my $f = $s->fields($_); "$f->{worker} $f->{method} $f->{status} $f->{handover}" =~ s{/\d}{}r }
	    $s->log(qr/rid=$rid .*"http: request"/, 2)],
	    ['api POST 200 live', 'live POST 200 no'], 'api, then live, with the same method';
	my $sync = $s->post('/api/reseller/programs/sync', as => 'keep3', body => 'x' x 1024);
	is $sync->{status}, 200, 'a sync with a body of no use';
	is $sync->{json}{total_db_after}, 80, '... is a sync';
};

subtest 'what a client writes into its query decides nothing in stream' => sub {
	my $of = $s->get('/api/jobs', as => 'keep3')->{json}{jobs}[0]{id};
	my $own = ($s->sync_stream('keep1')->rest(20))[-1];
	my $query = "job=$of&as=sse&account=" . account_id($s, 'keep3') . '&after=0&until=9999999999';
	my $forged = $s->sse("/api/reseller/programs/sync-stream?$query", method => 'POST', as => 'keep1');
	my @event = $forged->rest(20);
	cmp_ok scalar(@event), '>', 1, 'events';
	unlike $event[-1]{id}, qr/^\Q$of\E/, '... not of the job that it named';
	is $own->{json}{type}, 'complete', 'as without it';
};

subtest 'what a client types is nobody\'s name, and no header makes an operator' => sub {
	for my $file (glob Lockstep::Stack->root . '/conf/nginx/*') {
		my $text = slurp($file) =~ s/^\s*#.*$//gmr;
		my $name = $file =~ s{.*/}{}r;
		# The one place where the name has been checked, by the lines before it.
		like $text, qr/^satisfy all;\nauth_basic "\w+";\nauth_basic_user_file \S+;\n.*\$remote_user;$/m,
		    'operator-auth checks it' and next if $name eq 'operator-auth';
		unlike $text, qr/REMOTE_USER|\$remote_user|include\s+fastcgi(_params|\.conf)/,
		    "$name passes no typed name";
		# A page passes nothing to lockstep.
		unlike $text, qr/fastcgi_pass/, 'operator-page leads to files' and next if $name eq 'operator-page';
		unlike $text, qr/operator-auth/, "$name names no operator" if $name ne 'operator-request';
	}
	for my $name ('Lockstep-Listener', 'LOCKSTEP_LISTENER', 'Http-Lockstep-Listener') {
		is $s->get('/status', headers => { $name => 'operator' })->{status}, 404, "not by $name";
		is $s->get('/api/status', headers => { $name => 'operator' }, as => 'keep1')->{status}, 404, '... nor in /api/';
	}
};

# A file of conf/nginx with all that it includes in its place, without comments.
sub whole {
	my ($name) = @_;
	my $text = slurp(Lockstep::Stack->root . "/conf/nginx/$name") =~ s/^\s*#.*$//gmr;
	return $text =~ s{include lockstep/(\S+);}{whole($1)}ger;
}

subtest 'nginx is told what the platform needs' => sub {
	my $conf = join "\n", map { whole($_) } qw(lockstep.conf operator.conf);
	my @pass = $conf =~ /^\s*location \s*(\S[^{]*?) \{\n([^{}]*?fastcgi_pass unix:[^{}]*?)\n\s*\}/gms;
	cmp_ok @pass / 2, '>=', 8, 'locations that lead to lockstep';
	while (my ($where, $text) = splice @pass, 0, 2) {
		like $text, qr/fastcgi_keep_conn off;/, "$where: no kept connection";
		is scalar(() = $text =~ /fastcgi_param\s+$_\s/g), 1, "... $_ once"
		    for qw(CONTENT_LENGTH LOCKSTEP_LISTENER LOCKSTEP_OPERATOR);
	}
	unlike $conf, qr/fastcgi_keep_conn on/, 'no kept connection anywhere';
	my ($stream) = slurp(Lockstep::Stack->root . '/conf/nginx/lockstep.conf') =~ m{location \^~ /_stream/ \{(.*?)\n\}}s;
	for my $line ('internal', 'fastcgi_pass_request_body off', 'fastcgi_param CONTENT_LENGTH ""',
		'fastcgi_buffering off', 'gzip off') {
		like $stream, qr/^\s*\Q$line\E;/m, "streams: $line";
	}
	like slurp(Lockstep::Stack->root . '/conf/nginx/site.conf'), qr/worker_shutdown_timeout/,
	    'old nginx workers do not stay as long as their streams';
};

# Settings as they are by default, in seconds or bytes.
sub defaults {
	my $conf = File::Temp->new;
	print $conf "[db]\nurl = postgresql:///x\n";
	close $conf;
	my %unit = (ms => 0.001, s => 1, min => 60, h => 3600, d => 86400, k => 1024, m => 1 << 20);
	my ($section, %value) = '';
	for (split /\n/, Lockstep::Stack->run({}, $s->{BIN}, '-c', "$conf", 'check', '-T')->{out}) {
		$section = "$1." if /^\[(\w+)\]/;
		$value{"$section$1"} = $2 * $unit{$3} if /^(\w+) = (\d+)(ms|s|min|h|d|k|m)$/;
	}
	return \%value;
}

subtest 'nginx waits longer than lockstep, and takes as long a body' => sub {
	my $value = defaults();
	my $dir   = Lockstep::Stack->root . '/conf/nginx';
	my @plain  = slurp("$dir/lockstep.conf") =~ /fastcgi_read_timeout (\d+)s/g;
	my $stream = pop @plain;
	cmp_ok scalar @plain, '>=', 6, 'api, live and the operators\' have a time';
	cmp_ok $_, '>', $value->{request_timeout}, 'than a worker may be stuck' for @plain;
	cmp_ok $value->{request_timeout}, '>', $value->{'live.deadline'}, '... which is longer than the partner may take';
	cmp_ok $value->{shutdown_timeout}, '>', $value->{'live.deadline'}, 'a request in hand ends before the shutdown does';
	cmp_ok $stream, '>', $value->{'sync.wait_max'}, 'than a POST waits for its job';
	is 1024 * (slurp("$dir/request") =~ /client_max_body_size (\d+)k;/)[0], $value->{body_max}, 'the same limit';
};

# A server that only looks at how lockstep introduces itself: its parameters, and the
# timer of the connection as the kernel has it. url, direct_url: whether they lead there.
sub introduction {
	my ($command, %leads) = @_;
	my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
	my $port = $server->sockport;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDERR, '>', '/dev/null';
		# It must not give up while this test stands still.
		@ENV{qw(LOCKSTEP_DB_TIMEOUT LOCKSTEP_REQUEST_TIMEOUT)} = qw(60s 120s);
		for (qw(url direct_url)) {
			my $host = $leads{$_} ? "127.0.0.1:$port" : '127.0.0.1:1';
			$ENV{ 'LOCKSTEP_DB_' . uc } = "postgresql://x\@$host/x?sslmode=disable&gssencmode=disable";
		}
		exec $s->{BIN}, '-c', $s->{CONF}, $command;
	}
	my $peer = $server->accept;
	sysread $peer, my $hello, 4096;
	my ($timer) = slurp('/proc/net/tcp') =~
	    m/^\s*\d+: 0100007F:[0-9A-F]{4} 0100007F:@{[sprintf '%04X', $port]} 01 \S+ (\d\d:[0-9A-F]+) /m;
	CORE::kill(KILL => $pid);
	waitpid $pid, 0;
	return ({ split /\0/, substr $hello, 8 }, split /:/, $timer // '00:0');
}

subtest 'a session is bounded on both ends of its connection' => sub {
	for (['one url', 'migrate', url => 1, direct_url => 1], ['past the pool', 'migrate', direct_url => 1],
	    ['to the pool', 'serve', url => 1]) {
		my ($name, @how) = @$_;
		my ($option, $kind, $jiffies) = introduction(@how);
		if ($name eq 'to the pool') {
			ok !exists $option->{options}, "$name: nothing that it refuses";
		} else {
			like $option->{options}, qr/\Q$_\E/, "$name: $_" for qw(idle_in_transaction_session_timeout=10s
			    client_connection_check_interval=2s jit=off);
		}
		is $option->{timezone}, 'UTC', '... the zone';
		is $option->{datestyle}, 'ISO, MDY', '... the form of dates';
		is $kind, '02', '... keepalive is on';
		cmp_ok hex($jiffies) / 100, '<=', 5, '... and asks after five seconds';
	}
};

subtest 'time that a call waits for its turn is not its own' => sub {
	my $user = 'queue';
	my $each = 1.1 * $slow;
	$s->account($user, programs => 400);
	$s->get('/api/jobs', as => $user);
	$s->partner->fault(user => $user, kind => 'delay', ms => 1000 * $each);
	my $began = time;
	is $s->sync($user)->{status}, 'synced', '10 pages, two at a time';
	cmp_ok time - $began, '>', PARTNER_TIMEOUT_S * $slow, '... take longer than one call may';
	is scalar(() = $s->log(qr/page failed/)), 0, '... and none of them failed';
	$s->partner->heal;
};

subtest 'no worker answers from before a sync that has ended' => sub {
	my $answers = sub { my %n; $n{ $s->get($ids, as => 'keep3')->{body} }++ for 1 .. 12; return \%n };
	is scalar(keys %{ $answers->() }), 1, 'every worker has the answer';
	$s->partner->edit(user => 'keep3', op => 'add', n => 7, business => 'another-one');
	$s->sync('keep3');
	my @body = keys %{ $answers->() };
	is scalar(@body), 1, 'after the sync they agree again';
	like $body[0], qr/"business_id":"another-one","program_count":7\b/, '... on what is new';
};

subtest 'a statement that loses a deadlock is tried again' => sub {
	my $account = account_id($s, 'keep3');
	my $job = $s->sql_value("INSERT INTO job (kind, account_id, state, waiting_reason)
		VALUES ('test', ?, 'paused', 'login_refused') RETURNING id", $account);
	# PostgreSQL chooses who loses: mostly, not always, who has waited for longer.
	my $won;
	for (1 .. 10) {
		$s->sql(q(UPDATE job SET state = 'paused', waiting_reason = 'login_refused' WHERE id = ?), $job);
		$s->db->begin_work;
		$s->sql('SELECT FROM job WHERE id = ? FOR UPDATE', $job);
		my $request = $s->sse('/api/auth/validate-credentials', method => 'POST', as => 'keep3');
		ok wait_until { $s->sql_value(q(SELECT count(*) FROM pg_locks WHERE NOT granted)) } 20,
		    'it has the account and waits for the job';
		$won = eval { $s->sql('UPDATE account SET state = state WHERE id = ?', $account); 1 };
		$won ? $s->db->commit : $s->db->rollback;
		is $request->status, 200, 'answered as if nothing had been';
		last if $won;
		like $@, qr/deadlock detected/, '... this time we have lost it';
	}
	ok $won, 'the request has lost a deadlock';
	like slurp("$s->{LOG_DIR}/postgres.log"), qr/deadlock detected/, 'there was a deadlock';
	$s->sql('DELETE FROM job WHERE id = ?', $job);
};

# A job that nobody works on: its events are made here.
sub event {
	my ($job) = @_;
	return $s->sql_value(q{
		WITH me AS (UPDATE job SET n = n + 1 WHERE id = $1::uuid RETURNING id, n),
		     e AS (INSERT INTO job_event (job_id, n, data)
		           SELECT id, n, '{"type":"progress"}' FROM me)
		SELECT n, pg_notify('job', id::text) FROM me}, $job);
}

subtest 'a stream worker that ends sends its streams away, and they miss nothing' => sub {
	my $job = $s->sql_value("INSERT INTO job (kind, account_id, state)
		VALUES ('test', ?, 'paused') RETURNING id", account_id($s, 'keep3'));
	my @sse = map { $s->sse("/api/jobs/$job/events", as => 'keep3') } 1 .. 3;
	event($job);
	is +($_->next(20) // {})->{id}, "$job.1", 'an event' for @sse;
	my $began = time;
	$s->kill(TERM => 'stream');
	my %retry;
	for my $sse (@sse) {
		my @last = $sse->rest(20);
		$retry{ $last[-1]{retry} // '' } = 1;
		ok $sse->complete, 'sent away';
	}
	cmp_ok time - $began, '<', 6 * $slow, 'within some seconds';
	is scalar(grep { !/^[1-5]\d{3}$/ } keys %retry), 0, 'with a time to come back' or diag explain \%retry;
	cmp_ok scalar(keys %retry), '>', 1, '... that differs';
	event($job);
	my $again = $s->sse("/api/jobs/$job/events", as => 'keep3', headers => { 'Last-Event-ID' => "$job.1" });
	is +($again->next(20) // {})->{id}, "$job.2", 'who comes back gets what it missed';
	$again->close;
	$s->sql('DELETE FROM job WHERE id = ?', $job);
};

subtest 'a stopped worker\'s open transaction does not keep its job from the others' => sub {
	my ($job) = $held->{what} =~ /(\S+)$/;
	my $end = sub { $s->sql(q(SELECT state, fence, n FROM job WHERE id = ?), $job)->[0] };
	ok wait_until { $end->()->{state} eq 'done' } $lease / $slow + 4 * IDLE_IN_TRANSACTION_S,
	    'another worker has ended it' or diag explain $end->();
	cmp_ok $end->()->{fence}, '>', 1, '... under another fencing number';
	registry_is($s, 'keep2', 'the registry is right');
	my $before = $s->sql(q(SELECT * FROM job WHERE id = ?), $job);
	$s->log_mark;
	CORE::kill(CONT => $held->{pid});
	ok $s->wait_log(qr/pid=$held->{pid}\b.*killed|"job: lease lost"|"db: (?:query|command) failed"/, 15),
	    'the late one learns of it';
	sleep 0.3;
	is_deeply $s->sql(q(SELECT * FROM job WHERE id = ?), $job), $before, '... and writes nothing';
	is_deeply [map { $_->{n} } @{ $s->sql('SELECT n FROM job_event WHERE job_id = ? ORDER BY at, n', $job) }],
	    [1 .. $end->()->{n}], 'its events are numbered in the order in which they were committed';
};

subtest 'an idle worker that is stopped is replaced' => sub {
	ok wait_until { !$s->alive($stopped) } 60, 'killed';
	my ($line) = map { $s->fields($_) } grep { /pid=$stopped\b/ }
	    split /\n/, slurp($s->{LOG});
	is $line->{msg}, 'master: worker stuck', '... as one that is stuck';
	is $line->{rid}, '', '... with nothing in hand';
	ok wait_until { ($s->pid('live', 1) // $stopped) != $stopped } 15, 'another has its place';
};

subtest 'a crash of PostgreSQL empties what a pass has seen, so it begins again' => sub {
	$s->partner->hold(user => 'keep4', path => 'programs', offset => [40, 1000]);
	$s->get('/api/jobs', as => 'keep4');
	my $sse = $s->sync_stream('keep4');
	is +($sse->until('progress', 20))[-1]{json}{synced}, 40, 'one page is written';
	my $pass = $s->sql_value('SELECT max(pass) FROM sync_seen');
	$s->stop_postgres('--kill');
	$s->start_postgres;
	is_deeply $s->sql('SELECT * FROM sync_seen WHERE pass <= ?', $pass), [], 'what it had seen is gone';
	$s->partner->heal;
	is +($sse->rest(40))[-1]{json}{type}, 'complete', 'the sync ends well';
	ok +($s->log(qr/what was seen is gone/, 1))[0], '... after a second reading';
	registry_is($s, 'keep4', 'the registry is right');
};

subtest 'with db.prepare = off nothing is prepared' => sub {
	my $log = slurp("$s->{LOG_DIR}/postgres.log");
	cmp_ok scalar(() = $log =~ /execute <unnamed>: /g), '>', 100, 'statements in the log';
	my %named = map { $_ => 1 } grep { !/^dbdpg_|<unnamed>/ } $log =~ /execute (\S+?):? /g;
	is_deeply [sort keys %named], [], '... none of them by a name of ours';
};

subtest 'idle workers end soon' => sub {
	my $began = time;
	$s->log_mark;
	$s->stop_lockstep;
	cmp_ok time - $began, '<', 10 * $slow, 'within two accepts';
	is scalar(() = $s->log(qr/did not stop|worker died/)), 0, 'by themselves';
	ok +($s->log(qr/"master: stopped"/, 1))[0], 'and the master after them';
};

$s->stop;
done_testing;
