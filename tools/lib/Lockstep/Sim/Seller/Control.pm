package Lockstep::Sim::Seller::Control;

# The control API under /_sim/ of the simulated seller API; how it is spoken is in
# Lockstep::Sim::Control.

use strict;
use warnings;
use feature 'signatures';

use Mojo::Date;
use Lockstep::Sim::Input qw(input_check);
use Lockstep::Sim::Seller::Clock qw(date_day day_date moscow_day);
use Lockstep::Sim::Seller::Figures qw(statistic);
use Lockstep::Sim::Seller::Limits;
use Lockstep::Sim::Seller::Token qw(token_categories token_types);

my @JAM = qw(none standard advanced);

sub routes {
    return (
        [GET    => '/health',        \&health],
        [GET    => '/sellers',       sub ($sim, $) { { sellers => [map { shown($_) } shops($sim)] } }],
        [POST   => '/sellers',       \&seller_put],
        [POST   => '/sellers/set',   \&seller_set],
        [GET    => '/token',         \&token_get],
        [POST   => '/tokens',        \&token_make],
        [POST   => '/tokens/revoke', \&token_revoke],
        [GET    => '/clock',         sub ($sim, $) { clock_shown($sim) }],
        [POST   => '/clock',         \&clock_set],
        [POST   => '/auth',          \&auth],
        [GET    => '/latency',       sub ($sim, $) { $sim->latency }],
        [POST   => '/latency',       \&latency],
        [POST   => '/limits',        \&limits],
        [POST   => '/penalty',       \&penalty],
        [POST   => '/texts',         \&texts],
        [GET    => '/data',          \&data],
        [POST   => '/figures',       \&figures],
        [POST   => '/edit',          \&edit],
        [GET    => '/faults',        sub ($sim, $) { { faults => [$sim->faults->list] } }],
        [POST   => '/faults',        sub ($sim, $in) { { id => $sim->faults->add($in) } }],
        [DELETE => '/faults',        sub ($sim, $) { $sim->faults->clear; {} }],
        [DELETE => '/faults/:id',    \&fault_remove],
        [GET    => '/counters',      \&counters],
        [DELETE => '/counters',      sub ($sim, $) { $sim->counters->reset; {} }],
        [GET    => '/journal',       \&journal],
        [DELETE => '/journal',       sub ($sim, $) { $sim->journal->clear; {} }],
        [GET    => '/sent',          sub ($sim, $in) { $sim->journal->figures(shop_of($sim, $in)->name) }],
        [POST   => '/reset',         sub ($sim, $) { $sim->fresh; {} }],
    );
}

sub shops ($sim) { return map { $sim->shops->{$_} } sort keys %{ $sim->shops } }

sub shop_of ($sim, $in) {
    my $name = $in->{seller} // die "seller: missing\n";
    return $sim->shops->{$name} // die "seller: no such one\n";
}

sub shown ($shop) {
    return { name => $shop->name, oid => $shop->oid, products => $shop->total, jam => $shop->jam,
        currency => $shop->currency };
}

sub health ($sim, $) {
    return { ok => \1, seed => $sim->seed, sellers => scalar(my @all = shops($sim)),
        %{ clock_shown($sim) } };
}

