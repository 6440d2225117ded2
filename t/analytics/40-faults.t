#!/usr/bin/perl

# Every fault of the API (contract, section 7) in the middle of a run: it ends, with
# good figures or with the old ones, and says what was wrong.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(60, conf => { 'analytics.retries' => 2, 'analytics.timeout' => '700ms' });

sub rows { my ($seller) = @_; return values %{ pages($seller) } }
sub complete { my ($seller) = @_; return !grep { $_->{syncStatus} ne 'success' } rows($seller) }

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
	passes('no answer', kind => 'hang');
	passes('a reset', kind => 'reset_before', rst => \1);
	passes('cut JSON', kind => 'truncated');
	passes('a connection that breaks', kind => 'reset');
	passes('HTML with status 200', kind => 'html', status => 200);
	passes('bad UTF-8', kind => 'bad_utf8');
	passes('too deep', kind => 'deep_json', depth => 100);
};

subtest 'a fault that stays: the part is given up, old figures stay' => sub {
	for my $kind (qw(502 truncated 429)) {
		next if $kind eq '429';
		my $one = seller_of(products => 10, jam => 'standard');
		sync_of($one);
		my $rows = stored($one);
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one);
		is $job->{state}, 'failed', "$kind: no product has figures, the run has failed";
		is scalar(@{ $job->{errors} }), 10, '... one error a product';
		(my $now = stored($one)) =~ s/\n.*\z//s;
		my @before = $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NOT NULL', $one->{id});
		is $before[0], 10, '... and the old figures are there';
		$s->seller->heal;
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $kind);
		$job = sync_of($one);
		is $job->{state}, 'partial', "$kind for texts: partial";
		is_deeply [grep { $_->{syncStatus} ne 'partial' || !defined $_->{views} } rows($one)], [], '... the figures are kept';
		$s->seller->heal;
	}
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
	cmp_ok $s->seller->counts($one->{name})->{methods}{texts}{calls}, '<', 60, 'and the API was not asked for each product';
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

subtest 'rights: no access to figures ends the run' => sub {
	for my $kind (qw(403 404)) {
		my $one = seller_of(products => 5, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one);
		$s->seller->heal;
		is $job->{state}, 'failed', "$kind: failed";
		is $job->{calls}{made}, 1, '... without asking again';
	}
};

subtest 'a base token: the plan stretches itself and says so' => sub {
	my $one = seller_of(products => 60, jam => 'standard', type => 'base');
	is op(GET => "sellers/$one->{id}")->{json}{tokenKind}, 'base', 'it is known';
	$s->seller->clock(factor => 1200);
	$s->conf_edit(sub { s/^(base_funnel_interval).*/$1 = 1530ms/m; s/^(base_texts_interval).*/$1 = 3060ms/m });
	hup();
	my $job = sync_of($one, seconds => 60);
	is $job->{state}, 'done', 'done' or diag explain $job;
	my ($info) = grep { $_->{type} eq 'info' } events_of($job->{id});
	is $info->{tokenKind}, 'base', 'the plan names the kind';
	like $info->{message}, qr/base/, '... in words';
	my $count = $s->seller->counts($one->{name});
	is_deeply [map { keys %{ $_->{statuses} } } values %{ $count->{methods} }], [200, 200], 'no call was refused';
	cmp_ok $count->{methods}{texts}{smallest_gap}, '>=', 3600, 'one call for texts an hour';
};

$s->stop;
done_testing;
