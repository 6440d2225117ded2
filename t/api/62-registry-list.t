#!/usr/bin/perl

# GET /api/reseller/programs?source=registry: every filter, sort and page against the
# same worked out the slow way from what the partner holds.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Encode qw(encode_utf8);
use List::Util qw(max min);
use Lockstep::Listing qw(flat listed shown @COLUMNS);
use Test::More;

# Few rows, but five of each odd kind: reading JSON is what takes the time here.
my $n = 110;
my $s = Lockstep::Stack->start(conf => { 'api.workers' => 2, 'live.workers' => 2, 'jobs.workers' => 2 },
	partner => { shop => { programs => $n, businesses => 11, variants => JSON::PP::true },
		other => 40 });
my $path = '/api/reseller/programs';
srand 62;

sub escape { my ($text) = @_; return encode_utf8($text) =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }

sub query { my (%param) = @_; return join '&', map { "$_=" . escape($param{$_}) } sort keys %param }

sub get {
	my ($user, %param) = @_;
	return $s->get("$path?source=registry" . (%param ? '&' . query(%param) : ''), as => $user);
}

sub next_link { my ($answer) = @_; return ($answer->{headers}{link} =~ /<([^>]+)>; rel="next"/)[0] }

sub is_problem {
	my ($answer, $field, $name) = @_;
	is $answer->{status}, 400, "$name: 400" or diag $answer->{body};
	is $answer->{json}{code}, 'bad_field', "$name: its code";
	is $answer->{json}{field}, $field, "$name: names $field";
}

# All pages by their links; dies when they have no end.
sub pages {
	my ($user, %param) = @_;
	my $answer = get($user, %param);
	my @all;
	for (1 .. 400) {
		$answer->{status} == 200 or die "$answer->{status} $answer->{body}";
		push @all, $answer;
		my $next = next_link($answer);
		is defined $next, defined $answer->{json}{next_cursor}, 'link and cursor' if @all == 1;
		return @all if !defined $next;
		$answer = $s->get($next, as => $user);
	}
	die 'no last page';
}

sub rows { return map { @{ $_->{json}{programs} } } @_ }

