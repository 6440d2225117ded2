package Lockstep::Sim::Seller::Texts;

# Search texts by which a product was found: between none and forty, the best
# first.  Their figures are shares of the product's own.

use strict;
use warnings;
use feature 'signatures';
use utf8;

use Exporter 'import';
use Lockstep::Sim::Seller::Figures qw(mix period_figures);

our @EXPORT_OK = qw(product_texts);

my @WORD = qw(купить недорого подарок большой детский женский мужской красивый белый чёрный
    прочный лёгкий дорожный домашний новый яркий тёплый набор оригинал хит);
my @USE = ('', 'для дома');

# %how: top (field by which the best are chosen), limit, past, sku, texts (which
# kinds are wanted).
sub product_texts ($shop, $p, $from, $to, %how) {
    my $opens = period_figures($p, $from, $to)->{openCount};
    return unless $opens;
    my @all = map { _text($shop, $p, $_, $opens, $how{past}) } 0 .. mix($p->{nmId} + 5) % 41 - 1;
    my @some = grep { $_->{substituted} ? $how{sku} : $how{texts} } @all;
    my @best = sort { $b->{item}{ $how{top} }{current} <=> $a->{item}{ $how{top} }{current}
            || $a->{item}{text} cmp $b->{item}{text} } @some;
    return map { $_->{item} } splice @best, 0, $how{limit};
}

sub _text ($shop, $p, $i, $opens, $past) {
    my $r = mix($p->{nmId} * 64 + $i + $p->{version} * 31);
    # Some texts are an article number for which another product is shown.
    my $substituted = $i % 10 == 9;
    my $text = $substituted ? $p->{nmId} + $i
        : join ' ', lc $p->{subject}[2], $WORD[$i % @WORD], ($USE[$i / @WORD]) x !!$USE[$i / @WORD];
    my $open   = int($opens * 0.24 / ($i + 2));
    my $cart   = int($open * (0.05 + ($r & 15) / 100));
    my $orders = int($cart * (0.1 + ($r >> 4 & 15) / 50));
    my $place  = 1 + $r % 300;
    my $dyn    = $past ? ($r >> 8) % 201 - 100 : 0;
    my $three  = sub ($n) { { current => $n, dynamics => $dyn, percentile => $r % 101 } };
    my $two    = sub ($n) { { current => $n, dynamics => $dyn } };
    return { substituted => $substituted, item => {
        text => "$text", nmId => $p->{nmId}, name => $p->{title}, vendorCode => $p->{vendor},
        subjectName => $p->{subject}[1], brandName => $p->{brand}, rating => $p->{rating},
        feedbackRating => 4.7, isCardRated => \1, isSubstitutedSKU => $substituted ? \1 : \0,
        price => { minPrice => $p->{price}, maxPrice => $p->{price} + 100 },
        weekFrequency => 10 + $r % 5000,
        openCard   => $three->($open), addToCart => $three->($cart), orders => $three->($orders),
        openToCart => $three->($open ? int(100 * $cart / $open) : 0),
        cartToOrder => $three->($cart ? int(100 * $orders / $cart) : 0),
        avgPosition => $two->($place), medianPosition => $two->($place + 2),
        frequency   => $two->(40 + $r % 20_000), visibility => $two->($r % 101),
    } };
}

1;
