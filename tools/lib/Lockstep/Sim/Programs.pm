package Lockstep::Sim::Programs;

# Invents programs: seeded, so that the same seed, user and size give the same
# bytes on every machine and on every day.  Dates are therefore fixed and lie far
# from today, lest a program change its status while nobody looks.

use strict;
use warnings;
use feature 'signatures';

use Digest::MD5 qw(md5 md5_base64);
use Exporter 'import';
use List::Util qw(max min shuffle);
use Mojo::JSON qw(encode_json false true);

our @EXPORT_OK = qw(programs_make program_make program_text id_make seed_with);

use constant NO_END => '9999-12-31';

my @UPGRADES = qw(LOGO BP EP RCA CTA SLIDESHOW BH VL PORTFOLIO);
my @FEATURES = qw(
    LINK_TRACKING NEGATIVE_KEYWORD_TARGETING STRICT_CATEGORY_TARGETING
    AD_SCHEDULING CUSTOM_LOCATION_TARGETING AD_GOAL CALL_TRACKING
    SERVICE_OFFERINGS_TARGETING BUSINESS_HIGHLIGHTS CUSTOM_AD_TEXT
);
my @CATEGORIES = qw(plumbing hvac electricians roofing movers locksmiths);

# One rand() sequence for each purpose: making one account leaves the data of
# the next one alone.
sub seed_with (@words) {
    srand unpack 'N', md5(join "\0", @words);
    return;
}

# 128 bits in base64 are the partner's 22 characters.
sub id_make (@words) {
    return md5_base64(join "\0", @words) =~ tr{+/}{-_}r;
}

# JSON has numbers that Perl cannot hold as written (1000000.0).  A string
# "#raw#1000000.0" goes out as that number.
sub program_text ($program) {
    return encode_json($program) =~ s/"#raw#([-+.0-9eE]+)"/$1/gr;
}

# All programs of a new account, in the partner's order, as
# { element, categories, campaign }; dies with a reason if the sizes don't fit.
sub programs_make ($seed, $user, $spec) {
    seed_with($seed, $user);

    my $n      = $spec->{programs};
    my @ids    = business_ids($seed, $user, $spec->{businesses});
    my @owners = owners($n, $spec);
    my @status = statuses($n, $spec->{current});
    my @made;

    for my $i (0 .. $n - 1) {
        my $made = program_make($status[$i], $ids[$owners[$i]]);
        $made->{element}{program_id} = program_id($seed, $user, $i);
        push @made, $made;
    }
    # Ids are unique for each kind of object only, and a client must not mind.
    $made[-1]{element}{program_id} = $ids[0] if $n > 30;

    if ($spec->{variants}) { vary($made[$_]{element}, $_, \@ids) for 0 .. $n - 1 }
    return (\@made, \@ids);
}

# A leading '-' is legal, and every account with a few programs shows it.
sub program_id ($seed, $user, $i) {
    my $id = id_make($seed, $user, 'program', $i);
    return $i % 50 == 3 ? '-' . substr $id, 1 : $id;
}

sub business_ids ($seed, $user, $n) {
    return map { id_make($seed, $user, 'business', $_) } 0 .. $n - 1;
}

# Which business each program belongs to: everyone has one at least, a few have
# many, and none but the first has as many as the biggest.
sub owners ($n, $spec) {
    my $m = $spec->{businesses};
    return () if $n == 0;
    die "programs need a business\n"         if $m < 1;
    die "more businesses than programs\n"    if $m > $n;
    my $biggest = $spec->{biggest} // usual_biggest($n, $m);
    my $cap     = $m > 2 ? $biggest - 1 : $biggest;
    die "biggest does not fit\n"
        if $biggest + $m - 1 > $n || $biggest + $cap * ($m - 1) < $n;

    my @count = ($biggest, (1) x ($m - 1));
    for (1 .. $n - $biggest - ($m - 1)) {
        my $k = 1 + int(($m - 1) * rand() ** 2);
        $k = $k % ($m - 1) + 1 while $count[$k] >= $cap;
        $count[$k]++;
    }
    return shuffle(map { ($_) x $count[$_] } 0 .. $m - 1);
}

sub usual_biggest ($n, $m) {
    return $n if $m == 1;
    return min($n - $m + 1, max(int($n / $m) + 2, int($n / 7)));
}

sub statuses ($n, $current) {
    $current //= int($n * 0.16 + 0.999);
    die "more current programs than programs\n" if $current > $n;
    my @rest = map { status_by_share($_ % 100) } 1 .. $n - $current;
    return shuffle(('CURRENT') x $current, @rest);
}

sub status_by_share ($percent) {
    return 'PAUSED'   if $percent < 3;
    return 'FUTURE'   if $percent < 5;
    return 'INACTIVE' if $percent < 9;
    return 'PAST';
}

# One program that the list filter files under $status today.
sub program_make ($status, $business_id) {
    my $type    = rand() < 0.7 ? 'CPC' : $UPGRADES[rand @UPGRADES];
    my $element = {
        program_type          => $type,
        program_pause_status  => $status eq 'PAUSED' ? 'PAUSED' : 'NOT_PAUSED',
        businesses            => [business($business_id)],
        future_budget_changes => [],
        lifetime($status),
    };
    $type eq 'CPC' ? add_metrics($element, $status) : add_upgrade($element);
    add_features($element);
    return {
        element    => $element,
        categories => [$CATEGORIES[rand @CATEGORIES]],
        campaign   => $type eq 'CPC' ? id_make('campaign', rand) : undef,
    };
}

