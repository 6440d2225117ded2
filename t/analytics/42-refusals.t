#!/usr/bin/perl

# What the API does not take: one product of many, a period that is too long, more
# calls than there are left. The rest of the run is had all the same.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(150, conf => { 'analytics.retries' => 2 });

sub calls { my ($seller, $method) = @_; return $s->seller->counts($seller->{name})->{methods}{$method}{calls} // 0 }
sub but   { my ($row, @but) = @_; my %but = map { $_ => 1 } @but; return grep { !$but{ $_->{nmId} } } values %$row }

subtest 'one product that the API refuses costs the others nothing' => sub {
	for my $status (400, 413, 422) {
		my $one = seller_of(products => 60, jam => 'standard');
		my @id = sort { $a <=> $b } @{ $one->{ids} };
		my ($bad, $mute) = @id[0, 41];
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $status, nmIds => [$bad]);
		$s->seller->fault(seller => $one->{name}, method => 'texts', kind => $status, nmIds => [$mute]);
		my $job = sync_of($one, seconds => 120);
		$s->seller->heal;
		is $job->{state}, 'partial', "$status: partial" or diag explain $job;
		is_deeply [sort map { "$_->{item} $_->{code}" } @{ $job->{errors} }], [sort map { "$_ partner_refused" } $bad, $mute], '... two products, by name';
		my $row = pages($one);
		is_deeply [map { "$_->{nmId} $_->{syncStatus}" } grep { $_->{syncStatus} ne 'success' } but($row, $bad, $mute)], [], '... all others are complete';
		is $row->{$bad}{syncStatus}, 'error', '... the one has no figures';
		is $row->{$mute}{syncStatus}, 'partial', '... the other no texts';
		cmp_ok calls($one, $_), '<=', 16, "... with a dozen calls for $_" for qw(funnel texts);
		is $s->seller->counts($one->{name})->{early}, 0, '... none before its time';
	}
};