sub seller_put ($sim, $in) {
    input_check($in, { name => 'text', products => 'count', jam => \@JAM, currency => 'text' });
    die "name: missing\n" unless length($in->{name} // '');
    my $shop = $sim->shop_put(%$in);
    return { %{ shown($shop) }, token => $sim->token($shop) };
}

sub seller_set ($sim, $in) {
    input_check($in, { seller => 'text', jam => \@JAM, currency => 'text', sales_page => 'count',
        jam_refusal => [400, 403] });
    my $shop = shop_of($sim, $in);
    $shop->change(map { $_ => $in->{$_} } grep { $_ ne 'seller' } keys %$in);
    return shown($shop);
}

sub token_get ($sim, $in) { return { token => $sim->token(shop_of($sim, $in)) } }

sub token_make ($sim, $in) {
    input_check($in, { seller => 'text', type => token_types(), categories => 'list', days => 'int',
        opaque => 'bool' });
    for my $category (@{ $in->{categories} // [] }) {
        die "categories: of " . join(', ', @{ token_categories() }) . "\n"
            unless grep { $_ eq $category } @{ token_categories() };
    }
    my $token = $sim->token(shop_of($sim, $in), %$in, n => $sim->next_token);
    return { token => $in->{opaque} ? $sim->opaque($token) : $token };
}

sub token_revoke ($sim, $in) {
    input_check($in, { token => 'text', as => [401, 403] });
    $sim->revoke($in->{token} // die("token: missing\n"), $in->{as} // 403);
    return {};
}

sub clock_shown ($sim) {
    my $now = $sim->clock->now;
    return { now => $now, factor => $sim->clock->factor + 0, date => Mojo::Date->new($now)->to_datetime,
        today => day_date(moscow_day($now)) };
}

# Going back empties what was remembered of the time that is now to come.
sub clock_set ($sim, $in) {
    input_check($in, { factor => 'ms', at => 'text', advance => 'ms' });
    my $clock = $sim->clock;
    my $now   = $clock->now;
    my $at    = $now;
    if (defined $in->{at}) {
        $at = $in->{at} =~ /\A\d+(?:\.\d+)?\z/a ? $in->{at} : Mojo::Date->new($in->{at})->epoch
            // die "at: seconds since 1970 or RFC 3339\n";
    }
    $at += $in->{advance} // 0;
    if ($at < $now) { $sim->limits->forget; $sim->counters->reset }
    $clock->set($at, $in->{factor} // $clock->factor);
    return clock_shown($sim);
}

sub auth ($sim, $in) {
    input_check($in, { header => [qw(raw bearer both)] });
    $sim->header($in->{header} // die "header: missing\n");
    return {};
}

sub latency ($sim, $in) {
    input_check($in, { base_ms => 'ms', jitter_ms => 'ms' });
    $sim->latency({ %{ $sim->latency }, %$in });
    return $sim->latency;
}

sub limits ($sim, $in) {
    input_check($in, { seller => 'text', method => Lockstep::Sim::Seller::Limits::methods(),
        interval => 'ms', burst => 'count' });
    my $method = $in->{method} // die "method: missing\n";
    my $wait   = $in->{interval} // die "interval: missing\n";
    $sim->limits->set(shop_of($sim, $in)->name, $method, $wait, $in->{burst} || 1);
    return {};
}

sub penalty ($sim, $in) {
    input_check($in, { after => 'count', seconds => 'count', cost_4xx => 'count' });
    $sim->limits->penalty($in->{after} || undef, $in->{seconds} // 1800);
    $sim->limits->cost_4xx($in->{cost_4xx} || 1);
    return {};
}

sub texts ($sim, $in) {
    input_check($in, { max_days => 'count' });
    $sim->texts_max_days($in->{max_days} || undef);
    return {};
}

sub data ($sim, $in) {
    my $shop = shop_of($sim, $in);
    my @days = map { date_day($in->{$_} // '') // die "$_: a date\n" } qw(start end);
    my $orders = $shop->orders(@days);
    return { currency => $shop->currency, products => [map {
        { product => $shop->shown($_), selected => statistic($_, @days, $orders) } } $shop->products] };
}

# Figures as a test wants them, whatever the period; "set":{} takes them back.
sub figures ($sim, $in) {
    input_check($in, { seller => 'text', nmId => 'count', set => 'object' });
    my $p = shop_of($sim, $in)->find($in->{nmId} // die("nmId: missing\n")) // die "nmId: no such one\n";
    $p->{set} = $in->{set} // die "set: missing\n";
    return {};
}

sub edit ($sim, $in) {
    input_check($in, { seller => 'text', op => [qw(add remove restate delete)], n => 'count', ids => 'list' });
    my ($shop, $op) = (shop_of($sim, $in), $in->{op} // die "op: missing\n");
    my $n = $in->{n} // 1;
    if ($op eq 'restate') { return { nmIds => [$shop->restate($n, $in->{ids})] } }
    if    ($op eq 'add')    { $shop->add($n) }
    elsif ($op eq 'remove') { $shop->remove($n, $in->{ids}) }
    else { $_->{deleted} = 1 for grep { defined } map { $shop->find($_) } @{ $in->{ids} // die "ids: missing\n" } }
    return shown($shop);
}

sub fault_remove ($sim, $in) {
    die "id: no such rule\n" unless $in->{id} =~ /\A\d+\z/a && $sim->faults->remove($in->{id});
    return {};
}

sub counters ($sim, $in) {
    return $sim->counters->report unless defined $in->{seller};
    return $sim->counters->of_seller($in->{seller});
}

sub journal ($sim, $in) {
    input_check($in, { seller => 'text', method => Lockstep::Sim::Seller::Limits::methods(),
        from => 'count', bodies => 'bool' });
    return { calls => [$sim->journal->calls(%$in)] };
}

1;
