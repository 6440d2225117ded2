#!/usr/bin/perl

# Behind PgBouncer in transaction pooling: who goes through it and who past it, that a
# session there is what one of our own is, that a wrong set-up is told at the start,
# and what a worker makes of a PostgreSQL that crashed while its own connection, to the
# pool, went on as if nothing had been. LOCKSTEP_POOL=1 runs the other files behind it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(min);
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

use constant { SIZE => 1200, JOBS => 2 };

my $slow = $ENV{TEST_SLOW} || 1;

my $s = Lockstep::Stack->start(pool => 1, conf => {
	'api.workers' => 2, 'live.workers' => 2, 'jobs.workers' => JOBS, 'partner.retry_base' => '20ms',
	# Nothing else of a job asks the database in between.
	'jobs.lease' => '300s', 'jobs.heartbeat' => '120s', 'partner.timeout' => '120s',
});
my $partner = $s->partner;
my ($pool_port) = $s->{POOL_URL} =~ /:(\d+)\//;

# Sessions of PostgreSQL that are ours: name => [{pid, tcp}, ...].
sub sessions {
	my %of;
	push @{ $of{ $_->{application_name} } }, $_ for @{ $s->sql(q(SELECT application_name, pid, client_addr IS NOT NULL AS tcp
		FROM pg_stat_activity WHERE usename = 'lockstep' ORDER BY pid)) };
	return \%of;
}

