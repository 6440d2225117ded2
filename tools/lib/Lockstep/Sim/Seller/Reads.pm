package Lockstep::Sim::Seller::Reads;

# The reads of the seller API: what a call asks for, whether it may (contract
# section 2), and the answer.

use strict;
use warnings;
use feature 'signatures';

use B ();
use Mojo::JSON qw(decode_json);
use Lockstep::Sim::Seller::Clock qw(DAY_SECONDS date_day day_date moscow_day);
use Lockstep::Sim::Seller::Errors qw(json_reply);
use Lockstep::Sim::Seller::Faults;
use Lockstep::Sim::Seller::Figures qw(comparison day_figures percent statistic);
use Lockstep::Sim::Seller::Sales qw(sales_rows);
use Lockstep::Sim::Seller::Texts qw(product_texts);

use constant { MOSCOW => 3 * 3600, SALES_PAGE => 80_000, OLDEST_DAYS => 365 };

my %ROUTE = (
    'POST /api/analytics/v3/sales-funnel/products'         => ['funnel',  'analytics'],
    'POST /api/analytics/v3/sales-funnel/products/history' => ['history', 'analytics'],
    'POST /api/v2/search-report/product/search-texts'      => ['texts',   'analytics'],
    'GET /api/v1/supplier/sales'                           => ['sales',   'statistics'],
    'GET /ping'                                            => ['ping',    undef],
);

# { path, category, authorization, body, query }; path "retired" and "other" are 404.
sub call_parse ($req) {
    my $path  = $req->url->path->to_string;
    my $route = $ROUTE{ $req->method . " $path" };
    return {
        path     => $route ? $route->[0] : $path =~ m{\A/api/v2/nm-report/detail} ? 'retired' : 'other',
        category => $route && $route->[1], route => $req->method . " $path",
        authorization => $req->headers->authorization,
        body => $req->body, query => $req->query_params->to_hash,
    };
}

# What is asked for, checked; dies with the "detail" of a 400.  %how: today (a day),
# texts_max_days.
my %CHECK = (funnel => \&_funnel_in, history => \&_history_in, texts => \&_texts_in,
    sales => \&_sales_in, ping => sub (@) { {} });

sub check ($call, $shop, %how) { return $CHECK{ $call->{path} }->($call, $shop, %how) }

my %ANSWER = (funnel => \&_funnel, history => \&_history, texts => \&_texts, sales => \&_sales,
    ping => sub ($in, $shop, $twist, $now) { json_reply(200, { TS => day_date(moscow_day($now)), Status => 'OK' }) });

sub reply ($call, $shop, $twist, $now) {
    return $ANSWER{ $call->{path} }->($call->{in}, $shop, $twist, $now);
}

sub _object ($call) {
    my $in = eval { decode_json($call->{body}) };
    die "invalid request body: not a JSON object\n" unless ref $in eq 'HASH';
    return $in;
}

# JSON tells 5 from "5".
sub _is_number ($v) {
    return 0 if !defined $v || ref $v;
    my $flags = B::svref_2object(\$v)->FLAGS;
    return !($flags & B::SVf_POK) && $flags & (B::SVf_IOK | B::SVf_NOK) ? 1 : 0;
}

sub _is_int ($v) { return _is_number($v) && $v =~ /\A-?\d+\z/a }

sub _int ($in, $name, $default, $min, $max) {
    my $v = $in->{$name} // $default;
    die "$name: required\n" unless defined $v;
    die "$name: integer wanted\n" unless _is_int($v);
    die "$name: must be between $min and $max\n" if $v < $min || $v > $max;
    return $v;
}

sub _bool ($in, $name, $default) {
    my $v = $in->{$name} // return $default;
    die "$name: boolean wanted\n" unless ref $v eq 'JSON::PP::Boolean';
    return $v ? 1 : 0;
}

