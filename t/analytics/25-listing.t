#!/usr/bin/perl

# All that the API lists, where that is more than one page: the pages are twenty
# seconds apart, and the list may move between them. Nothing is lost by that, and
# where it will not hold still, the run says so. And what is asked for of so many.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $factor = 40;
my $s = analytics($factor);

# A seller for all that is listed, of whom we know no product yet.
sub listed {
	my ($n) = @_;
	my $one = seller_of(products => $n, jam => 'none');
	$s->sql('DELETE FROM product WHERE account_id = ?', $one->{id});
	op(POST => "sellers/$one->{id}/products", json => { all => \1 })->{status} == 200 or die 'all';
	return $one;
}

sub calls { my ($one, $method) = @_; return $s->seller->counts($one->{name})->{methods}{$method}{calls} // 0 }

# What we have of a seller, beside what the API has: products, and those with figures.
sub has_all {
	my ($one, $n, $name) = @_;
	my $known = $s->sql_value('SELECT count(*) FROM product WHERE account_id = ?', $one->{id});
	my $good = $s->sql_value(q(SELECT count(*) FROM product WHERE account_id = ? AND sync_status = 'partial' AND sync_error_code = 'no_jam'), $one->{id});
	is "$good of $known", "$n of $n", $name;
	my %have = map { $_->{nm_id} => 1 } @{ $s->sql('SELECT nm_id FROM product WHERE account_id = ?', $one->{id}) };
	is_deeply [grep { !$have{$_} } products_of($one->{name})], [], '... none of the API\'s is missing';
	is $s->seller->counts($one->{name})->{early}, 0, '... and no call came early';
	return;
}

sub errors { my ($job) = @_; return [map { "$_->{item} $_->{code}" } @{ $job->{errors} }] }

subtest 'a list that holds still: as many calls as it has pages' => sub {
	for ([999, 1], [1000, 2], [1100, 2]) {
		my ($n, $pages) = @$_;
		my $one = listed($n);
		my $job = sync_of($one, batchSize => 1000, seconds => 90);
		is_deeply errors($job), ['texts no_jam'], "$n products";
		is calls($one, 'funnel'), $pages, "... $pages calls";
		is $job->{progress}{total}, $n, '... so many in all';
		has_all($one, $n, '... all with their figures');
	}
};

subtest 'a product that goes from the second page to the first is not lost' => sub {
	my $one = listed(1050);
	# The last of those that nobody looked at is on the second page, until it is looked at.
	my ($late) = sort { $b <=> $a } products_of($one->{name});
	$s->seller->figures($one->{name}, $late, openCount => 0);
	$s->seller->hold(seller => $one->{name}, method => 'funnel', call => 2);
	$s->seller->forget;
	my $id = ask($one, batchSize => 1000);
	wait_until { calls($one, 'funnel') >= 2 } 30, 'the second page is asked for';
	is $s->sql_value('SELECT count(*) FROM product WHERE account_id = ? AND nm_id = ?', $one->{id}, $late), 0, 'it was not on the first page';
	$s->seller->figures($one->{name}, $late, openCount => 100_000_000);
	$s->seller->heal;
	my $job = ended($id, 120);
	is_deeply errors($job), ['texts no_jam'], 'it is found';
	is calls($one, 'funnel'), 6, 'by reading the list again, until that brings nothing new';
	has_all($one, 1050, 'all are there');
};

subtest 'a product taken from the first page moves another one there, which is not lost' => sub {
	my $one = listed(1050);
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'remove', times => 1);
	my $job = sync_of($one, batchSize => 1000, seconds => 90);
	$s->seller->heal;
	is_deeply errors($job), ['texts no_jam'], 'it is found';
	cmp_ok calls($one, 'funnel'), '<=', 6, 'by reading the list again';
	my $gone = $s->sql_value('SELECT count(*) FROM product WHERE account_id = ?', $one->{id}) - products_of($one->{name});
	cmp_ok $gone, '<=', 1, 'nothing is there that was not on the list';
	has_all($one, 1049 + $gone, 'all are there');
};

