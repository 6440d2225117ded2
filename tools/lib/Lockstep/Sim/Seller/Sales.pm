package Lockstep::Sim::Seller::Sales;

# Rows of sales and returns, made from the same days as the funnel.  A row changes
# once, when it happens; those of today have no prices yet, as the real ones for
# some hours.  A return has its prices below zero.

use strict;
use warnings;
use feature 'signatures';
use utf8;

use Exporter 'import';
use Lockstep::Sim::Seller::Clock qw(DAY_SECONDS moscow_day moscow_time);
use Lockstep::Sim::Seller::Figures qw(day_figures mix);

our @EXPORT_OK = qw(sales_rows);

use constant { KEPT_DAYS => 90, MOSCOW => 3 * 3600 };

# Rows that changed after $after (the number of seconds, exclusive) until $now, the
# oldest first, $limit at most; those of day $only alone if defined.
sub sales_rows ($shop, $after, $now, $limit, $only = undef) {
    my $today = moscow_day($now);
    my $first = moscow_day($after);
    $first = $today - KEPT_DAYS if $first < $today - KEPT_DAYS;
    my @rows;
    for my $day (defined $only ? $only : $first .. $today) {
        next if $day < $today - KEPT_DAYS;
        push @rows, grep { defined } _day($shop, $day, $today, $after, $now);
        last if @rows >= $limit;
    }
    splice @rows, $limit if @rows > $limit;
    return \@rows;
}

sub _day ($shop, $day, $today, $after, $now) {
    my @what;
    for my $p ($shop->products) {
        my (undef, undef, undef, $sold, undef, $returned) = day_figures($p, $day);
        push @what, map { [$p, $_ < $sold ? 'S' : 'R', mix($p->{nmId} * 97 + $day * 1009 + $_)] }
            0 .. $sold + $returned - 1;
    }
    @what = sort { $a->[2] <=> $b->[2] || $a->[0]{nmId} <=> $b->[0]{nmId} } @what;
    my $start = $day * DAY_SECONDS - MOSCOW;
    return map {
        my $at = $start + int($_ * DAY_SECONDS / @what);
        $at > $after && $at <= $now ? _row($what[$_], $at, $day == $today, $day, $_) : undef;
    } 0 .. $#what;
}

sub _row ($what, $at, $fresh, $day, $i) {
    my ($p, $letter, $r) = @$what;
    my $sign = $letter eq 'R' ? -1 : 1;
    my $paid = $fresh ? 0 : $p->{price} * $sign;
    my $time = moscow_time($at);
    return {
        date => $time, lastChangeDate => $time, warehouseName => 'Коледино',
        countryName => 'Россия', regionName => 'Московская', supplierArticle => $p->{vendor},
        nmId => $p->{nmId}, barcode => '20' . $p->{nmId}, category => 'Дом',
        subject => $p->{subject}[1], brand => $p->{brand}, techSize => '0', incomeID => 0,
        isSupply => \0, isRealization => \1, totalPrice => $p->{price} * 2,
        discountPercent => 50, spp => 10, finishedPrice => int($paid * 0.9),
        priceWithDisc => $paid, forPay => int($paid * 0.8),
        saleID => sprintf('%s%d%06d', $letter, $day, $i), sticker => '',
        gNumber => sprintf('%010d', $r), srid => sprintf('%08x.%d.%d', $r, $day, $i),
    };
}

1;
