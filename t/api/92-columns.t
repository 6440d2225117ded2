#!/usr/bin/perl

# Every column of contract section 8: what the simulator sent, as an insert and as an
# update make it, in cents, and NULL where the partner did not say.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start;
my $partner = $s->partner;
my @FULL = (query => 'mode=full');
my ($TRUE, $FALSE) = (JSON::PP::true, JSON::PP::false);

sub row {
	my ($user, $id) = @_;
	return $s->sql('SELECT * FROM program WHERE account_id = ? AND program_id = ?', account_id($s, $user), $id)->[0];
}

my @METRIC = qw(budget currency is_autobid max_bid billed_impressions billed_clicks ad_cost fee_period);

subtest 'the account of odd variants, column by column' => sub {
	my $login  = ["odd\$&#\\\xc3\xb1ame", 'p@ss:w$&#\\'];
	my $answer = $s->post('/api/reseller/programs/sync', login => $login);
	is $answer->{json}{added}, 120, 'all are kept';
	registry_is($s, $login->[0], 'each column is what the partner sent');
	my $rows = registry($s, $login->[0]);
	my %has = map { my $column = $_; $column => scalar grep { defined $_->{$column} } values %$rows }
	    keys %{ (values %$rows)[0] };
	is_deeply [sort grep { !$has{$_} } keys %has], ['ad_campaign_id', 'ad_categories as sent'],
	    'the list has each of them somewhere, but two';
	is_deeply [sort grep { $has{$_} == 120 } keys %has], [sort 'program_type', 'program_status', 'businesses',
		'businesses as sent', 'future_budget_changes as sent'], '... and few of them everywhere';
	my %seen;
	for my $row (values %$rows) {
		$seen{"$_ " . ($row->{$_} // 'null')} = 1 for qw(budget ad_cost billed_impressions page_upgrade_cost is_autobid);
	}
	ok $seen{$_}, $_ for 'budget 0', 'budget null', 'budget 1000000', 'ad_cost 20450', 'billed_impressions 2147483648',
	    'page_upgrade_cost 824', 'is_autobid 0', 'is_autobid 1', 'is_autobid null';
};

subtest 'the demo account, column by column' => sub {
	$s->sync('demo');
	registry_is($s, 'demo', 'all 2,671');
};

my $metrics = { budget => 31999, currency => 'USD', is_autobid => $FALSE, max_bid => 250,
	billed_impressions => 4120, billed_clicks => 37, ad_cost => 20450, fee_period => 'Calendar Month' };

# name => [what is sent, what the row then has]
my @VALUES = (
	[{ program_metrics => $metrics }, { %$metrics, is_autobid => 0 }],
	(map { my $name = $_; [{ program_metrics => { %$metrics, $name => undef } }, { %$metrics, is_autobid => 0, $name => undef }] } @METRIC),
	[{ program_metrics => undef }, { map { $_ => undef } @METRIC }],
	[{ program_metrics => { map { $_ => undef } @METRIC } }, { map { $_ => undef } @METRIC }],
	[{ program_metrics => { budget => 31999 } }, { (map { $_ => undef } @METRIC), budget => 31999 }],
	[{ program_metrics => { budget => 0, is_autobid => $TRUE, billed_clicks => 0 } }, { budget => 0, is_autobid => 1, billed_clicks => 0, max_bid => undef }],
	[{ program_metrics => { budget => '#raw#1000000.0', ad_cost => '#raw#20450.0' } }, { budget => 1000000, ad_cost => 20450 }],
	[{ program_metrics => { billed_impressions => 2147483648 } }, { billed_impressions => 2147483648 }],
	[{ program_metrics => undef, page_upgrade_info => { monthly_rate => 30, cost => 8.24 } },
		{ page_upgrade_monthly_rate => 3000, page_upgrade_cost => 824 }],
	[{ page_upgrade_info => { cost => '#raw#19.99', monthly_rate => undef } }, { page_upgrade_cost => 1999, page_upgrade_monthly_rate => undef }],
	[{ page_upgrade_info => { cost => 0 } }, { page_upgrade_cost => 0 }],
	[{ page_upgrade_info => undef }, { page_upgrade_cost => undef, page_upgrade_monthly_rate => undef }],
	[{ active_features => ['AD_GOAL', 'CALL_TRACKING'] }, { active_features => '["AD_GOAL", "CALL_TRACKING"]' }],
	[{ active_features => ['CALL_TRACKING', 'AD_GOAL'] }, { active_features => '["CALL_TRACKING", "AD_GOAL"]' }],
	[{ active_features => [], available_features => undef }, { active_features => '[]', available_features => undef }],
	[{ future_budget_changes => [{ old_budget => 100, new_budget => 200, start_date => '2060-01-01' }] },
		{ future_budget_changes => '[{"new_budget": 200, "old_budget": 100, "start_date": "2060-01-01"}]' }],
	[{ ad_categories => ['plumbing', 'hvac'], ad_campaign_id => 'campaign-1' }, { ad_categories => '["plumbing", "hvac"]', ad_campaign_id => 'campaign-1' }],
	[{ ad_categories => undef, ad_campaign_id => undef }, { ad_categories => undef, ad_campaign_id => undef }],
	[{ businesses => [] }, { businesses => '[]', yelp_business_id => undef, partner_business_id => undef }],
	[{ businesses => [map { { yelp_business_id => "business$_", partner_business_id => undef } } 1 .. 3] },
		{ yelp_business_id => 'business1', partner_business_id => undef }],
);

subtest 'defect 12: the same by update as by insert, each change one row and one time' => sub {
	my $user = known($s, 80);
	$s->sync($user);
	my $plain = { %{ $partner->data($user)->{programs}[60] }, map { $_ => undef } qw(program_metrics page_upgrade_info) };
	my $id = $plain->{program_id};
	for my $case (@VALUES) {
		my ($sent, $want) = @$case;
		my $name = JSON::PP->new->canonical->encode($sent);
		my $was  = row($user, $id);
		# Merged with what is there, which must not be: all of it anew.
		my @all = @{ $partner->data($user)->{programs} };
		$all[60] = { %$plain, %$sent };
		$partner->edit(user => $user, op => 'set', programs => \@all);
		my $got = $s->sync($user, @FULL);
		my $row = row($user, $id);
		is_deeply { map { $_ => $row->{$_} } keys %$want }, $want, $name;
		my $same = $was->{row_hash} eq $row->{row_hash};
		is $got->{updated}, $same ? 0 : 1, $same ? '... which is what there was' : '... one update';
		is $s->sync($user, @FULL)->{updated}, 0, '... and none the next time';
		my $twin = known($s, 1);
		$partner->edit(user => $twin, op => 'set', programs => [$all[60]]);
		$s->sync($twin);
		is_deeply registry($s, $twin)->{$id}, registry($s, $user)->{$id}, '... as an insert makes it';
	}
	registry_is($s, $user, 'the others are as they were');
};

subtest 'what is not money, a truth or a list is not kept, and takes nothing else along' => sub {
	for my $case ([{ program_metrics => { budget => '#raw#0.5' } }, 'budget is not a whole number'],
		[{ program_metrics => { max_bid => '250' } }, 'max_bid is not a whole number'],
		[{ program_metrics => { is_autobid => 1 } }, 'is_autobid is neither true nor false'],
		[{ page_upgrade_info => { cost => '#raw#8.245' } }, 'cost has a fraction of a cent'],
		[{ active_features => {} }, 'active_features is not a list'],
		[{ program_metrics => { fee_period => 'x' x 256 } }, 'fee_period is too long']) {
		my ($values, $why) = @$case;
		my $user = known($s, 41);
		$s->sync($user);
		my $id  = $partner->data($user)->{programs}[5]{program_id};
		my $was = row($user, $id);
		$partner->edit(user => $user, op => 'change', ids => [$id], values => $values);
		my $got = sync($s, $user, @FULL);
		is $got->{job}{state}, 'partial', "$why: partial";
		is_deeply $got->{job}{errors}, [{ item => 'row 5', code => 'bad_program', detail => "the program's $why" }], '... says so';
		is_deeply row($user, $id), $was, '... and its row is as it was';
	}
};

$s->stop;
done_testing;
