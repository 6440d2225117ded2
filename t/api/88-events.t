#!/usr/bin/perl

# GET /api/reseller/events: the account's own changes, in the order of commits, taken
# up again exactly where a client left, or one reset when that cannot be.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use DBI;
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'partner.concurrency' => 2 });
$s->account($_, programs => 3) for qw(ann bob);
$s->sync($_) for qw(ann bob);
my %account = map { $_->{name} => $_->{id} } @{ $s->sql(
	q(SELECT id, convert_from(user_name, 'UTF8') AS name FROM account)) };

# A stream that has found its place: the mark that it begins with is taken.
sub follow {
	my ($user, $last) = @_;
	my $sse = $s->sse('/api/reseller/events', as => $user, timeout => 20,
		(defined $last ? (headers => { 'Last-Event-ID' => $last }) : ()));
	return $sse if defined $last;
	$sse->{mark} = $sse->next // die 'no mark';
	return $sse;
}

sub is_mark { my ($event) = @_; return $event && !defined $event->{data} && $event->{id} =~ /\A[0-9a-f]{8}\.\d+\z/ }

# The next event that a client would see.
sub event {
	my ($sse, $timeout) = @_;
	while (my $event = $sse->next($timeout)) {
		return $event if defined $event->{data};
	}
	return;
}

# All there is now: up to one that is made for this.
my $stops = 0;
sub events {
	my ($sse, $user) = @_;
	my $stop = 'stop' . ++$stops;
	append($user, $stop);
	my @event;
	while (my $event = event($sse, 20)) {
		return @event if $event->{json}{type} eq $stop;
		push @event, $event if $event->{json}{type} !~ /\Astop/;
	}
	fail 'the stream goes on';
	return @event;
}

sub append {
	my ($user, @topic) = @_;
	$s->sql(q(INSERT INTO event (account_id, topic, data)
		SELECT ?, t, '{"type":"' || t || '"}' FROM unnest(?::text[]) t), $account{$user}, \@topic);
	return;
}

sub types { return [map { $_->{json}{type} } @_] }
sub seq   { my ($event) = @_; return ($event->{id} =~ /\.(\d+)\z/)[0] }

subtest 'a sync that changes something says so, once' => sub {
	my $ann = follow('ann');
	is $ann->status, 200, 'the stream is open';
	is $ann->headers->{'content-type'}, 'text/event-stream', '... of events';
	ok is_mark($ann->{mark}), 'it begins with a place and no event';
	$s->partner->edit(user => 'ann', op => 'add', n => 2);
	$s->partner->edit(user => 'ann', op => 'change', n => 1, pick => 'first', field => 'dates');
	my $sync = $s->sync('ann', body => '');
	my $told = event($ann);
	is_deeply $told->{json}, { type => 'programs.synced', added => $sync->{added},
		updated => $sync->{updated}, removed => $sync->{removed}, job => $sync->{job} }, 'the event';
	is $sync->{added}, 2, '... with what was added';
	ok !exists $told->{event}, 'no event: line';
	like $told->{id}, qr/\A[0-9a-f]{8}\.\d+\z/, 'its id is (epoch, seq)';
	is $s->sync('ann')->{status}, 'up_to_date', 'a sync without a change';
	is $s->post('/api/reseller/programs/sync?mode=full', as => 'ann')->{json}{status}, 'up_to_date', '... nor a full one';
	$s->partner->edit(user => 'ann', op => 'add', n => 1);
	is $s->post('/api/reseller/programs/sync?dry_run=1', as => 'ann')->{json}{added}, 1, '... nor a dry run that would';
	is_deeply types(events($ann, 'ann')), [], '... says nothing';
};

subtest 'what a cancelled sync had written is announced' => sub {
	my $ann = follow('ann');
	$s->partner->edit(user => 'ann', op => 'add', n => 400);
	$s->partner->hold(user => 'ann', path => 'programs', after_calls => 4);
	my $sync = $s->sync_stream('ann');
	my @event = $sync->until('progress', 20);
	my ($id) = $event[-1]{id} =~ /\A(\S+)\./;
	is $s->post("/api/jobs/$id/cancel", as => 'ann')->{status}, 200, 'cancelled';
	my $counts = $s->get("/api/jobs/$id", as => 'ann')->{json}{counts};
	cmp_ok $counts->{added}, '>', 0, 'it had written something';
	is_deeply event($ann)->{json}, { type => 'programs.synced', job => $id,
		map { $_ => $counts->{$_} } qw(added updated removed) }, 'the event';
	$s->partner->heal;
	$s->sync('ann');
};