sub _period ($in, $name, $today, $max_days = OLDEST_DAYS + 1) {
    my $p = $in->{$name};
    die "$name: required\n" unless defined $p;
    die "$name: object wanted\n" unless ref $p eq 'HASH';
    my ($from, $to) = map {
        die "$name.$_: required\n" unless defined $p->{$_};
        (ref $p->{$_} ? undef : date_day($p->{$_})) // die "$name.$_: a date YYYY-MM-DD is wanted\n";
    } qw(start end);
    die "$name: start is after end\n" if $from > $to;
    die "$name: end is in the future\n" if $to > $today;
    die "$name: start is more than @{[OLDEST_DAYS]} days ago\n" if $from < $today - OLDEST_DAYS;
    die "$name: at most $max_days days\n" if $to - $from + 1 > $max_days;
    return [$from, $to];
}

sub _nm_ids ($in, $min, $max) {
    my $ids = $in->{nmIds};
    die "nmIds: required\n" if !defined $ids && $min;
    $ids //= [];
    die "nmIds: array wanted\n" unless ref $ids eq 'ARRAY';
    die "nmIds: at least $min wanted\n" if @$ids < $min;
    die "nmIds: at most $max allowed, " . @$ids . " given\n" if @$ids > $max;
    for (@$ids) { die "nmIds: positive integers wanted\n" unless _is_int($_) && $_ > 0 }
    return $ids;
}

sub _list ($in, $name, $test) {
    my $list = $in->{$name} // [];
    die "$name: array wanted\n" unless ref $list eq 'ARRAY';
    for (@$list) { die "$name: wrong kind of value\n" unless $test->($_) }
    return @$list ? { map { $_ => 1 } @$list } : undef;
}

# [field, 1 or -1]
sub _order ($in, $known, $default) {
    my $order = $in->{orderBy} // $default // die "orderBy: required\n";
    die "orderBy: object wanted\n" unless ref $order eq 'HASH';
    for (qw(field mode)) { die "orderBy.$_: required\n" unless defined $order->{$_} && !ref $order->{$_} }
    die "orderBy.field: unknown\n" unless grep { $_ eq $order->{field} } @$known;
    die "orderBy.mode: asc or desc wanted\n" unless $order->{mode} =~ /\A(?:asc|desc)\z/;
    return [$order->{field}, $order->{mode} eq 'desc' ? -1 : 1];
}

# The name of an order and the figure that it goes by.
my %FUNNEL_FIELD = (
    (map { $_ => $_ } qw(orderSum buyoutSum cancelSum avgPrice addToWishlist shareOrderPercent
        localizationPercent)),
    openCard => 'openCount', addToCart => 'cartCount', orderCount => 'orderCount',
    buyoutCount => 'buyoutCount', cancelCount => 'cancelCount',
    avgOrders => 'avgOrdersCountPerDay',
);

sub _funnel_in ($call, $shop, %how) {
    my $in = _object($call);
    return {
        period => _period($in, 'selectedPeriod', $how{today}),
        past   => defined $in->{pastPeriod} ? _period($in, 'pastPeriod', $how{today}) : undef,
        ids    => _nm_ids($in, 0, 1000),
        brands => _list($in, 'brandNames', sub ($v) { !ref $v && !_is_number($v) }),
        subjects => _list($in, 'subjectIds', \&_is_int), tags => _list($in, 'tagIds', \&_is_int),
        skip   => _bool($in, 'skipDeletedNm', 0),
        order  => _order($in, [sort keys %FUNNEL_FIELD], { field => 'openCard', mode => 'desc' }),
        limit  => _int($in, 'limit', 50, 1, 1000),
        offset => _int($in, 'offset', 0, 0, 1_000_000_000),
    };
}

sub _asked ($in, $shop) {
    my %seen;
    return @{ $in->{ids} } ? grep { defined && !$seen{ $_->{nmId} }++ } map { $shop->find($_) } @{ $in->{ids} }
        : $shop->products;
}

