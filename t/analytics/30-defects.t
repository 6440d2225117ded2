#!/usr/bin/perl

# The fourteen defects of the seed that this replaces (contract, section 6), each by
# its number: what holds instead.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use List::Util qw(sum0);
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(60, conf => { 'analytics.retries' => 1 });

sub calls { my ($seller, $method) = @_; return $s->seller->counts($seller->{name})->{methods}{$method}{calls} // 0 }
sub rows  { my ($seller) = @_; return values %{ pages($seller) } }
sub sent  { my ($seller, $what, $id) = @_; return $s->seller->sent($seller->{name})->{$what}{$id}[-1] }

# The products as they would be drawn, without the times of tries.
sub figures {
	my ($seller) = @_;
	my $row = pages($seller);
	delete @$_{qw(lastAttemptAt syncStatus syncError)} for values %$row;
	return $row;
}

subtest 'seed defect 1: one call brings the figures of all products' => sub {
	my $one = seller_of(products => 60, jam => 'standard');
	sync_of($one);
	is calls($one, 'funnel'), 1, 'one call for sixty products';
	is calls($one, 'sales'), 0, 'none for sales rows';
};

subtest 'seed defect 2: an error brings no zeros, and is no success' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my $before = figures($one);
	for my $kind (qw(500 400)) {
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one);
		is $job->{state}, 'failed', "$kind: failed";
		is_deeply figures($one), $before, '... and every figure as it was';
		is_deeply [grep { $_->{syncStatus} ne 'error' || !$_->{syncError}{code} } rows($one)], [], '... marked as an error';
		$s->seller->heal;
	}
};

subtest 'seed defect 3: the text of a search text is its query' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my @text = map { @{ $_->{topSearchQueries} } } rows($one);
	cmp_ok scalar(@text), '>', 0, 'there are texts';
	is_deeply [grep { !length($_->{query} // '') } @text], [], 'each has its words';
	my ($row) = grep { @{ $_->{topSearchQueries} } } rows($one);
	my %sent = map { ($_->{text} => 1) } @{ sent($one, 'texts', $row->{nmId})->{items} };
	is_deeply [grep { !$sent{ $_->{query} } } @{ $row->{topSearchQueries} }], [], '... as the API sent them';
};

subtest 'seed defect 4: figures of texts are read out of their objects' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my ($row) = sort { $b->{totalQueries} <=> $a->{totalQueries} } rows($one);
	my %sent = map { ($_->{text} => $_) } @{ sent($one, 'texts', $row->{nmId})->{items} };
	for my $text (@{ $row->{topSearchQueries} }) {
		is_deeply [@$text{qw(openCard addToCart orders avgPosition)}], [@{ $sent{ $text->{query} } }{qw(openCard addToCart orders avgPosition)}], "current of $text->{openCard}";
	}
	cmp_ok sum0(map { $_->{openCard} } @{ $row->{topSearchQueries} }), '>', 0, 'and they are not all nothing';
};

subtest 'seed defect 5: views and carts are counted, never orders times fifty' => sub {
	my $one = seller_of(products => 10, jam => 'none');
	$s->seller->figures($one->{name}, $one->{ids}[0], openCount => 7, cartCount => 2, orderCount => 1, orderSum => 500);
	sync_of($one);
	my $row = pages($one)->{ $one->{ids}[0] };
	is_deeply [@$row{qw(views addToCart orders)}], [7, 2, 1], 'as sent, also without texts';
};

subtest 'seed defect 6: without texts there are none, and no made-up phrases' => sub {
	for my $jam (qw(none standard)) {
		my $one = seller_of(products => 10, jam => $jam);
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => 'empty') if $jam ne 'none';
		sync_of($one);
		is_deeply [map { @{ $_->{topSearchQueries} // [] } } rows($one)], [], $jam eq 'none' ? 'refused' : 'an empty answer';
		is_deeply [grep { defined $_->{totalQueries} != ($jam ne 'none') } rows($one)], [], '... unknown is not none';
		$s->seller->heal;
	}
};

subtest 'seed defect 7: thirty texts a product, fifty products a call' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	sync_of($one);
	my @call = grep { $_->{method} eq 'texts' } @{ $s->seller->journal(seller => $one->{name}, bodies => 0) };
	is_deeply [map { $_->{request}{limit} } @call], [30, 30, 30], 'limit 30';
	is_deeply [map { scalar @{ $_->{request}{nmIds} } } @call], [50, 50, 20], 'fifty products';
	is_deeply [map { $_->{status} } @call], [200, 200, 200], '... which the API takes';
};

subtest 'seed defect 8: orders and revenue are the API\'s own, returns are no orders' => sub {
	my $one = seller_of(products => 10, jam => 'none');
	sync_of($one);
	my @odd = grep { my $f = sent($one, 'funnel', $_->{nmId})->{selected};
		$_->{orders} != $f->{orderCount} || $_->{revenue} != $f->{orderSum} || $_->{buyoutSum} != $f->{buyoutSum} } rows($one);
	is_deeply \@odd, [], 'orders, revenue and what was paid';
};

subtest 'seed defect 9: a 429 is waited for as its header says' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '429', retry => 2, reset => 29, times => 1);
	$s->log_mark;
	my $id = ask($one);
	my $seen = wait_until { grep { $_->{type} eq 'waiting' && $_->{reason} eq 'api_limited' } events_of($id) } 20, 'waiting for the limit';
	ok $seen, 'waiting, because the API has said so';
	my $job = ended($id);
	is $job->{state}, 'done', 'done in the end';
	my ($wait) = grep { $_->{type} eq 'waiting' && $_->{reason} eq 'api_limited' } events_of($id);
	is scalar($s->log(qr/"analytics: call failed".* retry_ms=2000$/, 1)), 1, 'two seconds, as Retry says, not the 29 of Reset';
	like $wait->{message}, qr/^Waiting [0-2] s /, '... or what is left of them';
};