sub business ($id) {
    my $own = rand() < 0.3 ? 'partner-' . int rand 100_000 : undef;
    return { yelp_business_id => $id, partner_business_id => $own };
}

sub day ($first_year, $last_year) {
    return sprintf '%d-%02d-%02d', $first_year + int rand($last_year - $first_year + 1),
        1 + int rand 12, 1 + int rand 28;
}

sub lifetime ($status) {
    my ($start, $end) = (day(2019, 2023), NO_END);
    my $active = $status eq 'INACTIVE' ? 0 : 1;

    if ($status eq 'PAST') { ($end, $active) = (day(2024, 2025), rand() < 0.1) }
    if ($status eq 'FUTURE') { ($start, $active) = (day(2060, 2069), rand() < 0.5) }
    if ($status eq 'CURRENT' && rand() < 0.15) { $end = day(2070, 2079) }
    return (
        start_date     => $start,
        end_date       => $end,
        program_status => $active ? 'ACTIVE' : 'INACTIVE',
    );
}

# Some inactive programs have lost their metrics (section 2).
sub add_metrics ($element, $status) {
    if ($element->{program_status} eq 'INACTIVE' && rand() < 0.2) {
        $element->{program_metrics} = undef if rand() < 0.5;
        return;
    }
    my $autobid = rand() < 0.8;
    my $budget  = 2500 + int rand 200_000;
    my $clicks  = int rand 500;
    $element->{program_metrics} = {
        budget             => $budget,
        currency           => 'USD',
        is_autobid         => $autobid ? true : false,
        max_bid            => $autobid ? undef : 50 + int rand 3000,
        billed_impressions => $clicks * (20 + int rand 90),
        billed_clicks      => $clicks,
        ad_cost            => $clicks * (50 + int rand 400),
        fee_period         => rand() < 0.8 ? 'Calendar Month' : 'Rolling Month',
    };
    return unless $status eq 'CURRENT' && rand() < 0.1;
    $element->{future_budget_changes} = [
        { old_budget => $budget, new_budget => $budget + 5000, start_date => day(2060, 2069) }
    ];
    return;
}

# Dollars, beside metrics in cents.
sub add_upgrade ($element) {
    $element->{page_upgrade_info}
        = { monthly_rate => 30, cost => int(rand 3000) / 100 };
    return;
}

sub add_features ($element) {
    my @can = (shuffle(@FEATURES))[0 .. rand 4];
    $element->{available_features} = [sort @can];
    $element->{active_features}    = [$can[0]];
    return;
}

# Field variants, one for each entry, dealt out in turn (section 10).
my @VARIANTS = (
    sub ($p, $) { delete $p->{program_metrics} },
    sub ($p, $) { cpc($p, undef) },
    sub ($p, $) { cpc($p, { budget => 31999 }) },
    sub ($p, $) { cpc($p, metrics(is_autobid => true, max_bid => undef)) },
    sub ($p, $) { cpc($p, metrics(map { $_ => undef } keys %{ metrics() })) },
    sub ($p, $) { $p->{businesses} = [] },
    sub ($p, $ids) { $p->{businesses} = [map { business($ids->[$_ % @$ids]) } 0 .. 2] },
    sub ($p, $) { $p->{end_date} = NO_END },
    sub ($p, $) { $p->{start_date} = undef },
    sub ($p, $) { $p->{end_date} = undef },
    sub ($p, $) { @$p{qw(start_date end_date)} = (undef, undef) },
    sub ($p, $) { @$p{qw(start_date end_date)} = ('2025-13-45', '2025-06-30') },
    sub ($p, $) { @$p{qw(start_date end_date)} = ('2024-02-01', 'soon') },
    sub ($p, $) { $p->{program_type} = 'HOLOGRAM' },
    sub ($p, $) { $p->{program_status} = 'TERMINATED' },
    sub ($p, $) { @$p{qw(brand_new_field nested_extra)} = ("caf\x{e9} \x{2603}", { a => [1, { b => undef }] }) },
    sub ($p, $) { upgrade_only($p, { monthly_rate => 30, cost => 8.24 }) },
    sub ($p, $) { cpc($p, metrics(budget => 0)) },
    sub ($p, $) { cpc($p, metrics(billed_impressions => 2_147_483_648)) },
    sub ($p, $) { cpc($p, metrics(budget => '#raw#1000000.0', ad_cost => '#raw#20450.0')) },
    sub ($p, $) { delete $p->{program_pause_status} },
    sub ($p, $) { delete @$p{qw(active_features available_features)} },
    sub ($p, $) { cpc($p, metrics(is_autobid => false, max_bid => 250, fee_period => 'Not Billed')) },
    sub ($p, $) { return },
);

sub vary ($element, $i, $ids) {
    $VARIANTS[$i % @VARIANTS]->($element, $ids);
    return;
}

sub metrics (%other) {
    return {
        budget        => 31999, currency => 'USD', is_autobid => true, max_bid => undef,
        billed_clicks => 37, billed_impressions => 4120, ad_cost => 20450,
        fee_period    => 'Calendar Month', %other,
    };
}

sub cpc ($p, $metrics) {
    delete $p->{page_upgrade_info};
    @$p{qw(program_type program_metrics)} = ('CPC', $metrics);
    return;
}

sub upgrade_only ($p, $info) {
    delete $p->{program_metrics};
    @$p{qw(program_type page_upgrade_info)} = ('LOGO', $info);
    return;
}

1;
