#!/usr/bin/perl

# A sync as its callers see it: the answer of a POST, the events of a stream, who
# joins, who leaves and who comes back, the story in the log, and how the partner was
# asked. What goes wrong at the partner is in 82, what changes there in 84.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min);
use Lockstep::Registry;
use Lockstep::Stack;
use MIME::Base64 ();
use POSIX        ();
use Test::More;
use Time::HiRes qw(time);

# WAIT: longer than a sync takes that the partner does not hold up, in seconds, on a
# machine that may stand still for some of them. SHORT: what is waited for in vain.
use constant { PAGE => 40, CONCURRENCY => 8, WAIT => 10 + 2 * ($ENV{TEST_SLOW} || 1),
	SHORT => 4 * ($ENV{TEST_SLOW} || 1) };

my $slow = $ENV{TEST_SLOW} || 1;

my $s = Lockstep::Stack->start(conf => { 'sync.wait_max' => WAIT . 's',
	'partner.retry_base' => '20ms', 'partner.concurrency' => CONCURRENCY });
my $partner = $s->partner;

my $born = 0;

# An account of that size that nobody has used yet.
sub fresh {
	my ($programs, %more) = @_;
	my $name = 'fresh' . ++$born;
	$s->account($name, programs => $programs, %more);
	return $name;
}

# The same, with a login that the partner has been asked about already.
sub known {
	my $name = fresh(@_);
	$s->get('/api/jobs', as => $name)->{status} == 200 or die 'login';
	return $name;
}

# Pages that the contract asks for: on past the planned end until a short or an
# empty one.
sub pages_needed { my ($n) = @_; return POSIX::floor($n / PAGE) + 1 }