sub count_of { return scalar @{ sessions()->{ $_[0] } // [] } }

# The sockets of a process that lead to the pool, as the kernel numbers them.
sub to_pool {
	my ($pid) = @_;
	my $port  = sprintf '%04X', $pool_port;
	my %inode = map { ((split)[9] => 1) } grep { / [0-9A-F]{8}:$port 01 / }
	    split /\n/, Lockstep::Stack::slurp('/proc/net/tcp');
	return [sort grep { $inode{$_} } map { (readlink($_) // '') =~ /^socket:\[(\d+)\]$/ } glob "/proc/$pid/fd/*"];
}

# On the socket are those who come directly, on TCP the pool: so is the stack made.
subtest 'statements go through the pool, and what listens past it' => sub {
	my $user = known($s, 90);
	is $s->sync($user)->{status}, 'synced', 'a sync';
	is $s->get('/api/reseller/programs?limit=1', as => $user)->{status}, 200, 'api and live';
	wait_until { count_of('lockstep:listen') == JOBS } 20, 'all jobs workers to listen';
	my $of = sessions();
	is_deeply [sort keys %$of], ['lockstep', 'lockstep:listen', 'lockstep:stream'], 'three kinds';
	is_deeply [grep { !$_->{tcp} } @{ $of->{lockstep} }], [], 'all statements come from the pool';
	is scalar @{ $of->{'lockstep:listen'} }, JOBS, 'each jobs worker listens';
	is scalar @{ $of->{'lockstep:stream'} }, 1, 'so does stream';
	is_deeply [grep { $_->{tcp} } map { @{ $of->{$_} } } qw(lockstep:listen lockstep:stream)], [], '... directly';
	for my $worker ($s->workers) {
		my $n = scalar @{ to_pool($worker->{pid}) };
		if ($worker->{kind} eq 'stream') { is $n, 0, 'stream knows nothing of the pool' }
		else { cmp_ok $n, '<=', 1, "$worker->{kind}/$worker->{index}: one connection there at most" }
	}
};

subtest 'a session of the pool is what one of our own is' => sub {
	my $user = known($s, 45);
	$s->sync($user);
	my @path = map { "/api/$_" } qw(jobs?limit=1 reseller/programs?source=registry reseller/business-ids);
	my @body = map { $s->get($_, as => $user)->{body} } @path;
	$s->sql("ALTER DATABASE lockstep SET $_") for q(timezone = 'Asia/Tokyo'), q(datestyle = 'German'), 'jit = on';
	$s->sql(q(SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'lockstep'));
	ok wait_until { $s->operator('/readyz')->{status} == 200 } 20, 'new sessions';
	is $s->get($path[$_], as => $user)->{body}, $body[$_], "$path[$_] is as before" for 0 .. $#path;
	my $db = DBI->connect("dbi:Pg:dbname=lockstep;host=127.0.0.1;port=$pool_port", 'lockstep',
		($s->{POOL_URL} =~ /lockstep:(\w+)@/)[0], { RaiseError => 1, PrintError => 0, pg_server_prepare => 0 });
	my %want = (idle_in_transaction_session_timeout => '10s', client_connection_check_interval => '2s', jit => 'off');
	is $db->selectrow_array("SHOW $_"), $want{$_}, "$_ is $want{$_}" for sort keys %want;
	$db->disconnect;
	# What a worker's own statement meets, whichever session it is lent.
	$s->sql(q(CREATE OR REPLACE FUNCTION shown() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO seen_settings VALUES (current_setting('timezone'), current_setting('datestyle')); RETURN NULL; END $$));
	$s->sql('CREATE TABLE seen_settings (zone text, style text)');
	$s->sql('GRANT ALL ON seen_settings TO lockstep');
	$s->sql('CREATE TRIGGER shown AFTER UPDATE ON job FOR EACH ROW EXECUTE FUNCTION shown()');
	$s->sync($user, query => 'mode=full');
	is_deeply $s->sql('SELECT DISTINCT zone, style FROM seen_settings'), [{ zone => 'UTC', style => 'ISO, MDY' }],
	    'a job writes in UTC, with dates as ISO has them';
	$s->sql('DROP TRIGGER shown ON job');
	$s->sql("ALTER DATABASE lockstep RESET $_") for qw(timezone datestyle jit);
};

# lockstep elsewhere, with other urls: what it says.
sub started {
	my ($command, %env) = @_;
	mkdir "$s->{DIR}/other";
	return Lockstep::Stack->run({ timeout => 20, env => { LOCKSTEP_RUN_DIR => "$s->{DIR}/other", %env } },
		$s->{BIN}, '-c', $s->{CONF}, $command);
}

subtest 'a pool that is not as it has to be is told at the start' => sub {
	my $ran = started('serve', LOCKSTEP_DB_URL => $s->{DATABASE_URL_TCP});
	is $ran->{exit}, 1, 'sessions without their settings';
	like $ran->{err}, qr/the pool's sessions lack client_connection_check_interval, idle_in_transaction_session_timeout, jit"/,
	    '... which are named';
	$s->sql('CREATE DATABASE other OWNER lockstep');
	$ran = started('serve', LOCKSTEP_DB_DIRECT_URL => $s->{DATABASE_URL} =~ s{/lockstep$}{/other}r);
	is $ran->{exit}, 1, 'two databases';
	like $ran->{err}, qr/lead to different databases/, '... are told apart';
	$ran = started('migrate', LOCKSTEP_DB_DIRECT_URL => '');
	is $ran->{exit}, 1, 'a pool that passes for PostgreSQL';
	like $ran->{err}, qr/unsupported startup parameter: options/, '... refuses';
	my ($password) = $s->{POOL_URL} =~ /lockstep:(\w+)@/;
	unlike $_, qr/\Q$password\E/, 'no word of the password'
	    for Lockstep::Stack->run({}, $s->{BIN}, '-c', $s->{CONF}, 'check', '-T')->{out}, $ran->{err},
	    Lockstep::Stack::slurp($s->{LOG});
};

subtest 'who listens is heard again' => sub {
	my $end = q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lockstep:listen');
	my @before = map { $_->{pid} } @{ sessions()->{'lockstep:listen'} };
	$s->sql($end);
	ok wait_until { my @now = grep { my $pid = $_->{pid}; !grep { $_ == $pid } @before }
		@{ sessions()->{'lockstep:listen'} // [] }; @now == JOBS } 20, 'new ones in their place';
	my $hba = "$s->{DIR}/data/pg_hba.conf";
	my $was = Lockstep::Stack::slurp($hba);
	my $put = sub { open my $out, '>', $hba or die "$hba: $!"; print $out @_; close $out; $s->sql('SELECT pg_reload_conf()') };
	$put->("local all lockstep reject\n", $was);
	# The postmaster reads the file a moment later.
	ok wait_until { $s->lockstep('jobs')->{exit} != 0 } 20, 'nobody gets in directly';
	$s->sql($end);
	ok $s->wait_log(qr/worker=jobs\/0 .*"db: cannot listen"/, 20), 'the log says so';
	my $user = known($s, 90);
	is $s->sync($user)->{status}, 'synced', 'a job is found by looking';
	$put->($was);
	ok wait_until { count_of('lockstep:listen') == JOBS } 20, 'they are back';
	ok $s->wait_log(qr/worker=jobs\/0 .*"db: listening again"/, 20), '... and the log says so';
};

subtest 'the pool goes away and comes back' => sub {
	my $user = known($s, SIZE);
	$partner->hold(user => $user, after_calls => 12);
	my $sse = $s->sync_stream($user, timeout => 30);
	$sse->until('progress', 20);
	my $ask = ask($s, $user);
	$s->stop_pool;
	my @took = map {
		my $began = time;
		my $said = $s->get('/api/jobs', as => $user);
		is $said->{status}, 503, 'refused';
		is $said->{json}{code}, 'database', '... because of the database';
		time - $began;
	} 1 .. 3;
	# The others may have met something that stood still.
	cmp_ok min(@took), '<', 2 * $slow, '... within two seconds';
	ok !$sse->ended, 'the stream is open';
	$s->start_pool;
	ok wait_until { $s->get('/api/jobs', as => $user)->{status} == 200 } 20, 'back by itself';
	$partner->heal;
	my @event = $sse->rest(60);
	is $event[-1]{json}{type}, 'complete', 'the stream goes on to the end';
	is outcome($ask)->{job}{state}, 'done', '... and so does the job';
	registry_is($s, $user, 'the registry is the partner\'s list');
};

# A sync that has written some pages and waits for the partner, with the process that
# has it, while something happens to PostgreSQL.
sub in_between {
	my ($user, $happens) = @_;
	$partner->hold(user => $user, after_calls => 12);
	$partner->forget;
	my $ask = ask($s, $user, query => 'mode=full');
	my $seen = q(SELECT coalesce((checkpoint->>'unique')::int, 0) FROM job WHERE account_id = ? AND finished_at IS NULL);
	my $is_idle = sub { ($partner->counters->{users}{$user}{calls} // 0) >= 18 && $s->sql_value($seen, account_id($s, $user)) };
	ok wait_until { $is_idle->() } 20, 'some is read, the rest is waited for';
	my $all = $s->sql_value($seen, account_id($s, $user));
	# What came last is on its way into the database.
	wait_until { sleep 0.3; my $was = $all; $all = $s->sql_value($seen, account_id($s, $user)); $was == $all } 20;
	my $index = ($s->sql_value(q(SELECT holder FROM job WHERE account_id = ? AND finished_at IS NULL),
		account_id($s, $user)) =~ m{jobs/(\d+)$})[0];
	my ($worker) = grep { $_->{index} == $index } $s->workers('jobs');
	my $before = to_pool($worker->{pid});
	is scalar @$before, 1, 'its worker has a connection to the pool';
	$s->log_mark;
	$happens->();
	is_deeply to_pool($worker->{pid}), $before, '... which it still has';
	ok !$s->log(qr{level=(?:warn|error) worker=jobs/$worker->{index} }), '... having noticed nothing' or diag join "\n", $s->log(qr{jobs/});
	$partner->heal;
	my $got = outcome($ask);
	is_done($got);
	return $got;
}

sub claims { my ($got) = @_; return $s->sql_value('SELECT fence FROM job WHERE id = ?', $got->{job}{id}) }

sub checkpointer {
	$s->disconnect;
	return $s->sql_value(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'));
}

my %crash = (
	'one of its processes is killed' => sub {
		my $pid = checkpointer();
		kill 'KILL', $pid;
		ok wait_until { (eval { checkpointer() } // $pid) != $pid } 20, 'it has died and is back';
	},
	'all of it is killed' => sub { $s->stop_postgres('--kill'); $s->start_postgres },
);
for my $name (sort keys %crash) {
	subtest "PostgreSQL crashes behind the pool: $name" => sub {
		my $user = known($s, SIZE);
		$s->sync($user);
		$partner->edit(user => $user, op => 'remove', n => 30, pick => 'first');
		$partner->edit(user => $user, op => 'change', field => 'dates', n => 200, pick => 'random');
		my $got = in_between($user, $crash{$name});
		is scalar(() = $s->log(qr/"job: the database has crashed since the claim"/, 1)), 1, 'the job finds out';
		is scalar(() = $s->log(qr/"sync: what was seen is gone, reading again"/, 1)), 1, '... and reads again';
		is claims($got), 2, '... under a new claim';
		is_deeply [@{ $got->{job}{counts} }{qw(added updated removed)}], [0, 200, 30], 'the counts are true';
		is $s->sql_value('SELECT count(*) FROM crash_mark'), 1, 'there is one mark again';
	};
}

subtest 'PostgreSQL is restarted behind the pool' => sub {
	my $user = known($s, SIZE);
	$s->sync($user);
	$partner->edit(user => $user, op => 'remove', n => 30, pick => 'first');
	my $got = in_between($user, sub { $s->restart('postgres') });
	is scalar(() = $s->log(qr/"job: the database has crashed|reading again/)), 0, 'nothing was lost';
	is claims($got), 1, 'the job goes on under its claim';
	is $got->{job}{counts}{removed}, 30, 'the counts are true';
	is scalar(grep { $_ == 0 } @{ $got->{offsets} }), 1, 'no page is read twice';
};

$s->stop;
done_testing;
