package Lockstep::Sim::Seller::Clock;

# Simulated time: limits of three calls a minute or one an hour are tried out in
# seconds when it runs faster than the real one.  Days are Moscow days, as the
# seller API's are.

use strict;
use warnings;
use feature 'signatures';

use Exporter 'import';
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use Time::Local ();

our @EXPORT_OK = qw(date_day day_date moscow_day moscow_time DAY_SECONDS);

use constant DAY_SECONDS    => 86_400;
use constant MOSCOW_SECONDS => 3 * 3600;

sub new ($class, $at, $factor) {
    return bless { at => $at, factor => $factor, since => _real() }, $class;
}

sub _real { return clock_gettime(CLOCK_MONOTONIC) }

# Seconds since 1970, with a fraction.
sub now ($self)    { return $self->{at} + (_real() - $self->{since}) * $self->{factor} }
sub factor ($self) { return $self->{factor} }

# So many real seconds ago, but not before it was set.
sub then ($self, $ago) {
    my $past = _real() - $self->{since} - $ago;
    return $self->{at} + ($past > 0 ? $past : 0) * $self->{factor};
}

# Factor 0 makes it stand still.
sub set ($self, $at, $factor) {
    @$self{qw(at since factor)} = ($at, _real(), $factor);
    return;
}

sub moscow_day ($epoch) { return POSIX::floor(($epoch + MOSCOW_SECONDS) / DAY_SECONDS) }

# The number of a day, as moscow_day has it, or undef for what is no date.
sub date_day ($text) {
    my ($y, $m, $d) = $text =~ /\A(\d{4})-(\d\d)-(\d\d)\z/a or return undef;
    my $epoch = eval { Time::Local::timegm_modern(0, 0, 0, $d, $m - 1, $y) } // return undef;
    return $epoch / DAY_SECONDS;
}

sub day_date ($day) { return POSIX::strftime('%Y-%m-%d', gmtime($day * DAY_SECONDS)) }

# A moment as the statistics have it: Moscow time without a zone.
sub moscow_time ($epoch) {
    return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime($epoch + MOSCOW_SECONDS));
}

1;
