package Lockstep::Registry;

# Is the registry what the partner has? Column by column, link by link, and the
# kept counts against a recount. User names are bytes, as everywhere in the tests.

use strict;
use warnings;
use Exporter 'import';
use JSON::PP   ();
use Test::More ();

our @EXPORT = qw(account_id registry registry_is registry_counts_are retired rows_of truth);
our @EXPORT_OK = qw(COLUMNS counts_wrong row_of row_stored);

my @text   = qw(program_type program_status program_pause_status ad_campaign_id);
my @metric = qw(budget max_bid billed_impressions billed_clicks ad_cost);
my @list   = qw(active_features available_features businesses future_budget_changes
    ad_categories);
my @column = (qw(yelp_business_id partner_business_id start_date end_date currency
    is_autobid fee_period page_upgrade_monthly_rate page_upgrade_cost), @text, @metric);

# All that a sync writes of a program.
sub COLUMNS { return (@column, @list) }

my $json = JSON::PP->new->canonical->allow_nonref;

sub account_id {
	my ($s, $user) = @_;
	my $id = $s->db->prepare('SELECT id FROM account WHERE user_name = ?');
	$id->bind_param(1, $user, { pg_type => DBD::Pg::PG_BYTEA() });
	$id->execute;
	return ($id->fetchrow_array)[0];
}

# Programs that the registry holds: retired ones are in no count.
sub rows_of {
	my ($s, $user) = @_;
	return $s->sql_value('SELECT count(*) FROM program WHERE account_id = ?
		AND retired_at IS NULL', account_id($s, $user));
}

# The ids of those that are retired: softly, the rows stay.
sub retired {
	my ($s, $user) = @_;
	return [map { $_->{program_id} } @{ $s->sql('SELECT program_id FROM program
		WHERE account_id = ? AND retired_at IS NOT NULL ORDER BY program_id COLLATE "C"',
		account_id($s, $user)) }];
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

# 1000000.0 is 1000000.
sub whole { my ($n) = @_; return defined $n ? int $n : undef }

# Dollars by their digits: "8.24" is 824 cents, whatever a float makes of it.
sub cents {
	my ($dollars) = @_;
	my ($whole, $rest) = ($dollars // return undef) =~ /\A(\d+)(?:\.(\d{1,2}))?\z/ or die "$dollars dollars";
	return whole($whole * 100 + substr(($rest // '') . '00', 0, 2));
}

sub truth_value { my ($v) = @_; return defined $v ? ($v ? 1 : 0) : undef }

# An element of payment_programs as the row that the contract, section 8, makes of it.
sub row_of {
	my ($p) = @_;
	$p = { %$p, map { $_ => $p->{$_} // {} } qw(program_metrics page_upgrade_info) };
	my @business = @{ $p->{businesses} // [] };
	my $first    = $business[0] // {};
	my %seen;
	return {
		yelp_business_id    => $first->{yelp_business_id},
		partner_business_id => $first->{partner_business_id},
		(map { $_ => $p->{$_} } @text),
		(map { $_ => date_or_null($p->{$_}) } qw(start_date end_date)),
		(map { $_ => whole($p->{program_metrics}{$_}) } @metric),
		(map { $_ => $p->{program_metrics}{$_} } qw(currency fee_period)),
		is_autobid => truth_value($p->{program_metrics}{is_autobid}),
		(map { ("page_upgrade_$_" => cents($p->{page_upgrade_info}{$_})) } qw(monthly_rate cost)),
		(map { ("$_ as sent" => $p->{$_}) } @list),
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
	    @{ $s->sql('SELECT program_id, ' . join(', ', @column, @list)
		. ' FROM program WHERE account_id = ? AND retired_at IS NULL', $account) };
	delete row_stored($_)->{program_id} for values %row;
	push @{ $row{ $_->{program_id} }{businesses} }, $_->{business_id}
	    for @{ $s->sql('SELECT program_id, business_id FROM program_business
		WHERE account_id = ? ORDER BY business_id COLLATE "C"', $account) };
	return \%row;
}

# The columns of the database, changed into what row_of() makes; without the links.
sub row_stored {
	my ($row) = @_;
	for my $name (@list) {
		my $text = delete $row->{$name};
		$row->{"$name as sent"} = defined $text ? JSON::PP::decode_json($text) : undef;
	}
	$row->{is_autobid} = truth_value($row->{is_autobid});
	$row->{businesses} = [];
	return $row;
}

# What differs, a few of it, as lines for people.
sub differences {
	my ($got, $want) = @_;
	my @line;
	for my $id (sort keys %{ { %$got, %$want } }) {
		my ($have, $ought) = map { $_->{$id} } $got, $want;
		my @column = grep { $json->encode($have->{$_}) ne $json->encode($ought->{$_}) }
		    $have && $ought ? sort keys %$ought : ();
		($have, $ought) = map { !$_ ? 'nothing' : $json->encode(@column ? { %$_{@column} } : $_) }
		    $have, $ought;
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

# Kept counts that are not what a recount gives.
sub counts_wrong {
	my ($s, $account) = @_;
	return $s->sql(q{
		SELECT business_id, kept, counted
		  FROM (SELECT business_id, program_count AS kept FROM business_count
		         WHERE account_id = $1 AND program_count <> 0) AS k
		  FULL JOIN (SELECT business_id, count(*) AS counted FROM program_business
		         WHERE account_id = $1 GROUP BY business_id) AS c USING (business_id)
		 WHERE kept IS DISTINCT FROM counted}, $account);
}

# The kept counts are what a recount gives.
sub registry_counts_are {
	my ($s, $user, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $wrong = counts_wrong($s, account_id($s, $user));
	my $good = Test::More::ok(!@$wrong, $name // '... and the kept counts are a recount');
	Test::More::diag($json->encode($_)) for grep { defined } @$wrong[0 .. 2];
	return $good;
}

1;