subtest 'a product that is removed while it is looked for costs the others nothing either' => sub {
	my $one = seller_of(products => 60, jam => 'standard');
	my @bad = (sort { $a <=> $b } @{ $one->{ids} })[7, 8];
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => '422', nmIds => \@bad);
	# All, 30, 15, 7 that are good, 8, 4, and then the two alone: that call is under way.
	my $held = $s->seller->hold(seller => $one->{name}, method => 'funnel', call => 7);
	my $id = ask($one);
	my $place = sub { $s->sql_value(q(SELECT count(*) FROM product p, job j WHERE j.id = ? AND p.account_id = j.account_id
		AND p.nm_id > (j.checkpoint #>> '{funnel,after}')::bigint AND p.nm_id <= (j.checkpoint #>> '{funnel,bounds,0}')::bigint), $id) };
	ok wait_until(sub { ($s->seller->counts($one->{name})->{methods}{funnel}{calls} // 0) == 7 && $place->() == 2 }, 20, 'the two alone'), 'they are asked about';
	is op(DELETE => "sellers/$one->{id}/products", json => { nmIds => \@bad })->{json}{removed}, 2, 'removed meanwhile';
	$s->seller->release($held);
	my $job = ended($id);
	$s->seller->heal;
	is $job->{state}, 'done', 'done' or diag explain $job;
	is_deeply [@{ $job->{progress} }{qw(done total percentage)}], [58, 58, 100], '... with all that are left';
	is_deeply [map { $_->{syncStatus} } grep { $_->{syncStatus} ne 'success' } values %{ pages($one) }], [], '... each of which is complete';
};

subtest 'an answer that never comes for one product costs the others nothing' => sub {
	for (['funnel', 'truncated', 'error'], ['texts', '502', 'partial']) {
		my ($method, $kind, $status) = @$_;
		my $one = seller_of(products => 60, jam => 'standard');
		my $bad = (sort { $a <=> $b } @{ $one->{ids} })[41];
		$s->seller->fault(seller => $one->{name}, method => $method, kind => $kind, nmIds => [$bad]);
		my $job = sync_of($one, seconds => 120);
		$s->seller->heal;
		is_deeply [map { "$_->{item} $_->{code}" } @{ $job->{errors} }], ["$bad partner_error"], "$kind, $method: that one alone" or diag explain $job;
		is_deeply { map { $_->{nmId} => $_->{syncStatus} } grep { $_->{syncStatus} ne 'success' } values %{ pages($one) } }, { $bad => $status }, '... all others are complete';
		cmp_ok calls($one, $method), '<=', 22, '... with some twenty calls';
		is $s->seller->counts($one->{name})->{early}, 0, '... none before its time';
	}
};

subtest 'several, the first of all among them' => sub {
	my $one = seller_of(products => 60, jam => 'standard');
	my @bad = (sort { $a <=> $b } @{ $one->{ids} })[0, 1, 2, 30, 59];
	$s->seller->fault(seller => $one->{name}, kind => '422', nmIds => \@bad);
	my $job = sync_of($one, seconds => 180);
	$s->seller->heal;
	is_deeply [sort map { $_->{item} } @{ $job->{errors} }], [sort @bad], 'those alone have failed' or diag explain $job;
	is_deeply [map { $_->{syncStatus} } grep { $_->{syncStatus} ne 'success' } but(pages($one), @bad)], [], 'all others are complete';
};

subtest 'what is refused whatever is asked for is not asked for without end' => sub {
	for my $method (qw(funnel texts)) {
		my $one = seller_of(products => 200, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => $method, kind => '422');
		my $job = sync_of($one, seconds => 120);
		$s->seller->heal;
		is $job->{state}, $method eq 'funnel' ? 'failed' : 'partial', "$method: $job->{state}";
		cmp_ok calls($one, $method), '<=', 20, '... after some calls';
		my @row = values %{ pages($one) };
		is_deeply [grep { $_->{syncStatus} ne ($method eq 'funnel' ? 'error' : 'partial') } @row], [], '... as every product says';
		is_deeply [grep { defined $_->{views} } @row], $method eq 'funnel' ? [] : \@row, '... with the figures, if there are any';
	}
};

subtest 'an API that is down is not asked for each product' => sub {
	for my $kind (500, 504) {
		my $one = seller_of(products => 200, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => $kind);
		my $job = sync_of($one, seconds => 120);
		$s->seller->heal;
		is $job->{state}, 'failed', "$kind for figures: failed";
		is $job->{counts}{failed}, 200, '... of every product';
		cmp_ok calls($one, 'funnel'), '<=', 10, '... after the tries, some halves and one call for the rest';
	}
};

subtest 'a run that is paused in a wait waits for the same when it goes on' => sub {
	my $one = seller_of(products => 60, jam => 'standard');
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '429', retry => 8, reset => 29, times => 1);
	my $id = ask($one);
	my $limited = sub { my $j = job_of($id); $j->{state} eq 'waiting' && $j->{waiting_reason} eq 'api_limited' };
	wait_until { $limited->() } 20, 'waiting, as the API has said';
	is op(POST => "jobs/$id/pause")->{json}{state}, 'paused', 'paused';
	is op(POST => "jobs/$id/resume")->{json}{state}, 'queued', 'resumed';
	my $job;
	wait_until { $job = job_of($id); $job->{state} eq 'waiting' } 20, 'waiting';
	is $job->{waiting_reason}, 'api_limited', 'for the same reason';
	is ended($id)->{state}, 'done', 'done';
};

# The days that each call for texts was about, and what became of it.
sub asked {
	my ($seller) = @_;
	return map { my $p = $_->{request}{currentPeriod}; days($p->{start}, $p->{end}) . ": $_->{status}" }
	    grep { $_->{method} eq 'texts' } @{ $s->seller->journal(seller => $seller->{name}, bodies => 0) };
}
sub days { my ($start, $end) = @_; return $s->sql_value('SELECT ?::date - ?::date + 1', $end, $start) }

subtest 'texts of thirty days are refused: those of a week are taken, and it is remembered' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	$s->seller->call(POST => '/_sim/texts', { max_days => 7 });
	is sync_of($one)->{state}, 'done', 'done';
	is_deeply [asked($one)], ['30: 400', ('7: 200') x 3], 'one call more';
	my $row = pages($one);
	is_deeply [grep { $_->{syncStatus} ne 'success' } values %$row], [], 'every product is complete';
	is_deeply [grep { days(@$_{qw(textsPeriodStart textsPeriodEnd)}) != 7 } values %$row], [], '... and says which days its texts are of';
	is_deeply [grep { days(@$_{qw(periodStart periodEnd)}) != 30 } values %$row], [], '... its figures are of all';
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ?', $one->{id}), 120, '... in one row';
	sync_of($one);
	is_deeply [asked($one)], [('7: 200') x 3], 'the next run asks for a week at once';
	my $learnt = sub { $s->sql_value('SELECT texts_days FROM seller WHERE account_id = ?', $one->{id}) };
	$s->sql(q(UPDATE seller SET texts_days_at = texts_days_at - interval '8 days' WHERE account_id = ?), $one->{id});
	sync_of($one);
	is_deeply [asked($one)], ['30: 400', ('7: 200') x 3], '... a week later it looks whether that still holds';
	is $learnt->(), 7, '... and remembers it anew';
	$s->sql(q(UPDATE seller SET texts_days_at = texts_days_at - interval '8 days' WHERE account_id = ?), $one->{id});
	$s->seller->call(POST => '/_sim/texts', { max_days => 0 });
	sync_of($one);
	is_deeply [asked($one)], [('30: 200') x 3], '... or does not any more';
	is $learnt->(), undef, '... which is all there was to know';
	$s->seller->call(POST => '/_sim/texts', { max_days => 7 });
	sync_of($one);
	is $learnt->(), 7, 'learnt once more';
	is op(POST => "sellers/$one->{id}/token", json => { token => $one->{token} })->{status}, 200, 'a token that is given anew';
	$s->seller->call(POST => '/_sim/texts', { max_days => 0 });
	sync_of($one);
	is_deeply [asked($one)], [('30: 200') x 3], '... has all days tried again';
};

subtest 'a week at most, and a product that is refused as well' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	my $bad = (sort { $a <=> $b } @{ $one->{ids} })[20];
	$s->seller->call(POST => '/_sim/texts', { max_days => 7 });
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '400', nmIds => [$bad]);
	my $job = sync_of($one, seconds => 90);
	$s->seller->heal;
	$s->seller->call(POST => '/_sim/texts', { max_days => 0 });
	is_deeply [map { $_->{item} } @{ $job->{errors} }], [$bad], 'only that one is missing' or diag explain [asked($one)];
	is $s->sql_value('SELECT texts_days FROM seller WHERE account_id = ?', $one->{id}), 7, '... and the week is remembered';
};

subtest 'a product that is refused is no reason to ask for less' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	my $bad = (sort { $a <=> $b } @{ $one->{ids} })[20];
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => '400', nmIds => [$bad]);
	my $job = sync_of($one, seconds => 90);
	$s->seller->heal;
	is_deeply [map { $_->{item} } @{ $job->{errors} }], [$bad], 'only that one is missing';
	is_deeply [(asked($one))[-2, -1]], [('30: 200') x 2], '... further chunks are of thirty days';
	is $s->sql_value('SELECT texts_days FROM seller WHERE account_id = ?', $one->{id}), undef, '... and nothing is remembered';
};

