#!/usr/bin/perl

# The supervisor seen from outside: what it says before it starts, what it does
# when workers die, hang or wear out, and what each signal does to whom.

use strict;
use warnings;
use DBI;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $ENV{TEST_SLOW} || 1;

# Seconds that a worker may take for one request; a statement has a little less, in
# which a test must have done what it does while a request is held up, on a machine that
# may stand still for half of it.
my $timeout = 6 * $slow;

# The log is a file of its own, so that it can be moved away. The stack may run as
# another user.
my $logs = File::Temp->newdir;
chmod 0777, $logs->dirname;

my $s = Lockstep::Stack->start(conf => {
	'log.file' => "$logs/log", 'api.workers' => 2, 'live.workers' => 2,
	'jobs.workers' => 1, 'db.timeout' => 1000 * $timeout - 100 . 'ms', 'live.deadline' => "${slow}s",
	'request_timeout' => "${timeout}s", 'shutdown_timeout' => 12 * $slow . 's',
});
$s->{LOG} = "$logs/log";
my $path = '/api/reseller/business-ids';

# The master's children by pid, also while nothing answers.
sub children {
	my $master = $s->{PID_MASTER};
	return sort split ' ', Lockstep::Stack::slurp("/proc/$master/task/$master/children");
}

# There are $n workers, all up; after a reload none that was there at the time.
my %leaving;

sub settled {
	my ($n) = @_;
	return wait_until {
		my @all = children();
		@all == $n && !grep({ $leaving{$_} } @all)
		    && !grep { $_->{state} eq 'starting' } $s->workers
	} 20, "$n workers";
}

# A signal to the master, and the line that says it has been dealt with.
sub tell_master {
	my ($signal, $line) = @_;
	$s->log_mark;
	my @before = children();
	$s->kill($signal => 'master');
	my $found = $s->wait_log($line, 20);
	%leaving = map { $_ => 1 } @before if $found && $found =~ /reloaded/;
	return $found;
}

# tools/stack names the standard error as the log, each time that it starts.
# Its last line comes before its end, and one that is still there is not started.
sub start_again {
	wait_until { !$s->alive($s->{PID_MASTER}) } 20, 'the end of the master';
	$s->start_part('lockstep');
	$s->{LOG} = "$logs/log";
	return;
}

# Requests that need the database stop until the handle is dropped.
sub hold_database {
	my ($host, $port) = $s->{DATABASE_URL} =~ m{\@([^:]+):(\d+)/};
	$host =~ s/%([0-9A-F]{2})/chr hex $1/ge;
	my $db = DBI->connect("dbi:Pg:dbname=lockstep;host=$host;port=$port",
		'postgres', '', { RaiseError => 1, PrintError => 0 });
	$db->begin_work;
	$db->do('LOCK TABLE account IN ACCESS EXCLUSIVE MODE');
	return $db;
}

# Workers with a request in hand; one is for a moment longer than its client waits.
sub busy { my ($kind, $what) = @_; return grep { $_->{state} eq 'busy' && $_->{what} eq $what } $s->workers($kind) }

# A request that is now in the hands of a worker, and that worker. Others wait for the
# table as well, those who look for schedules that are due.
sub request_in_hand {
	my ($db) = @_;
	wait_until { !busy(api => "GET $path") } 20, 'the last request';
	my $request = $s->sse($path, as => 'demo');
	my $busy = wait_until {
		my ($it) = busy(api => "GET $path");
		$it && $db->selectrow_array(q(SELECT count(*) FROM pg_locks WHERE NOT granted
		    AND relation = 'account'::regclass)) && $it
	} $timeout / $slow, 'a request that waits';
	return ($request, $busy);
}

# What $n clients at once are answered while $meanwhile runs: {status => times}.
sub answers {
	my ($n, $meanwhile) = @_;
	my @from = map {
		my $pid = open(my $pipe, '-|') // die "fork: $!";
		client() if !$pid;
		[$pid, $pipe];
	} 1 .. $n;
	$meanwhile->();
	CORE::kill(TERM => map { $_->[0] } @from);
	my %status;
	for my $pipe (map { $_->[1] } @from) {
		while (<$pipe>) { $status{$1} += $2 if /^(\d+) (\d+)$/ }
		close $pipe;
	}
	return \%status;
}