subtest 'seed defect 10: the pace is that of the documents' => sub {
	my $text = $s->lockstep(qw(check -T))->{out};
	my $fresh = Lockstep::Stack->run({ env => { LOCKSTEP_DB_URL => 'postgresql:///x' } }, $s->{BIN}, '-c', '/dev/null', 'check', '-T')->{out};
	like $fresh, qr/^funnel_interval = 20500ms$/m, 'figures every 20.5 s';
	like $fresh, qr/^texts_interval = 20500ms$/m, 'texts every 20.5 s';
	my $one = seller_of(products => 120, jam => 'standard');
	sync_of($one);
	cmp_ok $s->seller->counts($one->{name})->{methods}{texts}{smallest_gap}, '>=', 20, 'and never faster';
};

subtest 'seed defect 11: an answer is matched by nmId, not by place' => sub {
	my $one = seller_of(products => 20, jam => 'standard');
	my $gone = (sort { $a <=> $b } @{ $one->{ids} })[3];
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'missing', only => [$gone]);
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'unknown', n => 2);
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'duplicate', n => 3);
	my $job = sync_of($one);
	$s->seller->heal;
	my $row = pages($one);
	is_deeply [@{ $row->{$gone} }{qw(views orders revenue lastSyncAt)}], [undef, undef, undef, undef], 'the one that is missing has no data, not zeros';
	is $row->{$gone}{syncError}{code}, 'no_data', '... and says so';
	my @odd = grep { $_->{nmId} != $gone && $_->{views} != sent($one, 'funnel', $_->{nmId})->{selected}{openCount} } values %$row;
	is_deeply \@odd, [], 'all others have their own figures';
	is scalar(keys %$row), 20, 'unknown ids are left out';
	is_deeply [map { "$_->{item} $_->{code}" } @{ $job->{errors} }], ["$gone no_data"], 'one failure, by name';
};

