#!/usr/bin/perl

# The partner as a whole on bad days (contract, section 6): it refuses the login, sees
# too much load, names a time to wait, or is down. The job ends as the contract says,
# soon, with few calls; what was there stays. Single pages going wrong are in 82.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

use constant { RETRIES => 3, CONCURRENCY => 8 };

# Calls until a partner that answers nothing any more is left alone: what is under way
# when it happens, and three pages given up.
use constant ENOUGH => 2 * CONCURRENCY + 3 * (1 + RETRIES);

my $slow = $ENV{TEST_SLOW} || 1;

my $s = Lockstep::Stack->start(conf => {
	'partner.retry_base'  => '10ms',
	'partner.retries'     => RETRIES,
	'partner.concurrency' => CONCURRENCY,
	'jobs.workers'        => 8,
});
my $partner = $s->partner;

subtest '401 in mid-sync: failed at once, the account refused, the rows kept' => sub {
	my $user = known($s, 1200);
	$s->sync($user);
	$partner->edit(user => $user, op => 'add', n => 40, pick => 'last');
	my $kept = registry($s, $user);
	$partner->fault(user => $user, offset => [400, 5000], kind => '401');
	my $got = sync($s, $user);
	is_failed($got, 401, 'login_wrong', qr/401/);
	is_deeply registry($s, $user), $kept, 'the rows are as they were';
	my $meant = $partner->faults->{faults}[0]{hits};
	cmp_ok $meant, '>=', 1, 'the partner said 401';
	cmp_ok $meant, '<=', CONCURRENCY, '... to what was under way, and to nothing after it';
	is $s->sql_value('SELECT state FROM account WHERE id = ?', account_id($s, $user)), 'refused',
	    'the account is refused';
	$partner->heal;
	$partner->forget;
	my $again = $s->post('/api/reseller/programs/sync', as => $user);
	is $again->{status}, 401, 'the same login is refused';
	is $partner->counters->{all}{calls}, 0, '... without asking the partner for a while';
	is scalar @{ $s->sql(q(SELECT id FROM job WHERE account_id = ? AND finished_at IS NULL),
		account_id($s, $user)) }, 0, 'no job is left';
};

subtest '403 to begin with: failed, no access' => sub {
	my $user = known($s, 200);
	$s->sync($user);
	$partner->access($user, 0);
	my $got = sync($s, $user);
	is_failed($got, 403, 'no_access', qr/403/);
	cmp_ok $got->{calls}, '<=', CONCURRENCY, 'not asked again';
	$partner->access($user, 1);
	is $s->sql_value('SELECT state FROM account WHERE id = ?', account_id($s, $user)), 'active',
	    'the login stays good: a 403 is no proof of a wrong password';
	is_done(sync($s, $user), status => 'up_to_date');
};

subtest '403 on a page that overtakes the first is no lack of access' => sub {
	my $user = known($s, 200);
	$partner->fault(user => $user, offset => 0, kind => 'delay', ms => 200);
	$partner->fault(user => $user, offset => [40, 200], kind => '403', attempt => 1);
	is_done(sync($s, $user));
	$partner->heal;
};

subtest 'defect 6: 403 later: fewer calls at once, tried again, done' => sub {
	my $user = known($s, 1200);
	$partner->latency(base_ms => 150);
	$partner->fault(user => $user, kind => '403', call => [9, 16]);
	# What comes after the wave is held: so many as there are then are made at once.
	my $held = $partner->hold(user => $user, call => [17, 1000]);
	my $at_once = sub { (map { $_->{hits} } grep { $_->{id} == $held } @{ $partner->faults->{faults} })[0] };
	$s->log_mark;
	my $post = $s->sse('/api/reseller/programs/sync', method => 'POST', as => $user);
	ok wait_until { $s->log(qr/sync: page failed/) >= 8 } 20, 'a wave of 403';
	ok wait_until { $at_once->() } 20, 'it goes on';
	sleep 1;
	cmp_ok $at_once->(), '<=', 3, '... with less at once';
	$partner->release($held);
	$partner->latency(base_ms => 0);
	is $post->json->{status}, 'synced', 'the sync is complete';
	registry_is($s, $user, '... as is the registry');
	is newest($s, $user)->{state}, 'done', 'the job is done';
	$partner->heal;
};