$s->sync($_) for qw(shop other);
my @elements = @{ $s->partner->data('shop')->{programs} };
my @some     = map { $_->{program_id} } @elements[grep { $_ % 3 == 0 } 0 .. $#elements];
my %custom;
my @words = ('Zebra', 'zebra crossing', 'ÄPFEL & birnen', 'äpfel', 'É', '100% sure', 'a_b', 'a\\b', '日本',
	'Été', "O'Neill; DROP", '=1+1', 'zz');
for my $i (0 .. $#some) {
	my $name = $words[$i % @words] . ($i % 4 ? '' : " $i");
	$custom{ $some[$i] } = $name;
	$s->post("/api/reseller/program/$some[$i]/custom-name", as => 'shop', json => { custom_name => $name })->{status} == 200
	    or die 'custom-name';
}
my %names;
for my $id (sort keys %{ $s->partner->counts('shop') }) {
	$names{$id} = keys(%names) % 3 == 2 ? undef : (qw(Bäckerei bäcker ALPHA beta Zoë Ωmega))[keys(%names) % 6];
	$s->sql('INSERT INTO business (business_id, name, next_try_at) VALUES (?, ?, now() + interval \'1 day\')
		ON CONFLICT (business_id) DO UPDATE SET name = excluded.name, next_try_at = excluded.next_try_at',
		$id, defined $names{$id} ? encode_utf8($names{$id}) : undef);
}
my @truth = map { flat($_, \%names, $custom{ $_->{program_id} }) } @elements;

subtest 'it is answered by api, and the partner hears nothing of it' => sub {
	$s->partner->forget;
	$s->log_mark;
	my $answer = get('shop', limit => 3);
	is $answer->{status}, 200, 'an answer';
	is $s->partner->counters->{all}{calls} // 0, 0, 'no call';
	my ($line) = map { $s->fields($_) } $s->wait_log(qr{"http: request".*path=/api/reseller/programs});
	is $line->{handover}, 'no', 'not handed on';
	like $line->{worker}, qr{^api/}, 'by api';
	is $s->get("$path?limit=3", as => 'shop')->{json}{from_db}, JSON::PP::false, 'without source it is the partner\'s';
	is $s->get("$path?limit=3&source=live", as => 'shop')->{json}{from_db}, JSON::PP::false, 'and so with source=live';
};

subtest 'defect 20: a row is what the partner sent, flat, in cents, with its status' => sub {
	my ($answer) = get('shop', limit => 200);
	my $body = $answer->{json};
	is_deeply [sort keys %$body], [sort qw(programs total_count offset limit program_status sort next_cursor from_db)], 'members';
	is_deeply [@$body{qw(total_count offset limit program_status sort from_db)}],
	    [$n, 0, 200, 'ALL', 'program_id', JSON::PP::true], 'where it stands';
	is_deeply [sort keys %{ $body->{programs}[0] }], [sort @COLUMNS], 'all columns';
	my @got = rows(pages('shop', limit => 200));
	my @want = listed(\@truth, {}, 'program_id', \%names);
	is_deeply [map { shown($_) } @got], [map { shown($_) } @want], 'every value of every row';
	is scalar(grep { !defined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ } map { @$_{qw(created_at updated_at)} } @got), 0, 'times';
	unlike $answer->{body}, qr/"budget":\d+\./, 'no fractions of money';
};

subtest 'defect 25: every column sorts, both ways, page by page' => sub {
	my %times = map { $_->{program_id} => $_ } rows(pages('shop', limit => 200));
	for my $row (@truth) { @$row{qw(created_at updated_at)} = @{ $times{ $row->{program_id} } }{qw(created_at updated_at)} }
	for my $sort (map { ($_, "-$_") } @COLUMNS) {
		my $limit = 20 + int rand 60;
		my @pages = pages('shop', sort => $sort, limit => $limit);
		my @got   = map { $_->{program_id} } rows(@pages);
		if ($sort =~ /^(-?)(created_at|updated_at)$/) {
			my @time = map { $times{$_}{$2} } @got;
			is_deeply \@time, [$1 ? reverse sort @time : sort @time], "$sort: in order";
			is_deeply [sort @got], [sort map { $_->{program_id} } @truth], "$sort: each once";
			next;
		}
		is_deeply \@got, [map { $_->{program_id} } listed(\@truth, {}, $sort, \%names)], "$sort by $limit";
		is scalar(grep { $_->{json}{total_count} != $n } @pages), 0, "$sort: the total is true on every page";
	}
};

# A filter with one to three parameters that some rows meet.
sub any_filter {
	my $row  = $truth[rand @truth];
	my $id   = (grep { defined } map { $_->{yelp_business_id} } @{ $row->{businesses} })[-1];
	my $word = (grep { defined && length } $row->{custom_name}, $row->{program_id}, $id, defined $id ? $names{$id} : undef)[rand 4] // 'e';
	my $at   = int rand max(1, length($word) - 2);
	my %all  = (
		(defined $id ? (business_id => $id) : ()),
		program_status => (qw(ALL CURRENT PAST FUTURE PAUSED INACTIVE))[rand 6],
		program_type => $row->{program_type},
		pause        => (qw(PAUSED NOT_PAUSED))[rand 2],
		q            => rand() < 0.5 ? uc substr($word, $at, 3) : substr($word, $at, 2),
		start_from   => $row->{start_date} // '2020-01-01',
		start_to     => $row->{start_date} // '2022-06-30',
		end_from     => $row->{end_date} // '2024-06-01',
		end_to       => $row->{end_date} // '9999-12-31',
	);
	my @name = keys %all;
	my %some;
	$some{$_} = $all{$_} for map { $name[rand @name] } 1 .. 1 + rand 3;
	return \%some;
}

subtest 'defect 24: filters, sorts and pages together' => sub {
	my ($met, $bad) = (0, 0);
	for (1 .. 90) {
		my $filter = any_filter();
		my $sort   = (rand() < 0.5 ? '-' : '') . $COLUMNS[rand @COLUMNS - 2];
		my $limit  = 4 + int rand 40;
		my @want   = map { $_->{program_id} } listed(\@truth, $filter, $sort, \%names);
		my @pages  = do { local $Test::Builder::Level = 0; pages('shop', %$filter, sort => $sort, limit => $limit) };
		my @got    = map { $_->{program_id} } rows(@pages);
		$met++ if @want;
		next if "@got" eq "@want" && !grep { $_->{json}{total_count} != @want } @pages;
		$bad++;
		diag query(%$filter, sort => $sort, limit => $limit) . ': ' . @got . ' for ' . @want;
	}
	is $bad, 0, 'as worked out';
	cmp_ok $met, '>', 40, 'and mostly not empty';
};

subtest 'words are looked for as they stand' => sub {
	for my $words ('%', '_', '\\', "'", 'äPFEL', 'ZEBRA', '日', 'é', 'BÄCK', 'ω', '100% s', 'x y', '"') {
		my @want = map { $_->{program_id} } listed(\@truth, { q => $words }, 'program_id', \%names);
		my $answer = get('shop', q => $words, limit => 200);
		is_deeply [map { $_->{program_id} } rows($answer)], \@want, encode_utf8("q=$words: " . @want);
	}
	is get('shop', q => 'é' x 100)->{status}, 200, '100 characters are taken';
};

subtest 'offset and cursor lead to the same rows' => sub {
	my @by_cursor = map { $_->{program_id} } rows(pages('shop', sort => '-max_bid', limit => 25));
	my @by_offset = map { $_->{program_id} } rows(map { get('shop', sort => '-max_bid', limit => 25, offset => 25 * $_) } 0 .. 5);
	is_deeply \@by_offset, \@by_cursor, 'the same';
	my $past = get('shop', offset => 1000)->{json};
	is_deeply [scalar @{ $past->{programs} }, $past->{total_count}, $past->{next_cursor}], [0, $n, undef], 'past the end';
	my $first = get('shop', limit => 10, q => 'é');
	like $first->{headers}{link}, qr{^</api/reseller/programs\?source=registry&q=%C3%A9&sort=program_id&limit=10>; rel="first"}, 'the first is linked';
};

subtest 'a place holds while rows before it come and go' => sub {
	my $first = get('shop', sort => 'budget', limit => 20);
	my $rest  = join ' ', map { $_->{program_id} } rows(map { get('shop', sort => 'budget', limit => 200, offset => 20 + 200 * $_) } 0, 1);
	my ($gone) = map { $_->{program_id} } rows($first);
	$s->sql('UPDATE program SET retired_at = now() WHERE program_id = ?', $gone);
	my @rest = rows(do { my $a = $s->get(next_link($first), as => 'shop'); my @p = $a; while (my $n = next_link($p[-1])) { push @p, $s->get($n, as => 'shop') } @p });
	is join(' ', map { $_->{program_id} } @rest), $rest, 'none is left out, none comes twice';
	is get('shop')->{json}{total_count}, $n - 1, 'a retired one is in no count';
	is_deeply [rows(get('shop', q => $gone))], [], 'and cannot be found';
	$s->sql('UPDATE program SET retired_at = NULL WHERE program_id = ?', $gone);
};

subtest 'what is asked for wrongly is named' => sub {
	my @bad = (
		[limit => 0], [limit => 201], [limit => 'x'], [offset => -1], [offset => '1e3'],
		[business_id => 'a b'], [business_id => ''], [business_id => 'x' x 101],
		[program_status => 'current'], [program_status => 'TERMINATED'], [program_type => ''], [program_type => 'x' x 101],
		[pause => 'YES'], [q => ''], [q => 'é' x 101], [q => "a\tb"], [q => "a\x{85}b"],
		[start_from => '2026-02-30'], [start_to => 'today'], [end_from => '2026-1-1'], [end_to => '20260101'],
		[end_from => '0000-01-01'],
		[sort => 'budge'], [sort => '--budget'], [sort => '-'], [sort => ''], [sort => 'budget desc'], [sort => 'account_id'],
		[sort => 'row_hash'], [sort => 'budget;DROP TABLE program'],
		[cursor => ''], [cursor => 'x'], [cursor => 'A' x 44], [cursor => 'x' x 5000],
	);
	is_problem get('shop', @$_), $_->[0], "$_->[0]=" . encode_utf8(substr $_->[1], 0, 20) for @bad;
	is_problem get('shop', start_from => '2026-02-02', start_to => '2026-02-01'), 'start_to', 'a range from its end';
	is_problem get('shop', end_from => '2026-02-02', end_to => '2026-02-01'), 'end_to', 'another';
	for my $raw ('q=%ff', 'q=a%00b', 'q=%ed%a0%80', 'program_type=%c3', 'sort=%80', 'cursor=%e2%82') {
		is_problem $s->get("$path?source=registry&$raw", as => 'shop'), $raw =~ s/=.*//r, $raw;
	}
	is_problem $s->get("$path?source=registry&q=a&q=b", as => 'shop'), 'q', 'a filter given twice';
	is_problem $s->get("$path?source=registry&source=live", as => 'shop'), 'source', 'two sources';
	is_problem $s->get("$path?source=elsewhere", as => 'shop'), 'source', 'an unknown source';
	is $s->post("$path?source=registry", as => 'shop')->{headers}{allow}, 'GET, HEAD', 'what is allowed is said once';
};

subtest 'a cursor is good for its own list alone' => sub {
	my %list   = (sort => '-budget', limit => 10, pause => 'NOT_PAUSED');
	my $cursor = get('shop', %list)->{json}{next_cursor};
	is get('shop', %list, cursor => $cursor)->{status}, 200, 'it leads on';
	is get('shop', %list, cursor => $cursor, limit => 33)->{status}, 200, 'also with another limit';
	is_problem get('shop', %list, cursor => $cursor, sort => 'budget'), 'cursor', 'another direction';
	is_problem get('shop', %list, cursor => $cursor, sort => '-max_bid'), 'cursor', 'an older sort';
	is_problem get('shop', limit => 10, cursor => $cursor), 'cursor', 'no sort';
	is_problem get('shop', %list, cursor => $cursor, pause => 'PAUSED'), 'cursor', 'another filter';
	is_problem get('shop', %list, cursor => $cursor, q => 'a'), 'cursor', 'one filter more';
	is_problem get('other', %list, cursor => $cursor), 'cursor', 'another account';
	is_problem get('shop', %list, cursor => $cursor, offset => 1), 'offset', 'an offset beside it';
	my $forged = 0;
	for my $i (0 .. length($cursor) - 1) {
		my $other = $cursor;
		substr($other, $i, 1) = substr($other, $i, 1) eq 'A' ? 'B' : 'A';
		my $answer = get('shop', %list, cursor => $other);
		$forged++ if $answer->{status} != 400 || $answer->{json}{field} ne 'cursor';
	}
	is $forged, 0, 'a forged one never';
	is_problem get('shop', %list, cursor => "$cursor="), 'cursor', 'padding';
};

subtest 'nobody sees the rows of another' => sub {
	my %own = map { $_->{program_id} => 1 } @{ $s->partner->data('other')->{programs} };
	is_deeply [grep { !$own{ $_->{program_id} } } rows(pages('other', limit => 200))], [], 'only one\'s own';
	is get('other')->{json}{total_count}, 40, 'and their number';
	my $alien = $elements[5]{program_id};
	is get('other', q => $alien)->{json}{total_count}, 0, 'not by an id';
	is get('other', q => 'zebra')->{json}{total_count}, 0, 'not by a name';
	is get('other', business_id => (keys %names)[0])->{json}{total_count}, 0, 'not by a business';
	# Ids are the partner's: another account may have the same ones.
	my ($shop, $other) = map { $s->sql_value('SELECT id FROM account WHERE user_name = ?', $_) } qw(shop other);
	$s->sql('INSERT INTO program_business VALUES (?, ?, ?)', $other, 'same-id', $alien);
	$s->sql('INSERT INTO business_count VALUES (?, ?, 1)', $other, 'same-id');
	$s->sql('INSERT INTO program_business VALUES (?, ?, ?)', $other, (sort keys %names)[0], $alien);
	is get('shop', business_id => 'same-id')->{json}{total_count}, 0, 'not by the links of another';
	is get('shop', q => 'same-id')->{json}{total_count}, 0, 'nor by their words';
	my $first = (sort keys %names)[0];
	is get('shop', q => $first)->{json}{total_count}, scalar(() = listed(\@truth, { q => $first }, 'program_id', \%names)), 'nor both mixed';
	is $s->get("$path?source=registry")->{status}, 401, 'not without a login';
	is get('stranger')->{status}, 401, 'not with a wrong one';
};

$s->stop;
done_testing;
