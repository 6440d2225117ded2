#!/usr/bin/perl

# Quick and full: what one call is enough for, what it cannot see, who finds that, and
# when; rehearsals, which change nothing; and what a sync that finds nothing writes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use DBD::Pg      ();
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $slow = $ENV{TEST_SLOW} || 1;

use constant PAGE => 40;

my $s = Lockstep::Stack->start(conf => { 'partner.retry_base' => '10ms' });
my $partner = $s->partner;

my @FULL = (query => 'mode=full');

sub every_page { my ($n) = @_; return map { PAGE * $_ } 0 .. POSIX::floor($n / PAGE) }

sub synced { my ($size, %more) = @_; my $user = known($s, $size, %more); $s->sync($user); return $user }

sub ids { my ($user, @n) = @_; return map { $partner->data($user)->{programs}[$_]{program_id} } @n }

# All that a sync may write of an account, but when it was last synced.
sub everything {
	my ($user) = @_;
	my $id = account_id($s, $user);
	return [map { $s->sql($_, $id) }
		'SELECT xmin, ctid, * FROM program WHERE account_id = ? ORDER BY program_id',
		'SELECT xmin, ctid, * FROM program_business WHERE account_id = ? ORDER BY business_id, program_id',
		'SELECT xmin, ctid, * FROM business_count WHERE account_id = ? ORDER BY business_id',
		'SELECT registry_version FROM account WHERE id = ?'];
}

sub synced_times {
	my ($user) = @_;
	return $s->sql('SELECT synced_at, full_at FROM account WHERE id = ?', account_id($s, $user))->[0];
}

sub offsets_are { my ($got, $want, $name) = @_; return is_deeply [sort { $a <=> $b } @{ $got->{offsets} }], $want, $name }

subtest 'equal totals and an equal first page: one call, and no more' => sub {
	for my $n (0, 1, 40, 200) {
		my $user = synced($n);
		my ($before, $times) = (everything($user), synced_times($user));
		my $got = sync($s, $user);
		is_done($got, status => 'up_to_date');
		offsets_are($got, [0], "$n programs: exactly one call");
		is_deeply [map { $_->{type} } @{ $got->{events} }], [qw(start info complete)], 'no progress to tell';
		is_deeply $got->{job}{progress}, { done => $n, total => $n, percentage => 100 }, 'the job is all done';
		is $got->{job}{counts}{unchanged}, $n, '... unchanged';
		is_deeply everything($user), $before, 'nothing was written';
		cmp_ok synced_times($user)->{synced_at}, 'gt', $times->{synced_at}, 'it counts as a sync';
		is synced_times($user)->{full_at}, $times->{full_at}, '... but not as a full reading';
	}
};

subtest 'defect 2: what the first page shows is found' => sub {
	my $user = synced(200);
	$partner->edit(user => $user, op => 'change', field => 'budget', ids => [ids($user, 39)]);
	my $got = sync($s, $user);
	is_done($got);
	is $got->{answer}{json}{updated}, 1, 'a change on it';
	offsets_are($got, [every_page(200)], 'each page is read once, the first one too');

	my ($gone) = @{ $partner->edit(user => $user, op => 'remove', n => 1, pick => 'first')->{ids} };
	my ($new) = @{ $partner->edit(user => $user, op => 'add', n => 1, pick => 'first')->{ids} };
	$got = sync($s, $user);
	is_done($got);
	is_deeply { map { $_ => $got->{answer}{json}{$_} } qw(added removed updated total_db_after) },
	    { added => 1, removed => 1, updated => 0, total_db_after => 200 }, 'a delete and an add that cancel out';
	is_deeply retired($s, $user), [$gone], '... these two';
	ok registry($s, $user)->{$new}, '... are the ones';

	$partner->edit(user => $user, op => 'add', n => 1, pick => 'last');
	$got = sync($s, $user);
	is_done($got);
	is $got->{answer}{json}{added}, 1, 'another total, whatever the first page says';
	$partner->edit(user => $user, op => 'change', ids => [ids($user, 3)], values => { program_type => 'x' x 300 });
	is sync($s, $user)->{job}{state}, 'partial', 'a program that cannot be read is not taken for equal';
};

subtest 'what lies beyond the first page is found by a full reading' => sub {
	my $user = synced(200);
	$partner->edit(user => $user, op => 'change', field => 'dates', ids => [ids($user, 40, 199)]);
	my ($gone) = @{ $partner->edit(user => $user, op => 'remove', n => 1, pick => 'last')->{ids} };
	$partner->edit(user => $user, op => 'add', n => 1, pick => 'last');
	my $got = sync($s, $user);
	is $got->{answer}{json}{status}, 'up_to_date', 'the quick check does not see it';
	offsets_are($got, [0], '... in its one call');
	$got = sync($s, $user, @FULL);
	is_done($got);
	is_deeply { map { $_ => $got->{answer}{json}{$_} } qw(added removed updated) },
	    { added => 1, removed => 1, updated => 1 }, 'mode=full does';
	offsets_are($got, [every_page(200)], '... with a call for each page');
	is_deeply retired($s, $user), [$gone], '... and exactly';
};