subtest 'a list that never holds still: partial, and no figure of what is known is missing' => sub {
	clear_of_midnight(200);
	my $one = listed(1100);
	sync_of($one, batchSize => 1000, seconds => 90);
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'remove');
	my $job = sync_of($one, batchSize => 1000, seconds => 90);
	$s->seller->heal;
	is $job->{state}, 'partial', 'partial';
	ok +(grep { $_ eq 'products list_moving' } @{ errors($job) }), '... and why';
	cmp_ok calls($one, 'funnel'), '<=', 9, '... after four readings, and one call for the rest';
	my %there = map { $_ => 1 } products_of($one->{name});
	my @lost = map { $_->{nm_id} } @{ $s->sql(q(SELECT nm_id FROM product WHERE account_id = ? AND sync_error_code = 'no_data'), $one->{id}) };
	is_deeply [grep { $there{$_} } @lost], [], 'no product that is there is said to have no data';
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NOT NULL', $one->{id}), 1100, 'the figures of before are kept';
};

subtest 'what is known and was on no page is asked for by its id' => sub {
	my $one = listed(1010);
	my $strange = 77;
	op(POST => "sellers/$one->{id}/products", json => { nmIds => [$strange] });
	my $job = sync_of($one, batchSize => 1000, seconds => 90);
	is_deeply errors($job), ['texts no_jam', "$strange no_data"], 'the API has no data for it; what is wrong with all comes first';
	is calls($one, 'funnel'), 3, 'as a third call has said';
	my @call = @{ $s->seller->journal(seller => $one->{name}, method => 'funnel', bodies => 0) };
	is_deeply $call[2]{request}{nmIds}, [$strange], '... about it alone';
	is $job->{progress}{done}, 1011, 'all are done';
};

subtest 'what is asked is what may be asked' => sub {
	my $one = seller_of(products => 1060, jam => 'advanced');
	$s->seller->limits($one->{name}, method => 'texts', interval => 1, burst => 3);
	$s->seller->forget;
	$s->seller->call(DELETE => '/_sim/journal');
	my $id = ask($one, batchSize => 1000);
	wait_until { @{ $s->seller->journal(seller => $one->{name}, method => 'funnel', bodies => 0) } >= 2 && @{ $s->seller->journal(seller => $one->{name}, method => 'texts', bodies => 0) } >= 2 } 60, 'calls of both kinds';
	op(POST => "jobs/$id/cancel");
	my @call = @{ $s->seller->journal(seller => $one->{name}, bodies => 0) };
	is_deeply [grep { ($_->{status} // 200) ne '200' } @call], [], 'none is refused';
	is_deeply [map { scalar @{ $_->{request}{nmIds} } } grep { $_->{method} eq 'funnel' } @call], [1000, 60], 'a thousand ids, and the rest';
	is_deeply [grep { @{ $_->{request}{nmIds} } != 50 || $_->{request}{limit} != 30 } grep { $_->{method} eq 'texts' } @call], [], 'fifty ids, thirty texts';
	is_deeply [grep { my $p = $_->{request}{selectedPeriod} // $_->{request}{currentPeriod}; !$p->{start} || $p->{start} gt $p->{end} } @call], [], 'a period';
	is_deeply [grep { $_->{route} =~ m{nm-report} } @call], [], 'never what is switched off';
};

subtest 'killed within a page: one call more, no reading more' => sub {
	my $one = listed(1050);
	$s->seller->forget;
	my $id = ask($one, batchSize => 1);
	wait_until { $s->sql_value(q(SELECT (checkpoint->'funnel'->>'n')::int > 20 FROM job WHERE id = ?), $id) } 30, 'the middle of a page';
	CORE::kill('KILL', $s->pids('jobs'));
	my $job = ended($id, 120);
	is_deeply errors($job), ['texts no_jam'], 'it goes on';
	cmp_ok calls($one, 'funnel'), '<=', 3, 'with the page it was at';
	has_all($one, 1050, 'all are there');
	is $job->{progress}{total}, 1050, 'each counted once';
};

$s->stop;
done_testing;
