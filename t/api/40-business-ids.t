#!/usr/bin/perl

# GET /api/reseller/business-ids: every business of the account with its number of
# programs, from kept counts and a body that is kept as long as they stay.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Uncompress::Gunzip qw(gunzip);
use Lockstep::Problem;
use Lockstep::Stack;
use List::Util qw(sum0);
use Test::More;

# One worker, so that its kept body is what answers the second time.
my $s = Lockstep::Stack->start(conf => { 'api.workers' => 1, 'live.workers' => 2, 'jobs.workers' => 2,
	'partner.retry_base' => '20ms' });
my $partner = $s->partner;
my $path    = '/api/reseller/business-ids';
my $odd     = "odd\$&#\\\xc3\xb1ame";
my %login   = ($odd => [$odd, 'p@ss:w$&#\\']);

sub login { my ($user) = @_; return $login{$user} ? (login => $login{$user}) : (as => $user) }
sub ids   { my ($user, @how) = @_; return $s->get($path, login($user), @how) }

sub sync {
	my ($user) = @_;
	my $answer = $s->post('/api/reseller/programs/sync', login($user), timeout => 30);
	is $answer->{status}, 200, 'a sync' or diag $answer->{body};
	return $answer->{json};
}

sub counts { my ($user) = @_; return { map { @$_{qw(business_id program_count)} } @{ ids($user)->{json}{businesses} } } }

# Counts by status as they are written, when there is nothing to count.
sub statuses_text { return '{' . join(',', map { "\"$_\":0" } qw(CURRENT PAST FUTURE PAUSED INACTIVE)) . '}' }

sub is_partners {
	my ($user, $name) = @_;
	return is_deeply counts($user), $partner->counts($user), $name;
}

subtest 'before a sync there is nothing, and no mistake' => sub {
	my $answer = ids('agency');
	is $answer->{status}, 200, 'an answer';
	is $answer->{body}, '{"total":0,"businesses":[],"from_db":true,"statuses":' . statuses_text() . '}',
	    'an empty list';
};

subtest 'counts are the partner\'s for each account' => sub {
	for my $user (qw(p0 p1 p39 p40 p41 p80 agency), $odd) {
		sync($user);
		is_partners $user, "$user: as the partner counts";
	}
};

