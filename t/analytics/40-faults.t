#!/usr/bin/perl

# Every fault of the API (contract, section 7) in the middle of a run: it ends, with
# good figures or with the old ones, and says what was wrong. In the contract's order:
#
#   nm-report/detail is 404               rights and requests
#   tokens: missing, malformed, expired, wrong category; 403 without Jam; Bearer
#                                         tokens (before they are kept: 10-sellers.t)
#   ids, limits, fields, dates: 400       rights and requests; what is asked: 25-listing.t
#   buckets, kinds of token, headers      a base token; who does not say its kind; 20-run.t
#   penalty                               penalty
#   429 without headers, 429 with Retry 2 and Reset 29, 502 HTML, 498, timeout, cut JSON
#                                         faults that pass; a fault that stays
#   500 for batches with one nmId         a product that breaks its chunk
#   [] for an object, missing, unknown, duplicate, KGS, zero opens, over 100
#                                         answers that are odd; rows that are odd

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use HTTP::Tiny;
use JSON::PP ();
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(150, conf => { 'analytics.retries' => 2 });
my $today = $s->seller->clock->{today};

# A short time-out for calls that hang, and that of always again: everywhere else an
# answer that comes late, because the machine has much to do, would be one call more.
sub impatient {
	my ($on) = @_;
	$s->conf_edit(sub { s/^timeout = 700ms\n//mg; s/^(\[analytics\]\n)/$1timeout = 700ms\n/m or die 'no [analytics]' if $on });
	hup();
	return;
}

sub rows { my ($seller) = @_; return values %{ pages($seller) } }
sub complete { my ($seller) = @_; return !grep { $_->{syncStatus} ne 'success' } rows($seller) }

# What is stored of the figures, in one text.
sub stored_figures {
	my ($seller) = @_;
	return join "\n", map { $_->{t} } @{ $s->sql(q(SELECT concat_ws(' ', nm_id, period_end, funnel_at, views, add_to_cart, orders, revenue) AS t
	    FROM product_analytics WHERE account_id = ? ORDER BY nm_id, period_end), $seller->{id}) };
}

# Another client of the same seller's, who does not care for limits: the status.
my $stranger = HTTP::Tiny->new(timeout => 20);

sub meddle {
	my ($seller, $method) = @_;
	my %body = (funnel => { selectedPeriod => { start => $today, end => $today }, limit => 1 },
		texts => { currentPeriod => { start => $today, end => $today }, nmIds => [$seller->{ids}[0]], limit => 1,
			topOrderBy => 'orders', orderBy => { field => 'orders', mode => 'desc' } });
	my %path = (funnel => 'analytics/v3/sales-funnel/products', texts => 'v2/search-report/product/search-texts');
	return $stranger->post("$s->{SELLER_URL}/api/$path{$method}", { headers => { Authorization => $seller->{token} },
		content => JSON::PP::encode_json($body{$method}) })->{status};
}

# A fault that passes: the run waits, tries again, and is done.
sub passes {
	my ($name, %fault) = @_;
	for my $method (qw(funnel texts)) {
		my $one = seller_of(products => 60, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => $method, times => 1, %fault);
		my $job = sync_of($one);
		$s->seller->heal;
		is $job->{state}, 'done', "$name, $method: done" or diag explain $job;
		ok complete($one), '... and complete';
		is $s->seller->counts($one->{name})->{early}, 0, '... nothing came before it was its time';
	}
	return;
}

subtest 'faults that pass' => sub {
	passes('429 without headers', kind => '429', headers => \0);
	passes('429 with Retry 2 and Reset 29', kind => '429', retry => 2, reset => 29);
	passes('502 with HTML', kind => '502');
	passes('498', kind => '498');
	passes('503', kind => '503');
	passes('500', kind => '500');
	impatient(1);
	passes('no answer', kind => 'hang');
	impatient(0);
	passes('a reset', kind => 'reset_before', rst => \1);
	passes('cut JSON', kind => 'truncated');
	passes('a connection that breaks', kind => 'reset');
	passes('HTML with status 200', kind => 'html', status => 200);
	passes('bad UTF-8', kind => 'bad_utf8');
	passes('too deep', kind => 'deep_json', depth => 100);
};

subtest 'a fault that stays: the part is given up, old figures stay' => sub {
	for my $kind (qw(502 498 hang truncated html)) {
		my $one = seller_of(products => 10, jam => 'standard');
		sync_of($one);
		my $rows = stored_figures($one);
		impatient(1) if $kind eq 'hang';
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one);
		is $job->{state}, 'failed', "$kind: no product has figures, the run has failed";
		is scalar(@{ $job->{errors} }), 10, '... one error a product';
		is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NOT NULL', $one->{id}), 10, '... and the old figures are there';
		is $s->seller->counts($one->{name})->{early}, 0, '... and no call came early';
		is stored_figures($one), $rows, '... as they were';
		$s->seller->heal;
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $kind);
		$job = sync_of($one);
		is $job->{state}, 'partial', "$kind for texts: partial";
		is_deeply [grep { $_->{syncStatus} ne 'partial' || !defined $_->{views} } rows($one)], [], '... the figures are kept';
		$s->seller->heal;
		impatient(0) if $kind eq 'hang';
	}
};

