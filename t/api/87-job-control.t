#!/usr/bin/perl

# What people do to jobs: cancel, pause, resume, retry. The row changes at once; the
# worker that has it writes no more; every stream ends in exactly one last event and
# every waiting POST in one answer.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $ENV{TEST_SLOW} || 1;

my $s = Lockstep::Stack->start(conf => { 'jobs.heartbeat' => '200ms', 'jobs.lease' => '10s',
	'partner.concurrency' => 2, 'partner.retry_base' => '20ms', 'sync.wait_max' => 30 * $slow . 's' });
my $partner = $s->partner;
my $born = 0;

# An account whose login is known, and whose sync takes a while: one page is held until
# heal.
sub slow_account {
	my ($programs, $held) = @_;
	my $user = 'u' . ++$born;
	$s->account($user, programs => $programs // 800);
	$s->get('/api/jobs', as => $user)->{status} == 200 or die 'login';
	$partner->hold(user => $user, offset => $held) if defined $held;
	$partner->fault(user => $user, kind => 'delay', ms => 120);
	return $user;
}

sub job { my ($user, $id) = @_; return $s->get("/api/jobs/$id", as => $user)->{json} }
sub ask { my ($user, $id, $verb) = @_; return $s->post("/api/jobs/$id/$verb", as => $user) }
sub programs { my ($user) = @_; return $s->sql_value('SELECT count(*) FROM program p JOIN account a
	ON a.id = p.account_id WHERE a.user_name = convert_to(?, \'UTF8\')', $user) }

# A sync under way: its stream, its job and what the stream has said so far.
sub running {
	my ($user) = @_;
	my $sse   = $s->sync_stream($user);
	my @event = $sse->until('progress');
	my ($id)  = ($event[-1]{id} // '') =~ /\A(\S+)\.\d+\z/ or die 'no progress';
	return ($sse, $id, @event);
}

# A POST that has joined that job and waits for its end beside the stream.
sub waiting_post {
	my ($user) = @_;
	my $post = $s->sse('/api/reseller/programs/sync', method => 'POST', as => $user);
	wait_until { my ($stream) = $s->workers('stream'); $stream->{clients} >= 2 } 20, 'the POST to wait';
	return $post;
}

sub conflict_is {
	my ($answer, $name) = @_;
	is $answer->{status}, 409, "$name: 409";
	is $answer->{json}{code}, 'conflict', '... conflict';
	is $answer->{headers}{'content-type'}, 'application/problem+json', '... a problem';
}

sub dense { my (@event) = @_; return is_deeply [map { ($_->{id} =~ /\.(\d+)$/)[0] } @event], [1 .. @event], 'ids count up' }

subtest 'a running job that is cancelled ends, for all who watch it' => sub {
	my $user = slow_account(800, 600);
	my ($sse, $id, @event) = running($user);
	my $post  = waiting_post($user);
	my $began = time;
	my $answer = ask($user, $id, 'cancel');
	is $answer->{status}, 200, 'the answer';
	is $answer->{json}{id}, $id, '... is the job';
	is $answer->{json}{state}, 'cancelled', '... cancelled';
	ok $answer->{json}{finished_at}, '... and over';
	push @event, $sse->rest;
	cmp_ok time - $began, '<', 6 * $slow, 'the stream ends at once, while the partner has not answered';
	ok $sse->complete, '... properly';
	is_deeply [grep { $_ =~ /error|complete/ } map { $_->{json}{type} } @event], ['error'], '... in one error';
	is $event[-1]{json}{code}, 'cancelled', '... that says why';
	dense(@event);
	is $post->status, 409, 'the POST that waits is answered';
	is $post->json->{code}, 'cancelled', '... with the reason';
	ok $s->wait_log(qr/job=$id .*"job: taken away" state=cancelled/, 20), 'its worker notices soon';
	# What was under way then has been counted when the simulator has answered us.
	$partner->counters for 1 .. 2;
	$partner->forget;
	my $had = programs($user);
	sleep 0.4;
	is programs($user), $had, 'nothing more is written';
	is $partner->counters->{all}{calls}, 0, '... nor asked of the partner';
	is $s->sql_value('SELECT count(*) FROM sync_seen WHERE job_id = ?::uuid', $id), 0, 'no trace of the pass';
	my @again = $s->sse("/api/jobs/$id/events", as => $user)->rest;
	is_deeply [map { $_->{data} } @again], [map { $_->{data} } @event], 'who looks later sees the same';
	conflict_is(ask($user, $id, $_), "$_ of a cancelled job") for qw(cancel pause resume);
	$partner->heal;
};

subtest 'one that waits for a time is cancelled too' => sub {
	my $user = slow_account();
	$partner->fault(user => $user, kind => '429', retry_after => 600);
	my $sse = $s->sync_stream($user);
	my @event = $sse->until('waiting');
	my ($id) = $event[-1]{id} =~ /\A(\S+)\./;
	is job($user, $id)->{state}, 'waiting', 'it waits';
	is ask($user, $id, 'cancel')->{json}{state}, 'cancelled', 'cancelled';
	is((($sse->rest)[-1] // {})->{json}{type}, 'error', 'the stream ends');
	is job($user, $id)->{waiting_reason}, undef, 'it waits for nothing';
	$partner->heal;
};

subtest 'a retry is a new job with events of its own' => sub {
	my $user = slow_account(120, 80);
	my ($sse, $id) = running($user);
	conflict_is(ask($user, $id, 'retry'), 'retry of a running job');
	ask($user, $id, 'cancel');
	my $answer = ask($user, $id, 'retry');
	is $answer->{status}, 202, 'accepted';
	my $new = $answer->{json}{id};
	isnt $new, $id, 'another job';
	is $answer->{headers}{location}, "/api/jobs/$new", '... with its place';
	is $answer->{json}{kind}, 'programs.sync', '... of the same kind';
	is ask($user, $id, 'retry')->{json}{id}, $new, 'who asks again joins it';
	$partner->heal;
	my @event = $s->sse("/api/jobs/$new/events", as => $user)->rest(40);
	is $event[0]{json}{type}, 'start', 'it has a stream from its start';
	is $event[-1]{json}{type}, 'complete', '... to its end';
	is((grep { $_->{id} !~ /^\Q$new\E\./ } @event), 0, '... of its own');
	is programs($user), 120, 'and does the work';
	is job($user, $id)->{state}, 'cancelled', 'the old one stays as it was';
	conflict_is(ask($user, $new, 'retry'), 'retry of what went well');
};

subtest 'a retry asks for what was asked' => sub {
	my $user = slow_account(40);
	$partner->heal;
	$s->sync($user);
	my $post = $s->post('/api/reseller/programs/sync?dry_run=1&mode=full', as => $user);
	my ($old) = @{ $s->get('/api/jobs?limit=1', as => $user)->{json}{jobs} };
	$s->sql("UPDATE job SET state = 'failed' WHERE id = ?::uuid", $old->{id});
	my $new = ask($user, $old->{id}, 'retry')->{json};
	is $new->{kind}, 'programs.sync_dry_run', 'the kind';
	is $s->sql_value('SELECT request FROM job WHERE id = ?::uuid', $new->{id}), '{"mode": "full"}', 'the request';
};

subtest 'a paused job keeps its checkpoint and goes on from there' => sub {
	my $user = slow_account(800, 600);
	my ($sse, $id, @event) = running($user);
	my $post   = waiting_post($user);
	my $answer = ask($user, $id, 'pause');
	is $answer->{status}, 200, 'the answer';
	is $answer->{json}{state}, 'paused', '... is the job, paused';
	is $answer->{json}{waiting_reason}, 'by_hand', '... by hand';
	push @event, $sse->until('waiting');
	is $event[-1]{json}{reason}, 'by_hand', 'the stream says so';
	ok exists $event[-1]{json}{until} && !defined $event[-1]{json}{until}, '... until nobody knows when';
	is $post->status, 202, 'a POST does not wait for it';
	is $post->json->{state}, 'paused', '... and sees why';
	ok $s->wait_log(qr/job=$id .*"job: taken away" state=paused/, 20), 'its worker lets go';
	my $read = job($user, $id)->{progress}{done};
	cmp_ok $read, '>', 0, 'something was read';
	sleep 0.4;
	is job($user, $id)->{progress}{done}, $read, 'nothing happens';
	conflict_is(ask($user, $id, 'pause'), 'pause of a paused job');
	is $s->post('/api/reseller/programs/sync', as => $user)->{json}{state}, 'paused', 'who asks for a sync joins it';
	$partner->heal;
	$partner->forget;
	is ask($user, $id, 'resume')->{json}{state}, 'queued', 'resumed';
	push @event, $sse->rest(40);
	is $event[-1]{json}{type}, 'complete', 'the same stream goes on to the end';
	dense(@event);
	is programs($user), 800, 'all is there';
	my %asked = map { $_ => 1 } @{ $partner->counters->{users}{$user}{offsets} };
	ok !$asked{0}, 'the first page was not read again';
	conflict_is(ask($user, $id, 'resume'), 'resume of a job that is over');
};

subtest 'pause and resume faster than the worker looks: one worker goes on' => sub {
	my $user = slow_account(400, 240);
	my ($sse, $id) = running($user);
	for (1 .. 3) {
		is ask($user, $id, 'pause')->{status}, 200, 'paused';
		is ask($user, $id, 'resume')->{status}, 200, 'resumed';
	}
	$partner->heal;
	is((($sse->rest(40))[-1])->{json}{type}, 'complete', 'it ends well');
	is programs($user), 400, 'all is there';
};

subtest 'nobody can touch another account\'s jobs' => sub {
	my $user  = slow_account(200, 160);
	my $other = slow_account(1);
	my ($sse, $id) = running($user);
	for my $verb (qw(cancel pause resume retry)) {
		my $answer = ask($other, $id, $verb);
		is $answer->{status}, 404, "$verb: looks like no job";
		is $answer->{json}{detail}, ask($other, '00000000-0000-4000-8000-000000000000', $verb)->{json}{detail},
		    '... exactly';
		is $s->post("/api/jobs/$id/$verb")->{status}, 401, '... nor without a login';
		is ask($user, 'no-uuid', $verb)->{status}, 404, 'an id that is none';
		is $s->get("/api/jobs/$id/$verb", as => $user)->{status}, 405, 'POST only';
	}
	is job($user, $id)->{state}, 'running', 'the job runs on';
	$partner->heal;
	is((($sse->rest(40))[-1])->{json}{type}, 'complete', '... to its end');
};

$s->stop;
done_testing;