subtest 'the shape is the contract\'s' => sub {
	my $answer = ids('agency');
	is $answer->{headers}{'content-type'}, 'application/json', 'JSON';
	my $statuses = quotemeta(statuses_text()) =~ s/:0/:\\d+/gr;
	like $answer->{body}, qr/\A\{"total":37,"businesses":\[\{"business_id":"[\w-]{22}","program_count":\d+,
	    "name":(?:"[^"]+"|null),"statuses":$statuses\},/x, 'as it is written in DESIGN';
	like $answer->{body}, qr/\],"from_db":true,"statuses":$statuses\}\z/, '... to its end';
	is_deeply [sort keys %{ $answer->{json} }], [qw(businesses from_db statuses total)], 'nothing else';
	my @list = @{ $answer->{json}{businesses} };
	is scalar @list, $answer->{json}{total}, 'as many as it says';
	my @odd = grep { join(' ', sort keys %$_) ne 'business_id name program_count statuses' } @list;
	is_deeply \@odd, [], '... each with its id, its count, its name and its statuses';
	@odd = grep { sum0(values %{ $_->{statuses} }) != $_->{program_count} } @list;
	is_deeply \@odd, [], '... which add up';
	is sum0(values %{ $answer->{json}{statuses} }), $partner->total('agency'), '... and so do those of all';
	is sum0(map { $_->{program_count} } @list), $partner->total('agency'), 'every program is in one';
	my @sorted = sort { $b->{program_count} <=> $a->{program_count}
	    || $a->{business_id} cmp $b->{business_id} } @list;
	is_deeply \@list, \@sorted, 'most programs first, then by id';
	is ids('agency')->{body}, $answer->{body}, 'the same again, byte for byte';
};

subtest 'a program of three businesses is in each' => sub {
	my %of;
	for my $program (@{ $partner->data($odd)->{programs} }) {
		my %its = map { $_->{yelp_business_id} => 1 } @{ $program->{businesses} // [] };
		push @{ $of{ keys %its } }, $program->{program_id};
	}
	cmp_ok scalar @{ $of{3} // [] }, '>', 1, 'there are such programs';
	cmp_ok scalar @{ $of{0} // [] }, '>', 1, 'and some of none';
	is sum0(values %{ counts($odd) }), $partner->total($odd) + 2 * @{ $of{3} } - @{ $of{0} }, 'as many links';
};

subtest 'gzip when asked for, HEAD without a body' => sub {
	my $plain = ids('agency');
	is $plain->{headers}{'content-encoding'}, undef, 'plain unless asked';
	my $packed = ids('agency', headers => { 'Accept-Encoding' => 'gzip' });
	is $packed->{headers}{'content-encoding'}, 'gzip', 'gzip when asked';
	my @vary = map { split /\s*,\s*/ } map { ref ? @$_ : $_ } $packed->{headers}{vary};
	is scalar(grep { lc eq 'accept-encoding' } @vary), 1, '... and caches are told, once';
	cmp_ok length $packed->{body}, '<', length $plain->{body}, '... smaller';
	gunzip(\$packed->{body} => \my $text) or die 'gunzip';
	is $text, $plain->{body}, '... the same';
	my $head = $s->request(HEAD => $path, as => 'agency');
	is $head->{status}, 200, 'HEAD';
	is $head->{body} // '', '', '... has no body';
	is $head->{headers}{'content-type'}, 'application/json', '... and the same type';
};

subtest 'defect 26: what changes at the partner shows with the sync that reads it' => sub {
	my $user = 'p80';
	my $before = ids($user);
	is ids($user)->{body}, $before->{body}, 'kept' for 1 .. 3;
	my ($biggest, $second) = map { $_->{business_id} } @{ $before->{json}{businesses} }[0, 1];
	my %count = %{ counts($user) };
	my ($moved) = grep { $_->{businesses}[0]{yelp_business_id} eq $biggest } @{ $partner->data($user)->{programs} };

	$partner->edit(user => $user, op => 'move', ids => [$moved->{program_id}], to => $second);
	is ids($user)->{body}, $before->{body}, 'not before';
	my $sync = sync($user);
	is $sync->{status}, 'synced', 'a program has moved';
	is counts($user)->{$biggest}, $count{$biggest} - 1, 'one less here';
	is counts($user)->{$second}, $count{$second} + 1, 'one more there';
	is_partners $user, 'as the partner counts';

	$partner->edit(user => $user, op => 'add', n => 3, business => 'aNewBusiness');
	sync($user);
	is counts($user)->{aNewBusiness}, 3, 'a new business';
	is_partners $user, 'as the partner counts';

	my @all = map { $_->{program_id} } grep { $_->{businesses}[0]{yelp_business_id} eq 'aNewBusiness' }
	    @{ $partner->data($user)->{programs} };
	$partner->edit(user => $user, op => 'move', ids => \@all, to => $biggest);
	sync($user);
	is counts($user)->{aNewBusiness}, undef, 'one without programs is gone';
	is_partners $user, 'as the partner counts';
};

subtest 'nothing new keeps the version, any news moves it' => sub {
	my $version = sub { $s->sql_value("SELECT registry_version FROM account WHERE user_name = 'p41'") };
	my $before  = $version->();
	is sync('p41')->{status}, 'up_to_date', 'nothing to do';
	is $version->(), $before, 'the kept body stays good';
	$partner->edit(user => 'p41', op => 'change', field => 'pause', n => 1);
	sync('p41');
	cmp_ok $version->(), '>', $before, 'another one after a change';
};

# The count in the table is changed behind lockstep's back: an answer from the kept
# body does not show it, one made anew does.
subtest 'the body is kept by version, and by account' => sub {
	my $was = ids('p41')->{body};
	my $id  = $s->sql_value("SELECT id FROM account WHERE user_name = 'p41'");
	$s->sql('UPDATE business_count SET program_count = program_count + 1000 WHERE account_id = ?', $id);
	is ids('p41')->{body}, $was, 'the kept one answers';
	isnt ids('p40')->{body}, $was, 'for nobody else';
	$s->sql('UPDATE account SET registry_version = registry_version + 1 WHERE id = ?', $id);
	is sum0(values %{ counts('p41') }), 41 + 1000 * keys %{ $partner->counts('p41') }, 'until the version moves';
	$s->sql('UPDATE business_count SET program_count = program_count - 1000 WHERE account_id = ?', $id);
	$s->sql('UPDATE account SET registry_version = registry_version + 1 WHERE id = ?', $id);
	is_partners 'p41', 'put right again';
};

subtest 'readers during a sync see whole pages of it' => sub {
	$s->account('growing', programs => 400, businesses => 1);
	is ids('growing')->{json}{total}, 0, 'nothing yet';
	# The last page is held, so that there is time to look.
	$partner->hold(user => 'growing', path => 'programs', offset => 360);
	my $stream = $s->sync_stream('growing');
	$stream->until('info');
	my (%seen, $last);
	my $reaches = sub {
		my ($n) = @_;
		wait_until {
			$last = sum0(values %{ counts('growing') });
			$seen{$last} = 1;
			$last == $n;
		} 20, "$n of them";
	};
	$reaches->(360);
	$partner->heal;
	$reaches->(400);
	is $last, 400, 'the end is seen at once';
	is_deeply [grep { $_ % 40 } keys %seen], [], 'never half a page';
	cmp_ok scalar keys %seen, '>', 1, 'it was looked at while it grew';
	$stream->rest;
	is_partners 'growing', 'as the partner counts';
};

subtest 'no database is 503, not a hang, and not an old answer' => sub {
	is ids('p40')->{status}, 200, 'there';
	$s->stop_postgres;
	is_problem ids('p40'), 503, 'database', 'gone';
	$s->start_postgres;
	ok wait_until(sub { ids('p40')->{status} == 200 }, 20, 'business-ids'), 'back';
	is_partners 'p40', 'as the partner counts';
};

$s->stop;
done_testing;
