package Lockstep::Sim::Status;

# The status of a program as the partner's list filter sees it, and the Pacific
# day it is judged by (contract section 5).  Nothing here is stored: a status
# goes stale at midnight in California.

use strict;
use warnings;
use feature 'signatures';

use Exporter 'import';
use POSIX ();

our @EXPORT_OK = qw(status_of pacific_today is_filter);

# The rule is spelt out so that a container without tzdata has the same days.
use constant PACIFIC => 'PST8PDT,M3.2.0,M11.1.0';

my %FILTER = map { $_ => 1 } qw(CURRENT PAST FUTURE PAUSED ALL);

sub is_filter ($word) { return exists $FILTER{$word} }

sub pacific_today ($epoch = time) {
    my $today;
    {
        local $ENV{TZ} = PACIFIC;
        POSIX::tzset();
        $today = POSIX::strftime('%Y-%m-%d', localtime $epoch);
    }
    POSIX::tzset();
    return $today;
}

# A date that is null or malformed is no date: each is judged alone.
sub date_or_undef ($text) {
    return undef unless defined $text && $text =~ /\A\d{4}-(\d\d)-(\d\d)\z/a;
    return $1 >= 1 && $1 <= 12 && $2 >= 1 && $2 <= 31 ? $text : undef;
}

# Tested in the contract's order.  An open end (null or 9999-12-31) never ends;
# the sentinel needs no case of its own, as no day compares above it.
sub status_of ($program, $today) {
    my $start = date_or_undef($program->{start_date});
    my $end   = date_or_undef($program->{end_date});

    return 'PAUSED'  if ($program->{program_pause_status} // '') eq 'PAUSED';
    return 'FUTURE'  if defined $start && $start gt $today;
    return 'PAST'    if defined $end && $end lt $today;
    return 'CURRENT' if ($program->{program_status} // '') eq 'ACTIVE' && defined $start;
    return 'INACTIVE';
}

1;
