#!/usr/bin/perl

# A run as it should go: the calls that it makes, what it tells on the way and what
# is stored at the end, beside what the API had sent.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(30);

sub number { my ($n) = @_; return defined $n ? $n + 0 : undef }
# Half a hundredth goes up, as in the database; a double would be a little off.
sub share { my ($part, $whole) = @_; return $whole ? int((20_000 * $part + $whole) / (2 * $whole)) / 100 : undef }

# Every stored figure of the products is what was sent last.
sub figures_are {
	my ($seller, $name) = @_;
	my ($sent, $row) = ($s->seller->sent($seller->{name}), pages($seller));
	my @odd;
	for my $id (@{ $seller->{ids} }) {
		my ($f, $got) = ($sent->{funnel}{$id}[-1]{selected}, $row->{$id});
		my %want = (views => $f->{openCount}, addToCart => $f->{cartCount}, orders => $f->{orderCount},
			units => $f->{orderCount}, revenue => $f->{orderSum}, buyouts => $f->{buyoutCount}, buyoutSum => $f->{buyoutSum},
			cancels => $f->{cancelCount}, cancelSum => $f->{cancelSum}, avgPrice => $f->{avgPrice},
			addToWishlist => $f->{addToWishlist}, ctr => share($f->{cartCount}, $f->{openCount}),
			conversionRate => share($f->{orderCount}, $f->{cartCount}),
			avgOrderValue => $f->{orderCount} ? share($f->{orderSum} / 100, $f->{orderCount}) : undef,
			periodStart => $f->{period}{start}, periodEnd => $f->{period}{end});
		my @text = @{ $sent->{texts}{$id}[-1]{items} // [] };
		$want{totalQueries} = @text;
		for (sort keys %want) {
			my ($have, $should) = ($got->{$_}, $want{$_});
			push @odd, "$id $_: " . ($have // 'null') . ' for ' . ($should // 'null')
			    if defined $have != defined $should || defined $have && ($have =~ /^\d{4}-/ ? $have ne $should : abs($have - $should) > 0.0051);
		}
		my @have = map { join ' ', @$_{qw(openCard query addToCart orders avgPosition)} } @{ $got->{topSearchQueries} };
		my %should = map { (join(' ', @$_{qw(openCard text addToCart orders avgPosition)}) => 1) } @text;
		push @odd, "$id texts" if @have != (@text > 10 ? 10 : @text) || grep { !$should{$_} } @have;
		push @odd, "$id status $got->{syncStatus}" if $got->{syncStatus} ne 'success' || defined $got->{syncError};
	}
	is_deeply [splice @odd, 0, 5], [], $name;
	return;
}

clear_of_midnight(120);
my $seller = seller_of(products => 438, jam => 'standard');

# Each time that a turn is asked for, granted or not.
$s->sql($_) for 'CREATE TABLE turn (method text)',
    q(CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		INSERT INTO public.turn VALUES (new.method);
		RETURN NULL;
	END $$),
    'CREATE TRIGGER turn AFTER INSERT OR UPDATE OF granted ON rate_bucket FOR EACH ROW EXECUTE FUNCTION turn()';

subtest '438 products with texts: ten calls, none refused, and every figure as it was sent' => sub {
	my $job = sync_of($seller, seconds => 120);
	$s->sql('DROP TRIGGER turn ON rate_bucket');
	is $job->{state}, 'done', 'done' or diag explain $job;
	is_deeply $job->{progress}, { done => 438, total => 438, percentage => 100 }, 'progress';
	is_deeply $job->{calls}, { made => 10, left => 0 }, 'calls';
	is_deeply $job->{batches}, { done => 44, total => 44 }, 'batches';
	is_deeply $job->{seller}, { id => $seller->{id}, name => $seller->{name} }, 'whose';
	my $count = $s->seller->counts($seller->{name});
	is $count->{calls}, 10, 'ten calls at the API';
	is $count->{methods}{funnel}{calls}, 1, '... one for the figures';
	is $count->{methods}{texts}{calls}, 9, '... nine for the texts';
	is_deeply [map { keys %{ $_->{statuses} } } values %{ $count->{methods} }], [200, 200], 'none was refused';
	is $count->{early}, 0, 'none came early';
	cmp_ok $count->{methods}{texts}{smallest_gap}, '>=', 20, 'never less than 20 s between two';
	figures_are($seller, 'every figure is what the API sent');
	my @call = @{ $s->seller->journal(seller => $seller->{name}, bodies => 0) };
	is_deeply [map { scalar @{ $_->{request}{nmIds} } } grep { $_->{method} eq 'texts' } @call], [(50) x 8, 38], 'eight chunks of fifty and one of 38';
};

subtest 'what it told on the way' => sub {
	my $id = $s->sql_value("SELECT id FROM job WHERE account_id = ? ORDER BY created_at DESC LIMIT 1", $seller->{id});
	my @event = events_of($id);
	is $event[0]{type}, 'start', 'start';
	my ($info) = grep { $_->{type} eq 'info' } @event;
	is_deeply [@$info{qw(products batches calls)}], [438, 44, 10], 'info';
	my @progress = grep { $_->{type} eq 'progress' } @event;
	is_deeply [map { $_->{batch} } @progress], [1 .. 44], 'every batch, once';
	is_deeply [map { $_->{done} } @progress], [map({ 10 * $_ } 1 .. 43), 438], '... with what is done';
	is_deeply [grep { $_->{batches} != 44 || $_->{total} != 438 || $_->{failed} != 0 } @progress], [], '... of how much';
	is $progress[-1]{percentage}, 100, '100 at the end';
	is scalar(grep { $_->{percentage} == 100 } @progress), 1, '... and only there';
	my @saved = grep { $_->{type} eq 'saved' } @event;
	is_deeply [map { "$_->{part} $_->{batch}/$_->{batches} $_->{saved}" } @saved], [map { 'figures ' . (10 * $_ < 438 ? "$_/44 " . 10 * $_ : '44/44 438') } 1 .. 44],
	    'each batch of figures as well, while its texts are to come';
	# Between two chunks, unless the first was so long in the making that the next has its turn at once.
	my $waits = $s->sql_value(q(SELECT count(*) FROM turn WHERE method = 'search-texts')) - 9;
	cmp_ok $waits, '>=', 1, 'turns that it asked for too early';
	is scalar(grep { $_->{type} eq 'waiting' && $_->{reason} eq 'api_pace' && $_->{until} } @event), $waits, 'each wait is told, until when and why';
	is_deeply [map { $_->{type} } $event[-1]], ['complete'], 'complete';
	is $event[-1]{ok}, 438, '... with how many';
	my @line = $s->log(qr/analytics: (?:batch|done)/, 45);
	is scalar(grep { /msg="analytics: batch \d+\/44"/ && /seller=\S+ products=\d+/ } @line), 44, 'a log line for each batch';
	is scalar($s->log(qr{msg="analytics: figures \d+/44" .*products=\d+}, 44)), 44, '... and of figures';
	like $line[-1], qr/msg="analytics: done ok=438 failed=0"/, '... and one at the end';
};

subtest 'a second run: the same row, newer figures; one run a seller' => sub {
	my $rows = $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ?', $seller->{id});
	$s->seller->call(POST => '/_sim/edit', { seller => $seller->{name}, op => 'restate', n => 40 });
	$s->seller->forget;
	my @task = map { ask($seller) } 1 .. 3;
	is_deeply \@task, [($task[0]) x 3], 'the second to ask gets the running task';
	is ended($task[0], 120)->{state}, 'done', 'done';
	is $s->seller->counts($seller->{name})->{calls}, 10, 'ten calls, not thirty';
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ?', $seller->{id}), $rows, 'one row per product and period';
	figures_are($seller, 'late data has come in');
};

subtest 'the plan is known before the run has begun' => sub {
	my ($name, $token) = shop(products => 438, jam => 'standard');
	my $id = op(POST => 'sellers', json => { name => $name, token => $token })->{json}{id};
	op(POST => "sellers/$id/products", json => { all => \1 });
	my $new = { id => $id, name => $name };
	for my $one ($new, $seller) {
		my $which = $one == $new ? 'of all, with no product known yet' : 'of products that are known';
		my @worker = $s->pids('jobs');
		CORE::kill('STOP', @worker);
		my $answer = op(POST => 'sync-background', json => { sellerId => $one->{id} });
		my $job = job_of($answer->{json}{taskId});
		CORE::kill('CONT', @worker);
		is $job->{state}, 'queued', $which;
		is_deeply $job->{calls}, { made => 0, left => 10 }, '... ten calls';
		is_deeply $job->{progress}, { done => 0, total => 438, percentage => 0 }, '... 438 products';
		ok $job->{eta_at}, '... until when';
		cmp_ok $answer->{json}{etaSeconds}, '>', 0, '... and for how long';
		wait_until { grep { $_->{type} eq 'info' } events_of($job->{id}) } 20, 'its plan';
		my ($told) = grep { $_->{type} eq 'info' } events_of($job->{id});
		is_deeply [@$told{qw(products calls)}], [438, 10], '... as the run says itself';
		op(POST => "jobs/$job->{id}/cancel");
	}
	$s->sql('DELETE FROM rate_bucket');
};

subtest 'a call that is under way is made, and not to come; who joins is told the time of the run' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	$s->seller->hold(seller => $one->{name}, method => 'texts', times => 1);
	my $id = ask($one);
	my $call = sub { $s->seller->counts($one->{name})->{methods}{texts}{calls} // 0 };
	ok wait_until(sub { $call->() == 1 }, 20, 'the first call for texts'), 'the first of three calls for texts';
	is_deeply job_of($id)->{calls}, { made => 2, left => 2 }, 'two are made, two to come';
	$s->sql(q(UPDATE job SET eta_at = clock_timestamp() + interval '1 hour' WHERE id = ?), $id);
	my $joined = op(POST => 'sync-background', json => { sellerId => $one->{id} });
	is_deeply [$joined->{status}, @{ $joined->{json} }{qw(taskId joined)}], [202, $id, JSON::PP::true], 'joined';
	cmp_ok abs($joined->{json}{etaSeconds} - 3600), '<', 100, '... with the time that the run takes, not a new one' or diag $joined->{body};
	op(POST => "jobs/$id/pause");
	$s->seller->heal;
	$joined = op(POST => 'sync-background', json => { sellerId => $one->{id} })->{json};
	is_deeply $joined, { taskId => $id, joined => JSON::PP::true, etaSeconds => undef, state => 'paused' }, 'one that is paused has none';
	op(POST => "jobs/$id/cancel");
};

subtest 'without Jam one call looks for texts' => sub {
	my $one = seller_of(products => 120, jam => 'none');
	is run_of($one)->{state}, 'partial', 'partial';
	my $job = sync_of($one);
	my ($info) = grep { $_->{type} eq 'info' } events_of($job->{id});
	is $info->{calls}, 2, 'the next run plans two calls';
	is_deeply $job->{calls}, { made => 2, left => 0 }, '... and makes them';
};

subtest 'a plan that nobody knows yet is not one of nothing' => sub {
	my ($name, $token) = shop(products => 3, jam => 'standard', type => 'base');
	my $id = op(POST => 'sellers', json => { name => $name, token => $token })->{json}{id};
	op(POST => "sellers/$id/products", json => { all => \1 });
	my @worker = $s->pids('jobs');
	CORE::kill('STOP', @worker);
	my $answer = op(POST => 'sync-background', json => { sellerId => $id });
	my $job = job_of($answer->{json}{taskId});
	CORE::kill('CONT', @worker);
	ok exists $answer->{json}{etaSeconds} && !defined $answer->{json}{etaSeconds}, 'for how long is not known';
	is_deeply $job->{calls}, { made => 0, left => undef }, '... nor by how many calls';
	is_deeply $job->{progress}, { done => 0, total => undef, percentage => undef }, '... nor of how much';
	is $job->{eta_at}, undef, '... nor until when';
	$job = ended($job->{id});
	is $job->{state}, 'done', 'done';
	is_deeply $job->{progress}, { done => 3, total => 3, percentage => 100 }, '... then it is';
	is_deeply $job->{calls}, { made => 2, left => 0 }, '... by two calls';
	my ($info) = grep { $_->{type} eq 'info' } events_of($job->{id});
	is_deeply [@$info{qw(products batches calls etaSeconds)}], [(undef) x 4], 'its stream says so as well';
	is_deeply [@{ $job->{timing_ms} }{qw(database names)}], [undef, undef], 'what is not measured is not zero';
	cmp_ok $job->{timing_ms}{partner}, '>=', 0, '... as what is';
};

subtest 'between calls the job is a row, and no process has it' => sub {
	my $id = ask($seller);
	# Asked once: in the next moment it may be running.
	my $row = wait_until { $s->sql(q(SELECT holder, job_json(j)::text AS job FROM job j WHERE id = ? AND state = 'waiting'), $id)->[0] } 20, 'waiting';
	my $seen = JSON::PP::decode_json($row->{job});
	ok $seen->{waiting_until} && $seen->{waiting_reason}, 'until when, and why';
	ok $seen->{eta_at}, 'and when it will be over';
	cmp_ok $seen->{calls}{left}, '>', 0, 'calls left';
	is $row->{holder}, undef, 'nobody holds it';
	is ended($id, 120)->{state}, 'done', 'done';
};

subtest 'batches of other sizes' => sub {
	for ([1, 23, 23], [7, 23, 4], [1000, 23, 1]) {
		my ($size, $n, $batches) = @$_;
		my $one = seller_of(products => $n, jam => 'standard');
		my $job = sync_of($one, batchSize => $size);
		is $job->{state}, 'done', "batchSize $size";
		my @progress = grep { $_->{type} eq 'progress' } events_of($job->{id});
		is_deeply [map { "$_->{batch}/$_->{batches}" } @progress], [map { "$_/$batches" } 1 .. $batches], "... $batches batches";
		is $job->{calls}{made}, 2, '... and the API\'s own chunks';
		figures_are($one, '... with every figure');
	}
};

subtest 'a rest between batches, and none after the last' => sub {
	$s->conf_edit(sub { s/^(\[analytics\]\n)/$1batch_pause = 300ms\n/m or s/\z/\n[analytics]\nbatch_pause = 300ms\n/ });
	hup();
	for my $all (0, 1) {
		my $one = seller_of(products => 23, jam => 'standard');
		if ($all) {
			$s->sql('DELETE FROM product WHERE account_id = ?', $one->{id});
			op(POST => "sellers/$one->{id}/products", json => { all => \1 });
		}
		my $job = sync_of($one, batchSize => 10);
		is $job->{state}, 'done', ($all ? 'all that is listed' : 'by id') . ': done' or diag explain $job;
		is $job->{calls}{made}, 2, '... the answers are asked for once';
		my @event = grep { $_->{type} =~ /^(?:saved|progress|complete)$/ || ($_->{reason} // '') eq 'batch_pause' } events_of($job->{id});
		my ($info) = grep { $_->{type} eq 'info' } events_of($job->{id});
		cmp_ok $info->{etaSeconds} // 2, '>=', 2, '... five rests are foreseen';
		my @batch = grep { $event[$_]{type} ne 'waiting' && $event[$_]{type} ne 'complete' } 0 .. $#event;
		is scalar(@batch), 6, '... six batches';
		is_deeply [grep { $event[$_ + 1]{type} ne 'waiting' } @batch[0 .. 4]], [], '... a rest after each';
		is $event[-2]{type}, 'progress', '... but the last';
		figures_are($one, '... and every figure');
	}
	# Switched off in a rest: what was kept of the answer goes in at once.
	my $one = seller_of(products => 60, jam => 'standard');
	my $id = ask($one, batchSize => 20);
	wait_until { ($s->sql_value(q(SELECT waiting_reason FROM job WHERE id = ?), $id) // '') eq 'batch_pause' } 20, 'a rest';
	$s->conf_edit(sub { s/^batch_pause = .*\n//m });
	hup();
	is ended($id)->{state}, 'done', 'no more rests: done';
	figures_are($one, '... with every figure');
};

subtest 'what is kept of an answer goes when the run is cancelled in a rest' => sub {
	$s->conf_edit(sub { s/^(\[analytics\]\n)/$1batch_pause = 60s\n/m });
	hup();
	my $one  = seller_of(products => 60, jam => 'standard');
	my $id   = ask($one, batchSize => 20);
	my $kept = sub { $s->sql_value(q(SELECT count(*) FROM job WHERE id = ? AND coalesce(checkpoint #> '{funnel,kept}', checkpoint #> '{texts,kept}') IS NOT NULL), $id) };
	wait_until { job_of($id)->{state} eq 'waiting' } 20, 'a rest';
	is $kept->(), 1, 'the rest of an answer is kept';
	op(POST => "jobs/$id/cancel");
	is $kept->(), 0, '... and gone';
	$s->conf_edit(sub { s/^batch_pause = .*\n//m });
	hup();
};

subtest 'a rest in a list of more than a page' => sub {
	my $one = seller_of(products => 1010, jam => 'standard');
	$s->sql('DELETE FROM product WHERE account_id = ?', $one->{id});
	op(POST => "sellers/$one->{id}/products", json => { all => \1 });
	$s->conf_edit(sub { s/^(\[analytics\]\n)/$1batch_pause = 50ms\n/m or s/\z/\n[analytics]\nbatch_pause = 50ms\n/ });
	hup();
	my $id = ask($one, batchSize => 400);
	wait_until { ($s->sql_value(q(SELECT updated FROM job WHERE id = ?), $id) // 0) >= 1010 } 60, 'all figures';
	is $s->seller->counts($one->{name})->{methods}{funnel}{calls}, 2 + 1, 'the token and two pages: none was read again';
	op(POST => "jobs/$id/cancel");
	$s->conf_edit(sub { s/^batch_pause = .*\n//m });
	hup();
};

subtest 'all that the API lists' => sub {
	my $one = seller_of(products => 30, jam => 'standard');
	my @all = sort { $a <=> $b } @{ $one->{ids} };
	$s->sql('DELETE FROM product WHERE account_id = ?', $one->{id});
	is op(POST => "sellers/$one->{id}/products", json => { all => \1 })->{status}, 200, 'all';
	my $job = sync_of($one);
	is $job->{state}, 'done', 'done' or diag explain $job;
	is_deeply [sort { $a <=> $b } keys %{ pages($one) }], \@all, 'every product of the list';
	figures_are($one, 'with its figures');
	$s->seller->call(POST => '/_sim/edit', { seller => $one->{name}, op => 'add', n => 2 });
	sync_of($one);
	is scalar(keys %{ pages($one) }), 32, 'new ones are found by the next run';
};

subtest 'no Jam: the figures are kept, the texts are said to be missing' => sub {
	for my $status (403, 400) {
		my $one = seller_of(products => 25, jam => 'none');
		$s->seller->change($one->{name}, jam_refusal => $status);
		my $job = sync_of($one);
		is $job->{state}, 'partial', "partial ($status)" or diag explain $job;
		is $job->{calls}{made}, 2, '... with one call for texts, not one for each chunk';
		my @row = values %{ pages($one) };
		is_deeply [grep { $_->{syncStatus} ne 'partial' || !defined $_->{views} || defined $_->{totalQueries} } @row], [], '... every product has its figures and no texts';
		is $row[0]{syncError}{code}, $status == 403 ? 'no_jam' : 'texts_refused', '... and why';
		is_deeply [map { $_->{item} } @{ $job->{errors} }], ['texts'], 'one error, of the texts';
	}
};

subtest 'its events as a stream, for its operator' => sub {
	my $one = seller_of(products => 3, jam => 'standard');
	my $id = ask($one);
	my $stream = $s->get("/api/analytics/jobs/$id/events", login => $s->operator_login, timeout => 30);
	is $stream->{status}, 200, 'a stream';
	like $stream->{headers}{'content-type'}, qr{^text/event-stream}, '... of events';
	my @type = map { JSON::PP::decode_json($_)->{type} } $stream->{body} =~ /^data: (.*)$/mg;
	is_deeply [@type[0, 1, -1]], [qw(start info complete)], 'from its start to its end';
	is $s->get("/api/analytics/jobs/$id/events", login => $s->operator_login(1))->{status}, 404, 'not for another operator';
};

$s->stop;
done_testing;
