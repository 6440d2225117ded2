package Lockstep::Listing;

# What the registry's answers must be, worked out the slow way from what the
# partner holds: rows, filters, sorts and the counts of the filters.

use strict;
use warnings;
use Encode ();
use Exporter 'import';
use JSON::PP ();
use Lockstep::Stack ();
use Lockstep::Sim::Status qw(pacific_today status_of);

our @EXPORT_OK = qw(counts_of flat listed matches shown sorted @COLUMNS);

my $json = JSON::PP->new->canonical->allow_nonref->allow_blessed;

our @COLUMNS = qw(program_id program_type status program_status
    program_pause_status custom_name yelp_business_id partner_business_id
    business_name businesses start_date end_date currency budget is_autobid max_bid
    billed_impressions billed_clicks ad_cost fee_period page_upgrade_monthly_rate
    page_upgrade_cost future_budget_changes active_features available_features
    ad_categories ad_campaign_id created_at updated_at);

my %list    = map { $_ => 1 } qw(businesses future_budget_changes active_features
    available_features ad_categories);
my %number  = map { $_ => 1 } qw(budget max_bid billed_impressions billed_clicks ad_cost
    page_upgrade_monthly_rate page_upgrade_cost is_autobid);
my %folded  = map { $_ => 1 } qw(custom_name business_name);

sub date { my ($text) = @_; return Lockstep::Sim::Status::date_or_undef($text) }

# Dollars to cents.
sub cents { my ($dollars) = @_; return defined $dollars ? sprintf('%.0f', $dollars * 100) + 0 : undef }

# The partner's element as a row; names are those of the businesses by id.
sub flat {
	my ($p, $names, $custom) = @_;
	my ($first, $m, $up) = ($p->{businesses}[0] // {}, $p->{program_metrics} // {},
		$p->{page_upgrade_info} // {});
	return {
		(map { $_ => $p->{$_} } qw(program_id program_type program_status
		    program_pause_status businesses future_budget_changes active_features
		    available_features ad_categories ad_campaign_id)),
		(map { $_ => $m->{$_} } qw(budget currency is_autobid max_bid billed_impressions
		    billed_clicks ad_cost fee_period)),
		(map { $_ => $first->{$_} } qw(yelp_business_id partner_business_id)),
		status        => status_of($p, pacific_today()),
		start_date    => date($p->{start_date}),
		end_date      => date($p->{end_date}),
		custom_name   => $custom,
		business_name => defined $first->{yelp_business_id}
		    ? $names->{ $first->{yelp_business_id} } : undef,
		page_upgrade_monthly_rate => cents($up->{monthly_rate}),
		page_upgrade_cost         => cents($up->{cost}),
	};
}

# A row in one line, for comparing; the times are the registry's own.
sub shown {
	my ($row) = @_;
	my %row = %$row;
	delete @row{qw(created_at updated_at)};
	for my $name (grep { $number{$_} && defined $row{$_} && !ref $row{$_} } keys %row) { $row{$name} += 0 }
	return $json->encode(\%row);
}

sub ids { my ($row) = @_; return map { $_->{yelp_business_id} } @{ $row->{businesses} // [] } }

sub has_words {
	my ($row, $words, $names) = @_;
	my @text = grep { defined } $row->{custom_name}, $row->{program_id}, ids($row),
	    map { $names->{$_} } ids($row);
	return scalar grep { index(lc, lc $words) >= 0 } @text;
}

my %test = (
	business_id    => sub { my ($row, $v) = @_; return scalar grep { $_ eq $v } ids($row) },
	program_status => sub { my ($row, $v) = @_; return $v eq 'ALL' || $row->{status} eq $v },
	program_type   => sub { my ($row, $v) = @_; return ($row->{program_type} // '') eq $v },
	pause          => sub { my ($row, $v) = @_; return pause($row) eq $v },
	q              => \&has_words,
	start_from     => sub { my ($row, $v) = @_; return defined $row->{start_date} && $row->{start_date} ge $v },
	start_to       => sub { my ($row, $v) = @_; return defined $row->{start_date} && $row->{start_date} le $v },
	end_from       => sub { my ($row, $v) = @_; return ($row->{end_date} // '9999-12-31') ge $v },
	end_to         => sub { my ($row, $v) = @_; return ($row->{end_date} // '9999-12-31') le $v },
);

sub pause { my ($row) = @_; return ($row->{program_pause_status} // '') eq 'PAUSED' ? 'PAUSED' : 'NOT_PAUSED' }

sub matches {
	my ($row, $filter, $names) = @_;
	for my $name (keys %$filter) { return 0 if !$test{$name}->($row, $filter->{$name}, $names) }
	return 1;
}

# What a column is sorted by: (is it a number, the value).
sub key {
	my ($row, $column) = @_;
	my $value = $row->{$column};
	return if !defined $value;
	return scalar @$value if $list{$column};
	return $value ? 1 : 0 if $column eq 'is_autobid';
	return $value if $number{$column};
	return Encode::encode_utf8($folded{$column} ? lc $value : $value);
}

# NULLs last both ways, equals by their id.
sub sorted {
	my ($sort, @row) = @_;
	my $back   = $sort =~ s/^-// ? -1 : 1;
	my $number = $number{$sort} || $list{$sort};
	my %key    = map { $_->{program_id} => scalar key($_, $sort) } @row;
	return sort {
		my ($x, $y) = @key{ $a->{program_id}, $b->{program_id} };
		!defined $x <=> !defined $y
		    || (defined $x ? $back * ($number ? $x <=> $y : $x cmp $y) : 0)
		    || $a->{program_id} cmp $b->{program_id};
	} @row;
}

sub listed {
	my ($rows, $filter, $sort, $names) = @_;
	return sorted($sort, grep { matches($_, $filter, $names) } @$rows);
}

# {facet}{value} = how many, if that value were chosen with the other filters.
sub counts_of {
	my ($rows, $filter, $names) = @_;
	my %param = (businesses => 'business_id', statuses => 'program_status',
		types => 'program_type', pause => 'pause');
	my %values = (
		businesses => sub { my %id = map { $_ => 1 } ids($_[0]); return keys %id },
		statuses   => sub { return $_[0]{status} },
		types      => sub { return $_[0]{program_type} // () },
		pause      => sub { return pause($_[0]) },
	);
	my %count;
	for my $facet (keys %param) {
		my %other  = %$filter;
		my $chosen = delete $other{ $param{$facet} };
		$count{$facet} = {};
		for my $row (grep { matches($_, \%other, $names) } @$rows) {
			$count{$facet}{$_}++ for $values{$facet}->($row);
		}
		$count{$facet}{$chosen} //= 0 if defined $chosen && $chosen ne 'ALL';
	}
	return \%count;
}

1;