subtest 'what a sync had written that was given up is announced' => sub {
	my $ann = follow('ann');
	my $job = $s->sql_value(q(WITH j AS (INSERT INTO job (kind, account_id, state, claims, added, updated)
		VALUES ('programs.sync', ?, 'queued', 25, 7, 2) RETURNING id),
		s AS (INSERT INTO sync_seen (job_id, pass, ids) SELECT id, 1, '{seen}' FROM j)
		SELECT id FROM j), $account{ann});
	is_deeply event($ann)->{json}, { type => 'programs.synced', added => 7, updated => 2, removed => 0, job => $job },
	    'to who follows the account';
	is $s->sql_value('SELECT state FROM job WHERE id = ?', $job), 'failed', '... of a job that never got anywhere';
	is $s->sql_value('SELECT count(*) FROM sync_seen WHERE job_id = ?', $job), 0, '... and nothing is left of what it saw';
};

subtest 'nobody hears of another account' => sub {
	my ($ann, $bob) = (follow('ann'), follow('bob'));
	append('ann', 'secret');
	is event($ann)->{json}{type}, 'secret', 'one hears of it';
	is_deeply types(events($bob, 'bob')), [], 'the other does not';
	my $theirs = follow('bob', $ann->{mark}{id});
	is_deeply types(grep { $_->{json}{type} eq 'secret' } events($theirs, 'bob')), [], '... from its place neither';
	is $s->get('/api/reseller/events')->{status}, 401, 'a stranger is not let in';
};

subtest 'who comes back gets exactly what was missed' => sub {
	my $ann = follow('ann');
	my $mark = $ann->{mark}{id};
	$ann->close;
	append('ann', 'one', 'two');
	append('bob', 'other');
	append('ann', 'three');
	my @missed = events(follow('ann', $mark), 'ann');
	is_deeply types(@missed), [qw(one two three)], 'also who had seen no event yet';
	is_deeply types(events(follow('ann', $missed[0]{id}), 'ann')), [qw(two three)], 'from the middle';
	my @seq = map { seq($_) } @missed;
	is_deeply \@seq, [sort { $a <=> $b } @seq], 'numbers go up';
};

subtest 'many missed ones come whole and in order, beside one who has seen them' => sub {
	my $ann = follow('ann');
	append('ann', "m$_") for 1 .. 150;
	my @live = map { event($ann) } 1 .. 150;
	is_deeply types(@live), [map { "m$_" } 1 .. 150], 'as they come';
	for my $from (0, 1, 31, 32, 33, 100, 149) {
		my $id = $from ? $live[$from - 1]{id} : $ann->{mark}{id};
		my $back = follow('ann', $id);
		my @got = map { event($back) } $from + 1 .. 150;
		is_deeply [map { $_->{id} } @got], [map { $_->{id} } @live[$from .. 149]], "from $from";
	}
};

subtest 'the order is that of the commits' => sub {
	my $ann = follow('ann');
	my ($slow_one, $undone) = map { DBI->connect('dbi:Pg:' . $s->db->{Name}, 'postgres', '',
		{ RaiseError => 1, AutoCommit => 0 }) } 1 .. 2;
	my $insert = q(INSERT INTO event (account_id, topic, data) VALUES (?, 't', ?));
	# Whoever would have to wait for the open transaction fails instead.
	$s->db->do(q(SET statement_timeout = '10s'));
	$slow_one->do($insert, undef, $account{ann}, '{"type":"begun first"}');
	append('ann', 'committed first');
	my $first = event($ann);
	is $first->{json}{type}, 'committed first', 'an open transaction holds nobody up';
	my $back = follow('ann', $first->{id});
	$slow_one->commit;
	$slow_one->disconnect;
	my $second = event($ann);
	is $second->{json}{type}, 'begun first', 'and is not lost';
	cmp_ok seq($second), '>', seq($first), '... with the higher number';
	is event($back)->{id}, $second->{id}, '... also to who came back in between';
	$undone->do($insert, undef, $account{ann}, '{"type":"undone"}');
	$undone->rollback;
	$undone->disconnect;
	is_deeply types(events($ann, 'ann')), [], 'what is rolled back never was';
};

