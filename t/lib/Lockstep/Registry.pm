package Lockstep::Registry;

# Is the registry what the partner has? Column by column, link by link, and the
# kept counts against a recount. User names are bytes, as everywhere in the tests.

use strict;
use warnings;
use Exporter 'import';
use JSON::PP   ();
use Test::More ();

our @EXPORT = qw(account_id registry registry_is registry_counts_are rows_of truth);

my @column = qw(yelp_business_id partner_business_id program_type program_status
    program_pause_status start_date end_date);

my $json = JSON::PP->new->canonical->allow_nonref;

sub account_id {
	my ($s, $user) = @_;
	my $id = $s->db->prepare('SELECT id FROM account WHERE user_name = ?');
	$id->bind_param(1, $user, { pg_type => DBD::Pg::PG_BYTEA() });
	$id->execute;
	return ($id->fetchrow_array)[0];
}

sub rows_of {
	my ($s, $user) = @_;
	return $s->sql_value('SELECT count(*) FROM program WHERE account_id = ?',
		account_id($s, $user));
}

# A date of the calendar, or nothing: a malformed one must not take the other along.
sub date_or_null {
	my ($text) = @_;
	my ($y, $m, $d) = ($text // '') =~ /\A(\d{4})-(\d\d)-(\d\d)\z/ or return undef;
	return undef if $y < 1 || $m < 1 || $m > 12 || $d < 1;
	my $leap = ($y % 4 == 0 && $y % 100 != 0) || $y % 400 == 0;
	my @days = (31, $leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
	return $d <= $days[$m - 1] ? $text : undef;
}

# An element of payment_programs as the row that the contract, section 8, makes of it.
sub row_of {
	my ($p) = @_;
	my @business = @{ $p->{businesses} // [] };
	my $first    = $business[0] // {};
	my %seen;
	return {
		yelp_business_id    => $first->{yelp_business_id},
		partner_business_id => $first->{partner_business_id},
		(map { $_ => $p->{$_} } qw(program_type program_status program_pause_status)),
		(map { $_ => date_or_null($p->{$_}) } qw(start_date end_date)),
		businesses => [sort grep { !$seen{$_}++ } map { $_->{yelp_business_id} } @business],
	};
}

# program_id => row, as the partner has it now.
sub truth {
	my ($s, $user) = @_;
	return { map { $_->{program_id} => row_of($_) } @{ $s->partner->data($user)->{programs} } };
}

# program_id => row, as the database has it.
sub registry {
	my ($s, $user) = @_;
	my $account = account_id($s, $user) // return {};
	my %row = map { $_->{program_id} => $_ }
	    @{ $s->sql('SELECT program_id, ' . join(', ', @column)
		. ' FROM program WHERE account_id = ?', $account) };
	for my $row (values %row) {
		delete $row->{program_id};
		$row->{businesses} = [];
	}
	push @{ $row{ $_->{program_id} }{businesses} }, $_->{business_id}
	    for @{ $s->sql('SELECT program_id, business_id FROM program_business
		WHERE account_id = ? ORDER BY business_id COLLATE "C"', $account) };
	return \%row;
}

# What differs, a few of it, as lines for people.
sub differences {
	my ($got, $want) = @_;
	my @line;
	for my $id (sort keys %{ { %$got, %$want } }) {
		my ($have, $ought) = map { $_->{$id} ? $json->encode($_->{$id}) : 'nothing' } $got, $want;
		push @line, "$id\n  have $have\n  want $ought" if $have ne $ought;
	}
	return @line;
}

# The registry of that account holds what the partner has; with kept => {id => row},
# also what the partner once had.
sub registry_is {
	my ($s, $user, $name, %how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @line = differences(registry($s, $user), { %{ $how{kept} // {} }, %{ truth($s, $user) } });
	my $good = Test::More::ok(!@line, $name);
	Test::More::diag(scalar(@line) . ' programs differ') if @line;
	Test::More::diag($_) for grep { defined } @line[0 .. 2];
	return registry_counts_are($s, $user) && $good;
}

# The kept counts are what a recount gives.
sub registry_counts_are {
	my ($s, $user, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $wrong = $s->sql(q{
		SELECT business_id, kept, counted
		  FROM (SELECT business_id, program_count AS kept FROM business_count
		         WHERE account_id = $1 AND program_count <> 0) AS k
		  FULL JOIN (SELECT business_id, count(*) AS counted FROM program_business
		         WHERE account_id = $1 GROUP BY business_id) AS c USING (business_id)
		 WHERE kept IS DISTINCT FROM counted}, account_id($s, $user));
	my $good = Test::More::ok(!@$wrong, $name // '... and the kept counts are a recount');
	Test::More::diag($json->encode($_)) for grep { defined } @$wrong[0 .. 2];
	return $good;
}

1;