sub offsets_asked {
	my ($user) = @_;
	return [sort { $a <=> $b } @{ $partner->counters->{users}{$user}{offsets} // [] }];
}

sub every_page { my ($n) = @_; return map { PAGE * $_ } 0 .. pages_needed($n) - 1 }

sub jobs { my ($user) = @_; return @{ $s->get('/api/jobs?limit=100', as => $user)->{json}{jobs} } }

sub events_of {
	my ($user, $job, %how) = @_;
	my $sse = $s->sse("/api/jobs/$job/events", as => $user, %how);
	return ($sse, $sse->rest);
}

sub await_job {
	my ($user) = @_;
	return wait_until { my ($job) = jobs($user); $job->{finished_at} && $job } 40, 'the end of the job';
}

sub types { return map { $_->{json}{type} // '?' } @_ }

# Rounded to the nearest, and 100 only with the last row.
sub percentage {
	my ($done, $total) = @_;
	return 100 if $done >= $total;
	return min(99, POSIX::floor(100 * $done / $total + 0.5));
}

# The whole stream of a sync that found everything: exactly these events. pages: with
# rows, 0 for a quick check.
sub stream_is {
	my ($events, $total, $before, $complete, $name, $pages) = @_;
	$pages //= POSIX::ceil($total / PAGE);
	my $rows  = [map { min(PAGE, $total - PAGE * $_) } 0 .. $pages - 1];
	my @event = @$events;
	my ($job) = ($event[0]{id} // '') =~ /\A([0-9a-f-]{36})\.1\z/;
	subtest $name => sub {
		is_deeply [types(@event)], ['start', 'info', ('progress') x @$rows, 'complete'],
		    'start, info, progress, one complete';
		is_deeply [map { $_->{id} } @event], [map { "$job.$_" } 1 .. @event], 'ids count up';
		is_deeply [grep { exists $_->{event} } @event], [], 'no event: line';
		is_deeply $event[0]{json}, { type => 'start', message => 'Starting synchronization...' },
		    'start';
		is_deeply $event[1]{json}, { type => 'info', total_api => $total, total_db => $before,
			to_sync => max(0, $total - $before) }, 'info';
		progress_is([map { $_->{json} } @event[2 .. $#event - 1]], $total, $rows);
		my %end = %{ $event[-1]{json} };
		is_deeply { map { $_ => $end{$_} } qw(type status added total_synced message) },
		    { type => 'complete', %$complete }, 'complete';
	};
	return $job;
}

sub progress_is {
	my ($progress, $total, $rows) = @_;
	my ($last, @step, @wrong) = (0);
	for my $p (@$progress) {
		push @step, $p->{synced} - $last;
		$last = $p->{synced};
		push @wrong, $p if join(' ', sort keys %$p) ne 'added percentage synced total type'
		    || $p->{total} != $total || $p->{percentage} != percentage($last, $total);
	}
	is_deeply [sort { $a <=> $b } @step], [sort { $a <=> $b } @$rows], 'one progress a page';
	is_deeply \@wrong, [], 'exact fields and percentages';
	is scalar(grep { $_->{percentage} == 100 } @$progress), @$rows ? 1 : 0, '100 once, at the end';
}

sub answer_is {
	my ($answer, $want, $name) = @_;
	is $answer->{status}, 200, "$name: 200";
	my %got = %{ $answer->{json} // {} };
	is_deeply { map { $_ => $got{$_} }
		qw(total_api total_db_before total_db_after added status message) }, $want, $name
	    or diag explain $answer;
	return $got{job};
}

for my $n (0, 1, 39, 40, 41, 80, 2671) {
	subtest "$n programs" => sub {
		my $user  = fresh($n, $n > 100 ? (businesses => 108) : ());
		my $first = $s->post('/api/reseller/programs/sync', as => $user);
		answer_is($first, $n == 0
			? { total_api => 0, total_db_before => 0, total_db_after => 0, added => 0,
				status => 'up_to_date', message => 'Database already has all 0 programs' }
			: { total_api => $n, total_db_before => 0, total_db_after => $n, added => $n,
				status => 'synced', message => "Added $n new programs. Now have $n/$n" },
			'the first sync');
		registry_is($s, $user, 'the registry is the partner\'s list');
		is_deeply $s->counts($user), $partner->counts($user), 'business-ids too';
		is_deeply offsets_asked($user), [0, every_page($n)],
		    'the partner was asked for the login, and once for each page';

		$partner->forget;
		for my $mode ('quick', 'full') {
			my $again = $s->post("/api/reseller/programs/sync?mode=$mode", as => $user);
			answer_is($again, { total_api => $n, total_db_before => $n, total_db_after => $n,
				added => 0, status => 'up_to_date',
				message => "Database already has all $n programs" }, "nothing to do, $mode");
			is_deeply offsets_asked($user), $mode eq 'quick' ? [0] : [every_page($n)],
			    $mode eq 'quick' ? 'the first page once, and nothing else'
			    : 'once for each page, and nothing else';
			$partner->forget;
		}

		$user = fresh($n);
		my $sse = $s->sync_stream($user);
		stream_is([$sse->rest], $n, 0, { status => $n ? 'synced' : 'up_to_date',
			added => $n, total_synced => $n, message => $n
			? "Successfully synchronized $n new programs. Total: $n"
			: 'Database already has all 0 programs' }, 'the stream of a first sync');
		ok $sse->complete, '... is closed after it';
		registry_is($s, $user, 'the registry is the partner\'s list');
		my $nothing = { status => 'up_to_date', added => 0, total_synced => $n,
			message => "Database already has all $n programs" };
		stream_is([$s->sync_stream($user, query => 'mode=full')->rest(20)], $n, $n, $nothing,
			'the stream when there is nothing to do, after a full reading');
		stream_is([$s->sync_stream($user)->rest(20)], $n, $n, $nothing, '... and after a quick check', 0);
	};
}

subtest 'a name of odd bytes, and every variant of every field' => sub {
	my $login = ["odd\$&#\\\xc3\xb1ame", 'p@ss:w$&#\\'];
	my $answer = $s->post('/api/reseller/programs/sync', login => $login);
	answer_is($answer, { total_api => 120, total_db_before => 0, total_db_after => 120,
		added => 120, status => 'synced', message => 'Added 120 new programs. Now have 120/120' },
		'all are kept');
	registry_is($s, $login->[0], 'column by column, absent and null as NULL');
	is $s->post("/api/reseller/programs/sync?mode=$_", login => $login)->{json}{status}, 'up_to_date',
	    "and none of them looks changed the next time, $_" for qw(full quick);
	is_deeply $partner->counters->{all}{ids}, { info => [], list => [] },
	    'no call for the sake of a program without metrics';
};

subtest 'a stream is not compressed, kept or collected on its way' => sub {
	my $sse = $s->sync_stream('p41', headers => { 'Accept-Encoding' => 'gzip' });
	is $sse->status, 200, 'it is there';
	like $sse->headers->{'content-type'}, qr{^text/event-stream\b}, 'an event stream';
	is $sse->headers->{'content-encoding'}, undef, 'not compressed';
	is $sse->headers->{'cache-control'}, 'no-store', 'not kept';
	is $sse->headers->{'x-accel-buffering'}, 'no', 'not collected by a proxy in front';
	$sse->rest;
};

# Pages that the partner has answered by now.
sub answered { my ($user) = @_; return $partner->counters->{users}{$user}{by_path}{programs}{200} // 0 }

subtest 'defect 9: events arrive as pages land' => sub {
	my ($user, $early) = (known(2671), 29);
	my $all   = $partner->hold(user => $user);
	my $later = $partner->hold(user => $user, offset => [PAGE * $early, 100_000]);
	$partner->forget;
	my $sse = $s->sync_stream($user);
	is +($sse->next // {})->{json}{type}, 'start', 'start at once';
	is answered($user), 0, '... before any page';
	$partner->release($all);
	my @before = map { $sse->next // {} } 0 .. $early;
	is_deeply [types(@before)], ['info', ('progress') x $early], 'progress with each page that is there';
	is answered($user), $early, '... before any other';
	$partner->release($later);
	is_deeply [types($sse->rest)], [('progress') x (pages_needed(2671) - $early), 'complete'],
	    'complete after the last';
};

# Another value for a setting, by a reload; true when all workers have it.
sub setting {
	my ($name, $value) = @_;
	my %old = map { $_ => 1 } $s->pids;
	$s->conf_edit(sub { s/^$name = .*/$name = $value/m });
	$s->kill(HUP => 'master');
	return wait_until { my @now = $s->pids; @now == keys %old && !grep { $old{$_} } @now } 30;
}

subtest 'defect 7: the partner is asked as many times at once as allowed, over kept connections' => sub {
	my $user = known(2671);
	$partner->latency(base_ms => 30);
	$partner->forget;
	$s->sync($user);
	my $count = $partner->counters;
	is $count->{users}{$user}{peak}, CONCURRENCY, 'partner.concurrency calls at once';
	is_deeply offsets_asked($user), [every_page(2671)], 'each page once';
	cmp_ok $count->{connections}{opened}, '<=', CONCURRENCY + 2, 'hardly more connections than that';

	ok setting(concurrency => 3), 'partner.concurrency is 3 now';
	$user = known(400);
	$partner->latency(base_ms => 300);
	$partner->forget;
	$s->sync($user);
	$count = $partner->counters;
	is $count->{users}{$user}{peak}, 3, '... and so many calls are made at once';
	cmp_ok $count->{connections}{opened}, '<=', 3 + 2, '... over so many connections';
	setting(concurrency => CONCURRENCY);
	$partner->latency(base_ms => 0);
};

# The last page but one of 1200 is held until heal: so long the sync is in the middle.
sub hold { my ($user) = @_; return $partner->hold(user => $user, offset => 1160) }

subtest 'defect 8: two tabs and a plain POST, one sync' => sub {
	my $user = known(1200);
	hold($user);
	$partner->forget;
	my $one  = $s->sync_stream($user);
	my @one  = $one->until('progress');
	my $post = $s->sse('/api/reseller/programs/sync', method => 'POST', as => $user);
	my $two  = $s->sync_stream($user);
	my @two  = $two->until('progress');
	ok wait_until(sub { my ($stream) = $s->workers('stream'); $stream->{clients} >= 3 }, 20, 'the clients'), 'three wait for it';
	$partner->heal;
	push @two, $two->rest;
	push @one, $one->rest;
	my $job = stream_is(\@one, 1200, 0, { status => 'synced', added => 1200, total_synced => 1200,
		message => 'Successfully synchronized 1200 new programs. Total: 1200' }, 'the first tab');
	is_deeply [map { [$_->{id}, $_->{data}] } @two], [map { [$_->{id}, $_->{data}] } @one],
	    'the second gets the same events from the start';
	ok $one->complete && $two->complete, 'both end';
	my $answer = { status => $post->status, json => $post->json };
	is answer_is($answer, { total_api => 1200, total_db_before => 0, total_db_after => 1200,
		added => 1200, status => 'synced', message => 'Added 1200 new programs. Now have 1200/1200' },
		'the plain POST'), $job, '... is answered by the same job';
	is scalar(my @jobs = jobs($user)), 1, 'there was one job';
	is_deeply offsets_asked($user), [every_page(1200)], 'and each page was read once';
};

subtest 'the tab is closed, the sync goes on' => sub {
	my $user = known(1200);
	hold($user);
	my $sse = $s->sync_stream($user);
	$sse->until('progress');
	$sse->close;
	is +(jobs($user))[0]{state}, 'running', 'it was in the middle';
	$partner->heal;
	is await_job($user)->{state}, 'done', 'it ends';
	registry_is($s, $user, 'and the registry is complete');
};

subtest 'who comes back gets exactly what was missed' => sub {
	my $user = known(1200);
	hold($user);
	my $sse  = $s->sync_stream($user);
	my @seen = map { $sse->next } 1 .. 5;
	$sse->close;
	my %last = (headers => { 'Last-Event-ID' => $seen[-1]{id} });
	my ($job) = $seen[0]{id} =~ /^(.*)\./;
	my $get  = $s->sse("/api/jobs/$job/events", as => $user, %last);
	$sse = $s->sync_stream($user, %last);
	my @rest = $sse->next;
	is $get->status, 200, 'two who come back';
	$partner->heal;
	push @rest, $sse->rest;
	stream_is([@seen, @rest], 1200, 0, { status => 'synced', added => 1200, total_synced => 1200,
		message => 'Successfully synchronized 1200 new programs. Total: 1200' },
		'in the middle, by POST: no gap, nothing twice');
	is_deeply [map { $_->{id} } $get->rest], [map { $_->{id} } @rest],
	    'in the middle, by GET on the job: the same';

	my @all = (@seen, @rest);
	for my $i (0, 7, $#all - 1, $#all) {
		%last = (headers => { 'Last-Event-ID' => $all[$i]{id} });
		my @want = map { $_->{id} } @all[$i + 1 .. $#all];
		my $post = $s->sync_stream($user, %last);
		is_deeply [map { $_->{id} } $post->rest], \@want, 'after the end, by POST, from ' . ($i + 1);
		ok $post->complete, '... and the stream is closed';
		($get, my @by_get) = events_of($user, $job, %last);
		is_deeply [map { $_->{id} } @by_get], \@want, 'by GET too';
	}
	is scalar(my @jobs = jobs($user)), 1, 'none of that began another sync';
};

subtest 'a Last-Event-ID that is none of ours is as if it were not there' => sub {
	my ($user, $other) = (known(41), known(41));
	$s->sync($_) for $user, $other;
	my ($job)    = map { $_->{id} } jobs($user);
	my ($theirs) = map { $_->{id} } jobs($other);
	my $before = () = jobs($user);
	my @garbage = ('garbage', '0', $job, "$job.", "$job.-1", "$job.x", "$job.1 ; x",
		"$job.99999999999999999999", "$theirs.1", '00000000-0000-0000-0000-000000000000.1',
		'x' x 2000, "\xff\xfe");
	for my $garbage (@garbage) {
		my $shown = substr($garbage, 0, 60) =~ s/[^ -~]/?/gr;
		my %last = (headers => { 'Last-Event-ID' => $garbage });
		my @event = $s->sync_stream($user, query => 'mode=full', %last)->rest;
		is_deeply [types(@event)], [qw(start info progress progress complete)],
		    "'$shown' by POST: a sync from its start";
		unlike $event[0]{id}, qr/^(?:\Q$job\E|\Q$theirs\E)\./, '... of its own';
		my ($get, @by_get) = events_of($user, $job, %last);
		is_deeply [map { $_->{id} } @by_get], [map { "$job.$_" } 1 .. 5], '... by GET: the job from its start';
	}
	is scalar(my @jobs = jobs($user)), $before + @garbage, 'each was one sync';
	my $far = $s->sync_stream($user, headers => { 'Last-Event-ID' => "$job.999999" });
	my @event = $far->rest;
	ok $far->complete, 'a number that never was does not keep a stream open';
	is scalar(grep { $_->{id} !~ /^\Q$job\E\./ } @event), 0, '... nor begin a sync';
};

subtest 'a POST that takes too long is answered with 202 and the job' => sub {
	my $user = known(2671);
	ok setting(wait_max => SHORT . 's'), 'sync.wait_max is shorter now';
	hold($user);
	my $began  = time;
	my $answer = $s->post('/api/reseller/programs/sync', as => $user, timeout => 60);
	my $took   = time - $began;
	is $answer->{status}, 202, 'it is accepted';
	cmp_ok $took, '>=', SHORT - 0.05, 'after sync.wait_max';
	cmp_ok $took, '<', SHORT + 5 * $slow, '... not much later';
	my $job = $answer->{json};
	is $answer->{headers}{location}, "/api/jobs/$job->{id}", 'Location is the job';
	is $job->{state}, 'running', 'the body is the job, running';
	is $job->{progress}{total}, 2671, '... with its progress';
	my $now = $s->get($answer->{headers}{location}, as => $user);
	is $now->{status}, 200, 'Location can be read';
	is_deeply [sort keys %{ $now->{json} }], [sort keys %$job], '... and is of the same shape';
	my $again = $s->sse('/api/reseller/programs/sync', method => 'POST', as => $user);
	ok wait_until(sub { my ($stream) = $s->workers('stream'); $stream->{clients} >= 1 }, 20, 'the client'), 'somebody asks again';
	$partner->heal;
	$again = $again->json;
	is $again->{id} // $again->{job}, $job->{id}, '... and joins the same job';
	is await_job($user)->{state}, 'done', 'it ends';
	is scalar(my @jobs = jobs($user)), 1, 'there was one job';
	registry_is($s, $user, 'and the registry is complete');
	ok setting(wait_max => WAIT . 's'), 'sync.wait_max is as it was';
};

subtest 'the log tells the story of a sync' => sub {
	my $user = known(95);
	$partner->edit(user => $user, op => 'change', n => 2, field => 'dates');
	$s->sync($user);
	$partner->edit(user => $user, op => 'change', n => 3, field => 'dates');
	$partner->edit(user => $user, op => 'add', n => 2, pick => 'last');
	my $began = time;
	my $job   = $s->sync($user, query => 'mode=full')->{job};
	my $took  = time - $began;
	my $id   = account_id($s, $user);
	my $logged = sub { my ($of) = @_; $s->log(qr/job=\Q$of\E .*msg="sync: complete"/, 1); return $s->log(qr/worker=jobs.* job=\Q$of\E /) };
	my @line = map { $s->fields($_) } $logged->($job);
	is_deeply [grep { $_->{account} ne $id || $_->{job} ne $job } @line], [],
	    'each line has the job and the account';
	my @story = map { [$_->{msg}, $_] } grep { $_->{msg} =~ /^sync: / } @line;
	is_deeply [map { $_->[0] =~ s{progress \d+/97 \(\d+%\)}{progress}r } @story],
	    ['sync: start', 'sync: registry has', 'sync: api total', 'sync: need',
		('sync: batch offset', 'sync: progress') x 3, 'sync: complete'], 'in this order';
	is_deeply [map { $_->[1]{programs} } @story[1 .. 3]], [95, 97, 2], 'has 95, total 97, need 2';
	is_deeply [sort { $a <=> $b } map { $_->[1]{offset} } grep { $_->[0] =~ /batch/ } @story], [0, 40, 80],
	    'each batch with its offset';
	is_deeply [map { $_->[1]{rows} } sort { $a->[1]{offset} <=> $b->[1]{offset} }
	    grep { $_->[0] =~ /batch/ } @story], [40, 40, 17], '... and its rows';
	is $story[-2][0], 'sync: progress 97/97 (100%)', 'progress n/total (p%)';
	my %end = %{ $story[-1][1] };
	is_deeply { map { $_ => $end{$_} } qw(status added updated removed unchanged failed) },
	    { status => 'synced', added => 2, updated => 3, removed => 0, unchanged => 92, failed => 0 },
	    'complete says what came of it';
	for my $figure (qw(partner_s database_s total_s rows_per_s)) {
		like $end{$figure}, qr/^\d+(?:\.\d+)?$/, "... and $figure";
	}
	cmp_ok $end{total_s}, '>=', $end{database_s}, 'the whole is not less than a part';
	cmp_ok $end{total_s}, '<=', $took + 0.01, '... and is in seconds';

	my $story = sub { my ($of) = @_; return [map { $s->fields($_)->{msg} =~ s{progress .*}{progress}r }
		grep { /msg="sync: / } $logged->($of)] };
	my @begin = ('sync: start', 'sync: registry has', 'sync: api total', 'sync: need', 'sync: quick check');
	my $quick = $s->sync($user)->{job};
	is_deeply $story->($quick), [@begin, 'sync: complete'], 'a quick check is short';
	is_deeply [map { $s->fields($_)->{registry} } $s->log(qr/job=\Q$quick\E .*quick check/)], ['matches'], '... and says what it found';
	$partner->edit(user => $user, op => 'add', n => 1);
	my $found = $s->sync($user)->{job};
	is_deeply $story->($found), [@begin, ('sync: batch offset', 'sync: progress') x 3, 'sync: complete'],
	    'a quick check that finds a change reads on';
};

subtest 'no secret has got anywhere' => sub {
	my %secret = map { $_ => 1 } 'fresh1-password', 'p@ss:w$&#\\', 'agency-password',
	    MIME::Base64::encode_base64('fresh1:fresh1-password', ''),
	    MIME::Base64::encode_base64("odd\$&#\\\xc3\xb1ame:p\@ss:w\$&#\\", '');
	my $told = join "\n", (map { Lockstep::Stack::slurp($_) } glob "$s->{LOG_DIR}/*.log"),
	    map { $_->{t} } @{ $s->sql('SELECT j::text AS t FROM job j UNION ALL
		SELECT e::text FROM job_event e UNION ALL SELECT e::text FROM job_error e') };
	cmp_ok length $told, '>', 10_000, 'there is something to look at';
	is_deeply [grep { index($told, $_) >= 0 } keys %secret], [],
	    'not in a log, a job, an event or an error';
};

$s->stop;
done_testing;