subtest '403 from some page on: partial, soon, and what was there stays' => sub {
	my $user = known($s, 1200);
	$s->sync($user);
	my $kept = registry($s, $user);
	$partner->edit(user => $user, op => 'change', n => 1200, field => 'dates');
	$partner->fault(user => $user, kind => '403', after_calls => 8);
	my $got = sync($s, $user);
	is_partial($got, why => qr/of 1200 programs could not be read \(the partner answered 403/,
		rows => 1200, kept => $kept, stale => 1);
	is $got->{job}{counts}{updated}, 320, 'eight pages are new';
	is scalar(grep { ($_->{end_date} // '') =~ /^2071-(?:01-31|02-28)$/ } values %{ registry($s, $user) }), 320,
	    '... and the others as they were';
	cmp_ok $got->{calls}, '<=', 8 + ENOUGH, 'the partner was not hammered';
	$partner->heal;
};

for my $how (['always 500', { kind => '500' }, 502, 'partner_error'],
	['always 503', { kind => '503' }, 503, 'partner_unavailable'],
	['always 429', { kind => '429' }, 503, 'partner_limited'],
	['always HTML', { kind => 'html' }, 502, 'partner_error']) {
	my ($what, $fault, $status, $code) = @$how;
	subtest "a partner that is down, $what: failed, soon" => sub {
		my $user = known($s, 800);
		$partner->fault(user => $user, %$fault);
		my $got = sync($s, $user);
		is_failed($got, $status, $code, qr/./);
		cmp_ok $got->{calls}, '<=', ENOUGH, 'with few calls';
		my ($line) = $s->log(qr/worker=jobs.* job=\Q$got->{job}{id}\E .*msg="job: failed"/, 1);
		is $s->fields($line // '')->{code}, $code, 'the log says so';
		$partner->heal;
	};
	subtest "$what after a while: partial, soon" => sub {
		my $user = known($s, 800);
		$partner->fault(user => $user, %$fault, after_calls => 10);
		my $got = sync($s, $user);
		is_partial($got, why => qr/of 800 programs could not be read/, rows => 400);
		cmp_ok $got->{calls}, '<=', 10 + ENOUGH, 'with few calls';
		$partner->heal;
	};
}

subtest 'a partner that nobody can reach: failed' => sub {
	my $user = known($s, 200);
	$s->sync($user);
	my $kept = registry($s, $user);
	$s->stop_part('partner');
	my $answer = $s->post('/api/reseller/programs/sync', as => $user, timeout => 30);
	is $answer->{status}, 502, 'a bad gateway';
	is $answer->{json}{code}, 'partner_error', '... in our words';
	is_deeply registry($s, $user), $kept, 'the rows are as they were';
	$s->start_part('partner');
	$partner = $s->partner;
};

# What waits for seconds, all of it at the same time: begun here, judged below. LONG: in
# which it is looked at.
use constant LONG => 9;
my %wait = (
	seconds => [{ kind => '429', retry_after => LONG, call => 21 }],
	date    => [{ kind => '429', retry_after => LONG, retry_after_date => JSON::PP::true, call => 21 }],
	# All that is under way meets it, and then three more, one after the other.
	short   => [{ kind => '429', retry_after => 1, times => CONCURRENCY + 3 }],
	503     => [{ kind => '503', retry_after => 1, offset => 40, times => 1 }],
	lost    => [{ kind => '500', offset => 80, times => 1 + RETRIES },
		{ kind => '429', retry_after => 3, offset => 1200, times => 1 }],
);
my %user = map { $_ => known($s, 1200) } sort keys %wait;
for my $what (sort keys %wait) {
	$partner->fault(user => $user{$what}, %$_) for @{ $wait{$what} };
}
$partner->forget;
my %asked  = map { $_ => ask($s, $user{$_}) } sort keys %wait;
my %stream = map { $_ => $s->sync_stream($user{$_}) } qw(seconds date);
my %told   = map { $_ => [$stream{$_}->until('waiting')] } keys %stream;
my %called;

sub calls { my ($what) = @_; return $partner->counters->{users}{ $user{$what} }{calls} }

for my $form (sort keys %told) {
	subtest "429 with Retry-After as $form: the job waits, visibly" => sub {
		my $told = $told{$form}[-1]{json};
		is $told->{type}, 'waiting', 'a waiting event';
		is_deeply [sort keys %$told], [qw(message reason type until)], '... with its fields';
		is $told->{reason}, 'partner_limited', '... and the reason';
		like $told->{until}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d/, '... and until when';
		like $told->{message}, qr/^Waiting until .+ UTC, partner limit$/, '... in words';
		my $job = newest($s, $user{$form});
		is $job->{state}, 'waiting', 'the job is waiting';
		is $job->{waiting_reason}, 'partner_limited', '... for that reason';
		cmp_ok $s->sql_value('SELECT abs(extract(epoch FROM ?::timestamptz - ?::timestamptz))', $job->{waiting_until}, $told->{until}), '<', 4 * $slow, '... until then';
		is $s->sql_value('SELECT holder FROM job WHERE id = ?', $job->{id}), undef, 'no worker is held';
		$called{$form} = calls($form);
	};
}

subtest '429 with a short Retry-After: nobody calls until then' => sub {
	my $began = $asked{short}{began};
	for my $second (0 .. 3) {
		my $left = $began + $second + 0.7 - time;
		sleep $left if $left > 0;
		# The number first: more may have come before the clock is read, but not fewer.
		my ($calls, $gone) = (calls('short'), int(time - $began));
		# After the last silence they are as many as are needed.
		cmp_ok $calls, '<=', CONCURRENCY + $gone, 'silence after ' . ($gone ? 'another one' : 'what was under way')
		    if $gone < 4;
		# The others have waited for three seconds by then, of at least eight.
		is_deeply [map { calls($_) } sort keys %called], [map { $called{$_} } sort keys %called],
		    '... as for the others' if $second == 2;
	}
	my $got = outcome($asked{short});
	is_done($got);
	cmp_ok $got->{took}, '>=', 3.95, 'it took all those seconds';
};

for my $form (sort keys %told) {
	subtest "429 with Retry-After as $form: it goes on by itself" => sub {
		my $got   = outcome($asked{$form});
		my @event = (@{ $told{$form} }, $stream{$form}->rest(30));
		is_done($got);
		cmp_ok $got->{took}, '>=', LONG - ($form eq 'date' ? 1.05 : 0.05), 'when the time has come';
		is_deeply [map { ($_->{id} =~ /\.(\d+)$/)[0] } @event], [1 .. @event], 'no event is lost';
		is_deeply [map { $_->{json} } @event], $got->{events}, '... or is another';
		is_deeply [@{ $got->{job} }{qw(waiting_until waiting_reason)}], [undef, undef], 'it waits no more';
	};
}

subtest '503 with Retry-After is obeyed too' => sub {
	is_done(outcome($asked{503}));
	my ($line) = $s->log(qr/account=${\ account_id($s, $user{503}) } msg="sync: complete"/, 1);
	cmp_ok $s->fields($line)->{total_s}, '>=', 0.95, 'it took that second';
};

subtest 'a page that was lost before the job was held back' => sub {
	my $got = outcome($asked{lost});
	cmp_ok asked($got, 80), '==', 1 + RETRIES + 1, 'is tried again afterwards';
	is_done($got);
};
$partner->heal;

subtest 'a Retry-After that means nothing is an ordinary failure' => sub {
	for my $text ('soon', '-5', '0', '99999999999999999999999', 'Fri, 01 Jan 1971 00:00:00 GMT') {
		my $user = known($s, 41);
		$partner->fault(user => $user, kind => '429', retry_after => $text, offset => 40, times => 1);
		my $post = $s->sse('/api/reseller/programs/sync', method => 'POST', as => $user, timeout => 30);
		is $post->json->{status}, 'synced', "'$text'";
		$partner->heal;
	}
	my $user = known($s, 41);
	$partner->fault(user => $user, kind => '429', retry_after => 999_999_999, offset => 40, times => 1);
	is $s->post('/api/reseller/programs/sync', as => $user)->{status}, 202, 'thirty years are waited for';
	my $hours = $s->sql_value('SELECT extract(epoch FROM run_at - clock_timestamp()) / 3600
		FROM job WHERE account_id = ?', account_id($s, $user));
	cmp_ok $hours, '<=', 24, '... for a day at most, then it is tried again';
	cmp_ok $hours, '>', 23, '... and that day is waited';
	$partner->heal;
};

subtest 'a job that must wait longer than anyone would answers 202 at once' => sub {
	my $user = known($s, 200);
	$partner->fault(user => $user, kind => '429', retry_after => 600);
	my $began  = time;
	my $answer = $s->post('/api/reseller/programs/sync', as => $user);
	is $answer->{status}, 202, 'accepted';
	cmp_ok time - $began, '<', 10 * $slow, '... at once';
	is $answer->{json}{state}, 'waiting', 'the body is the job, waiting';
	is $answer->{headers}{location}, "/api/jobs/$answer->{json}{id}", 'Location is the job';
	is $answer->{json}{waiting_reason}, 'partner_limited', 'with the reason';
	ok $answer->{json}{waiting_until}, '... and until when';
	$began = time;
	my $again = $s->post('/api/reseller/programs/sync', as => $user);
	is $again->{status}, 202, 'who asks again joins it';
	is $again->{json}{id}, $answer->{json}{id}, '... the same job';
	cmp_ok time - $began, '<', 10 * $slow, '... at once as well';
	my @event = $s->sync_stream($user)->until('waiting');
	is $event[-1]{json}{type}, 'waiting', 'a stream tells it too';
	$partner->heal;
};

subtest 'nothing was left behind' => sub {
	is $s->sql_value(q(SELECT count(*) FROM job WHERE state NOT IN ('done', 'partial', 'failed', 'waiting'))),
	    0, 'no job is stuck';
	is $s->sql_value(q(SELECT count(*) FROM sync_seen WHERE job_id IN
		(SELECT id FROM job WHERE finished_at IS NOT NULL))), 0, 'no trace of ended passes';
	is_deeply [$s->log(qr/level=(?:error|fatal)/)], [], 'no error in the log';
};

$s->stop;
done_testing;
