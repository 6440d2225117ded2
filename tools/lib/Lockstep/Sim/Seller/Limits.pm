package Lockstep::Sim::Seller::Limits;

# A token bucket for each seller and method, in simulated time, with the table of
# contract section 3.  A 429 names the time until the next try, and whoever comes
# before that gets another one.

use strict;
use warnings;
use feature 'signatures';

use POSIX qw(ceil);

# [seconds between two calls, calls at once]: usual, and of a Base token.
my %TABLE = (
    funnel  => { usual => [20, 3], base => [1800, 1] },
    history => { usual => [20, 3], base => [1800, 1] },
    texts   => { usual => [20, 3], base => [3600, 1] },
    sales   => { usual => [60, 1], base => [7200, 1] },
    ping    => { usual => [10, 3], base => [10,   3] },
);

# Sums of fractions of a second are not exact.
use constant EPSILON => 1e-6;

sub methods { return [sort keys %TABLE] }

sub new ($class) {
    return bless { bucket => {}, rule => {}, penalty => undef, cost_4xx => 1 }, $class;
}

# All buckets are full again.
sub forget ($self) { $self->{bucket} = {}; return }

# Another rule for one method of one seller; interval 0 takes every limit away.
sub set ($self, $seller, $method, $interval, $burst) {
    $self->{rule}{$seller}{$method} = [$interval, $burst];
    delete $self->{bucket}{$seller}{$method};
    return;
}

# "after" calls that come too early shut a method for "seconds"; undef: never.
sub penalty ($self, $after, $seconds) {
    $self->{penalty} = defined $after ? { after => $after, seconds => $seconds } : undef;
    return;
}

# How many calls a 4xx counts as.
sub cost_4xx ($self, $n) { $self->{cost_4xx} = $n; return }

sub _rule ($self, $seller, $method, $type) {
    return @{ $self->{rule}{$seller}{$method} // $TABLE{$method}{ $type eq 'base' ? 'base' : 'usual' } };
}

sub _bucket ($self, $seller, $method, $type, $now) {
    my ($interval, $burst) = $self->_rule($seller, $method, $type);
    my $bucket = $self->{bucket}{$seller}{$method}
        //= { tokens => $burst, at => $now, not_before => 0, early => 0 };
    @$bucket{qw(interval burst)} = ($interval, $burst);
    # In a penalty the bucket's time lies ahead: nothing flows in until then.
    if ($now > $bucket->{at}) {
        $bucket->{tokens} += $interval ? ($now - $bucket->{at}) / $interval : $burst;
        $bucket->{at} = $now;
    }
    $bucket->{tokens} = $burst if $bucket->{tokens} > $burst || !$interval;
    return $bucket;
}

# One call: { ok, remaining }, or { retry, reset, limit } in whole seconds.  early:
# it came before the Retry that was told had run out.
sub take ($self, $seller, $method, $type, $now) {
    my $bucket = $self->_bucket($seller, $method, $type, $now);
    my $early  = $now < $bucket->{not_before} - EPSILON;
    $self->_punish($bucket, $now) if $early;
    return { %{ $self->_refusal($bucket, $now) }, early => $early ? 1 : 0 }
        if $early || $bucket->{tokens} < 1 - EPSILON;
    $bucket->{tokens}--;
    return { ok => 1, early => 0, remaining => _whole($bucket) };
}

sub _whole ($bucket) {
    my $n = int($bucket->{tokens} + EPSILON);
    return $n > 0 ? $n : 0;
}

sub _punish ($self, $bucket, $now) {
    my $penalty = $self->{penalty} // return;
    return if ++$bucket->{early} < $penalty->{after};
    my $until = $now + $penalty->{seconds};
    @$bucket{qw(early tokens)} = (0, 0);
    $bucket->{not_before} = $until if $until > $bucket->{not_before};
    $bucket->{at} = $bucket->{not_before} - $bucket->{interval};
    return;
}

sub _refusal ($self, $bucket, $now) {
    my $wait  = (1 - $bucket->{tokens}) * $bucket->{interval} + $bucket->{at} - $now;
    my $named = $bucket->{not_before} - $now;
    my $retry = ceil(($wait > $named ? $wait : $named) - EPSILON);
    $retry = 1 if $retry < 1;
    my $reset = ceil(($bucket->{burst} - $bucket->{tokens}) * $bucket->{interval}
            + $bucket->{at} - $now - EPSILON);
    # What was named before still holds: rounding must not catch who keeps to it.
    $bucket->{not_before} = $now + $retry if $now >= $bucket->{not_before} - EPSILON;
    return { retry => $retry, reset => $reset > $retry ? $reset : $retry, limit => $bucket->{burst} };
}

sub remaining ($self, $seller, $method, $type, $now) {
    return _whole($self->_bucket($seller, $method, $type, $now));
}

# A call that was taken turned out to be a 4xx.
sub charge_4xx ($self, $seller, $method) {
    my $bucket = $self->{bucket}{$seller}{$method} // return;
    $bucket->{tokens} -= $self->{cost_4xx} - 1;
    return;
}

# A 429 that the bucket knows nothing of: it took no call, and its Retry counts.
sub told ($self, $seller, $method, $retry, $now) {
    my $bucket = $self->{bucket}{$seller}{$method} // return;
    $bucket->{tokens}++;
    $bucket->{not_before} = $now + $retry if defined $retry;
    return;
}

1;
