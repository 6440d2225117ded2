#!/usr/bin/perl

# GET /api/reseller/programs with a business: which programs, from the registry; how
# they are, from the partner, all asked at once under one deadline.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../tools/lib";
use HTTP::Tiny;
use List::Util qw(uniq);
use Lockstep::Problem;
use Lockstep::Sim::Status qw(pacific_today status_of);
use Lockstep::Stack;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(time);

# A call must be in time though the partner or a worker stood still for a moment.
use constant { FANOUT => 6, DEADLINE => 7 };

my $slow = $ENV{TEST_SLOW} || 1;
my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1, 'live.workers' => 4,
	'live.deadline' => DEADLINE . 's', 'live.fanout' => FANOUT, 'partner.retry_base' => '20ms' });
my $partner = $s->partner;
my $odd     = "odd\$&#\\\xc3\xb1ame";
my %login   = ($odd => [$odd, 'p@ss:w$&#\\'], shop => ['shop', 'shop-password']);

sub path { my ($business, $query) = @_; return "/api/reseller/programs?business_id=$business" . (defined $query ? "&$query" : '') }

sub of {
	my ($user, $business, $query) = @_;
	return $s->get(path($business, $query), login => $login{$user});
}

# The truth: programs of each business, by id; and one in the form of program info.
sub businesses_of { my ($program) = @_; return uniq map { $_->{yelp_business_id} } @{ $program->{businesses} // [] } }

sub truth {
	my ($user) = @_;
	my %of;
	for my $program (@{ $partner->data($user)->{programs} }) {
		push @{ $of{$_} }, $program for businesses_of($program);
	}
	@$_ = sort { $a->{program_id} cmp $b->{program_id} } @$_ for values %of;
	return \%of;
}

sub info {
	my ($user, @id) = @_;
	my $answer = HTTP::Tiny->new->get($partner->url . '/v1/programs/info/' . join(',', @id),
		{ headers => { Authorization => 'Basic ' . encode_base64(join(':', @{ $login{$user} }), '') } });
	return JSON::PP::decode_json($answer->{content})->{programs};
}

sub sync {
	my ($user, $query) = @_;
	return $s->post('/api/reseller/programs/sync' . ($query // ''), login => $login{$user})->{status} == 200
	    || die 'sync';
}

sub ids { my ($answer) = @_; return [map { $_->{program_id} } @{ $answer->{json}{programs} }] }
sub id  { return map { $_->{program_id} } @_ }

$s->account('shop', programs => 60, businesses => 3, biggest => 40);
sync($_) for 'shop', $odd;
my $of = truth('shop');
my ($big, $small) = (sort { @{ $of->{$b} } <=> @{ $of->{$a} } } keys %$of)[0, 2];
my @big = id(@{ $of->{$big} });

subtest 'the answer is the contract\'s' => sub {
	my $answer = of('shop', $big);
	is $answer->{status}, 200, 'an answer';
	is_deeply [sort keys %{ $answer->{json} }], [sort qw(programs total_count offset limit
	    program_status business_id from_db stale_count)], 'these members';
	my %rest = %{ $answer->{json} };
	is_deeply delete $rest{programs}, info('shop', @big[0 .. 19]), 'each program as the partner tells it';
	is_deeply \%rest, { total_count => 40, offset => 0, limit => 20, program_status => 'ALL',
		business_id => $big, from_db => JSON::PP::true(), stale_count => 0 }, 'the rest';
};

subtest 'defect 24: pages follow each other by id' => sub {
	for ([0, 1], [0, 40], [0, 100], [7, 9], [39, 5], [38, 100]) {
		my ($offset, $limit) = @$_;
		my $answer = of('shop', $big, "offset=$offset&limit=$limit");
		my $last   = $offset + $limit > 40 ? 39 : $offset + $limit - 1;
		is_deeply ids($answer), [@big[$offset .. $last]], "$limit from $offset";
		is_deeply [@{ $answer->{json} }{qw(offset limit total_count)}], [$offset, $limit, 40], '... and says so';
	}
	for my $offset (40, 1000, 100_000_000) {
		my $answer = of('shop', $big, "offset=$offset");
		is_deeply $answer->{json}{programs}, [], "nothing at $offset";
		is $answer->{json}{total_count}, 40, '... but the number is still told';
	}
	$partner->latency(jitter_ms => 40);
	is_deeply ids(of('shop', $big, 'limit=40')), \@big, 'whoever answers first' for 1 .. 3;
	$partner->latency(jitter_ms => 0);
};

subtest 'one call for each program of the page, so many at once' => sub {
	for ([40, FANOUT], [FANOUT, FANOUT], [4, 4], [1, 1]) {
		my ($limit, $peak) = @$_;
		# Where there is one round alone, the first call has to last until the last has begun.
		$partner->latency(base_ms => $limit == 1 ? 0 : $limit > FANOUT ? 50 : 3000);
		$partner->forget;
		of('shop', $big, "limit=$limit");
		my $asked = $partner->counters->{users}{shop};
		is_deeply [sort @{ $asked->{ids}{info} }], [@big[0 .. $limit - 1]], "$limit: each was asked for once";
		is $asked->{calls}, $limit, '... and nothing else';
		is $asked->{peak}, $peak, "... $peak at a time";
	}
	$partner->latency(base_ms => 0);
	$partner->forget;
	of('shop', $big, 'offset=40');
	of('shop', 'noSuchBusiness');
	is $partner->counters->{all}{calls}, 0, 'nothing to ask for, no call';
};

subtest 'the filter is by the status that people see' => sub {
	my $today = pacific_today();
	for my $user ('shop', $odd) {
		my $truth = truth($user);
		for my $status (qw(CURRENT PAST FUTURE PAUSED INACTIVE)) {
			my (@odd, $n);
			for my $business (sort keys %$truth) {
				my @want = id(grep { status_of($_, $today) eq $status } @{ $truth->{$business} });
				my $answer = of($user, $business, "limit=100&program_status=$status");
				push @odd, $business if join(' ', @{ ids($answer) }) ne "@want"
				    || $answer->{json}{total_count} != @want || $answer->{json}{program_status} ne $status;
				$n += @want;
			}
			is_deeply \@odd, [], "$status: those and no others, of every business";
			cmp_ok $n, '>', 0, '... and there are some' if $user eq $odd || $status eq 'PAST';
		}
	}
	my $page = of('shop', $big, 'program_status=PAST&offset=2&limit=3');
	my @past = id(grep { status_of($_, $today) eq 'PAST' } @{ $of->{$big} });
	is_deeply ids($page), [@past[2 .. 4]], 'a page of the filtered';
	is $page->{json}{total_count}, scalar @past, '... of so many';
};

subtest 'defect 15: a program is found under each of its businesses' => sub {
	my $truth = truth($odd);
	my @several = grep { businesses_of($_) > 1 } map { @$_ } values %$truth;
	cmp_ok scalar @several, '>', 2, 'there are such programs';
	for my $business (sort keys %$truth) {
		my $answer = of($odd, $business, 'limit=100');
		is_deeply ids($answer), [id(@{ $truth->{$business} })], 'all of this one';
		is $answer->{json}{total_count}, $s->sql_value("SELECT program_count FROM business_count c
		    JOIN account a ON a.id = c.account_id WHERE business_id = ? AND user_name = decode(?, 'hex')",
		    $business, unpack 'H*', $odd), '... as many as business-ids says';
	}
};

subtest 'what fails keeps its place and tells why, the rest is answered' => sub {
	my %code = (500 => 'partner_error', 503 => 'partner_unavailable', 429 => 'partner_limited',
		403 => 'no_access', 404 => 'partner_refused', 504 => 'partner_timeout', html => 'partner_error',
		truncated => 'partner_error', reset_before => 'partner_error', array_null => 'partner_error',
		array_missing => 'partner_error', deep_json => 'partner_error');
	for my $kind (sort keys %code) {
		$partner->fault(kind => $kind, path => 'info', ids => [$big[3]]);
		my $answer = of('shop', $big, 'limit=8');
		is $answer->{status}, 200, "partner $kind: an answer";
		is_deeply ids($answer), [@big[0 .. 7]], '... everything is in its place';
		my ($item) = splice @{ $answer->{json}{programs} }, 3, 1;
		is_deeply [sort keys %$item], [qw(error program_id)], '... what failed has its id and its error';
		is $item->{error}{code}, $code{$kind}, '... the code';
		ok length $item->{error}{detail}, '... and words';
		is_deeply $answer->{json}{programs}, info('shop', @big[0 .. 2, 4 .. 7]), '... the others are whole';
		is_deeply [@{ $answer->{json} }{qw(total_count stale_count)}], [40, 0], '... and it is still counted';
		$partner->heal;
	}
};

# An account with all its programs in one business, which is synced: the business and
# its programs.
sub of_one_business {
	my ($user, $programs) = @_;
	$s->account($user, programs => $programs, businesses => 1);
	$login{$user} = [$user, "$user-password"];
	sync($user);
	my ($business) = keys %{ truth($user) };
	return ($business, id(@{ truth($user)->{$business} }));
}

# Three who have to wait for the deadline, at the same time.
my ($of_late, @of_late) = of_one_business(late => 40);
my ($of_mute) = of_one_business(mute => 5);
$partner->fault(kind => 'hang', path => 'info', ids => [$big[0]]);
$partner->fault(kind => 'delay', path => 'info', user => 'late', ms => 380 * DEADLINE);
$partner->fault(kind => 'hang', path => 'info', user => 'mute');
my $began = time;
my %held  = map { $_->[0] => $s->sse(path(@$_[1, 2]), login => $login{ $_->[0] }, timeout => 3 * DEADLINE) }
    ['shop', $big, 'limit=40'], ['late', $of_late, 'limit=40'], ['mute', $of_mute, 'limit=5'];

sub answer_of_held {
	my ($user) = @_;
	my $sse    = delete $held{$user};
	my $answer = { status => $sse->status, headers => $sse->headers, body => $sse->body };
	$answer->{json} = eval { JSON::PP::decode_json($answer->{body}) };
	cmp_ok time - $began, '<', DEADLINE * (1 + 0.7 * $slow), 'answered at the deadline';
	return $answer;
}

subtest 'one that hangs holds nobody' => sub {
	my $answer = answer_of_held('shop');
	is $answer->{status}, 200, 'an answer';
	is $answer->{json}{programs}[0]{error}{code}, 'partner_timeout', 'it did not answer';
	is scalar(grep { !$_->{error} } @{ $answer->{json}{programs} }), 39, 'the other 39 did';
};

subtest 'there is one deadline for all of them' => sub {
	my $answer = answer_of_held('late');
	is $answer->{status}, 200, 'an answer';
	is_deeply ids($answer), \@of_late, 'everything is in its place';
	my @late = grep { $_->{error} && $_->{error}{code} eq 'partner_timeout' } @{ $answer->{json}{programs} };
	my @good = grep { !$_->{error} } @{ $answer->{json}{programs} };
	cmp_ok scalar @good, '>=', FANOUT, 'the first were in time' if $slow == 1;
	cmp_ok scalar @late, '>=', 40 - 3 * FANOUT, 'the last were not';
	is @late + @good, 40, 'and nothing else happened';
};

subtest 'nothing but failures is a failure, not a list' => sub {
	is_problem answer_of_held('mute'), 504, 'partner_timeout', 'partner hang: 504 partner_timeout';
	$partner->heal;
	my @trouble = (['500', 502, 'partner_error'], ['503', 503, 'partner_unavailable'],
		['429', 503, 'partner_limited', retry_after => 9], ['403', 403, 'no_access'],
		['404', 502, 'partner_refused'], ['html', 502, 'partner_error']);
	my ($its) = of_one_business(limited => 5);
	for (@trouble) {
		my ($kind, $status, $code, %how) = @$_;
		# What the partner says of when to come again holds for all calls of the account.
		my ($user, $business) = $how{retry_after} ? ('limited', $its) : ('shop', $small);
		$partner->fault(kind => $kind, path => 'info', %how);
		my $answer = of($user, $business, 'limit=5');
		is_problem $answer, $status, $code, "partner $kind: $status $code";
		is $answer->{headers}{'retry-after'}, $how{retry_after}, '... when to come again';
		$partner->heal;
	}
};

subtest 'a refused login outweighs all else' => sub {
	$s->account('leaver', programs => 9, businesses => 1);
	$login{leaver} = ['leaver', 'leaver-password'];
	sync('leaver');
	my ($business) = keys %{ truth('leaver') };
	my @id = id(@{ truth('leaver')->{$business} });
	$partner->fault(kind => '401', path => 'info', ids => [$id[4]]);
	is_problem of('leaver', $business), 401, 'login_wrong', 'one 401 among good answers';
	is $s->sql_value("SELECT state FROM account WHERE user_name = 'leaver'"), 'refused', 'is noted';
	$partner->heal;
};

subtest 'defect 4: what the partner no longer knows is counted and left out' => sub {
	$s->account('ageing', programs => 30, businesses => 1);
	$login{ageing} = ['ageing', 'ageing-password'];
	sync('ageing');
	my ($business) = keys %{ truth('ageing') };
	my @id = id(@{ truth('ageing')->{$business} });
	$partner->edit(user => 'ageing', op => 'remove', ids => [@id[1, 4, 25]]);
	my $answer = of('ageing', $business, 'limit=10');
	is $answer->{status}, 200, 'an answer';
	is_deeply ids($answer), [@id[0, 2, 3, 5 .. 9]], 'without them';
	is $answer->{json}{stale_count}, 2, 'two on this page';
	like $answer->{json}{warning}, qr/^2 of these programs .*sync again/, 'and what to do';
	is $answer->{json}{total_count}, 30, 'the registry still has them';
	$answer = of('ageing', $business, 'offset=10&limit=10');
	is $answer->{json}{stale_count}, 0, 'none on the next';
	ok !exists $answer->{json}{warning}, '... no warning';

	$partner->fault(kind => '500', path => 'info', ids => [@id[0, 2, 3, 5]]);
	$answer = of('ageing', $business, 'limit=6');
	is $answer->{status}, 200, 'stale or failed, but not all failed';
	is scalar(grep { $_->{error} } @{ $answer->{json}{programs} }), 4, 'four errors';
	is $answer->{json}{stale_count}, 2, 'two stale';
	$partner->heal;

	$partner->edit(user => 'ageing', op => 'remove', n => 100);
	$answer = of('ageing', $business, 'limit=30');
	is $answer->{status}, 200, 'all gone is an answer as well';
	is_deeply [$answer->{json}{programs}, @{ $answer->{json} }{qw(stale_count total_count)}], [[], 30, 30],
	    '... that says so';
};

subtest 'a business that is not there is empty' => sub {
	my $answer = of('shop', 'noSuchBusiness');
	is $answer->{status}, 200, 'no mistake';
	is $answer->{body}, '{"programs":[],"total_count":0,"offset":0,"limit":20,"program_status":"ALL",'
	    . '"business_id":"noSuchBusiness","from_db":true,"stale_count":0}', 'an empty list';
};

subtest 'programs by their ids, live' => sub {
	my @three = @big[5, 2, 9];
	$partner->forget;
	my $answer = $s->get('/api/reseller/programs?program_id=' . join(',', @three, 'neverThere'), login => $login{shop});
	is $answer->{status}, 200, 'an answer';
	is_deeply $answer->{json}{programs}, info('shop', sort @three), 'each as the partner tells it, by id';
	is_deeply [@{ $answer->{json} }{qw(total_count stale_count)}], [3, 0], 'those that the registry has';
	is_deeply [sort @{ $partner->counters->{users}{shop}{ids}{info} }], [sort(@three, @three)],
	    'nobody asks for any other (once for us, once for this test)';
	my $other = $s->get("/api/reseller/programs?program_id=$three[0]", login => $login{$odd});
	is_deeply $other->{json}{programs}, [], 'somebody else\'s is not there';
	for (['', 'program_id'], ['a,,b', 'program_id'], [',a', 'program_id'], ['a,', 'program_id'], ['a%20b', 'program_id'],
	    [join(',', 1 .. 101), 'program_id'], ['a&limit=3', 'limit'], ['a&business_id=b', 'business_id'],
	    ['a&program_status=ALL', 'program_status'], ['a&offset=0', 'offset']) {
		my ($query, $field) = @$_;
		is_problem $s->get("/api/reseller/programs?program_id=$query", login => $login{shop}), 400, 'bad_field', $query, field => $field;
	}
};

subtest 'what only the registry can do is refused, not passed over' => sub {
	for my $query (qw(q=a sort=budget cursor=x program_type=CPC pause=PAUSED start_from=2026-01-01 start_to=2026-01-01
	    end_from=2026-01-01 end_to=2026-01-01)) {
		my ($field) = $query =~ /^(\w+)/;
		is_problem $s->get("/api/reseller/programs?$query$_", login => $login{shop}), 400, 'bad_field', "$query$_", field => $field
		    for '', "&business_id=$big", '&source=live';
	}
};

subtest 'it follows the registry' => sub {
	my ($moved) = @big;
	$partner->edit(user => 'shop', op => 'move', ids => [$moved], to => $small);
	is of('shop', $big)->{json}{total_count}, 40, 'before the sync as it was';
	# A move on a later page keeps the total: a quick check need not see it.
	sync('shop', '?mode=full');
	is of('shop', $big)->{json}{total_count}, 39, 'after it one less here';
	is_deeply ids(of('shop', $small, 'limit=100')), [id(@{ truth('shop')->{$small} })], '... one more there';
};

# When it is back it may use no index, whose order could be taken for ours.
subtest 'no database is 503' => sub {
	$s->sql("ALTER DATABASE lockstep SET enable_$_ = off") for qw(indexscan indexonlyscan bitmapscan nestloop);
	$s->stop_postgres;
	is_problem of('shop', $big), 503, 'database', 'gone';
	$s->start_postgres;
	ok wait_until(sub { of('shop', $big)->{status} == 200 }, 10, 'the list'), 'back';
	my $now = truth('shop');
	is_deeply ids(of('shop', $_, 'limit=100')), [id(@{ $now->{$_} })], 'by id, however they are found' for $big, $small;
	is_deeply ids(of('shop', $small, 'limit=3&offset=1')), [(id(@{ $now->{$small} }))[1 .. 3]], '... page by page';
};

$s->stop;
done_testing;
