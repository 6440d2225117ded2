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

# Takes down when it came.  Of two that had to wait for us the later one may be read
# first: each has its place between those that came before and after it.
sub _came ($m, $at) {
    my $last = $m->{window} //= [];    # of the last minute, and one before
    my $i = @$last;
    $i-- while $i && $last->[$i - 1] > $at;
    my @beside = (($i ? $last->[$i - 1] : ()), ($i < @$last ? $last->[$i] : ()));
    for my $gap (map { abs $at - $_ } @beside) {
        $m->{smallest_gap} = $gap if !defined $m->{smallest_gap} || $gap < $m->{smallest_gap};
    }
    my $times = $m->{times};
    splice @$times, @$times - (@$last - $i), 0, $at if @$times < KEEP;
    splice @$last, $i, 0, $at;
    $m->{first_at} = $at if !defined $m->{first_at} || $at < $m->{first_at};
    my $began = ($m->{last_at} = $last->[-1]) - WINDOW;
    shift @$last while @$last > 1 && $last->[1] <= $began;
    my $n = @$last - ($last->[0] <= $began ? 1 : 0);
    $m->{peak_60s} = $n if $n > $m->{peak_60s};
    return;
}

sub _of ($self, $call) { return $self->{sellers}{ $call->{seller} }{ $call->{path} } //= _fresh() }

sub begin ($self, $call) {
    my $m = $self->_of($call);
    $self->{calls}++;
    $m->{calls}++;
    _came($m, $call->{at});

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
