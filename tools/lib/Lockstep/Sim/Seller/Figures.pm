package Lockstep::Sim::Seller::Figures;

# What happened to a product: a few numbers for each day, made from its id and the
# day alone, so that any period can be asked for again and gives the same.

use strict;
use warnings;
use feature 'signatures';

use Exporter 'import';
use Lockstep::Sim::Seller::Clock qw(day_date);

our @EXPORT_OK = qw(comparison day_figures mix percent period_figures statistic);

# A whole number of 32 bits from another; neighbours have nothing in common.
sub mix ($n) {
    $n &= 0xffffffff;
    $n = (($n ^ ($n >> 15)) * 0x2c1b3c6d) & 0xffffffff;
    $n = (($n ^ ($n >> 12)) * 0x297a2d39) & 0xffffffff;
    return $n ^ ($n >> 15);
}

# (opens, carts, orders, buyouts, cancels, returns, wishes) of one day.
sub day_figures ($p, $day) {
    return (0) x 7 unless $p->{daily};
    my $r = mix($p->{nmId} * 31 + $day * 2_654_435 + $p->{version} * 977);
    my $q = mix($r + 1);
    my @u = map { $_ / 256 } $r & 255, $r >> 8 & 255, $r >> 16 & 255, $r >> 24,
        $q & 255, $q >> 8 & 255, $q >> 16 & 255;

    my $opens   = int($p->{daily} * (0.5 + $u[0]) + $u[1]);
    my $carts   = int($opens * $p->{cart_rate} + $u[2]);
    my $orders  = int($carts * $p->{order_rate} + $u[3]);
    $orders = $carts if $orders > $carts;
    my $buyouts = int($orders * 0.7 + $u[4]);
    $buyouts = $orders if $buyouts > $orders;
    my $cancels = int(($orders - $buyouts) * $u[5]);
    return ($opens, $carts, $orders, $buyouts, $cancels, $orders - $buyouts - $cancels,
        int($opens * 0.02 + $u[6]));
}

# Sums over a period of days, both ends in: kept, as every page of an answer asks.
sub period_figures ($p, $from, $to) {
    my $kept = $p->{kept} //= {};
    %$kept = () if keys %$kept > 4;
    return $kept->{"$from-$to"} //= do {
        my @sum = (0) x 7;
        for my $day ($from .. $to) {
            my @one = day_figures($p, $day);
            $sum[$_] += $one[$_] for 0 .. $#one;
        }
        my %f;
        @f{qw(openCount cartCount orderCount buyoutCount cancelCount returnCount addToWishlist)} = @sum;
        $f{"${_}Sum"} = $f{"${_}Count"} * $p->{price} for qw(order buyout cancel);
        \%f;
    };
}

sub percent ($part, $whole) { return $whole ? int(100 * $part / $whole + 0.5) : 0 }

# The object "selected" of an answer. $orders: of the whole seller in that period.
sub statistic ($p, $from, $to, $orders) {
    my $f   = period_figures($p, $from, $to);
    my %out = map { $_ => $f->{$_} } qw(openCount cartCount orderCount orderSum buyoutCount
        buyoutSum cancelCount cancelSum addToWishlist);
    my $n    = $f->{orderCount};
    my $club = int($n / 10);
    %out = (
        %out,
        period   => { start => day_date($from), end => day_date($to) },
        avgPrice => $n ? $p->{price} : 0,
        avgOrdersCountPerDay => sprintf('%.2f', $n / ($to - $from + 1)) + 0,
        shareOrderPercent    => $orders ? sprintf('%.2f', 100 * $n / $orders) + 0 : 0,
        timeToReady => { days => 1, hours => $p->{nmId} % 24, mins => $p->{nmId} % 60 },
        localizationPercent  => $p->{nmId} % 101,
        wbClub => {
            orderCount => $club, orderSum => $club * $p->{price}, buyoutCount => $club,
            buyoutSum  => $club * $p->{price}, cancelCount => 0, cancelSum => 0,
            avgPrice   => $club ? $p->{price} : 0, buyoutPercent => $club ? 100 : 0,
            avgOrderCountPerDay => sprintf('%.2f', $club / ($to - $from + 1)) + 0,
        },
        %{ $p->{set} },
    );
    $out{conversions} //= {
        addToCartPercent   => percent(@out{qw(cartCount openCount)}),
        cartToOrderPercent => percent(@out{qw(orderCount cartCount)}),
        buyoutPercent      => percent(@out{qw(buyoutCount orderCount)}),
    };
    return \%out;
}

# How "selected" differs from "past", in %.
sub comparison ($new, $old) {
    my %out = map {
        $_ . 'Dynamic' => $old->{$_} ? int(100 * ($new->{$_} - $old->{$_}) / $old->{$_}) : 0
    } qw(openCount cartCount orderCount orderSum buyoutCount buyoutSum cancelCount cancelSum
        avgPrice addToWishlist);
    return \%out;
}

1;