subtest 'a place that is none: one reset, and on from there' => sub {
	my $ann = follow('ann');
	my ($epoch, $seq) = split /\./, $ann->{mark}{id};
	append('ann', 'before');
	is event($ann)->{json}{type}, 'before', 'something happens';
	for my $last ('00000000.1', 'ffffffff.' . $seq, "$epoch." . ($seq + 1000), 'nonsense', "$epoch.",
		"$epoch.-1", "$epoch.1x", "0123abcd-4567-89ab-cdef-0123456789ab.3", ('9' x 200)) {
		my $sse   = follow('ann', $last);
		my $reset = event($sse);
		is_deeply $reset->{json}, { type => 'reset' }, 'reset: ' . substr $last, 0, 20;
		cmp_ok seq($reset), '>', $seq, '... with where it stands now';
		is_deeply types(events($sse, 'ann')), [], '... and nothing old';
		$sse->close;
		is_deeply [grep { $_ eq 'reset' } @{ types(events(follow('ann', $reset->{id}), 'ann')) }], [],
		    '... which is good for coming back';
	}
};

subtest 'what is past keeping is dropped by the day' => sub {
	my $at = "(clock_timestamp() AT TIME ZONE 'UTC')::date - 10";
	my $ann = follow('ann');
	my $before = $ann->{mark}{id};
	$s->sql("SELECT event_partition_make($at)");
	$s->sql("INSERT INTO event (account_id, topic, data, at) VALUES (?, 'old', '{\"type\":\"old\"}',
		($at) + interval '12 hours')", $account{ann});
	# Whoever comes after this comes after it.
	is event($ann, 20)->{json}{type}, 'old', 'one of long ago';
	my $after = follow('ann')->{mark}{id};
	append('ann', 'young');
	is_deeply [@{ types(events(follow('ann', $before), 'ann')) }[0, 1]], [qw(old young)], 'kept so far';
	# What was told lately is kept in memory for as long as somebody follows.
	$ann->close;
	ok wait_until { my ($stream) = $s->workers('stream'); !$stream->{clients} } 20, 'nobody follows any more';
	is $s->sql_value(q(SELECT dropped FROM event_trim('7 days'))), 1, 'the day is dropped';
	is $s->sql_value(q(SELECT count(*) FROM event WHERE topic = 'old')), 0, '... with what it held';
	is event(follow('ann', $before))->{json}{type}, 'reset', 'who had not seen it is told';
	is event(follow('ann', $after))->{json}{type}, 'young', 'who had goes on';
	is $s->sql_value(q(SELECT dropped FROM event_trim('7 days'))), 0, 'nothing to do twice';
};

subtest 'an event of a day that nobody has prepared is not lost' => sub {
	my $ann = follow('ann');
	my $day = $s->sql_value("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date + 2");
	$s->sql('SELECT event_make()');
	my $name = $s->sql_value('SELECT event_partition(?::date)', $day);
	$s->sql("DROP TABLE $name");
	$s->sql(q(INSERT INTO event (account_id, topic, data, at) VALUES (?, 'far', '{"type":"far"}',
		(?::date + time '12:00') AT TIME ZONE 'UTC')), $account{ann}, $day);
	is event($ann)->{json}{type}, 'far', 'it is told';
	is $s->sql_value('SELECT made FROM event_make()'), 1, 'the day is made up for';
	is $s->sql_value("SELECT count(*) FROM $name"), 1, '... with the event in it';
	is event(follow('ann', $ann->{mark}{id}))->{json}{type}, 'far', '... which still counts';
	is_deeply types(events($ann, 'ann')), [], '... and is not told twice';
};

subtest 'one announcement a transaction, one query for all who watch' => sub {
	my %user = map { ("w$_" => 1) } 1 .. 6;
	$s->account($_, programs => 0) for keys %user;
	my @sse = map { follow($_) } sort keys %user;
	%account = map { $_->{name} => $_->{id} } @{ $s->sql(
		q(SELECT id, convert_from(user_name, 'UTF8') AS name FROM account)) };
	$s->db->do(q(ALTER SYSTEM SET log_min_duration_statement = 0));
	$s->db->do('SELECT pg_reload_conf()');
	my $log   = "$s->{LOG_DIR}/postgres.log";
	# Each query is an entry for its plan, its parameters and its execution.
	my $asked = sub { my ($from) = @_; return grep { /\bexecute\b.*event_epoch\(\) AS epoch/s }
		split /^(?=\d{4}-\d\d-\d\d )/m, substr Lockstep::Stack::slurp($log), $from };
	ok wait_until(sub { events($sse[0], 'w1'); scalar $asked->(0) }, 10, 'the log'), 'queries are logged';
	$s->db->do('LISTEN event');
	my $mark = -s $log;
	$s->sql(q(INSERT INTO event (account_id, topic, data) SELECT a, 't', '{"type":"t"}'
		FROM unnest(?::bigint[]) a, generate_series(1, 20)), [map { $account{$_} } keys %user]);
	for my $sse (@sse) {
		is_deeply types(map { event($sse) } 1 .. 20), [('t') x 20], 'all are told';
	}
	my @notes;
	while (my $note = $s->db->pg_notifies) { push @notes, $note->[2] }
	is_deeply [sort @notes], [sort map { $account{$_} } keys %user], 'one announcement for each account';
	my $n = $asked->($mark);
	cmp_ok $n, '<=', 3, "few queries for six ($n)";
	cmp_ok $n, '>=', 1, '... counted right';
	$s->db->do('ALTER SYSTEM RESET ALL');
	$s->db->do('SELECT pg_reload_conf()');
};

