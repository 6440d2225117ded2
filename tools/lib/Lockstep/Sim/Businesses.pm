package Lockstep::Sim::Businesses;

# What businesses are called, contract section 4.  The partner knows those that
# some account has a program for; a name follows from the id, until a test says
# otherwise.

use strict;
use warnings;
use feature 'signatures';

use Digest::MD5 qw(md5);
use Mojo::JSON qw(false true);

my @OWNER = ('Bay Area', 'Golden Gate', "Caf\x{e9}", "O'Neill & Sons", 'Sunset', "Zo\x{eb}'s", 'Blue Ridge', 'Lakeside');
my @TRADE = qw(Plumbing Roofing Movers Electric Locksmith Heating Bakery Dental);

sub new ($class, $accounts) { return bless { accounts => $accounts, told => {} }, $class }

# From outside: another name, a null one, or none at all.
sub tell ($self, $id, %what) {
    $self->{told}{$id} = { %{ $self->{told}{$id} // {} }, %what };
    return;
}

# undef for one that the partner does not know.
sub find ($self, $id) {
    my $told = $self->{told}{$id} // {};
    return undef if $told->{absent};
    return undef
        unless %$told || grep { exists $_->by_business->{$id} } $self->{accounts}->all;
    my @n = unpack 'N3', md5($id);
    my $name = sprintf '%s %s %d', $OWNER[$n[0] % @OWNER], $TRADE[$n[1] % @TRADE], $n[2] % 1000;
    $name = $told->{name} if exists $told->{name};
    return {
        yelp_business_id             => $id,
        name                         => $name,
        address1                     => ($n[2] % 900) . ' Market St',
        address2                     => '',
        address3                     => undef,
        city                         => 'San Francisco',
        state                        => 'CA',
        postal_code                  => '94105',
        country                      => 'US',
        latitude                     => 37.7867703362929,
        longitude                    => -122.399958372115,
        phone                        => '+14159083801',
        url                          => "https://www.yelp.com/biz/$id",
        display_url                  => undef,
        is_migrated                  => false,
        destination_yelp_business_id => undef,
        is_closed                    => false,
        is_removed_from_search       => false,
        additional_biz_info          => {
            partner_business_id => undef, metered_phone => undef, cta => undef,
            category_list => [lc $TRADE[$n[1] % @TRADE]],
        },
    };
}

1;