subtest 'refused for ever: given up in the end, and never before it was time' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my $rows = stored($one);
	$s->seller->fault(seller => $one->{name}, kind => '429', retry => 1, reset => 29);
	my $job = sync_of($one, seconds => 120);
	$s->seller->heal;
	is $job->{state}, 'failed', 'failed';
	is_deeply [map { $_->{code} } @{ $job->{errors} }], [('partner_limited') x 10], '... each product says why';
	my $count = $s->seller->counts($one->{name});
	is_deeply [map { $_->{statuses}{429} } values %{ $count->{methods} }], [31, 31], '... after thirty more tries of each kind';
	is $count->{early}, 0, '... and no call came early';
	is stored($one), $rows, '... the old figures and texts stay, byte for byte';
};

subtest 'a product that breaks its chunk is found by halves' => sub {
	my $one = seller_of(products => 60, jam => 'standard');
	my $bad = (sort { $a <=> $b } @{ $one->{ids} })[17];
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '500', nmIds => [$bad]);
	my $job = sync_of($one, seconds => 90);
	$s->seller->heal;
	is $job->{state}, 'partial', 'partial';
	is_deeply [map { "$_->{item} $_->{code}" } @{ $job->{errors} }], ["$bad partner_error"], 'one product, by name';
	my $row = pages($one);
	is_deeply [grep { ($row->{$_}{syncStatus} eq 'success') != ($_ != $bad) } keys %$row], [], 'all others are complete';
	ok defined $row->{$bad}{views} && !defined $row->{$bad}{totalQueries}, '... and it has its figures';
	my $count = $s->seller->counts($one->{name});
	cmp_ok $count->{methods}{texts}{calls}, '<=', 16, 'with a dozen calls';
	cmp_ok $count->{methods}{texts}{smallest_gap}, '>=', 20, '... at the usual pace';

	$s->seller->forget;
	my $again = op(POST => "jobs/$job->{id}/retry", json => { failedOnly => \1 });
	is $again->{status}, 202, 'only what has failed, again';
	is $again->{headers}{location}, "/api/analytics/jobs/$again->{json}{id}", 'Location';
	is ended($again->{json}{id})->{state}, 'done', 'done';
	my @asked = map { @{ $_->{request}{nmIds} } } grep { $_->{at} >= ($s->seller->counts($one->{name})->{methods}{funnel}{first_at} // 0) }
	    @{ $s->seller->journal(seller => $one->{name}, bodies => 0) };
	is_deeply [@asked], [$bad, $bad], '... and nothing else was asked for';
	ok complete($one), 'all is there';
};

subtest 'texts that are broken altogether do not go on for ever' => sub {
	my $one = seller_of(products => 200, jam => 'standard');
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '500');
	my $job = sync_of($one, seconds => 120);
	$s->seller->heal;
	is $job->{state}, 'partial', 'partial';
	is_deeply [grep { $_->{syncStatus} ne 'partial' || !defined $_->{views} } rows($one)], [], 'every product has its figures';
	cmp_ok $s->seller->counts($one->{name})->{methods}{texts}{calls}, '<=', 20, 'and the API was not asked for each product';
};