subtest 'a first reading that was partial is no full one' => sub {
	my $user = known($s, 200);
	$partner->fault(user => $user, kind => '404', offset => 80);
	is sync($s, $user)->{job}{state}, 'partial', 'a page is missing';
	$partner->heal;
	my $got = sync($s, $user);
	is_done($got);
	offsets_are($got, [every_page(200)], 'all is read the next time');
};

subtest 'an emptied registry is read again, from one call on' => sub {
	my $user = synced(200);
	$s->sql('DELETE FROM program WHERE account_id = ?', account_id($s, $user));
	$s->sql('DELETE FROM program_business WHERE account_id = ?', account_id($s, $user));
	$s->sql('DELETE FROM business_count WHERE account_id = ?', account_id($s, $user));
	my $got = sync($s, $user);
	is_done($got);
	offsets_are($got, [every_page(200)], 'each page once');
};

subtest 'mode=full while a quick check is under way' => sub {
	my $user = synced(200);
	$partner->edit(user => $user, op => 'change', field => 'dates', ids => [ids($user, 150)]);
	$partner->forget;
	$partner->hold(user => $user);
	my $quick = ask($s, $user);
	ok wait_until { ($partner->counters->{users}{$user}{calls} // 0) == 1 } 20, 'the quick check has asked';
	my $full = $s->sse('/api/reseller/programs/sync?mode=full', method => 'POST', as => $user, timeout => 30);
	ok wait_until { $s->sql_value(q(SELECT request->>'mode' FROM job WHERE account_id = ? AND state = 'running'),
		account_id($s, $user)) } 20, 'its job knows of the wish';
	$partner->heal;
	my $answer = $full->json;
	is $answer->{updated}, 1, 'who asked for it gets a full reading';
	my $got = outcome($quick);
	is_done($got);
	is $got->{answer}{json}{job}, $answer->{job}, '... by the same job';
	offsets_are($got, [every_page(200)], '... which asked for nothing twice');
};

# The window is too small to be met from outside: the statement itself, against a job
# that ends while it waits for the row.
subtest 'mode=full asked of a quick check that is just ending' => sub {
	my $user = synced(1);
	my $id   = account_id($s, $user);
	my $ask  = Lockstep::Stack::slurp($s->root . '/sql/query/jobs/ask.sql') =~ s/^\s*--.*\n//mgr;
	my $job  = $s->sql_value(q(INSERT INTO job (kind, account_id, state, n) VALUES ('test', ?, 'running', 1) RETURNING id), $id);
	my $other = $s->db->clone;
	$s->db->begin_work;
	$s->sql('SELECT FROM job WHERE id = ? FOR UPDATE', $job);
	my $late = $other->prepare($ask, { pg_async => DBD::Pg::PG_ASYNC() });
	$late->execute('test', $id, '{"mode":"full"}', '{}', 0);
	ok wait_until { $s->sql_value(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ?), $other->{pg_pid}) } 20, 'it waits';
	$s->sql(q(UPDATE job SET state = 'done', finished_at = now() WHERE id = ?), $job);
	$s->db->commit;
	is $late->pg_result + 0, 0, 'it does not join what has ended';
	my $again = $other->selectcol_arrayref($ask, undef, 'test', $id, '{"mode":"full"}', '{}', 0);
	isnt $again->[0], $job, 'asked again, it is a new job';
	my $joined = $other->selectcol_arrayref($ask, undef, 'test', $id, '{}', '{}', 0);
	is_deeply $joined, $again, 'who wants no more than that joins it';
	$late->finish;
	$s->sql(q(DELETE FROM job WHERE kind = 'test'));
	$other->disconnect;
};

subtest 'a quick check that the partner holds back is still one afterwards' => sub {
	my $user = synced(200);
	$partner->fault(user => $user, kind => '429', retry_after => 3, times => 1);
	my $got = sync($s, $user);
	is_done($got, status => 'up_to_date');
	offsets_are($got, [0, 0], 'held back once, then one call');
	is scalar(grep { $_->{type} eq 'waiting' } @{ $got->{events} }), 1, '... having waited in between';
	$partner->heal;
};

for my $bad ('mode=fast', 'mode=', 'mode=full&mode=quick', 'dry_run=2', 'dry_run=x', 'dry_run=1&dry_run=1') {
	my ($field) = $bad =~ /^(\w+)/;
	my $answer = $s->post("/api/reseller/programs/sync?$bad", as => 'p1');
	is "$answer->{status} $answer->{json}{field}", "400 $field", "$bad: refused";
}

sub would { my ($got) = @_; return { (map { $_ => $got->{$_} } qw(status added updated removed unchanged)), dry_run => $got->{dry_run} ? 1 : 0 } }

subtest 'dry_run says what would change, and changes nothing' => sub {
	my $user = synced(200);
	$partner->edit(user => $user, op => 'change', field => 'budget', ids => [ids($user, 0, 100, 150)]);
	$partner->edit(user => $user, op => 'remove', n => 30, pick => 'last');
	$partner->edit(user => $user, op => 'add', n => 5, pick => 'random');
	my ($before, $times) = (everything($user), synced_times($user));
	my $want = { status => 'synced', added => 5, updated => 3, removed => 30, unchanged => 167, dry_run => 1 };
	for my $mode ('', '&mode=full', '&mode=quick') {
		my $answer = $s->sync($user, query => "dry_run=1$mode");
		is_deeply would($answer), $want, "what would change$mode";
		is $answer->{message}, 'Would add 5 programs, 3 updated, 30 removed. Nothing was changed', 'in words';
		is_deeply [@$answer{qw(total_api total_db_before total_db_after)}], [175, 200, 200], 'with the totals as they are';
	}
	my @event = $s->sync_stream($user, query => 'dry_run=1')->rest;
	like $event[-1]{json}{message}, qr/^Would add 5 /, 'a stream says so too';
	is_deeply everything($user), $before, 'no row, link, count or version is another';
	is_deeply synced_times($user), $times, 'it is no sync';
	is $s->sql_value('SELECT count(*) FROM sync_seen'), 0, 'no trace of what was seen';
	is $s->sql_value(q(SELECT count(*) FROM job WHERE account_id = ? AND kind = 'programs.sync_dry_run'),
		account_id($s, $user)), 4, 'four jobs of a kind of their own';
	is_deeply would($s->sync($user, @FULL)), { %$want, dry_run => 0 }, 'then the sync does just that';
	is_deeply would($s->sync($user, query => 'dry_run=1')), { status => 'up_to_date', added => 0, updated => 0,
		removed => 0, unchanged => 175, dry_run => 1 }, 'and nothing is left to do';
};

subtest 'dry_run of a list that moves counts each program once' => sub {
	my $user = known($s, 400);
	$partner->fault(user => $user, kind => 'drift_add', n => 1, offset => 160, times => 1);
	is_deeply would($s->sync($user, query => 'dry_run=1')), { status => 'synced', added => 401, updated => 0,
		removed => 0, unchanged => 0, dry_run => 1 }, 'in two passes';
	$partner->heal;
	is rows_of($s, $user), 0, 'nothing is there';
	is synced_times($user)->{full_at}, undef, '... nor was anything read as a whole';
};

subtest 'dry_run in part' => sub {
	my $user = synced(200);
	$partner->edit(user => $user, op => 'add', n => 1);
	$partner->fault(user => $user, kind => '404', offset => 80);
	my $answer = $s->sync($user, query => 'dry_run=1');
	is $answer->{status}, 'partial', 'partial';
	like $answer->{message}, qr/^Read in part: 40 of 201 programs could not be read .*\. Would add 1 programs\. Nothing was changed$/,
	    'the message does not say that anything was added';
	is $answer->{removed}, 0, 'nothing would be removed on such grounds';
	$partner->heal;
};

subtest 'dry_run beside a running sync' => sub {
	my $user = known($s, 800);
	$partner->latency(base_ms => 150);
	my $real = ask($s, $user);
	ok wait_until { rows_of($s, $user) > 0 } 10, 'the sync is under way';
	my $dry = $s->sync($user, query => 'dry_run=1');
	$partner->latency(base_ms => 0);
	is $dry->{dry_run}, 1, 'a rehearsal of its own';
	cmp_ok $dry->{added} + $dry->{unchanged}, '==', 800, '... of the whole list';
	my $got = outcome($real);
	is $got->{answer}{json}{status}, 'synced', 'the sync is not disturbed';
	is $got->{answer}{json}{added}, 800, '... nor what it counts';
	registry_is($s, $user, '... or writes');
	is $s->sql_value('SELECT count(*) FROM sync_seen'), 0, 'no trace of what was seen';
};

# WAL of one sync; pages were touched since the checkpoint, so none is written as a whole.
sub wal_of {
	my ($user, @how) = @_;
	my @bytes;
	$s->sql('CHECKPOINT');
	$s->sync($user, @how) for 1 .. 5;
	for (1 .. 3) {
		my $from = $s->sql_value('SELECT pg_current_wal_insert_lsn()');
		$s->sync($user, @how);
		push @bytes, $s->sql_value('SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ?)', $from);
	}
	diag "WAL bytes (@how): @bytes";
	# What vacuum does meanwhile is not the sync's.
	return (sort { $a <=> $b } @bytes)[0];
}

subtest 'a second identical sync of 2,671 programs writes next to nothing' => sub {
	my $user = synced(2671, businesses => 108);
	my $before = everything($user);
	cmp_ok wal_of($user), '<', 8 * 1024, 'a quick check: less than 8 kB of WAL';
	cmp_ok wal_of($user, @FULL), '<', 64 * 1024, 'a full pass: less than 64 kB';
	is_deeply everything($user), $before, 'and no row, link, count or version';
};

$s->stop;

# The full reading that nobody waits for.
$s = Lockstep::Stack->start(conf => { 'programs.full_every' => '1h', 'jobs.workers' => 1 });
$partner = $s->partner;

sub jobs_of { my ($user) = @_; return $s->sql('SELECT id, state, priority, request::text, started_at FROM job
	WHERE account_id = ? ORDER BY created_at', account_id($s, $user)) }

# As if the last full reading had been too long ago.
sub make_due { my ($user) = @_; return $s->sql(q(UPDATE account SET full_at = full_at - interval '2 hours' WHERE id = ?), account_id($s, $user)) }

subtest 'after programs.full_every a quick check is followed by a full reading' => sub {
	my $user = synced(400);
	my $got = sync($s, $user);
	is scalar @{ jobs_of($user) }, 2, 'not while the last one is fresh';
	make_due($user);
	$partner->edit(user => $user, op => 'change', field => 'dates', ids => [ids($user, 399)]);
	$partner->forget;
	# The second page is held: a quick check does not ask for it.
	$partner->hold(user => $user, offset => 40);
	my $began = time;
	is $s->sync($user)->{status}, 'up_to_date', 'the quick check is answered';
	cmp_ok time - $began, '<', 8 * $slow, '... at once: one call';
	my $jobs = jobs_of($user);
	is scalar @$jobs, 3 + 1, 'there is one more job';
	is_deeply [@{ $jobs->[-1] }{qw(priority request)}], [-1, '{"mode": "full"}'], 'a full one of low priority';
	like $jobs->[-1]{state}, qr/^(?:queued|running)$/, 'which is still to be done';
	$partner->heal;
	ok wait_until { jobs_of($user)->[-1]{state} eq 'done' } 40, 'it is done in the background';
	registry_is($s, $user, 'and has found what the quick check could not see');
	is newest($s, $user)->{counts}{updated}, 1, '... the one change';
	my @event = $s->sse("/api/jobs/$jobs->[-1]{id}/events", as => $user)->rest;
	is $event[0]{json}{type}, 'start', 'its stream begins as any other';
	is $event[-1]{json}{type}, 'complete', '... and so ends';
	$s->sync($user);
	is scalar @{ jobs_of($user) }, 5, 'and is not due again at once';
};

subtest 'who waits goes first' => sub {
	my ($user, $other) = (synced(400), synced(200));
	make_due($_) for $user, $other;
	$partner->hold(user => $user, offset => 0);
	my $first  = ask($s, $user);
	ok wait_until { jobs_of($user)->[-1]{state} eq 'running' } 20, 'a quick check is under way';
	my $second = $s->sse('/api/reseller/programs/sync?mode=full', method => 'POST', as => $other, timeout => 30);
	ok wait_until { jobs_of($other)->[-1]{state} eq 'queued' } 20, 'somebody else waits for the one worker';
	$partner->heal;
	is $first->{post}->json->{status}, 'up_to_date', 'the first is answered';
	is $second->json->{status}, 'up_to_date', 'the second as well';
	ok wait_until { !grep { $_->{state} ne 'done' } @{ jobs_of($user) } } 40, 'the reading in the background ends';
	cmp_ok jobs_of($other)->[-1]{started_at}, 'lt', jobs_of($user)->[-1]{started_at}, '... and came last';
};

subtest 'nothing was left behind' => sub {
	is $s->sql_value(q(SELECT count(*) FROM job WHERE finished_at IS NULL)), 0, 'no job is stuck';
	is $s->sql_value('SELECT count(*) FROM sync_seen'), 0, 'no trace of ended passes';
	is_deeply [$s->log(qr/level=(?:error|fatal)/)], [], 'no error in the log';
};

$s->stop;
done_testing;