subtest 'seed defect 11, of texts: rows sent twice are one, the first' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my $before = figures($one);
	for my $other (0, 1) {
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => 'duplicate', n => 10, other => $other ? \1 : \0);
		is sync_of($one)->{state}, 'done', $other ? 'with other figures: done' : 'the same twice: done';
		$s->seller->heal;
		my $after = figures($one);
		is_deeply [map { [@$_{qw(nmId totalQueries topSearchQueries)}] } @$after{ sort keys %$after }],
		    [map { [@$_{qw(nmId totalQueries topSearchQueries)}] } @$before{ sort keys %$before }], '... and every text is there once';
	}
};

subtest 'seed defect 12: a failure moves only the time of the try' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my ($before, $rows) = (pages($one), stored($one));
	$s->seller->fault(seller => $one->{name}, kind => 'html');
	sync_of($one, seconds => 90);
	$s->seller->heal;
	my $after = pages($one);
	is stored($one), $rows, 'what is stored is the same, byte for byte';
	is_deeply [grep { $after->{$_}{lastSyncAt} ne $before->{$_}{lastSyncAt} } keys %$after], [], 'lastSyncAt stays';
	is_deeply [grep { $after->{$_}{lastAttemptAt} le $before->{$_}{lastAttemptAt} } keys %$after], [], 'lastAttemptAt moves';
	is op(POST => 'sync-background', json => { sellerId => $one->{id}, ifOlderThanHours => 24 })->{status}, 200, 'data of today is fresh, the try does not count';
	$s->sql(q(UPDATE product SET last_sync_at = last_sync_at - interval '2 days' WHERE account_id = ?), $one->{id});
	my $answer = op(POST => 'sync-background', json => { sellerId => $one->{id}, ifOlderThanHours => 24 });
	is $answer->{status}, 202, 'old data is not, whatever was tried since';
	ended($answer->{json}{taskId});
	# What the API refuses of one product is its answer, and not better if it is asked all day.
	my $is_fresh = sub { my $r = op(POST => 'sync-background', json => { sellerId => $one->{id}, ifOlderThanHours => 24 });
		ended($r->{json}{taskId}) if $r->{status} == 202; return $r->{status} == 200 };
	my $state = sub { $s->sql("UPDATE product SET sync_status = 'error', last_sync_at = NULL, sync_error_code = ? WHERE account_id = ?" . ($_[1] // ''), $_[0], $one->{id}) };
	for my $code (qw(no_data bad_row partner_refused)) {
		$state->($code, " AND nm_id = $one->{ids}[0]");
		ok $is_fresh->(), "one product with $code: the others are fresh";
	}
	$state->('no_data');
	ok $is_fresh->(), 'a seller of whom the API has nothing';
	$state->('partner_refused');
	ok !$is_fresh->(), 'one of whom it has refused everything is not fresh';
};

subtest 'seed defect 13: a restart goes on with the next batch; two triggers are one run' => sub {
	my $one = seller_of(products => 200, jam => 'standard');
	$s->seller->forget;
	my @task = (ask($one), ask($one));
	is $task[1], $task[0], 'one run';
	wait_until { (job_of($task[0])->{calls}{made} // 0) >= 3 } 30, 'three calls';
	$s->restart('lockstep');
	my $job = ended($task[0]);
	is $job->{state}, 'done', 'done';
	cmp_ok $s->seller->counts($one->{name})->{calls}, '<=', 6, 'five calls, and one more at most';
	is_deeply [grep { $_->{syncStatus} ne 'success' } rows($one)], [], 'nothing is lost';
};

subtest 'seed defect 14: what is no product id is skipped and reported' => sub {
	my $one = seller_of(products => 5, jam => 'standard');
	my $answer = op(POST => "sellers/$one->{id}/products", json => { nmIds => ['abc', 'NaN', 0, -1, 2.5] });
	is $answer->{json}{rejectedCount}, 5, 'reported';
	my $job = sync_of($one);
	is $job->{state}, 'done', 'the others are synced';
	my @asked = map { @{ $_->{request}{nmIds} } } @{ $s->seller->journal(seller => $one->{name}, bodies => 0) };
	is_deeply [grep { !/^[1-9]\d*$/ } @asked], [], 'and only numbers go out';
};

$s->stop;
done_testing;
