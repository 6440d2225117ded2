#!/usr/bin/perl

# The command line as cron, support and a person at a terminal use it: what it prints,
# how it exits, and that it does the same as the API.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Lockstep::Stack;
use Test::More;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $s = Lockstep::Stack->start(conf => { 'partner.concurrency' => 2, 'partner.retry_base' => '20ms',
	'jobs.heartbeat' => '200ms', 'jobs.lease' => '10s' });
my $partner = $s->partner;
$s->account('agency', programs => 200);
$s->account('other', programs => 3);
$s->sync('other');
my %exit = (ok => 0, failed => 1, usage => 2, partial => 3, not_found => 4, refused => 5);

sub lines { my ($ran) = @_; return map { JSON::PP::decode_json($_) } split /\n/, $ran->{out} }

sub ran_is {
	my ($exit, $err, @argument) = @_;
	my $ran = $s->lockstep(@argument);
	is $ran->{exit}, $exit{$exit}, "@argument: $exit" or diag $ran->{out}, $ran->{err};
	like $ran->{err}, $err, '... with words' if $err;
	is $ran->{err}, '', '... in silence' if !$err;
	return $ran;
}

# With something on the standard input.
sub fed {
	my ($input, @argument) = @_;
	open my $file, '>', "$s->{dir}/input" or die;
	print $file $input;
	close $file;
	return Lockstep::Stack->run({}, 'sh', '-c', 'exec "$@" < "$0"', "$s->{dir}/input",
		$s->{BIN}, '-c', $s->{CONF}, @argument);
}

sub no_job_left { return wait_until { !$s->sql_value('SELECT count(*) FROM job WHERE finished_at IS NULL') } 40, 'the last job' }

# At a terminal of that width; what it shows.
sub at_terminal {
	my ($columns, @argument) = @_;
	my $command = join ' ', "stty cols $columns;", 'exec', $s->{BIN}, '-c', $s->{CONF}, @argument;
	return Lockstep::Stack->run({}, 'script', '-qec', $command, '/dev/null');
}