subtest 'answers that are odd, but answers' => sub {
	my $one = seller_of(products => 10, jam => 'standard');
	sync_of($one);
	my $figures = $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NOT NULL', $one->{id});
	for my $kind (qw(bare_array empty)) {
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one);
		$s->seller->heal;
		is $job->{state}, 'failed', "$kind: nothing was had";
		is_deeply [grep { $_->{syncError}{code} ne 'no_data' } rows($one)], [], '... "no data"';
		is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NOT NULL', $one->{id}), $figures, '... the old figures stay';
	}
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'currency', to => 'KGS');
	is sync_of($one)->{state}, 'done', 'another currency';
	$s->seller->heal;
	is_deeply [grep { $_->{currency} ne 'KGS' } rows($one)], [], '... is kept';
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'zero_opens', n => 10);
	is sync_of($one)->{state}, 'done', 'orders without opens';
	$s->seller->heal;
	is_deeply [grep { $_->{views} != 0 || $_->{orders} < 1 || defined $_->{ctr} || defined $_->{conversionRate} } rows($one)], [], '... have no rates';
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'over_100', n => 10);
	is sync_of($one)->{state}, 'done', 'rates over 100';
	$s->seller->heal;
	is_deeply [grep { $_->{ctr} != 200 || $_->{conversionRate} != 300 } rows($one)], [], '... are what they are';
	for my $bad ('"many"', 'null', '-3', '1.5', '1e300') {
		my ($id) = $one->{ids}[0];
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'field', only => [$id], name => 'openCount', to => $bad);
		my $job = sync_of($one);
		$s->seller->heal;
		is_deeply [map { "$_->{item} $_->{code}" } @{ $job->{errors} }], ["$id bad_row"], "openCount $bad: that row alone is refused";
	}
	is sync_of($one)->{state}, 'done', 'and all is well again';
};

subtest 'rows that are odd: matched by id, nothing invented' => sub {
	for my $method (qw(funnel texts)) {
		my $one = seller_of(products => 10, jam => 'standard');
		sync_of($one);
		my ($row, $id) = (pages($one), (sort { $a <=> $b } @{ $one->{ids} })[4]);
		my $same = sub {
			my ($name, @but) = @_;
			my %but = map { $_ => 1 } @but;
			my $now = pages($one);
			is_deeply [sort keys %$now], [sort keys %$row], "$name, $method: no product more or less";
			is_deeply [grep { !$but{$_} && ($now->{$_}{views} != $row->{$_}{views} || $now->{$_}{orders} != $row->{$_}{orders} ||
			    JSON::PP->new->canonical->encode($now->{$_}{topSearchQueries}) ne JSON::PP->new->canonical->encode($row->{$_}{topSearchQueries})) } keys %$now],
			    [], '... each has what is its own';
			return $now;
		};
		$s->seller->fault(seller => $one->{name}, method => $method, kind => 'unknown', n => 3);
		is sync_of($one)->{state}, 'done', 'unknown ids';
		$s->seller->heal;
		$same->('unknown ids');
		$s->seller->fault(seller => $one->{name}, method => $method, kind => 'missing', only => [$id]);
		my $job = sync_of($one);
		$s->seller->heal;
		my $now = $same->('missing products', $id);
		is $job->{state}, $method eq 'funnel' ? 'partial' : 'done', '... the run';
		is $now->{$id}{views}, $row->{$id}{views}, '... its figures are those of before or of now';
		is $now->{$id}{totalQueries}, $method eq 'funnel' ? $row->{$id}{totalQueries} : 0, '... its texts what the API has';
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'duplicate', n => 4) if $method eq 'funnel';
		if ($method eq 'funnel') {
			is sync_of($one)->{state}, 'done', 'duplicates';
			$s->seller->heal;
			$same->('duplicates');
			$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'duplicate', n => 4, other => \1);
			is sync_of($one)->{state}, 'done', 'duplicates that differ';
			$s->seller->heal;
			$same->('duplicates that differ: the first counts');
			next;
		}
		for my $kind (qw(bare_array empty)) {
			sync_of($one);
			$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $kind);
			is sync_of($one)->{state}, 'done', "$kind for texts: there are none";
			$s->seller->heal;
			is_deeply [grep { $_->{totalQueries} != 0 || @{ $_->{topSearchQueries} } } rows($one)], [], '... and none is made up';
		}
	}
};

