package Lockstep::Sim::Seller::Journal;

# Every call with what it asked for and what it was sent, so that a test can hold
# each stored figure against the answer that it came from.  Answers are kept as
# they left; the oldest are dropped when they get too many bytes.

use strict;
use warnings;
use feature 'signatures';

use Mojo::JSON qw(decode_json);

use constant KEEP_CALLS => 100_000;

sub new ($class, $bytes) { return bless { keep => $bytes, last => 0, bytes => 0, calls => [] }, $class }

sub clear ($self) { @$self{qw(bytes calls)} = (0, []); return }

# Returns the entry, to be completed by sent().
sub begin ($self, $call) {
    my $entry = { n => ++$self->{last}, at => $call->{at}, seller => $call->{seller},
        method => $call->{path}, route => $call->{route}, request => undef };
    $entry->{request} = length $call->{body} ? eval { decode_json($call->{body}) } : $call->{query};
    push @{ $self->{calls} }, $entry;
    shift @{ $self->{calls} } if @{ $self->{calls} } > KEEP_CALLS;
    return $entry;
}

sub sent ($self, $entry, $reply) {
    @$entry{qw(status how headers)} = ($reply->{status}, $reply->{how} // 'whole', $reply->{headers});
    $entry->{body} = $reply->{body} // '';
    $self->{bytes} += length $entry->{body};
    for my $old (@{ $self->{calls} }) {
        last if $self->{bytes} <= $self->{keep} || $old == $entry;
        next unless length($old->{body} // '');
        $self->{bytes} -= length $old->{body};
        $old->{body}    = '';
        $old->{dropped} = 1;
    }
    return;
}

# What a client could make sense of: a whole 200 of JSON.
sub _value ($entry) {
    return undef unless ($entry->{status} // '') eq '200' && $entry->{how} =~ /\A(?:whole|drip)\z/;
    return eval { decode_json($entry->{body}) };
}

# %which: seller, method, from (number of a call), bodies.
sub calls ($self, %which) {
    return map { _shown($_, $which{bodies} // 1) } grep { _meant($_, \%which) } @{ $self->{calls} };
}

sub _meant ($entry, $which) {
    return 0 if defined $which->{from} && $entry->{n} < $which->{from};
    for (qw(seller method)) {
        return 0 if defined $which->{$_} && ($entry->{$_} // '') ne $which->{$_};
    }
    return 1;
}

sub _shown ($entry, $bodies) {
    my %shown = map { $_ => $entry->{$_} }
        grep { defined $entry->{$_} } qw(n at seller method route request status how headers early dropped);
    $shown{bytes} = length($entry->{body} // '');
    $shown{reply} = _value($entry) if $bodies;
    return \%shown;
}

sub _brief ($item) {
    return { map {
        my $v = $item->{$_};
        exists $item->{$_} ? ($_ => ref $v eq 'HASH' ? $v->{current} : $v) : ();
    } qw(text openCard addToCart orders openToCart cartToOrder avgPosition medianPosition frequency
        visibility) };
}

# The figures that one seller was sent, in the order of the calls:
# {funnel: {nmId: [{n, currency, selected}]}, texts: {nmId: [{n, currency, items}]}};
# a product asked about and left out has an entry without figures. Of the items only
# the text and the current values, which is a tenth.
sub figures ($self, $seller) {
    my %out = (funnel => {}, texts => {});
    for my $entry (grep { ($_->{seller} // '') eq $seller } @{ $self->{calls} }) {
        next unless $out{ $entry->{method} };
        my $value = _value($entry) // next;
        my $data  = ref $value eq 'HASH' ? $value->{data} : {};
        my %row;
        if ($entry->{method} eq 'funnel') {
            push @{ $row{ $_->{product}{nmId} } }, { selected => $_->{statistic}{selected} }
                for @{ $data->{products} // [] };
        }
        else {
            push @{ ($row{ $_->{nmId} } //= [{ items => [] }])->[0]{items} }, _brief($_)
                for @{ $data->{items} // [] };
        }
        $row{$_} //= [{}] for @{ $entry->{request}{nmIds} // [] };
        for my $id (keys %row) {
            push @{ $out{ $entry->{method} }{$id} },
                map { { n => $entry->{n}, currency => $data->{currency}, %$_ } } @{ $row{$id} };
        }
    }
    return \%out;
}

1;