subtest 'account add takes the password from the standard input, checks and keeps it' => sub {
	my $ran = fed("wrong\n", 'account', 'add', 'agency');
	is $ran->{exit}, $exit{refused}, 'a wrong one is refused';
	like $ran->{err}, qr/does not accept/, '... in words';
	is $s->sql_value('SELECT count(*) FROM account'), 1, '... and nothing is stored';
	$ran = fed("agency-password\n", 'account', 'add', 'agency');
	is $ran->{exit}, $exit{ok}, 'the right one is good';
	my ($account) = lines($ran);
	is_deeply { map { $_ => $account->{$_} } qw(user_name state partner_total) },
	    { user_name => 'agency', state => 'active', partner_total => 200 }, '... and told';
	ok wait_until { ($s->sql_value('SELECT state FROM job WHERE account_id = ?', $account->{id}) // '') eq 'done' } 20,
	    'its first sync runs';
	$partner->forget;
	is $s->get('/api/reseller/business-ids', as => 'agency')->{status}, 200, 'a client signs in';
	is $partner->counters->{all}{calls}, 0, '... without the partner being asked again';
	is fed('', 'account', 'add', 'agency')->{exit}, $exit{failed}, 'no password';
	is fed("\n", 'account', 'add', 'agency')->{exit}, $exit{failed}, 'an empty one';
	is fed('x' x 2000, 'account', 'add', 'agency')->{exit}, $exit{failed}, 'an endless one';
	ran_is('usage', qr/usage/, qw(account add agency secret));
	is scalar(grep { /password/ } $s->log(qr/./)), 0, 'no password in the log';
};

subtest 'at a terminal the password is asked for, and not shown' => sub {
	my $shown = "$s->{dir}/terminal";
	# Who types waits for the question, ten seconds at most.
	my $types = qq{n=0; until grep -q Password: "$shown" || [ \$n -ge 200 ]; do n=\$((n + 1)); sleep 0.05; done; echo agency-password};
	my $command = qq{: > "$shown"; ($types) | script -qec "$s->{BIN} -c $s->{CONF} account add agency" /dev/null > "$shown"; cat "$shown"};
	my $ran = Lockstep::Stack->run({}, 'sh', '-c', $command);
	like $ran->{out}, qr/Password: /, 'asked';
	unlike $ran->{out}, qr/agency-password/, 'not shown';
	like $ran->{out}, qr/"state":"active"/, 'understood';
	ok no_job_left(), 'the sync that it asked for has ended';
};

subtest 'sync shows its events as JSON lines and how it ended by its status' => sub {
	$partner->edit(user => 'agency', op => 'add', n => 2);
	my $ran  = ran_is('ok', undef, qw(sync agency));
	my @line = lines($ran);
	is $line[0]{type}, 'start', 'from the start';
	is $line[-1]{type}, 'complete', '... to the end';
	is $line[-1]{added}, 2, '... with what was added';
	is((lines(ran_is('ok', undef, qw(sync agency))))[-1]{status}, 'up_to_date', 'nothing to do is well too');
	my $id = $s->sql_value(q(SELECT id FROM account WHERE user_name = 'agency'));
	is((lines(ran_is('ok', undef, 'sync', '-f', "id:$id")))[-1]{status}, 'up_to_date', 'in full, by number');
	my $job = ran_is('ok', undef, qw(sync -n agency))->{out};
	like $job, qr/\A[0-9a-f-]{36}\n\z/, 'without waiting: the job';
	wait_until { $s->sql_value('SELECT finished_at FROM job WHERE id = ?::uuid', $job =~ s/\n//r) } 40;
	$partner->fault(user => 'agency', offset => 40, kind => '500');
	is((lines(ran_is('partial', undef, qw(sync -f agency))))[-1]{status}, 'partial', 'in part');
	$partner->heal;
	$partner->fault(user => 'agency', kind => '500');
	is((lines(ran_is('failed', undef, qw(sync -f agency))))[-1]{type}, 'error', 'not at all');
	$partner->heal;
	ran_is('not_found', qr/no such account/, qw(sync nobody));
	ran_is('usage', qr/usage/, @$_) for ['sync'], [qw(sync a b)], [qw(sync -x agency)];
};

subtest 'sync at a terminal is a bar' => sub {
	$partner->edit(user => 'agency', op => 'add', n => 1);
	my $ran = at_terminal(60, qw(sync agency));
	is $ran->{exit}, 0, 'it ends well';
	like $ran->{out}, qr/\r\[#+\.+\]  +\d+%  \d+\/203  \d new\e\[K/, 'a bar';
	like $ran->{out}, qr/\r\[#+\]  100%  203\/203  1 new/, '... that gets full';
	like $ran->{out}, qr/Successfully synchronized 1 new programs/, '... and the end in words';
	unlike $ran->{out}, qr/"type"/, 'no JSON';
	my @wide = grep { length > 59 } map { s/\e\[K//gr } $ran->{out} =~ /\r(\[[^\r\n]*)/g;
	is_deeply \@wide, [], 'no line is too wide';
	like at_terminal(20, qw(sync -f agency))->{out}, qr/\r\s*\d+%  \d/, 'a narrow one has the figures';
};

subtest 'jobs and one job' => sub {
	my @job = lines(ran_is('ok', undef, qw(jobs -a agency -n 3)));
	is scalar @job, 3, 'three';
	is $job[0]{kind}, 'programs.sync', 'as the API has them';
	my @all = lines(ran_is('ok', undef, qw(jobs)));
	cmp_ok scalar @all, '>', 3, 'of all accounts';
	is_deeply(lines(ran_is('ok', undef, 'job', 'show', $job[0]{id})), $job[0], 'show');
	ran_is('not_found', qr/no such job/, 'job', 'show', $_) for '00000000-0000-4000-8000-000000000000', 'x';
	ran_is('refused', qr/The job is done/, 'job', $_, $job[0]{id}) for qw(cancel retry pause resume);
	ran_is('usage', qr/usage/, @$_) for ['job'], [qw(job show)], ['job', 'dance', $job[0]{id}],
	    [qw(jobs -n 0)], [qw(jobs -n x)], [qw(jobs extra)];
	ran_is('not_found', qr/no such account/, qw(jobs -a nobody));
	like at_terminal(120, 'jobs')->{out}, qr/$job[0]{id}  done       100%  \S+  programs\.sync +agency/, 'a table at a terminal';
};

subtest 'sync does not wait for a job that somebody has paused' => sub {
	$partner->hold(user => 'agency');
	chomp(my $id = ran_is('ok', undef, qw(sync -fn agency))->{out});
	ran_is('ok', undef, 'job', 'pause', $id);
	ran_is('failed', qr/paused; lockstep job resume $id/, qw(sync agency));
	$partner->heal;
	ran_is('ok', undef, 'job', 'resume', $id);
	ran_is('ok', undef, qw(sync agency));
};

subtest 'cancel, pause, resume and retry do what the API does' => sub {
	$partner->hold(user => 'agency');
	chomp(my $id = ran_is('ok', undef, qw(sync -fn agency))->{out});
	my ($paused) = lines(ran_is('ok', undef, 'job', 'pause', $id));
	is $paused->{state}, 'paused', 'paused';
	is((lines(ran_is('ok', undef, 'job', 'resume', $id)))[0]{state}, 'queued', 'resumed');
	my $sse = $s->sse("/api/jobs/$id/events", as => 'agency');
	is $sse->next->{json}{type}, 'start', 'somebody watches';
	is((lines(ran_is('ok', undef, 'job', 'cancel', $id)))[0]{state}, 'cancelled', 'cancelled');
	is((($sse->rest)[-1])->{json}{code}, 'cancelled', '... and hears of it');
	$partner->heal;
	my ($again) = lines(ran_is('ok', undef, 'job', 'retry', $id));
	isnt $again->{id}, $id, 'a new job';
	ok wait_until { (lines($s->lockstep('job', 'show', $again->{id})))[0]{state} eq 'done' } 40, '... that runs';
};

subtest 'accounts are listed, verified and disabled' => sub {
	my @account = lines(ran_is('ok', undef, qw(account list)));
	is_deeply [map { $_->{user_name} } @account], [qw(other agency)], 'all of them';
	is $account[1]{programs}, 203, '... with what they have';
	ok exists $account[1]{$_}, "... $_" for qw(id state verified_at synced_at next_sync_at);
	like at_terminal(100, qw(account list))->{out}, qr/active +\S+ +203  agency/, 'a table at a terminal';
	is((lines(ran_is('ok', undef, qw(account verify agency))))[0]{state}, 'active', 'good');
	$partner->password('agency', 'another');
	ran_is('refused', qr/does not accept/, qw(account verify agency));
	is $s->sql_value(q(SELECT state FROM account WHERE user_name = 'agency')), 'refused', '... and that is kept';
	ran_is('refused', qr/the account is refused/, qw(sync agency));
	is fed("another\n", qw(account add agency))->{exit}, 0, 'the new password';
	is $s->sql_value(q(SELECT state FROM account WHERE user_name = 'agency')), 'active', 'makes it good';
	no_job_left();

	$partner->hold(user => 'agency');
	$partner->forget;
	chomp(my $id = ran_is('ok', undef, qw(sync -fn agency))->{out});
	ok wait_until { $partner->counters->{users}{agency}{calls} } 20, 'a job is under way';
	ran_is('ok', undef, qw(account disable agency));
	is((lines($s->lockstep('job', 'show', $id)))[0]{state}, 'cancelled', 'disabled: its jobs end');
	$partner->heal;
	my $answer = $s->get('/api/jobs', login => ['agency', 'another']);
	is $answer->{status}, 403, '... nobody gets in';
	like $answer->{json}{detail}, qr/disabled/, '... and hears why';
	# The worker learns of it with the next page.
	ok wait_until { !grep { $_->{state} eq 'busy' } $s->workers('jobs') } 20, 'its worker has let go of the job';
	$partner->forget;
	is $s->get('/api/jobs', login => ['agency', 'another'])->{status}, 403, '... each time';
	is $partner->counters->{all}{calls}, 0, '... without asking the partner';
	is $s->get('/api/jobs', login => ['agency', 'wrong'])->{status}, 401, 'a stranger learns nothing';
	ran_is('refused', qr/the account is disabled/, qw(sync agency));
	is((lines(ran_is('refused', undef, qw(account verify agency))))[0]{state}, 'disabled', 'a good login does not enable it');
	is $s->sql_value(q(SELECT count(*) FROM program p JOIN account a ON a.id = p.account_id WHERE user_name = 'agency')),
	    203, 'its registry stays';
	is fed("another\n", qw(account add agency))->{exit}, 0, 'add';
	is $s->get('/api/jobs', login => ['agency', 'another'])->{status}, 200, '... does';
	ran_is('not_found', qr/no such account/, 'account', $_, 'nobody') for qw(verify disable);
	ran_is('usage', qr/usage/, @$_) for ['account'], [qw(account verify)], [qw(account list agency)], [qw(account drop agency)];
};

subtest 'events' => sub {
	my @event = lines(ran_is('ok', undef, qw(events agency)));
	cmp_ok scalar @event, '>=', 2, 'what has changed';
	is_deeply [sort keys %{ $event[0] }], [qw(account at event id)], 'with its place';
	is $event[0]{event}{type}, 'programs.synced', '... and what it was';
	like $event[0]{id}, qr/\A[0-9a-f]{8}\.\d+\z/, '... as a stream has it';
	cmp_ok scalar(lines(ran_is('ok', undef, 'events'))), '>', scalar @event, 'of all';
	# The last "events" may still be seen ending.
	my $since = $s->sql_value('SELECT clock_timestamp()');
	my $pid = open my $out, '-|', $s->{BIN}, '-c', $s->{CONF}, 'events', '-f', 'agency' or die;
	ok wait_until { $s->sql_value(q(SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%event_epoch()%'
		AND application_name = 'lockstep' AND query_start > ? AND pid <> pg_backend_pid()), $since) } 20, 'it follows';
	# Its statement is seen before it has looked where the list ends.
	my $came = wait_until {
		$s->sql(q(INSERT INTO event (account_id, topic, data) SELECT id, 'x', '{"type":"x"}' FROM account
			WHERE user_name = 'agency'));
		IO::Select->new($out)->can_read(1);
	} 20;
	ok $came, '... what comes';
	my $line = $came ? <$out> : '{}';
	is JSON::PP::decode_json($line)->{event}{type}, 'x', '... and only that';
	kill 'TERM', $pid;
	close $out;
};

subtest 'without a database it fails, and says so' => sub {
	$s->stop_postgres;
	for (['jobs'], [qw(sync agency)], [qw(account list)], ['events']) {
		ran_is('failed', qr/the database did not answer/, @$_);
	}
	$s->start_postgres;
};

$s->stop;
done_testing;