subtest 'rights and requests: what will not be better is not asked again' => sub {
	# Figures: the run is over.
	for ([401, 'login_wrong'], [403, 'no_access'], [404, 'partner_refused'], [402, 'partner_refused']) {
		my ($kind, $code) = @$_;
		my $one = seller_of(products => 5, jam => 'standard');
		sync_of($one);
		my $rows = stored_figures($one);
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind, detail => 'go away');
		my $job = sync_of($one);
		$s->seller->heal;
		is "$job->{state} $job->{errors}[0]{code}", "failed $code", "$kind: failed";
		like $job->{errors}[0]{detail}, qr/go away/, '... in the API\'s words';
		is $job->{calls}{made}, 1, '... without asking again';
		is stored_figures($one), $rows, '... and the old figures stay';
		is op(GET => "sellers/$one->{id}")->{json}{tokenState}, $kind == 401 ? 'refused' : 'active', '... the token is ' . ($kind == 401 ? 'marked' : 'kept');
	}
	# A request that is not understood is asked for in halves, in case one product is the cause (42-refusals.t).
	for my $kind (400, 413, 422) {
		my $one = seller_of(products => 5, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind, detail => 'bad limit');
		my $job = sync_of($one);
		$s->seller->heal;
		is $job->{state}, 'failed', "$kind for figures: failed";
		is_deeply [map { "$_->{code} $_->{detail}" } @{ $job->{errors} }], [("partner_refused the API answered $kind: bad limit") x 5], '... each product says why';
		# Five in halves: the chunk, 3 and 2, 2 and 1, 1 and 1, at most.
		cmp_ok $s->seller->counts($one->{name})->{methods}{funnel}{calls}, '<=', 9, '... no product is asked for again';
	}
	# Texts: the figures are kept. No rights, and one call was enough.
	for ([403, 'no_jam'], [404, 'texts_refused']) {
		my ($kind, $code) = @$_;
		my $one = seller_of(products => 120, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $kind);
		my $job = sync_of($one);
		$s->seller->heal;
		is_deeply [$job->{state}, map { "$_->{item} $_->{code}" } @{ $job->{errors} }], ['partial', "texts $code"], "$kind for texts: partial";
		is_deeply [grep { !defined $_->{views} || defined $_->{totalQueries} || $_->{syncError}{code} ne $code } rows($one)], [], '... the figures are kept';
		is $s->seller->counts($one->{name})->{methods}{texts}{calls}, 1, '... one call told it';
	}
	# Not understood: in halves first, until that has gone on for long enough.
	for my $kind (400, 413, 422) {
		my $one = seller_of(products => 120, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $kind, detail => 'bad limit');
		my $job = sync_of($one);
		$s->seller->heal;
		my @row = rows($one);
		my %alone = map { $_->{nmId} => 1 } grep { $_->{syncError}{code} eq 'partner_refused' } @row;
		is_deeply [$job->{state}, sort map { "$_->{item} $_->{code} $_->{detail}" } @{ $job->{errors} }],
		    ['partial', (map { "$_ partner_refused the API answered $kind: bad limit" } sort keys %alone), "texts texts_refused the API answered $kind: bad limit"],
		    "$kind for texts: partial, the products that were asked for alone by name, all others in one line";
		is_deeply [grep { !defined $_->{views} || defined $_->{totalQueries} || $_->{syncStatus} ne 'partial' } @row], [], '... the figures are kept';
		is_deeply [grep { !$alone{ $_->{nmId} } && $_->{syncError}{code} ne 'texts_refused' || $_->{syncError}{detail} ne "the API answered $kind: bad limit" } @row], [], '... and each product says why';
		cmp_ok $s->seller->counts($one->{name})->{methods}{texts}{calls}, '<=', 20, '... after some calls';
	}
	# 401 for texts is the token all the same.
	my $one = seller_of(products => 5, jam => 'standard');
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '401');
	my $job = sync_of($one);
	$s->seller->heal;
	is "$job->{state} $job->{errors}[0]{code}", 'failed login_wrong', '401 for texts: failed';
	is_deeply [grep { !defined $_->{views} } rows($one)], [], '... with the figures that had come';
};

