package Lockstep::Sim::Seller::Counters;

# What was asked of the seller API, in simulated time, so that a test can say "ten
# calls, none before its time, never two within twenty seconds".  Calls with a bad
# token are only counted as refused; control calls are not counted.

use strict;
use warnings;
use feature 'signatures';

# A long bench must not fill memory with what nobody will read.
use constant { KEEP => 10_000, WINDOW => 60 };

sub new ($class) {
    my $self = bless { in_flight => {} }, $class;
    $self->reset;
    return $self;
}

sub reset ($self) {
    @$self{qw(sellers refused calls)} = ({}, 0, 0);
    return;
}

sub refused ($self) { $self->{refused}++; return }

sub _fresh {
    return { calls => 0, early => 0, statuses => {}, smallest_gap => undef, peak_60s => 0,
        times => [], peak => 0 };
}

sub _of ($self, $call) { return $self->{sellers}{ $call->{seller} }{ $call->{path} } //= _fresh() }

sub begin ($self, $call) {
    my ($m, $at) = ($self->_of($call), $call->{at});
    $self->{calls}++;
    $m->{calls}++;
    if (defined $m->{last_at}) {
        my $gap = $at - $m->{last_at};
        $m->{smallest_gap} = $gap if !defined $m->{smallest_gap} || $gap < $m->{smallest_gap};
    }
    $m->{first_at} //= $at;
    $m->{last_at} = $at;
    push @{ $m->{times} }, $at if @{ $m->{times} } < KEEP;

    my $window = $m->{window} //= [];
    push @$window, $at;
    shift @$window while $window->[0] <= $at - WINDOW;
    $m->{peak_60s} = @$window if @$window > $m->{peak_60s};

    my $flying = ++$self->{in_flight}{ $call->{seller} };
    $m->{peak} = $flying if $flying > $m->{peak};
    return;
}

sub early ($self, $call) { $self->_of($call)->{early}++; return }

sub answered ($self, $call, $status) { $self->_of($call)->{statuses}{$status}++; return }

sub end ($self, $call) { $self->{in_flight}{ $call->{seller} }--; return }

# {calls, refused, sellers: {name: {calls, early, methods: {...}}}}
sub report ($self) {
    my %out = (calls => $self->{calls}, refused => $self->{refused}, sellers => {});
    for my $name (keys %{ $self->{sellers} }) {
        my $of  = $self->{sellers}{$name};
        my %sum = (calls => 0, early => 0, methods => {});
        for my $path (keys %$of) {
            my %shown = %{ $of->{$path} };
            delete $shown{window};
            $sum{methods}{$path} = \%shown;
            $sum{$_} += $shown{$_} for qw(calls early);
        }
        $out{sellers}{$name} = \%sum;
    }
    return \%out;
}

# The same shape for a seller that never called.
sub of_seller ($self, $name) {
    return $self->report->{sellers}{$name} // { calls => 0, early => 0, methods => {} };
}

1;