# Slower, so that an answer does not take as long as the API's bucket to fill.
$s->conf_edit(sub { s/^(funnel_interval|texts_interval).*/$1 = 1090ms/mg });
$s->seller->clock(factor => 20);
hup();

sub step { return $s->lockstep(qw(check -T))->{out} =~ /^texts_interval = (\d+)ms$/m ? $1 : die 'texts_interval' }

subtest 'a limit lower than documented is heeded before it is met' => sub {
	my $one = seller_of(products => 600, jam => 'standard');
	$s->log_mark;
	$s->seller->limits($one->{name}, method => 'texts', interval => 45, burst => 3);
	my $job = sync_of($one, seconds => 180);
	is $job->{state}, 'done', 'done' or diag explain $job;
	my $count = $s->seller->counts($one->{name});
	is_deeply $count->{methods}{texts}{statuses}, { 200 => 12 }, 'by X-Ratelimit-Remaining alone, without a 429';
	my @rest = map { /ms=(\d+)/ } $s->log(qr/budget: blocked.*method=search-texts/);
	cmp_ok scalar(@rest), '>=', 1, 'a rest when none is left';
	cmp_ok scalar(@rest), '<', 11, '... and the usual pace as long as some are';
	is_deeply [grep { $_ != 2 * step() } @rest], [], '... of two intervals';
};

subtest 'where only one call is let through at a time the pace is the usual one' => sub {
	my $one = seller_of(products => 200, jam => 'standard');
	$s->log_mark;
	$s->seller->limits($one->{name}, method => 'texts', interval => 20, burst => 1);
	my $job = sync_of($one);
	is $job->{state}, 'done', 'done';
	my $count = $s->seller->counts($one->{name})->{methods}{texts};
	is_deeply $count->{statuses}, { 200 => 4 }, 'without a 429';
	is_deeply [grep { $_ != step() } map { /ms=(\d+)/ } $s->log(qr/budget: blocked.*method=search-texts/)], [], '... nor any slower';
};

$s->stop;
done_testing;