subtest 'a request that is refused costs ten calls: the debt is sat out' => sub {
	# A Retry is in seconds of the real clock for us.
	$s->seller->clock(factor => 1);
	$s->seller->call(POST => '/_sim/texts', { max_days => 7 });
	$s->seller->penalty(cost_4xx => 10);
	my $one = seller_of(products => 5, jam => 'standard');
	$s->seller->limits($one->{name}, method => 'texts', interval => 1, burst => 3);
	my $job = sync_of($one);
	my $texts = $s->seller->counts($one->{name})->{methods}{texts};
	is $job->{state}, 'done', 'thirty days are too long, and the call for a week comes when it is paid: done' or diag explain $job;
	is_deeply [@$texts{qw(statuses early)}], [{ 200 => 1, 400 => 1, 429 => 1 }, 0], '... with one refusal that said for how long';
	cmp_ok $texts->{times}[-1] - $texts->{times}[0], '>=', 7, '... which was waited';
	$s->seller->call(POST => '/_sim/texts', { max_days => 0 });
	$s->seller->penalty(cost_4xx => 1);
	$s->seller->clock(factor => 150);
};

subtest 'tokens: another scheme, wrong category, expired, in the middle of a run' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	$s->seller->header('bearer');
	my ($name, $token) = shop(products => 3);
	my $answer = op(POST => 'sellers', json => { name => 'b', token => $token });
	is "$answer->{status} $answer->{json}{field} $answer->{json}{code}", '422 token token_refused', 'an API that wants Bearer takes no raw token';
	my $job = sync_of($one);
	is "$job->{state} $job->{errors}[0]{code}", 'failed login_wrong', '... and a run says so';
	$s->seller->header('raw');
	my $stored = sub {
		my ($seller, $bad) = @_;
		$s->sql(q(DELETE FROM rate_bucket));
		my $set = op(POST => "sellers/$seller->{id}/token", json => { token => $bad });
		return join ' ', $set->{status}, $set->{json}{code} // ();
	};
	is $stored->($one, $s->seller->token($one->{name}, categories => ['statistics'])), '422 token_wrong_category', 'a token of another category is not kept';
	my $short = $s->seller->token($one->{name}, days => 1);
	is $stored->($one, $short), '200', 'one that lives';
	$s->seller->limits($one->{name}, method => $_, interval => 20, burst => 3) for qw(funnel texts);
	$s->sql(q(DELETE FROM rate_bucket));
	$s->seller->forget;
	# Under way until the token has expired: otherwise all the calls may have been made.
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => 'delay', ms => 3000, call => 1);
	my $id = ask($one);
	wait_until { $s->seller->counts($one->{name})->{methods}{texts}{calls} } 20, 'a call for texts';
	$s->seller->clock(advance => 2 * 86_400);
	$job = ended($id);
	$s->seller->heal;
	is "$job->{state} $job->{errors}[0]{code}", 'failed login_wrong', 'and dies within a run';
	like $job->{errors}[0]{detail}, qr/expired/, '... as it says';
	is_deeply [grep { !defined $_->{views} } rows($one)], [], 'what had come is kept';
	is op(GET => "sellers/$one->{id}")->{json}{tokenState}, 'refused', 'the seller waits for another one';
};

