#!/usr/bin/perl

# Jobs as their account sees them: the list and one of them, in every state that a sync
# can be in, and nothing of anybody else's.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'partner.retry_base' => '10ms', 'jobs.workers' => 2 });
my $partner = $s->partner;

my @FIELD = qw(id kind state created_at started_at finished_at progress counts eta_at
    waiting_until waiting_reason errors timing_ms calls batches seller);
my $TIME = qr/\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ\z/;

sub is_number { my ($n) = @_; return JSON::PP->new->allow_nonref->encode($n) =~ /\A-?\d+\z/ }

# The exact shape; what is unknown is null.
sub shape_is {
	my ($job, $name) = @_;
	subtest $name => sub {
		is_deeply [sort keys %$job], [sort @FIELD], 'these fields and no others';
		is_deeply [sort keys %{ $job->{progress} }], [qw(done percentage total)], 'progress';
		is_deeply [sort keys %{ $job->{counts} }], [qw(added failed removed unchanged updated)], 'counts';
		is_deeply [sort keys %{ $job->{timing_ms} }], [qw(database names partner total)], 'timing_ms';
		my @number = grep { defined } values %{ $job->{progress} }, values %{ $job->{counts} },
		    values %{ $job->{timing_ms} };
		is_deeply [grep { !is_number($_) } @number], [], 'numbers are numbers';
		my @time = grep { defined } @$job{qw(created_at started_at finished_at eta_at waiting_until)};
		is_deeply [grep { !/$TIME/ } @time], [], 'times are times';
		like $job->{id}, qr/\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/, 'id';
		is $job->{kind}, 'programs.sync', 'kind';
		is ref $job->{errors}, 'ARRAY', 'errors is a list';
		is_deeply [grep { join(' ', sort keys %$_) ne 'code detail item' } @{ $job->{errors} }], [],
		    '... of item, code and detail';
	};
	return;
}

