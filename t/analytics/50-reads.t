#!/usr/bin/perl

# Reading: search, sort, pages, sums, CSV, one product and its past; runs by the clock,
# from the command line, and what is told when they turn bad.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use List::Util qw(sum0);
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(120, conf => { 'analytics.retries' => 0 });
clear_of_midnight(120);
my $one = seller_of(products => 45, jam => 'standard');
sync_of($one);
my $all = pages($one);
my $base = "products?sellerId=$one->{id}";

sub list { my ($query) = @_; return op(GET => "$base$query")->{json} }
sub ids  { my ($list) = @_; return [map { $_->{nmId} } @{ $list->{products} }] }

subtest 'the page as it is asked for' => sub {
	my $page = op(GET => $base)->{json};
	is scalar(@{ $page->{products} }), 20, 'twenty unless asked otherwise';
	is_deeply [@$page{qw(total_count limit offset sort)}], [45, 20, 0, 'nmId'], 'of how many';
	is_deeply ids($page), [(sort { $a <=> $b } keys %$all)[0 .. 19]], 'by id';
	is_deeply op(GET => 'products?limit=3')->{json}{products}, [@{ $page->{products} }[0 .. 2]], 'the only seller is meant';
	for ('limit=0', 'limit=201', 'sort=nothing', 'cursor=x', 'status=bad', 'offset=-1', 'search=') {
		my ($field) = /^(\w+)/;
		my $answer = op(GET => "$base&$_");
		is "$answer->{status} $answer->{json}{field}", "400 $field", $_;
	}
	is op(GET => 'products?sellerId=x')->{json}{field}, 'sellerId', 'sellerId=x';
};

