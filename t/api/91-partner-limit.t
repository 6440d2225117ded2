#!/usr/bin/perl

# When the partner's limit is near: details come in groups, people are told when to
# come back, syncs wait, and what the partner has said to one holds for everybody.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Problem;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(time);

use constant {
	RATE    => 10,
	BURST   => 8,
	LATENCY => 0.05,
	SLACK   => 1,
	# In which the partner or a worker may stand still for a moment.
	DEADLINE => 9,
};

my $slow = $ENV{TEST_SLOW} || 1;
my $s = Lockstep::Stack->start(latency => 1000 * LATENCY, conf => {
	'partner.rate' => RATE, 'partner.burst' => BURST, 'jobs.workers' => 2,
	'live.workers' => 4, 'live.deadline' => DEADLINE * $slow . 's', 'partner.retry_base' => '20ms' },
	partner => { shop => { programs => 60, businesses => 2, biggest => 30 } });
my $partner = $s->partner;
my $list    = '/api/reseller/programs?limit=5';

sub asked    { my ($user) = @_; return $partner->counters->{users}{$user} // { calls => 0 } }
sub newest   { my ($user) = @_; return $s->get('/api/jobs?limit=1', as => $user)->{json}{jobs}[0] }

# From now on this much is left of a budget: calls, 0 or fewer of them.
sub left {
	my ($method, $calls) = @_;
	return $s->sql(q(UPDATE rate_bucket SET blocked_until = '-infinity', tat = clock_timestamp()
		+ (?::float8 - ?::float8) * interval '1 s' / ? WHERE method = ?), BURST, $calls, RATE, $method);
}

$s->sync('shop');
my %in_business;
push @{ $in_business{ $_->{business_id} } }, $_->{program_id}
    for @{ $s->sql('SELECT business_id, program_id FROM program_business ORDER BY program_id') };
my ($business) = sort { @{ $in_business{$b} } <=> @{ $in_business{$a} } } keys %in_business;
my $page = "/api/reseller/programs?business_id=$business&limit=20";
my @id   = @{ $in_business{$business} }[0 .. 19];

sub shown { my ($answer) = @_; return [map { $_->{program_id} } @{ $answer->{json}{programs} }] }

subtest 'with a name alone nobody spends its budget' => sub {
	is $s->get($list, as => 'shop')->{status}, 200, 'the owner reads';
	my $owner = $s->sql_value(q(SELECT encode(account, 'hex') FROM rate_bucket WHERE method = 'programs' ORDER BY taken_at DESC LIMIT 1));
	my $spent = sub { $s->sql_value(q(SELECT tat FROM rate_bucket WHERE method = 'programs' AND encode(account, 'hex') = ?), $owner) };
	my $before = $spent->();
	is $s->get($list, login => ['shop', "guess$_"])->{status}, 401, 'a stranger guesses' for 1 .. 3;
	is $spent->(), $before, 'and nothing of the owner\'s is spent';
	is $s->sql_value(q(SELECT count(*) FROM rate_bucket WHERE method = 'programs' AND taken_at > clock_timestamp() - interval '10 s')), 2,
	    '... but of one budget for all who try that name';
	is $s->get($list, as => 'shop')->{status}, 200, 'who reads again';
	isnt $spent->(), $before, '... at the owner\'s cost';
};

subtest 'details come one by one while calls are left, else in groups' => sub {
	is $s->get("$page&limit=20" =~ s/&limit=20$//r, as => 'shop')->{status}, 200, 'the budget has its row';
	for ([BURST, BURST], [3, 3], [1, 1]) {
		my ($left, $calls) = @$_;
		my $began = time;
		left('info', $left);
		$partner->forget;
		my $answer = $s->get($page, as => 'shop');
		is $answer->{status}, 200, "$left calls left: an answer";
		is_deeply shown($answer), \@id, '... with all programs in their order';
		my $most = $calls + RATE * (time - $began - LATENCY);
		cmp_ok asked('shop')->{calls}, '<=', $most, '... in as few calls, with those that came meanwhile';
		is_deeply [sort @{ asked('shop')->{ids}{info} }], [sort @id], '... each asked for once';
	}
};

subtest 'a group that fails is asked again in halves' => sub {
	my $bad = $id[7];
	$partner->fault(kind => '500', path => 'info', ids => [$bad]);
	left('info', 2);
	my $answer = $s->get($page, as => 'shop');
	is $answer->{status}, 200, 'an answer';
	is_deeply shown($answer), \@id, 'every program in its place';
	is_deeply [map { $_->{program_id} } grep { $_->{error} } @{ $answer->{json}{programs} }], [$bad],
	    'only the one at fault has an error';
	is $answer->{json}{programs}[7]{error}{code}, 'partner_error', '... that says what it is';
	$partner->heal;

	left('info', 2);
	$partner->fault(kind => 'hang', path => 'info', ids => [$bad], times => 1);
	my $began = time;
	is_deeply shown($s->get($page, as => 'shop', timeout => 30)), \@id, 'also one that hangs';
	cmp_ok time - $began, '<', (DEADLINE + SLACK) * $slow, '... within the deadline';
	$partner->heal;
};

subtest 'an id that the partner does not know is stale in a group too' => sub {
	my $gone = $partner->edit(user => 'shop', op => 'remove', ids => [$id[3]])->{ids}[0];
	left('info', 2);
	my $answer = $s->get($page, as => 'shop');
	is $answer->{json}{stale_count}, 1, 'one is stale';
	is_deeply shown($answer), [grep { $_ ne $gone } @id], 'the others are there';
};

subtest 'no budget within a second: 503 and when to come back' => sub {
	$s->get($list, as => 'shop');
	left('programs', -50);
	$partner->forget;
	my $began  = time;
	my $answer = $s->get($list, as => 'shop');
	is $answer->{status}, 503, 'refused';
	is $answer->{json}{code}, 'partner_limited', 'partner_limited';
	like $answer->{headers}{'retry-after'}, qr/^[2-6]$/, 'Retry-After';
	cmp_ok time - $began, '<', 5, 'at once';
	is asked('shop')->{calls}, 0, 'the partner was not asked';
	left('info', -50);
	$answer = $s->get($page, as => 'shop');
	is "$answer->{status} $answer->{json}{code}", '503 partner_limited', 'details likewise';
	ok $answer->{headers}{'retry-after'}, '... with Retry-After';

	left('programs', 0.5 - 8 * 0.1);
	$began = time;
	is $s->get($list, as => 'shop')->{status}, 200, 'less than a second is waited for';
	cmp_ok time - $began, '>', LATENCY, '... really';
	left($_, BURST) for qw(programs info);
};

subtest 'what the partner says holds for everybody' => sub {
	$partner->fault(kind => '429', retry_after => 8, path => 'programs', times => 1);
	my $answer = $s->get($list, as => 'shop');
	is "$answer->{status} $answer->{headers}{'retry-after'}", '503 8', 'who is told passes it on';
	$partner->forget;
	$answer = $s->get($list, as => 'shop');
	is "$answer->{status} $answer->{json}{code}", '503 partner_limited', 'the next one is told as well';
	my $stream = $s->sync_stream('shop');
	my ($waiting) = grep { ($_->{json}{type} // '') eq 'waiting' } $stream->until('waiting');
	like $waiting->{json}{message}, qr/^Waiting until \d{4}-\d\d-\d\dT\d\d:\d\d UTC, partner limit$/, 'a sync waits';
	my $job = newest('shop');
	is "$job->{state} $job->{waiting_reason}", 'waiting partner_limited', '... as a state of its job';
	like $job->{waiting_until}, qr/^\d{4}-/, '... until then';
	is asked('shop')->{calls}, 0, '... and nobody has asked the partner';
	my @event = $stream->rest;
	is $event[-1]{json}{type}, 'complete', 'it goes on by itself';
	is $s->get('/api/reseller/programs?limit=5', as => 'shop')->{status}, 200, 'as do people';
};

done_testing;
