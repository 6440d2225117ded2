package Lockstep::Sim::Limits;

# What the partner publishes for nobody: a limit of calls a second.  A token
# bucket for each account, of all its calls or of one kind; without one everybody
# may come as often as they like.

use strict;
use warnings;
use feature 'signatures';

use Lockstep::Sim::Errors qw(error_reply);
use Time::HiRes ();

sub new ($class) { return bless { buckets => {} }, $class }

# rate 0 takes the limit away.
sub set ($self, $user, $path, $rate, $burst, $retry_after) {
    my $key = join ' ', $user, $path // '*';
    return delete $self->{buckets}{$key} unless $rate;
    $self->{buckets}{$key} = {
        rate => $rate, burst => $burst, tokens => $burst, at => Time::HiRes::time(),
        retry_after => $retry_after,
    };
    return;
}

# The refusal, or undef with the call counted.
sub refusal ($self, $call) {
    my $now = Time::HiRes::time();
    my @due = grep { defined } map { $self->{buckets}{"$call->{user} $_"} } $call->{path}, '*';
    for my $bucket (@due) {
        my $tokens = $bucket->{tokens} + ($now - $bucket->{at}) * $bucket->{rate};
        @$bucket{qw(tokens at)} = ($tokens > $bucket->{burst} ? $bucket->{burst} : $tokens, $now);
    }
    my ($empty) = grep { $_->{tokens} < 1 } @due;
    if ($empty) {
        return error_reply(429, headers => defined $empty->{retry_after}
            ? { 'Retry-After' => $empty->{retry_after} } : {});
    }
    $_->{tokens}-- for @due;
    return undef;
}

1;
