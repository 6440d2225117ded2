package Lockstep::Sim::Seller::Shop;

# One seller with all of its products.  Products come from the seller's number and
# the seed; what a test changes stays changed until the simulator is reset.

use strict;
use warnings;
use feature 'signatures';
use utf8;

use Lockstep::Sim::Seller::Figures qw(mix period_figures);

my @SUBJECT = (
    [71, 'Кружки', 'Кружка'],     [105, 'Чайники', 'Чайник'],     [192, 'Футболки', 'Футболка'],
    [333, 'Рюкзаки', 'Рюкзак'],   [515, 'Пледы', 'Плед'],         [628, 'Фонари', 'Фонарь'],
    [790, 'Термосы', 'Термос'],   [1284, 'Игрушки', 'Игрушка'],   [2060, 'Ножи', 'Нож'],
);
my @BRAND  = ('Дом и чай', 'Northway', 'Ёлка & Co', 'LUMEN', 'Простор', 'Ex "O"');
my @DETAIL = ('350 мл', 'синий', 'большой', 'в подарок', 'с рисунком', '2 шт.', 'дорожный', 'детский');

# Opens a day of the product that is looked at most.
use constant BEST_DAILY => 600;

# %what: name, oid, products, jam, currency.
sub new ($class, $seed, %what) {
    my $self = bless {
        %what, seed => $seed, next => 0, products => [], by_id => {},
    }, $class;
    $self->add($what{products_wanted});
    return $self;
}

sub name ($self)     { return $self->{name} }
sub oid ($self)      { return $self->{oid} }
sub jam ($self)      { return $self->{jam} }
sub currency ($self) { return $self->{currency} }
sub products ($self) { return @{ $self->{products} } }
sub total ($self)    { return scalar @{ $self->{products} } }
sub find ($self, $id) { return $self->{by_id}{$id} }

# 400 or 403: what a search text call is answered without Jam.
sub jam_refusal ($self) { return $self->{jam_refusal} // 403 }

sub change ($self, %what) { @$self{ keys %what } = values %what; return }

sub add ($self, $n) {
    $self->_put($self->_product($self->{next}++)) for 1 .. $n;
    return;
}

sub _put ($self, $p) {
    push @{ $self->{products} }, $p;
    $self->{by_id}{ $p->{nmId} } = $p;
    return;
}

# Every twentieth was never looked at; the others thin out as in any shop.
sub _product ($self, $i) {
    my $nm = $self->{oid} * 100_000 + $i * 7 + 13;
    my $r  = mix($nm * 7 + $self->{seed} * 104_729);
    my ($subject, $brand) = ($SUBJECT[$r % @SUBJECT], $BRAND[($r >> 8) % @BRAND]);
    my $rank = 1 + ($r >> 3) % 438;
    return {
        nmId    => $nm, subject => $subject, brand => $brand, version => 0, set => {},
        title   => "$subject->[2] $DETAIL[($r >> 16) % @DETAIL]", deleted => 0,
        vendor  => sprintf('ART-%s-%04d', $self->{oid}, $i),
        price   => 190 + $r % 4800,
        daily   => $i % 20 == 19 ? 0 : BEST_DAILY / $rank**0.8,
        cart_rate  => 0.05 + ($r >> 5 & 15) / 100,
        order_rate => 0.15 + ($r >> 9 & 15) / 60,
        tags    => $i % 7 ? [] : [{ id => 500 + $i % 3, name => ('Хит', 'Лето', 'Sale')[$i % 3] }],
        rating  => 6 + $r % 41 / 10,
        wb      => $r % 300,
    };
}

# Takes $n from the front away, or those of @$ids.
sub remove ($self, $n, $ids) {
    my %gone = map { $_ => 1 } $ids ? @$ids : map { $_->{nmId} } grep { defined } @{ $self->{products} }[0 .. $n - 1];
    @{ $self->{products} } = grep { !$gone{ $_->{nmId} } } @{ $self->{products} };
    delete @{ $self->{by_id} }{ keys %gone };
    return;
}

# Late data: other figures for $n products at random, or those of @$ids.
sub restate ($self, $n, $ids) {
    my @some = $ids ? grep { defined } @{ $self->{by_id} }{@$ids}
        : map { $self->{products}[rand @{ $self->{products} }] } 1 .. ($self->total ? $n : 0);
    for my $p (@some) { $p->{version}++; delete $p->{kept} }
    return map { $_->{nmId} } @some;
}

# The object "product" of an answer.
sub shown ($self, $p) {
    return {
        nmId      => $p->{nmId}, title => $p->{title}, vendorCode => $p->{vendor},
        brandName => $p->{brand}, subjectId => $p->{subject}[0], subjectName => $p->{subject}[1],
        tags      => $p->{tags}, productRating => $p->{rating}, feedbackRating => 4.7,
        stocks    => { wb => $p->{wb}, mp => $p->{nmId} % 5, balanceSum => $p->{wb} * $p->{price} },
    };
}

# Orders of the whole seller.
sub orders ($self, $from, $to) {
    my $sum = 0;
    $sum += period_figures($_, $from, $to)->{orderCount} for $self->products;
    return $sum;
}

1;