# One request after the other until TERM; then it says what came of them.
sub client {
	my ($over, %status) = (0);
	local $SIG{TERM} = sub { $over = 1 };
	$status{ $s->get($path, as => 'demo')->{status} }++ while !$over;
	syswrite STDOUT, join '', map { "$_ $status{$_}\n" } keys %status;
	POSIX::_exit(0);
}

sub all_good {
	my ($status, $name) = @_;
	my $n = $status->{200} // 0;
	return is_deeply([keys %$status], [200], "$name, all $n answered")
	    || diag(explain($status));
}

sub free_database { $_[0]->rollback; $_[0]->disconnect; return }

# lockstep beside the stack, told by the environment what is different.
sub lockstep_with {
	my ($env, @argument) = @_;
	return Lockstep::Stack->run({ env => { LOCKSTEP_LOG_FILE => '-', %$env } },
		$s->{BIN}, '-c', $s->{CONF}, @argument);
}

# The partner has a second, in which something may stand still.
ok wait_until(sub { $s->post('/api/auth/validate-credentials', as => 'demo')->{status} == 200 }, 20, 'the partner'),
    'a login for what follows';

subtest 'the command line' => sub {
	my $bin = $s->{BIN};
	my $version = Lockstep::Stack->run({}, $bin, '--version');
	like $version->{out}, qr/^lockstep \d+\.\d+/, '--version';
	is $version->{exit}, 0, 'is fine';
	my $help = Lockstep::Stack->run({}, $bin, '--help');
	like $help->{out}, qr/^  \Q$_\E\b/m, "--help names $_" for qw(serve check migrate keygen);
	is $help->{exit}, 0, 'is fine';
	for my $bad ([], ['frobnicate'], ['--nonsense'], ['serve', 'x'], ['check', '-Q'], ['keygen']) {
		my $ran = Lockstep::Stack->run({}, $bin, @$bad);
		is $ran->{exit}, 2, "'@$bad' is not understood";
		like $ran->{err}, qr/usage:/, 'and says how it is done';
		is $ran->{out}, '', 'on the standard error';
	}
};