sub _matches ($in, $p) {
    return 0 if $in->{skip} && $p->{deleted};
    return 0 if $in->{brands} && !$in->{brands}{ $p->{brand} };
    return 0 if $in->{subjects} && !$in->{subjects}{ $p->{subject}[0] };
    return 0 if $in->{tags} && !grep { $in->{tags}{ $_->{id} } } @{ $p->{tags} };
    return 1;
}

sub _funnel ($in, $shop, $twist, $now) {
    return json_reply(200, []) if $twist->{bare_array};
    my ($field, $sign) = ($FUNNEL_FIELD{ $in->{order}[0] }, $in->{order}[1]);
    my $orders = $shop->orders(@{ $in->{period} });
    my @row = map { [$_, statistic($_, @{ $in->{period} }, $orders)] }
        grep { _matches($in, $_) } _asked($in, $shop);
    @row = sort { $sign * (($a->[1]{$field} // 0) <=> ($b->[1]{$field} // 0))
            || $a->[0]{nmId} <=> $b->[0]{nmId} } @row;
    @row = $in->{offset} < @row ? splice @row, $in->{offset}, $in->{limit} : ();

    my @out = map { { product => $shop->shown($_->[0]), statistic => _statistic($in, $shop, @$_) } } @row;
    Lockstep::Sim::Seller::Faults::twist_rows($twist, \@out, sub ($r) { $r->{product}{nmId} },
        sub ($r, $edit) { $edit->($r->{statistic}{selected}) });
    return json_reply(200, { data => { products => \@out, currency => _currency($shop, $twist) } });
}

sub _statistic ($in, $shop, $p, $selected) {
    return { selected => $selected } unless $in->{past};
    my $past = statistic($p, @{ $in->{past} }, $shop->orders(@{ $in->{past} }));
    return { selected => $selected, past => $past, comparison => comparison($selected, $past) };
}

sub _currency ($shop, $twist) {
    return $twist->{currency} ? $twist->{currency}{to} // 'KGS' : $shop->currency;
}

sub _history_in ($call, $shop, %how) {
    my $in     = _object($call);
    my $period = _period($in, 'selectedPeriod', $how{today}, 7);
    die "selectedPeriod: the last week only\n" if $period->[0] < $how{today} - 7;
    my $level = $in->{aggregationLevel} // 'day';
    die "aggregationLevel: day or week wanted\n" unless $level =~ /\A(?:day|week)\z/;
    return { period => $period, ids => _nm_ids($in, 1, 20), level => $level,
        skip => _bool($in, 'skipDeletedNm', 0) };
}

# The names of the conversions are not those of the funnel.
sub _history_row ($p, $from, $to) {
    my @sum = (0) x 7;
    for my $day ($from .. $to) {
        my @one = day_figures($p, $day);
        $sum[$_] += $one[$_] for 0 .. 6;
    }
    my ($open, $cart, $order, $buyout, undef, undef, $wish) = @sum;
    return {
        date => day_date($from), openCount => $open, cartCount => $cart, orderCount => $order,
        orderSum => $order * $p->{price}, buyoutCount => $buyout, buyoutSum => $buyout * $p->{price},
        buyoutPercent => percent($buyout, $order), addToCartConversion => percent($cart, $open),
        cartToOrderConversion => percent($order, $cart), addToWishlistCount => $wish,
    };
}

sub _history ($in, $shop, $twist, $now) {
    my ($from, $to) = @{ $in->{period} };
    my @span = $in->{level} eq 'day' ? map { [$_, $_] } $from .. $to : [$from, $to];
    my @out = map {
        my $p = $_;
        { product => $shop->shown($p), currency => _currency($shop, $twist),
            history => [map { _history_row($p, @$_) } @span] };
    } grep { _matches($in, $_) } _asked($in, $shop);
    Lockstep::Sim::Seller::Faults::twist_rows($twist, \@out, sub ($r) { $r->{product}{nmId} },
        sub ($r, $edit) { $edit->($_) for @{ $r->{history} } });
    return json_reply(200, $twist->{bare_array} ? [] : \@out);
}

my @TOP  = qw(openCard addToCart openToCart orders cartToOrder);
my @SORT = (@TOP, qw(avgPosition visibility));

sub _texts_in ($call, $shop, %how) {
    my $in   = _object($call);
    my $days = $how{texts_max_days};
    my $out  = {
        period => _period($in, 'currentPeriod', $how{today}, $days // OLDEST_DAYS + 1),
        past   => defined $in->{pastPeriod} ? _period($in, 'pastPeriod', $how{today}) : undef,
        ids    => _nm_ids($in, 1, 50),
        top    => $in->{topOrderBy} // die("topOrderBy: required\n"),
        order  => _order($in, \@SORT, undef),
        limit  => _int($in, 'limit', undef, 1, $shop->jam eq 'advanced' ? 100 : 30),
        sku    => _bool($in, 'includeSubstitutedSKUs', 1),
        texts  => _bool($in, 'includeSearchTexts', 1),
    };
    die "topOrderBy: unknown\n" unless grep { $_ eq $out->{top} } @TOP;
    die "includeSubstitutedSKUs, includeSearchTexts: one of them must be true\n"
        unless $out->{sku} || $out->{texts};
    die "pastPeriod: longer than currentPeriod\n" if $out->{past}
        && $out->{past}[1] - $out->{past}[0] > $out->{period}[1] - $out->{period}[0];
    return $out;
}

sub _texts ($in, $shop, $twist, $now) {
    return json_reply(200, []) if $twist->{bare_array};
    my ($field, $sign) = @{ $in->{order} };
    my @out = map { product_texts($shop, $_, @{ $in->{period} }, %$in) } _asked($in, $shop);
    @out = sort { $sign * ($a->{$field}{current} <=> $b->{$field}{current})
            || $a->{nmId} <=> $b->{nmId} || $a->{text} cmp $b->{text} } @out;
    Lockstep::Sim::Seller::Faults::twist_rows($twist, \@out, sub ($r) { $r->{nmId} },
        sub ($r, $edit) { $edit->($r) });
    return json_reply(200, { data => { items => \@out, currency => _currency($shop, $twist) } });
}

# A date means that day from its first second; a moment the rows after it, so that
# the last row's own is where to go on.
sub _sales_in ($call, $shop, %how) {
    my $text = $call->{query}{dateFrom} // die "dateFrom: required\n";
    die "dateFrom: a date or a time is wanted\n" if ref $text;
    my ($date, $h, $m, $s, $zone) = $text
        =~ /\A(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?\z/a
        or die "dateFrom: a date or a time is wanted\n";
    my $day  = date_day($date) // die "dateFrom: no such day\n";
    my $flag = $call->{query}{flag} // 0;
    die "flag: 0 or 1 wanted\n" unless $flag =~ /\A[01]\z/;
    my $shift = MOSCOW;
    $shift = $zone eq 'Z' ? 0 : _shift($zone) if defined $zone;
    my $at = $day * DAY_SECONDS - $shift;
    $at += defined $h ? $h * 3600 + $m * 60 + ($s // 0) : -1;
    return { ids => [], after => $flag ? 0 : $at, only => $flag ? $day : undef };
}

sub _shift ($zone) {
    my ($sign, $h, $m) = $zone =~ /\A([+-])(\d\d):?(\d\d)\z/;
    return ($sign eq '-' ? -1 : 1) * ($h * 3600 + $m * 60);
}

sub _sales ($in, $shop, $twist, $now) {
    my $rows = sales_rows($shop, $in->{after}, $now, $shop->{sales_page} // SALES_PAGE, $in->{only});
    Lockstep::Sim::Seller::Faults::twist_rows($twist, $rows, sub ($r) { $r->{nmId} },
        sub ($r, $edit) { $edit->($r) });
    return json_reply(200, $rows);
}

1;
