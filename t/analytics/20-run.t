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

my $seller = seller_of(products => 438, jam => 'standard');

subtest '438 products with texts: ten calls, none refused, and every figure as it was sent' => sub {
	my $job = sync_of($seller, seconds => 120);
	is $job->{state}, 'done', 'done' or diag explain $job;
	is_deeply $job->{progress}, { done => 438, total => 438, percentage => 100 }, 'progress';
	is_deeply $job->{calls}, { made => 10, left => 0 }, 'calls';
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
	cmp_ok scalar(grep { $_->{type} eq 'waiting' && $_->{reason} eq 'api_pace' && $_->{until} } @event), '>=', 8, 'waiting, until when and why';
	is_deeply [map { $_->{type} } $event[-1]], ['complete'], 'complete';
	is $event[-1]{ok}, 438, '... with how many';
	my @line = $s->log(qr/analytics: (?:batch|done)/);
	is scalar(grep { /msg="analytics: batch \d+\/44"/ && /seller=\S+ products=\d+/ } @line), 44, 'a log line for each batch';
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

subtest 'between calls the job is a row, and no process has it' => sub {
	my $id = ask($seller);
	my $seen = wait_until { my $j = job_of($id); $j->{state} eq 'waiting' ? $j : 0 } 20, 'waiting';
	ok $seen->{waiting_until} && $seen->{waiting_reason}, 'until when, and why';
	ok $seen->{eta_at}, 'and when it will be over';
	cmp_ok $seen->{calls}{left}, '>', 0, 'calls left';
	is $s->sql_value('SELECT holder FROM job WHERE id = ?', $id), undef, 'nobody holds it';
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
