package Lockstep::Sim::Counters;

# What was asked of the partner, so that a test can say "67 calls, never more
# than 8 at once".  Control calls are not counted.

use strict;
use warnings;
use feature 'signatures';

use Time::HiRes ();

# A long bench must not fill memory with what nobody will read.
use constant KEEP => 200_000;

sub new ($class) {
    my $self = bless { in_flight => 0, users_in_flight => {}, open => {} }, $class;
    $self->reset;
    return $self;
}

# Calls in flight go on being in flight.
sub reset ($self) {
    $self->{all}         = fresh($self->{in_flight});
    $self->{users}       = {};
    $self->{connections} = 0;
    return;
}

sub fresh ($in_flight) {
    return {
        calls   => 0,
        by_path => {},
        peak    => $in_flight,
        offsets => [],
        ids     => { info => [], list => [] },
        names   => { calls => 0, ids => [] },
    };
}

sub in_flight ($self) { return $self->{in_flight} }

sub _tallies ($self, $user) {
    my $own = $self->{users}{$user} //= fresh($self->{users_in_flight}{$user} // 0);
    return ([$self->{all}, $self->{in_flight}], [$own, $self->{users_in_flight}{$user} // 0]);
}

sub begin ($self, $call) {
    my $now = int(Time::HiRes::time() * 1000);
    $self->{in_flight}++;
    $self->{users_in_flight}{ $call->{user} }++;

    for ($self->_tallies($call->{user})) {
        my ($tally, $in_flight) = @$_;
        $tally->{peak} = $in_flight if $in_flight > $tally->{peak};
        # Apart: they say nothing about how a list was read.
        if ($call->{path} eq 'names') {
            $tally->{names}{calls}++;
            keep($tally->{names}{ids}, @{ $call->{ids} });
            next;
        }
        $tally->{calls}++;
        $tally->{first_ms} //= $now;
        $tally->{last_ms} = $now;
        keep($tally->{offsets}, $call->{offset}) if $call->{path} eq 'programs';
        if (my $ids = $tally->{ids}{ $call->{path} }) { keep($ids, @{ $call->{ids} }) }
    }
    return;
}

sub keep ($list, @more) {
    push @$list, @more if @$list < KEEP;
    return;
}

sub answered ($self, $call, $status) {
    $_->[0]{by_path}{ $call->{path} }{$status}++ for $self->_tallies($call->{user});
    return;
}

sub end ($self, $call) {
    $self->{in_flight}--;
    delete $self->{users_in_flight}{ $call->{user} }
        unless --$self->{users_in_flight}{ $call->{user} };
    return;
}

# True the first time a connection carries a call.
sub connection_seen ($self, $id) {
    return 0 if $self->{open}{$id}++;
    $self->{connections}++;
    return 1;
}

sub connection_closed ($self, $id) { delete $self->{open}{$id}; return }

sub report ($self) {
    return {
        all         => { %{ $self->{all} }, in_flight => $self->{in_flight} },
        users       => $self->{users},
        connections => { opened => $self->{connections}, open => scalar keys %{ $self->{open} } },
    };
}

1;