subtest 'check' => sub {
	is $s->lockstep('check')->{out}, "configuration ok\n", 'is ok';
	my $all = $s->lockstep('check', '-T');
	is $all->{exit}, 0, '-T';
	like $all->{out}, qr/^request_timeout = ${timeout}s$/m, 'prints settings';
	like $all->{out}, qr/^url = \*+$/m, 'masks the database';
	my ($password) = Lockstep::Stack::slurp($s->{CONF}) =~ m{://[^:/]*:([^@]+)@};
	unlike $all->{out}, qr/\Q$password\E/, 'shows no password' if defined $password;

	my $file = File::Temp->new;
	print $file "run_dir = /tmp\n[api]\nworker = 3\n";
	close $file;
	my $bad = Lockstep::Stack->run({}, $s->{BIN}, '-c', "$file", 'check');
	is $bad->{exit}, 1, 'an unknown key is refused';
	like $bad->{err}, qr/\Q$file\E:3: api\.worker/, 'with file and line';
	is $bad->{out}, '', 'and nothing is ok';
};

subtest 'without its key file serve says how to make one' => sub {
	my $missing = "$logs/key";
	for my $command ('serve', 'check') {
		my $ran = lockstep_with({ LOCKSTEP_KEY_FILE => $missing }, $command);
		is $ran->{exit}, 1, "$command refuses";
		like $ran->{err}, qr/lockstep keygen \Q$missing\E/, 'and says how';
	}
	is $s->lockstep('keygen', $missing)->{exit}, 0, 'that command works';
	is lockstep_with({ LOCKSTEP_KEY_FILE => $missing }, 'check')->{exit}, 0, 'and is enough';
	is $s->lockstep('keygen', $missing)->{exit}, 1, 'a key is never written over';
};

subtest 'two masters cannot share a run_dir' => sub {
	my $second = lockstep_with({}, 'serve');
	is $second->{exit}, 1, 'the second refuses';
	like $second->{err}, qr/already in use by pid $s->{PID_MASTER}\b/, 'and names the first';
	is $s->get($path, as => 'demo')->{status}, 200, 'which still has its sockets';
};

# What the kernel has of a process, one bit a signal.
sub masks_of {
	my ($pid) = @_;
	my $status = Lockstep::Stack::slurp("/proc/$pid/status");
	return { map { $_ => hex substr(($status =~ /^$_:\s*(\w+)/m)[0], -8) }
	    qw(SigCgt SigIgn SigBlk) };
}

# jobs never calls FCGX_Init.
sub signal_masks { my ($kind) = @_; return masks_of($s->pid($kind, 0)) }

subtest 'FCGX_Init leaves the signals of a worker as they are' => sub {
	my $without = signal_masks('jobs');
	my %bit = (HUP => 1, INT => 2, USR1 => 10, PIPE => 13, TERM => 15);
	for my $name (sort keys %bit) {
		ok $without->{SigCgt} & 1 << ($bit{$name} - 1), "a worker handles $name";
	}
	# A shell that runs this in the background has QUIT ignored for all below it.
	my $here = masks_of($$);
	is(($without->{SigIgn} | $without->{SigBlk}) & ~$here->{SigIgn}, 0, 'and none is ignored or blocked');
	is_deeply signal_masks($_), $without, "$_ after FCGX_Init, the same" for qw(api live);
	my @before = children();
	my $api = $s->pid('api', 0);
	for my $signal (qw(HUP INT PIPE USR1)) {
		kill $signal => $api;
		sleep 0.2;
		is $s->pid('api', 0), $api, "$signal does not end a worker";
	}
	is_deeply [children()], \@before, 'nor any other';
};

subtest 'a worker that dies is replaced' => sub {
	ok settled(6), 'all there';
	sleep 1.1;
	for my $kind (qw(api live stream jobs)) {
		$s->log_mark;
		my $pid = $s->kill(KILL => $kind, 0);
		ok wait_until(sub { my $new = $s->pid($kind, 0); $new && $new != $pid }, 20, $kind), "$kind/0 is back";
		my $died = $s->wait_log(qr/worker died" child=$kind\/0 /, 20);
		my $fields = $s->fields($died // '');
		is_deeply [@$fields{qw(level pid by status)}], ['warn', $pid, 'signal', 9], 'its end is logged';
	}
};

# Kills it as soon as it is there, six times: how long its last successor was waited
# for, and what was logged of each end.
sub kill_in_a_row {
	my ($last, $gap) = (0, 0);
	$s->log_mark;
	for (1 .. 6) {
		my $pid = wait_until { my $p = $s->pid('jobs', 0); $p && $p != $last && $p } 20, 'the next one';
		CORE::kill(KILL => $pid) or last;
		my $dead = time;
		wait_until { my $p = $s->pid('jobs', 0); $p && $p != $pid } 20, 'its successor';
		($last, $gap) = ($pid, time - $dead);
	}
	return ($gap, map { $s->fields($_) } $s->log(qr/worker died" child=jobs\/0 /, 6));
}

subtest 'one that keeps dying is replaced ever more slowly, with one warning' => sub {
	my ($gap, @died);
	# On a machine that stood still one has lived for too long: once more.
	for my $try (1 .. 5) {
		ok settled(6), 'all there';
		sleep 1.1;
		($gap, @died) = kill_in_a_row();
		last if @died == 6 && !grep { $_->{lived_ms} >= 1000 } @died[1 .. 5];
		$s->wait_log(qr/worker is up again" child=jobs\/0/, 20) if $try < 5;
	}
	cmp_ok scalar(grep { $_->{lived_ms} < 1000 } @died), '>=', 5, 'died young' or return;
	cmp_ok $gap, '>', 0.5, 'the wait has grown';
	is scalar(grep { $_->{level} eq 'warn' && $_->{lived_ms} < 1000 } @died), 1, 'one warning';
	ok $s->wait_log(qr/worker is up again" child=jobs\/0/, 20), 'and the end of it is told';
};

subtest 'a worker that is stuck is killed and its request is logged' => sub {
	ok settled(6), 'all there';
	$s->log_mark;
	my $db = hold_database();
	my ($request, $busy) = request_in_hand($db);
	CORE::kill(STOP => $busy->{pid});
	my $stuck = $s->fields($s->wait_log(qr/"master: worker stuck"/, $timeout + 20) // '');
	is $stuck->{pid}, $busy->{pid}, 'an api worker';
	is $stuck->{what}, "GET $path", 'with what it had in hand';
	is $stuck->{rid}, $busy->{rid}, 'and its request id';
	cmp_ok $stuck->{ms}, '>', 1000 * $timeout, 'not before its time';
	# By the master's own clock: this test may have stood still.
	cmp_ok $stuck->{ms}, '<', 1000 * ($timeout + 5 * $slow), 'not long after it';
	free_database($db);
	is $request->status, 503, 'the client gets an answer';
	is $request->headers->{'x-request-id'}, $stuck->{rid}, '... to this very request';
	is $request->headers->{'retry-after'}, 1, '... and when to come again';
	ok settled(6), 'it is replaced';
};

sub is_stopped { my ($pid) = @_; return Lockstep::Stack::slurp("/proc/$pid/stat") =~ /\) T / }

# A request that hangs, and the live worker that was stopped with it in hand: surely,
# as the deadline, which begins later than here, was still to come.
sub stop_in_request {
	my ($path) = @_;
	for (1 .. 5) {
		wait_until { !busy(live => "GET $path") } 20, 'the last request';
		$s->log_mark;
		my $began   = time;
		my $request = $s->sse($path, as => 'demo');
		my $busy = wait_until { (busy(live => "GET $path"))[0] } 2 or next;
		CORE::kill(STOP => $busy->{pid});
		return ($request, $busy) if wait_until(sub { is_stopped($busy->{pid}) }, 2) && time - $began < $slow;
		CORE::kill(CONT => $busy->{pid});
	}
	return;
}

subtest 'a partner that hangs ends at the deadline, a live worker that hangs at the time-out' => sub {
	$s->partner->fault(user => 'demo', kind => 'hang', path => 'programs');
	my $hung = $s->get('/api/reseller/programs', as => 'demo');
	is $hung->{status}, 504, 'the partner hangs: 504';
	is $hung->{json}{code}, 'partner_timeout', '... which says who';
	my ($request, $busy) = stop_in_request('/api/reseller/programs');
	ok $busy, 'a busy one is stopped before the deadline' or return;
	my $stuck = $s->fields($s->wait_log(qr/"master: worker stuck"/, $timeout + 20) // '');
	is $stuck->{pid}, $busy->{pid}, 'a worker that is stopped in a request is killed';
	is $stuck->{rid}, $busy->{rid}, 'with its request id';
	is $stuck->{what}, 'GET /api/reseller/programs', 'and what it had in hand';
	is $request->status, 503, 'the client gets an answer';
	is $request->headers->{'x-request-id'}, $stuck->{rid}, '... to this very request';
	$s->partner->heal;
	ok settled(6), 'it is replaced';
};

subtest 'HUP with a bad configuration changes nothing' => sub {
	my @before = children();
	my $good = Lockstep::Stack::slurp($s->{CONF});
	$s->conf_edit(sub { $_ = "nonsense = 1\n$_" });
	like tell_master(HUP => qr/configuration refused/), qr/:1: nonsense/, 'file and line are logged';
	$s->conf_edit(sub { $_ = $good; s{^run_dir = .*}{run_dir = /tmp/elsewhere}m });
	like tell_master(HUP => qr/configuration refused/), qr/run_dir needs a restart/, 'what needs a restart is refused';
	$s->conf_edit(sub { $_ = $good; s{^file = .*}{file = /nowhere/log}m });
	like tell_master(HUP => qr/configuration refused/), qr{/nowhere/log}, 'a log that cannot be opened too';
	$s->conf_edit(sub { $_ = $good });
	is_deeply [children()], \@before, 'nobody was replaced';
	is $s->get($path, as => 'demo')->{status}, 200, 'all goes on';
};

subtest 'HUP with a good one replaces every worker when it is ready' => sub {
	my @before = children();
	my $db = hold_database();
	my ($request) = request_in_hand($db);
	$s->conf_edit(sub { s/^(\[api\]\nworkers =) 2/$1 3/m });
	ok tell_master(HUP => qr/configuration reloaded/), 'reloaded';
	sleep 0.5;
	free_database($db);
	is $request->status, 200, 'what was in hand is finished';
	ok settled(7), 'one worker more';
	my %old = map { $_ => 1 } @before;
	is_deeply [grep { $old{$_} } children()], [], 'all are new';
	is scalar(() = $s->log(qr/worker (?:died|did not stop)/)), 0, 'none was killed';

	$s->conf_edit(sub { s/^(\[api\]\nworkers =) 3/$1 2/m });
	ok tell_master(HUP => qr/configuration reloaded/), 'and again';
	ok settled(6), 'one less';
};

subtest 'no request is lost while workers are replaced' => sub {
	my $reloads = $s->operator('/status')->{json}{tally}{reloads};
	all_good(answers(4, sub {
		# Two that meet are one to the master.
		for my $n (1 .. 5) {
			sleep 0.3;
			%leaving = map { $_ => 1 } children();
			$s->kill(HUP => 'master');
			wait_until { $s->operator('/status')->{json}{tally}{reloads} == $reloads + $n } 20, "reload $n";
		}
		sleep 0.5;
	}), 'with HUP');
	is $s->operator('/status')->{json}{tally}{reloads}, $reloads + 5, 'five times';
	ok settled(6), 'all there';
};

# libfcgi's own accept would drop the connection that a signal finds it polling.
subtest 'no request is lost to signals' => sub {
	my @before = children();
	all_good(answers(4, sub {
		my $end = time + 2;
		while (time < $end) {
			CORE::kill($_ => @before) for qw(USR1 HUP INT PIPE);
			sleep 0.002;
		}
	}), 'with signals');
	is_deeply [children()], \@before, 'and no worker';
};

subtest 'a worker that is worn out is replaced without a word' => sub {
	$s->conf_edit(sub { $_ = "max_requests = 20\n$_" });
	tell_master(HUP => qr/configuration reloaded/);
	ok settled(6), 'all there';
	$s->log_mark;
	my $respawns = $s->operator('/status')->{json}{tally}{respawns};
	my $replaced = sub { $s->operator('/status')->{json}{tally}{respawns} - $respawns };
	all_good(answers(4, sub { wait_until { $replaced->() > 5 } 30 }), 'with few requests for each');
	cmp_ok $replaced->(), '>', 5, 'they were replaced';
	is scalar(() = $s->log(qr/worker died|level=(?:warn|error)/)), 0, 'none of them died';
	$s->conf_edit(sub { s/^max_requests.*\n//m });
	tell_master(HUP => qr/configuration reloaded/);
	ok settled(6), 'all there';
};

subtest 'USR1 opens the log anew, in the master and in the workers' => sub {
	my @before = children();
	rename "$logs/log", "$logs/log.1" or die "rename: $!";
	$s->{mark} = 0;
	CORE::kill(USR1 => $s->{PID_MASTER});
	ok $s->wait_log(qr/worker=master .*log reopened/, 20), 'the master';
	ok wait_until { !grep { (readlink // '') eq "$logs/log.1" } map { glob "/proc/$_/fd/*" } children() } 20, 'everybody';
	my $old = -s "$logs/log.1";
	$s->get($path, as => 'demo') for 1 .. 8;
	ok $s->wait_log(qr/worker=api\/\d .*http: request/, 20), 'a worker';
	is -s "$logs/log.1", $old, 'nobody writes to the old one';
	is_deeply [children()], \@before, 'nobody was replaced';
};

subtest 'TERM finishes what is in hand' => sub {
	my $db = hold_database();
	my ($request) = request_in_hand($db);
	tell_master(TERM => qr/"master: stopping"/);
	sleep 0.5;
	free_database($db);
	is $request->status, 200, 'it was answered';
	ok $s->wait_log(qr/"master: stopped"/, 20), 'then the master ends';
	is_deeply [grep { /\.sock$|\.pid$/ } glob "$s->{RUN_DIR}/*"], [], 'and takes its files along';
	start_again();
};

subtest 'a second TERM does not wait' => sub {
	my $db = hold_database();
	my ($request) = request_in_hand($db);
	tell_master(TERM => qr/"master: stopping"/);
	my $began = time;
	ok tell_master(TERM => qr/"master: stopped"/), 'stopped';
	cmp_ok time - $began, '<', 6 * $slow, 'at once';
	free_database($db);
	$request->close;
	start_again();
};

subtest 'workers die with a master that was killed' => sub {
	ok settled(6), 'all there';
	my @workers = children();
	$s->kill(KILL => 'master');
	ok wait_until(sub { !grep { $s->alive($_) } @workers }, 20, 'their end'), 'all are gone';
	start_again();
	is $s->get($path, as => 'demo')->{status}, 200, 'what it left is no obstacle to the next';
};

$s->stop;
done_testing;