subtest 'sorted by every column, in pages, each product once' => sub {
	for my $sort (qw(nmId title vendorCode brand views addToCart orders units ctr conversionRate revenue avgOrderValue
	    buyouts buyoutSum cancels cancelSum avgPrice addToWishlist totalQueries textsPeriodStart textsPeriodEnd periodStart periodEnd currency syncStatus lastSyncAt)) {
		for my $way ('', '-') {
			my ($path, @row) = ("$base&sort=$way$sort&limit=7");
			while ($path) {
				my $answer = op(GET => $path);
				push @row, @{ $answer->{json}{products} };
				($path) = ($answer->{headers}{link} // '') =~ m{</api/analytics/([^>]+)>; rel="next"};
			}
			my %seen;
			$seen{ $_->{nmId} }++ for @row;
			ok keys %seen == 45 && @row == 45, "$way$sort: each once";
			my @value = map { $_->{$sort} } @row;
			my ($nulls) = grep { !defined $value[$_] } 0 .. $#value;
			ok !defined $nulls || !grep({ defined } @value[$nulls .. $#value]), '... those without data last';
			next if $sort !~ /^(?:views|revenue|ctr|orders|conversionRate|nmId|.*Period.*|period.*)$/;
			@value = map { tr/-//dr } grep { defined } @value;
			my @wrong = grep { $way ? $value[$_] < $value[$_ + 1] : $value[$_] > $value[$_ + 1] } 0 .. $#value - 1;
			is_deeply \@wrong, [], '... in order';
		}
	}
};

subtest 'search, and sums of what matches' => sub {
	my ($first) = values %$all;
	is_deeply ids(list("&search=$first->{nmId}")), [$first->{nmId}], 'by id';
	my $brand = $first->{brand} =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
	utf8::encode(my $bytes = $first->{brand});
	$brand = join '', map { sprintf '%%%02X', ord } split //, $bytes;
	my $found = list("&search=$brand&limit=200");
	my @want = grep { $_->{brand} eq $first->{brand} } values %$all;
	is $found->{total_count}, @want, 'by brand';
	my $sums = $found->{totals};
	is $sums->{$_}, sum0(map { $_[0]{$_} // 0 } ()) + do { my $k = $_; sum0(map { $_->{$k} // 0 } @want) }, "sum of $_" for qw(views addToCart orders revenue buyouts);
	is_deeply list('&search=nothing-like-that')->{products}, [], 'nothing';
	is list('&search=nothing-like-that')->{total_count}, 0, '... of none';
	is list('&status=success')->{total_count}, 45, 'by status';
};

subtest 'sums are of one period' => sub {
	my $two = seller_of(products => 6, jam => 'standard');
	sync_of($two);
	my ($old, @rest) = sort { $a <=> $b } @{ $two->{ids} };
	# What the API has long dropped has the figures of then.
	$s->sql(q(UPDATE product_analytics SET period_start = period_start - 90, period_end = period_end - 90 WHERE account_id = ? AND nm_id = ?), $two->{id}, $old);
	my $got = op(GET => "products?sellerId=$two->{id}&limit=200")->{json};
	my %row = map { $_->{nmId} => $_ } @{ $got->{products} };
	is_deeply [@{ $got->{totals} }{qw(products withData ofOtherPeriods)}], [6, 5, 1], 'of five of six products';
	is $got->{totals}{views}, sum0(map { $row{$_}{views} } @rest), '... their views';
	is_deeply [@{ $got->{totals} }{qw(periodStart periodEnd)}], [@{ $row{ $rest[0] } }{qw(periodStart periodEnd)}], '... and their period';
	my $alone = op(GET => "products?sellerId=$two->{id}&search=$old")->{json}{totals};
	is_deeply [@$alone{qw(products withData ofOtherPeriods views periodEnd)}], [1, 1, 0, @{ $row{$old} }{qw(views periodEnd)}], 'of that one alone its own';
	# Most of them are off the market.
	$s->sql(q(UPDATE product_analytics SET period_start = period_start - 90, period_end = period_end - 90 WHERE account_id = ? AND nm_id = ANY (?)), $two->{id}, [@rest[0 .. 2]]);
	$s->sql(q(UPDATE product SET sync_status = 'error', sync_error_code = 'no_data' WHERE account_id = ? AND nm_id = ANY (?)), $two->{id}, [$old, @rest[0 .. 2]]);
	my $few = op(GET => "products?sellerId=$two->{id}")->{json}{totals};
	is_deeply [@$few{qw(products withData ofOtherPeriods periodEnd)}], [6, 2, 4, $row{ $rest[4] }{periodEnd}], 'of those that are still there, however few';
	my $none = op(GET => "products?sellerId=$two->{id}&search=nothing-like-that")->{json}{totals};
	is_deeply [@$none{qw(products withData ofOtherPeriods views periodEnd)}], [0, 0, 0, undef, undef], 'of none nothing';
};

subtest 'CSV' => sub {
	my $answer = op(GET => "$base&limit=3", headers => { Accept => 'text/csv' });
	is $answer->{status}, 200, 'a file';
	is $answer->{headers}{'x-total-count'}, 45, 'says how many';
	like $answer->{headers}{'content-disposition'}, qr/filename="analytics-/, '... of a name';
	my @line = split /\r\n/, $answer->{body};
	is scalar(@line), 46, 'all that match, whatever the limit';
	like $line[0], qr/^nmId,title,vendorCode,.*revenue/, 'with a heading';
};

subtest 'as it was: 304, until something changes' => sub {
	my $tag = op(GET => $base)->{headers}{etag};
	ok $tag, 'a tag';
	my $again = sub { return op(GET => $base, headers => { 'If-None-Match' => $tag })->{status} };
	is $again->(), 304, 'as it was';
	sync_of($one);
	is $again->(), 200, 'after a run it is not';
};

subtest 'one product: all of its texts, and its past' => sub {
	my ($row) = sort { $b->{totalQueries} <=> $a->{totalQueries} } values %{ pages($one) };
	cmp_ok $row->{totalQueries}, '>', 10, 'more texts than a list shows';
	$s->sql(q(INSERT INTO product_analytics (account_id, nm_id, period_start, period_end, funnel_at, currency, views, add_to_cart, orders, revenue)
	    SELECT account_id, nm_id, period_start - i, period_end - i, funnel_at - i * interval '1 day', 'RUB', views + i, 1, 0, 0
	      FROM product_analytics, generate_series(1, 100) i WHERE account_id = ? AND nm_id = ?), $one->{id}, $row->{nmId});
	my $got = op(GET => "products/$row->{nmId}?sellerId=$one->{id}")->{json};
	is scalar(@{ $got->{topSearchQueries} }), $row->{totalQueries}, 'all of them here';
	my @open = map { $_->{openCard} } @{ $got->{topSearchQueries} };
	is_deeply \@open, [sort { $b <=> $a } @open], '... most opened first';
	is scalar(@{ $got->{history} }), 90, 'ninety periods';
	is $got->{history}[0]{views}, $row->{views}, '... the newest first';
	is $got->{history}[7]{views}, $row->{views} + 7, '... and so on';
	is $got->{views}, $row->{views}, 'figures of the newest period';
	is scalar(@{ op(GET => "products/$row->{nmId}?sellerId=$one->{id}&periods=5")->{json}{history} }), 5, 'or as many as asked for';
	is op(GET => "products/1?sellerId=$one->{id}")->{status}, 404, 'none of that id';
	is op(GET => "products/x?sellerId=$one->{id}")->{status}, 404, 'nor of what is no id';
};

subtest 'texts of the night before stay until new ones come' => sub {
	my $two = seller_of(products => 12, jam => 'standard');
	sync_of($two);
	my $new = pages($two);
	# Last night's texts: other ones than tonight's, of another day.
	$s->sql(q(UPDATE product_analytics SET period_start = period_start - 1, period_end = period_end - 1,
	    queries = (SELECT jsonb_agg(jsonb_build_object('query', 'old ' || i, 'openCard', 100 - i)) FROM generate_series(1, 1 + nm_id % 13) i)
	    WHERE account_id = ?), $two->{id});
	my %end = map { $_->{nmId} => $_->{periodEnd} } @{ $s->sql(q(SELECT nm_id AS "nmId", period_end AS "periodEnd" FROM product_analytics WHERE account_id = ?), $two->{id}) };
	my %n = map { $_ => 1 + $_ % 13 } @{ $two->{ids} };
	my $tonight = (values %$new)[0]{periodEnd};
	my $is_old = sub {
		my ($row, $what) = @_;
		is_deeply { map { $_ => $row->{$_}{totalQueries} } keys %$row }, \%n, "$what: so many texts as last night";
		is_deeply [grep { $_->{topSearchQueries}[0]{query} ne 'old 1' || $_->{textsPeriodEnd} ne $end{ $_->{nmId} } || $_->{textsPeriodStart} ge $_->{periodStart} } values %$row], [], '... by their own period';
		is_deeply [grep { $_->{periodEnd} ne $tonight || $_->{views} != $new->{ $_->{nmId} }{views} } values %$row], [], '... with tonight\'s figures';
		my @rank = map { $_->{totalQueries} } map { @{ op(GET => $_)->{json}{products} } } "products?sellerId=$two->{id}&sort=-totalQueries&limit=50";
		is_deeply \@rank, [sort { $b <=> $a } values %n], '... in the order of the sort';
		my ($path, @row) = ("products?sellerId=$two->{id}&sort=-totalQueries&limit=5");
		while ($path) {
			my $answer = op(GET => $path);
			push @row, @{ $answer->{json}{products} };
			($path) = ($answer->{headers}{link} // '') =~ m{</api/analytics/([^>]+)>; rel="next"};
		}
		is_deeply [map { $_->{totalQueries} } @row], \@rank, '... page by page';
		my ($head, @line) = map { [split /,/] } split /\r\n/, op(GET => "products?sellerId=$two->{id}", headers => { Accept => 'text/csv' })->{body};
		$head->[0] =~ s/^\W+//;
		my %csv = map { my %cell; @cell{@$head} = @$_; $cell{nmId} => "$cell{totalQueries} $cell{textsPeriodEnd} $cell{periodEnd}" } @line;
		is_deeply \%csv, { map { $_ => "$n{$_} $end{$_} $tonight" } keys %n }, '... in the file';
		my ($id) = keys %n;
		my $one = op(GET => "products/$id?sellerId=$two->{id}")->{json};
		is_deeply [@$one{qw(totalQueries textsPeriodEnd periodEnd)}, scalar @{ $one->{topSearchQueries} }], [$n{$id}, $end{$id}, $tonight, $n{$id}], '... and of one product';
	};
	$s->seller->fault(seller => $two->{name}, method => 'texts', kind => '502');
	is run_of($two)->{state}, 'partial', 'a run with figures alone';
	$is_old->(pages($two), 'after it');
	$s->seller->heal;
	$s->sql(q(DELETE FROM product_analytics WHERE account_id = ? AND queries IS NULL), $two->{id});
	$s->seller->hold(seller => $two->{name}, method => 'texts');
	$s->seller->forget;
	my $id = ask($two);
	wait_until { $s->seller->counts($two->{name})->{calls} == 2 } 20, 'the call for texts';
	$is_old->(pages($two), 'while they are on their way');
	$s->seller->heal;
	is ended($id)->{state}, 'done', 'they come';
	my $row = pages($two);
	is_deeply [grep { $_->{textsPeriodEnd} ne $tonight || $_->{totalQueries} != $new->{ $_->{nmId} }{totalQueries} } values %$row], [], 'and take the place of the old';
};

subtest 'from the command line' => sub {
	my $ran = $s->lockstep('analytics', 'sync', $one->{name});
	is $ran->{exit}, 0, 'a run' or diag $ran->{err};
	my @type = map { JSON::PP::decode_json($_)->{type} } grep { /^\{/ } split /\n/, $ran->{out};
	is_deeply [@type[0, 1, -1]], [qw(start info complete)], '... shown to its end';
	is $s->lockstep('analytics', 'sync', "id:$one->{id}")->{exit}, 0, 'by number';
	is $s->lockstep('analytics', 'sync', 'nobody')->{exit}, 4, 'no such seller';
	is $s->lockstep('analytics')->{exit}, 2, 'usage';
	my $list = $s->lockstep('jobs', '-s', $one->{name});
	is scalar(grep { JSON::PP::decode_json($_)->{seller}{name} eq $one->{name} } split /\n/, $list->{out}), 4, 'jobs of a seller';
	my ($id) = map { JSON::PP::decode_json($_)->{id} } split /\n/, $s->lockstep('jobs', '-n', 1)->{out};
	is JSON::PP::decode_json($s->lockstep('job', 'show', $id)->{out})->{kind}, 'analytics.sync', 'one of them';
};

subtest 'trouble is told once, not each night' => sub {
	my $events = sub { return [map { $_->{topic} } @{ $s->sql(q(SELECT topic FROM event WHERE account_id = ? AND topic ~ 'trouble|recovered' ORDER BY seq), $one->{id}) }] };
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => '502');
	is run_of($one)->{state}, 'failed', 'a bad night' for 1 .. 3;
	is_deeply $events->(), ['analytics.trouble'], 'one event of three bad nights';
	is scalar($s->log(qr/"analytics: in trouble" seller=\Q$one->{name}\E /, 1)), 1, '... and one line';
	is op(GET => "sellers/$one->{id}")->{json}{trouble}{code}, 'all_failed', 'the seller shows it';
	$s->seller->heal;
	is run_of($one)->{state}, 'done', 'a good night';
	is_deeply $events->(), ['analytics.trouble', 'analytics.recovered'], '... is told as well';
	is op(GET => "sellers/$one->{id}")->{json}{trouble}, undef, 'and nothing is shown any more';
};

subtest 'by the clock: an hour of the day where the seller is' => sub {
	# Not within hours of now, there or in Moscow: nothing strikes by itself.
	my $hour = ((gmtime)[2] + 22) % 24;
	my ($name, $token) = shop(products => 3, jam => 'standard');
	my $id = op(POST => 'sellers', json => { name => $name, token => $token, timeZone => 'Asia/Vladivostok' })->{json}{id};
	$s->conf_edit(sub { s/^schedule =.*$/schedule = 0 $hour * * */m });
	hup();
	my $row = wait_until { my $r = $s->sql(q(SELECT time_zone, missed, to_char(next_at AT TIME ZONE time_zone, 'HH24:MI') AS at FROM schedule
	    WHERE account_id = ? AND next_at > 'epoch'), $id); @$r ? $r->[0] : 0 } 40, 'a schedule';
	is_deeply $row, { time_zone => 'Asia/Vladivostok', missed => 'once', at => sprintf '%02d:00', $hour }, 'at that of its own, missed ones once';
	is $s->sql_value(q(SELECT count(*) FROM schedule WHERE account_id = ? AND kind <> 'analytics.sync'), $id), 0, 'nothing else is planned for a seller';
	$s->account('plain', programs => 3);
	$s->get('/api/jobs', as => 'plain');
	$s->sql(q(UPDATE schedule SET next_at = clock_timestamp() - interval '9 hours' WHERE account_id = ?), $one->{id});
	my $before = $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $one->{id});
	wait_until { $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $one->{id}) > $before } 20, 'the missed run';
	is $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $one->{id}), $before + 1, 'one that was missed runs once';
	is_deeply JSON::PP::decode_json($s->sql_value('SELECT request FROM job WHERE account_id = ? ORDER BY created_at DESC LIMIT 1', $one->{id})), { all => JSON::PP::true }, '... for all products';
	# Bad nights, one after the other, by the clock alone; before the first the host was off for five.
	my $bad = seller_of(products => 4, jam => 'standard');
	my $told = sub { return [map { $_->{topic} } @{ $s->sql(q(SELECT topic FROM event WHERE account_id = ? AND topic ~ 'trouble|recovered' ORDER BY seq), $bad->{id}) }] };
	my $lines = sub { my ($what) = @_; return scalar $s->log(qr/"analytics: $what" seller=\Q$bad->{name}\E(?: |$)/, 1) };
	my $night = sub {
		my ($days) = @_;
		wait_until { $s->sql_value(q(SELECT count(*) FROM schedule WHERE account_id = ? AND next_at > clock_timestamp()), $bad->{id}) } 40, 'a night to come';
		my $n = $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $bad->{id});
		$s->sql(q(UPDATE schedule SET next_at = next_at - ? * interval '1 day' WHERE account_id = ?), $days, $bad->{id});
		my $job = wait_until { my $j = $s->sql(q(SELECT state FROM job WHERE account_id = ? AND finished_at IS NOT NULL ORDER BY created_at OFFSET ?), $bad->{id}, $n); @$j ? $j->[-1] : 0 } 40,
		    'a run by the clock';
		return "$job->{state} " . ($s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $bad->{id}) - $n);
	};
	for my $kind (qw(502 404 502)) {
		$s->seller->fault(seller => $bad->{name}, method => 'funnel', kind => $kind);
		is $night->($kind eq '502' && !@{ $told->() } ? 5 : 1), 'failed 1', "a bad night ($kind): one run";
		$s->seller->heal;
	}
	is_deeply $told->(), ['analytics.trouble'], 'one event of three bad nights';
	is $lines->('in trouble'), 1, '... and one line';
	is $night->(1), 'done 1', 'a good night';
	is $night->(1), 'done 1', 'and another one';
	is_deeply $told->(), ['analytics.trouble', 'analytics.recovered'], 'is told once as well';
	is $lines->('out of trouble'), 1, '... by one line';
	$s->seller->fault(seller => $bad->{name}, method => 'funnel', kind => '502');
	is $night->(1), 'failed 1', 'a bad night again';
	$s->seller->heal;
	is_deeply $told->(), ['analytics.trouble', 'analytics.recovered', 'analytics.trouble'], '... is new';
	is $s->sql_value(q(SELECT count(*) FROM schedule s JOIN account a ON a.id = s.account_id WHERE a.api = 'partner' AND s.kind = 'analytics.sync')), 0, 'no partner has one';
};

$s->stop;
done_testing;