subtest 'penalty: who keeps to Retry is never punished, and sits out what others have earned' => sub {
	# A Retry is in seconds of the real clock for us.
	$s->seller->clock(factor => 1);
	$s->seller->penalty(after => 2, seconds => 6);
	for my $method (qw(funnel texts)) {
		my $one = seller_of(products => 60, jam => 'standard');
		my $full = sub { $s->seller->limits($one->{name}, method => $_, interval => 4, burst => 3) for qw(funnel texts); $s->seller->forget };
		$full->();
		meddle($one, $method) for 1 .. 3;	# the whole burst: ours is refused
		my $job = run_of($one);
		my $m = $s->seller->counts($one->{name})->{methods}{$method};
		is $job->{state}, 'done', "$method: done beside another client";
		cmp_ok $m->{statuses}{429} // 0, '>=', 1, '... with a call refused';
		is $m->{early}, 0, '... none was early';

		$full->();
		is_deeply [map { meddle($one, $method) } 1 .. 6], [200, 200, 200, 429, 429, 429], 'three too many';
		my $id = ask($one);
		$job = ended($id);
		$m = $s->seller->counts($one->{name})->{methods}{$method};
		is $job->{state}, 'done', '... and we are done in the end';
		is $m->{early}, 3, '... with theirs and the one by which we learn of it before its time';
		cmp_ok $m->{times}[-1] - $m->{times}[5], '>=', 6, '... when the penalty was over';
		ok +(grep { $_->{type} eq 'waiting' && $_->{reason} eq 'api_limited' && $_->{message} =~ /^Waiting [2-6] s / } events_of($id)), '... and said why';
	}
	$s->seller->penalty(after => 0);
	$s->seller->clock(factor => 150);
};

subtest 'a token that does not say its kind shows it by its limits' => sub {
	my $one = seller_of(products => 60, jam => 'standard', type => 'base');
	$s->sql(q(UPDATE seller SET token_kind = 'unknown' WHERE account_id = ?), $one->{id});
	meddle($one, 'texts');
	my $id = ask($one);
	my $seen = wait_until { my $j = job_of($id); ($j->{waiting_reason} // '') eq 'api_limited' ? $j : 0 } 20, 'a limit';
	ok $seen, 'it is refused, with an hour to wait';
	# Two chunks: the first in an hour, the other one an hour later, 3,660 s at a 150th.
	my $left = $s->sql_value('SELECT extract(epoch FROM eta_at - clock_timestamp()) FROM job WHERE id = ?', $id);
	cmp_ok $left, '>', 3660 / 150, '... and the end is foreseen as far away as that makes it';
	is_deeply [map { $_->{tokenKind} } grep { $_->{type} eq 'info' } events_of($id)], ['unknown', 'base'], '... as the plan says anew';
	is op(GET => "sellers/$one->{id}")->{json}{tokenKind}, 'base', 'and is a base one from then on';
	op(POST => "jobs/$id/cancel");
};

subtest 'a base token: the plan stretches itself and says so' => sub {
	my $one = seller_of(products => 60, jam => 'standard', type => 'base');
	is op(GET => "sellers/$one->{id}")->{json}{tokenKind}, 'base', 'it is known';
	is_deeply [sort keys %{ $s->seller->counts($one->{name})->{methods} }], ['history'], 'to try it took no call that the run needs';
	$s->seller->clock(factor => 1200);
	$s->conf_edit(sub { s/^(base_funnel_interval).*/$1 = 1530ms/m; s/^(base_texts_interval).*/$1 = 3060ms/m });
	hup();
	my $job = sync_of($one, seconds => 60);
	is $job->{state}, 'done', 'done' or diag explain $job;
	my @event = events_of($job->{id});
	my ($first) = grep { $event[$_]{type} eq 'waiting' } 0 .. $#event;
	is +(grep { $_->{type} eq 'progress' } @event[0 .. $first])[-1]{done}, 50, 'the first fifty are done before it waits at all';
	is +(grep { $_->{type} eq 'saved' } @event[0 .. $first])[-1]{saved}, 60, '... and all figures are there';
	my ($info) = grep { $_->{type} eq 'info' } @event;
	is $info->{tokenKind}, 'base', 'the plan names the kind';
	like $info->{message}, qr/base/, '... in words';
	my $count = $s->seller->counts($one->{name});
	is_deeply [map { keys %{ $_->{statuses} } } values %{ $count->{methods} }], [200, 200], 'no call was refused';
	cmp_ok $count->{methods}{texts}{smallest_gap}, '>=', 3600, 'one call for texts an hour';
};

$s->stop;
done_testing;