subtest 'a database that goes away and comes back costs nothing' => sub {
	my $ann = follow('ann');
	$s->restart('postgres');
	append('ann', 'after');
	is event($ann, 10)->{json}{type}, 'after', 'the stream goes on by itself';
	my $function = $s->sql_value(q(SELECT pg_get_functiondef('event_epoch'::regproc)));
	$s->db->begin_work;
	$s->sql(q(CREATE OR REPLACE FUNCTION event_epoch() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'deadbeef' $$));
	append('ann', 'restored');
	$s->db->commit;
	my $reset = event($ann);
	is_deeply $reset->{json}, { type => 'reset' }, 'a database that was restored: reset, to an open stream too';
	like $reset->{id}, qr/\Adeadbeef\./, '... in the new epoch';
	append('ann', 'next');
	is event($ann)->{json}{type}, 'next', '... and on';
	$s->sql($function);
	append('ann', 'back');
	my $again = event($ann);
	is_deeply $again->{json}, { type => 'reset' }, '... and once more when it is the old one again';
	unlike $again->{id}, qr/\Adeadbeef\./, '... in its own epoch';
	# A worker that has not noticed yet answers 503 once.
	wait_until { $s->get('/api/jobs', as => 'ann')->{status} == 200 } 5 for 1 .. 8;
};

subtest 'who has heard more than this process is believed' => sub {
	my $ann = follow('ann');
	# The announcement of this one does not come: as in a process that is behind.
	$s->sql(q(ALTER TABLE event DISABLE TRIGGER event_number));
	$s->sql(q(INSERT INTO event (account_id, topic, data, seq) VALUES (?, 't', '{"type":"unheard"}',
		nextval('event_seq'))), $account{ann});
	$s->sql(q(ALTER TABLE event ENABLE TRIGGER event_number));
	my ($epoch) = split /\./, $ann->{mark}{id};
	my $ahead = follow('ann', $epoch . '.' . $s->sql_value('SELECT max(seq) FROM event'));
	is_deeply types(events($ahead, 'ann')), [], 'no reset, and nothing twice';
	is event($ann)->{json}{type}, 'unheard', 'the other one hears of it then';
};

subtest 'an account that is disabled hears no more' => sub {
	$s->account('cat', programs => 1);
	$s->sync('cat');
	$account{cat} = $s->sql_value(q(SELECT id FROM account WHERE user_name = 'cat'));
	my ($cat, $ann) = map { follow($_) } qw(cat ann);
	append('cat', 'before');
	is event($cat)->{json}{type}, 'before', 'it hears';
	is $s->lockstep(qw(account disable cat))->{exit}, 0, 'disabled';
	is_deeply [$cat->rest], [], 'the open stream ends';
	ok $cat->complete, '... properly';
	is $s->get('/api/reseller/events', as => 'cat')->{status}, 403, 'and there is no other';
	append('ann', 'after');
	is event($ann)->{json}{type}, 'after', 'others hear on';
};

subtest 'a stream ends with its login, and is taken up again' => sub {
	$s->conf_edit(sub { $_ .= "\n[stream]\nmax_age = 3s\n" });
	my $pid = $s->pid('stream');
	$s->kill('HUP', 'master');
	wait_until { ($s->pid('stream') // $pid) != $pid && $s->get('/api/jobs', as => 'ann')->{status} == 200 } 30, 'the new workers';
	my $ann  = follow('ann');
	my @rest = $ann->rest(20);
	ok $ann->complete, 'it ends';
	ok grep({ defined $_->{retry} } @rest), '... and says when to come back';
	append('ann', 'meanwhile');
	# Again, should one have been at its end before it had begun.
	ok wait_until { ((event(follow('ann', $ann->{mark}{id})) // {})->{json}{type} // '') eq 'meanwhile' } 20, 'nothing is lost between';
};

$s->stop;
done_testing;