sub jobs { my ($user, $query) = @_; return $s->get('/api/jobs' . ($query // ''), as => $user) }
sub one  { my ($user, $id) = @_; return $s->get("/api/jobs/$id", as => $user) }

sub ids { my ($user, $query) = @_; return [map { $_->{id} } @{ jobs($user, $query)->{json}{jobs} }] }

subtest 'a job that is done' => sub {
	my $user = known($s, 95);
	is_deeply jobs($user)->{json}, { jobs => [] }, 'no job yet';
	my $id  = $s->sync($user)->{job};
	my $job = one($user, $id);
	is $job->{status}, 200, 'it can be read';
	like $job->{headers}{'content-type'}, qr{^application/json\b}, 'as JSON';
	$job = $job->{json};
	shape_is($job, 'its shape');
	is $job->{state}, 'done', 'done';
	is_deeply $job->{progress}, { done => 95, total => 95, percentage => 100 }, 'progress';
	is_deeply $job->{counts}, { added => 95, updated => 0, removed => 0, unchanged => 0, failed => 0 }, 'counts';
	is_deeply [@$job{qw(eta_at waiting_until waiting_reason)}], [undef, undef, undef], 'nothing is awaited';
	ok $job->{created_at} le $job->{started_at} && $job->{started_at} le $job->{finished_at},
	    'created, started, finished, in this order';
	cmp_ok $job->{timing_ms}{total}, '>=', $job->{timing_ms}{database}, 'the whole is more than a part';
	is_deeply jobs($user)->{json}, { jobs => [$job] }, 'the list shows the same';
};

subtest 'a job that runs' => sub {
	my $user = known($s, 800);
	$partner->hold(user => $user, offset => 760);
	$partner->latency(base_ms => 150);
	my $sse = $s->sync_stream($user);
	$sse->until('progress');
	$sse->next for 1 .. 8;
	my $job = newest($s, $user);
	shape_is($job, 'its shape');
	is $job->{state}, 'running', 'running';
	is $job->{finished_at}, undef, 'not finished';
	is $job->{progress}{total}, 800, 'progress has the total';
	cmp_ok $job->{progress}{done}, '>', 0, '... and what is done';
	cmp_ok $job->{progress}{percentage}, '<', 100, '... in percent';
	cmp_ok $job->{counts}{added}, '==', $job->{progress}{done}, 'counts go with it';
	ok $job->{eta_at} gt $job->{started_at}, 'an estimate of its end';
	cmp_ok $job->{timing_ms}{total}, '>', 0, 'time passes';
	$partner->latency(base_ms => 0);
	$partner->heal;
	$sse->rest;
};

subtest 'a job that nobody has begun' => sub {
	my @busy = map { known($s, 400) } 1, 2;
	my $user = known($s, 41);
	$partner->hold(user => $_) for @busy;
	my @sse = map { $s->sync_stream($_) } @busy;
	$_->until('start') for @sse;
	wait_until { $s->sql_value(q(SELECT count(*) FROM job WHERE state = 'running')) == 2 } 20, 'two that run';
	my $ask = ask($s, $user);
	wait_until { newest($s, $user) } 20, 'the job';
	my $job = newest($s, $user);
	shape_is($job, 'its shape');
	is $job->{state}, 'queued', 'queued, both workers are busy';
	is_deeply [@$job{qw(started_at finished_at)}], [undef, undef], 'not begun';
	is_deeply $job->{progress}, { done => 0, total => undef, percentage => undef }, 'what is unknown is null';
	is $job->{timing_ms}{total}, undef, '... also its time';
	$partner->heal;
	$_->rest for @sse;
	is_done(outcome($ask));
};

subtest 'a job that waits for the partner' => sub {
	my $user = known($s, 200);
	$partner->fault(user => $user, kind => '429', retry_after => 600, offset => 120);
	my $got = sync($s, $user);
	my $job = newest($s, $user);
	shape_is($job, 'its shape');
	is $job->{state}, 'waiting', 'waiting';
	is $job->{waiting_reason}, 'partner_limited', 'for a reason';
	like $job->{waiting_until}, $TIME, 'until a time';
	my $left = $s->sql_value('SELECT extract(epoch FROM ?::timestamptz - clock_timestamp())', $job->{waiting_until});
	ok $left > 590 && $left <= 600, '... that the partner named' or diag $left;
	is $job->{finished_at}, undef, 'not finished';
	my $told = $got->{answer}{json};
	delete $_->{timing_ms}{total} for $told, $job;
	is_deeply $told, $job, 'a waiting POST is answered with the same';
	$partner->heal;
};

subtest 'a job that ended in part, one that failed' => sub {
	my $user = known($s, 200);
	$partner->fault(user => $user, kind => '500', offset => 80);
	$s->sync($user);
	my $job = newest($s, $user);
	shape_is($job, 'its shape');
	is $job->{state}, 'partial', 'partial';
	is_deeply $job->{progress}, { done => 160, total => 200, percentage => 80 }, 'how far it came';
	is scalar @{ $job->{errors} }, 1, 'one error';
	$partner->heal;
	$partner->fault(user => $user, kind => '500');
	is $s->post('/api/reseller/programs/sync', as => $user, timeout => 30)->{status}, 502, 'another fails';
	$job = newest($s, $user);
	shape_is($job, 'its shape');
	is $job->{state}, 'failed', 'failed';
	ok $job->{finished_at}, 'finished';
	$partner->heal;
};

subtest 'the list: newest first, by the piece' => sub {
	my $user = known($s, 1);
	my @id;
	unshift @id, $s->sync($user)->{job} for 1 .. 25;
	is_deeply ids($user), [@id[0 .. 19]], 'twenty unless asked otherwise';
	is_deeply ids($user, '?limit=100'), \@id, 'a hundred at most';
	is_deeply ids($user, '?limit=3&offset=4'), [@id[4 .. 6]], 'from anywhere';
	is_deeply ids($user, '?offset=24'), [$id[24]], 'the last one';
	is_deeply ids($user, '?offset=25'), [], 'nothing past the end';
	for my $bad ('limit=0', 'limit=101', 'limit=-1', 'limit=x', 'limit=', 'limit=1e1', 'limit=%00',
		'limit=99999999999999999999', 'limit=1&limit=2', 'offset=-1', 'offset=x', 'offset=1000001') {
		my $answer = jobs($user, "?$bad");
		is $answer->{status}, 400, "$bad: refused";
		my ($field) = $bad =~ /^(\w+)/;
		is $answer->{json}{field}, $field, "... naming $field" or diag $answer->{body};
	}
};

subtest 'what is not there, and what is somebody else\'s, look the same' => sub {
	my ($mine, $theirs) = (known($s, 41), known($s, 41));
	my $job = $s->sync($theirs)->{job};
	$partner->fault(user => $theirs, kind => '429', retry_after => 600);
	my $active = $s->post('/api/reseller/programs/sync', as => $theirs)->{json}{id};
	ok $active, 'they have one that waits, too';
	my $unknown = '00000000-0000-4000-8000-000000000000';
	my $none = one($mine, $unknown);
	is $none->{status}, 404, 'an unknown id';
	my $same = sub { my ($answer) = @_; return { %{ $answer->{json} }, instance => '' } };
	for my $id ($job, $active, uc $job, 'x', '1', "$job.1", $job =~ tr/-//dr, "$job%20", '..%2f' . $job, "'") {
		for my $path ("/api/jobs/$id", "/api/jobs/$id/events") {
			my $answer = $s->get($path, as => $mine);
			is $answer->{status}, 404, "$path: not found";
			is_deeply $same->($answer), $same->($none), '... in the same words' if $id =~ /^\Q$job\E\z|^\Q$active\E\z/;
		}
	}
	is_deeply ids($mine), [], 'none of theirs is in the list';
	is one($theirs, uc $job)->{json}{id}, $job, 'capitals make no difference to the owner';
	$partner->heal;
};

subtest 'only for who has signed in, and only to be read' => sub {
	my $user = known($s, 1);
	my $job  = $s->sync($user)->{job};
	for my $path ('/api/jobs', "/api/jobs/$job", "/api/jobs/$job/events") {
		is $s->get($path)->{status}, 401, "$path: not without a login";
		for my $method (qw(POST PUT DELETE PATCH)) {
			my $answer = $s->request($method, $path, as => $user);
			is $answer->{status}, 405, "$method $path: refused";
			like $answer->{headers}{allow} // '', qr/\bGET\b/, '... with what is allowed';
		}
	}
};

subtest 'history goes after jobs.keep' => sub {
	my $user = known($s, 1);
	my ($old, $new) = map { $s->sync($user)->{job} } 1, 2;
	$s->sql(q(UPDATE job SET finished_at = finished_at - interval '91 days' WHERE id = ?), $old);
	# The workers look each ten minutes; the statement is theirs.
	my $trim = Lockstep::Stack::slurp($s->root . '/sql/query/jobs/trim.sql');
	$trim =~ s/\$1/90 * 86400000::bigint/;
	$s->sql($trim);
	is_deeply ids($user), [$new], 'the old one is gone, the new one stays';
	is $s->sql_value('SELECT count(*) FROM job_event WHERE job_id = ?', $old), 0, '... with its events';
};

$s->stop;
done_testing;
