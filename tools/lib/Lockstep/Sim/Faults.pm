package Lockstep::Sim::Faults;

# The misbehaviour asked for: rules, which calls they meet, and what they do.
# A rule belongs to one stage of a call:
#   answer  takes the place of the read; the oldest rule that is due wins
#   twist   is obeyed while the rows are read (Reads)
#   text    changes the finished body
#   wire    changes how the bytes leave (Wire)
#   after   changes the account once the call has been answered

use strict;
use warnings;
use feature 'signatures';

use Mojo::Date;
use Mojo::IOLoop;
use Lockstep::Sim::Errors qw(error_reply error_shapes);
use Lockstep::Sim::Input qw(input_check input_bytes bytes_shown);

my @STATUS = qw(400 401 403 404 409 429 500 502 503 504);
my %ERROR  = (
    retry_after => 'text', retry_after_date => 'bool', shape => error_shapes(),
    error_id    => 'text', description      => 'text',
);

my %KIND = (
    (map { $_ => ['answer', \%ERROR] } @STATUS),
    hang           => ['answer', {}],
    reset_before   => ['answer', { rst => 'bool' }],
    html           => ['answer', {}],
    clamp          => ['twist', { to => 'count' }],
    no_echo        => ['twist', {}],
    array_missing  => ['twist', {}],
    array_null     => ['twist', {}],
    empty_page     => ['twist', {}],
    total_off      => ['twist', { k => 'int' }],
    duplicate      => ['twist', { n => 'count' }],
    unstable_order => ['twist', {}],
    hide           => ['twist', { n => 'count' }],
    content_type   => ['text',  { type => 'text' }],
    truncated      => ['text',  { bytes => 'count' }],
    huge_body      => ['text',  { bytes => 'count', length => 'bool' }],
    deep_json      => ['text',  { depth => 'count' }],
    bad_utf8       => ['text',  {}],
    delay          => ['wire',  { ms => 'ms', held => 'bool' }],
    drip           => ['wire',  { interval_ms => 'ms', bytes => 'count' }],
    reset          => ['wire',  { bytes => 'count' }],
    drift_add      => ['after', { n => 'count' }],
    drift_remove   => ['after', { n => 'count' }],
    drift_change   => ['after', { n => 'count' }],
    drift_move     => ['after', { n => 'count' }],
    drift_reorder  => ['after', {}],
);

my %SELECTOR = (
    kind   => [sort keys %KIND], user => 'text', user_b64 => 'text',
    path   => [qw(programs info list names other)],
    offset => 'range', ids => 'list',
    call   => 'range', attempt => 'range', times => 'count', probability => 'share',
    after_calls => 'count',
);

sub new ($class) { return bless { rules => [], last_id => 0 }, $class }

# What another simulator's faults differ in: the kinds, and which calls a rule can
# tell apart.
sub kinds ($class)     { return \%KIND }
sub selectors ($class) { return \%SELECTOR }

# Answers the rule's id; dies with a reason.
sub add ($self, $in) {
    my $kinds = $self->kinds;
    my $kind  = ref $in eq 'HASH' ? $in->{kind} : undef;
    die "kind: one of " . join(', ', sort keys %$kinds) . "\n"
        unless defined $kind && !ref $kind && $kinds->{$kind};
    my ($stage, $params) = @{ $kinds->{$kind} };
    input_check($in, { %{ $self->selectors }, %$params });

    push @{ $self->{rules} }, {
        %$in,
        id       => ++$self->{last_id},
        stage    => $stage,
        user     => input_bytes($in, 'user'),
        asked    => $in->{ids} ? { map { $_ => 1 } @{ $in->{ids} } } : undef,
        seen     => 0,
        hits     => 0,
        attempts => {},
    };
    return $self->{last_id};
}

sub clear ($self) {
    my $old = $self->{rules};
    $self->{rules} = [];
    _release(@$old);
    return;
}

# True if there was such a rule.
sub remove ($self, $id) {
    my @gone = grep { $_->{id} == $id } @{ $self->{rules} };
    @{ $self->{rules} } = grep { $_->{id} != $id } @{ $self->{rules} };
    _release(@gone);
    return !!@gone;
}

# What a delay holds until its rule is taken away: it is now.
sub _release (@rules) {
    for my $rule (@rules) {
        $_->() for values %{ delete $rule->{waiting} // {} };
    }
    return;
}

sub list ($self) {
    my %inner = map { $_ => 1 } qw(stage asked attempts waiting);
    return map {
        my $rule  = $_;
        my %shown = map { $_ => $rule->{$_} } grep { !$inner{$_} } keys %$rule;
        defined $shown{user} ? $shown{user} = bytes_shown($shown{user}) : delete $shown{user};
        \%shown;
    } @{ $self->{rules} };
}

# Calls $then once that many milliseconds are over, and those of the delays that the
# call has met.  A delay with "held" ends with its rule at the latest: a test holds a
# call for as long as it likes, however slow the machine is, and no longer.
sub wait_then ($self, $fate, $ms, $then) {
    my @delay = $fate ? grep { $_->{kind} eq 'delay' } @{ $fate->{wire} } : ();
    $ms += $_->{ms} // 1000 for @delay;
    return $then->() unless $ms > 0;
    my @held = grep { $_->{held} } @delay;
    my $timer;
    my $over = sub (@) {
        Mojo::IOLoop->remove($timer);
        delete $_->{waiting}{$timer} for @held;
        $then->();
    };
    $timer = Mojo::IOLoop->timer($ms / 1000 => $over);
    $_->{waiting}{$timer} = $over for @held;
    return;
}

# What becomes of this call: { answer => rule, twist => {kind => rule}, text, wire,
# after => [rules] }.  Called once a call, on arrival, so "call" counts arrivals.
sub meet ($self, $call) {
    my @due = grep { $self->due($_, $call) } @{ $self->{rules} };
    my ($answer) = grep { $_->{stage} eq 'answer' } @due;
    # What takes the place of the read leaves nothing to twist.
    @due = ($answer, grep { $_->{stage} eq 'wire' } @due) if $answer;

    my %fate = (answer => $answer, twist => {}, text => [], wire => [], after => []);
    for my $rule (@due) {
        $rule->{hits}++;
        if    ($rule->{stage} eq 'twist')  { $fate{twist}{ $rule->{kind} } = $rule }
        elsif ($rule->{stage} ne 'answer') { push @{ $fate{ $rule->{stage} } }, $rule }
    }
    return \%fate;
}

sub due ($self, $rule, $call) {
    return 0 unless $self->selects($rule, $call);
    my $seen    = ++$rule->{seen};
    my $attempt = ++$rule->{attempts}{ $call->{page} };

    return 0 if defined $rule->{call}        && !in_range($seen, $rule->{call});
    return 0 if defined $rule->{attempt}     && !in_range($attempt, $rule->{attempt});
    return 0 if defined $rule->{after_calls} && $seen <= $rule->{after_calls};
    return 0 if defined $rule->{times}       && $rule->{hits} >= $rule->{times};
    return 0 if defined $rule->{probability} && rand() >= $rule->{probability};
    return 1;
}

sub selects ($self, $rule, $call) {
    return 0 if defined $rule->{user}   && $rule->{user} ne $call->{user};
    return 0 if defined $rule->{path}   && $rule->{path} ne $call->{path};
    return 0 if defined $rule->{offset} && !in_range($call->{offset}, $rule->{offset});
    return 0 if $rule->{asked} && !grep { $rule->{asked}{$_} } @{ $call->{ids} };
    # There is no page before the first.
    return 0 if $rule->{kind} eq 'duplicate' && !$call->{offset};
    return 1;
}

sub in_range ($n, $range) {
    return $n == $range unless ref $range;
    return $n >= $range->[0] && $n <= $range->[1];
}

# The reply that takes the place of the read.
sub answer ($rule) {
    my $kind = $rule->{kind};
    return { how => 'hang', status => 'hang' } if $kind eq 'hang';
    return { how => $rule->{rst} ? 'rst' : 'close', status => 'closed' } if $kind eq 'reset_before';
    return html_reply() if $kind eq 'html';
    return error_reply(
        $kind,
        shape       => $rule->{shape},
        id          => $rule->{error_id},
        description => $rule->{description},
        headers     => retry_after($rule),
    );
}

sub html_reply {
    return {
        status  => 200,
        type    => 'text/html; charset=utf-8',
        headers => {},
        body    => "<!DOCTYPE html>\n<html><head><title>Yelp</title></head>"
            . "<body><h1>We'll be right back</h1></body></html>\n",
    };
}

# Seconds, or the date form of them, or any text as it was given.
sub retry_after ($rule) {
    my $after = $rule->{retry_after} // return {};
    $after = Mojo::Date->new(time + $after)->to_string
        if $rule->{retry_after_date} && $after =~ /\A\d+\z/a;
    return { 'Retry-After' => $after };
}

my %TEXT = (
    content_type => sub ($rule, $reply) { $reply->{type} = $rule->{type} // 'text/plain' },
    truncated    => sub ($rule, $reply) {
        my $keep = $rule->{bytes} // int(length($reply->{body}) / 2);
        $reply->{body} = substr $reply->{body}, 0, $keep;
    },
    huge_body => sub ($rule, $reply) {
        my $more = ($rule->{bytes} // 64 * 1024 * 1024) - length $reply->{body};
        put_first($reply, padding => '"' . 'x' x ($more > 0 ? $more : 0) . '"');
        $reply->{how} = 'endless' if defined $rule->{length} && !$rule->{length};
    },
    deep_json => sub ($rule, $reply) {
        my $depth = $rule->{depth} // 100_000;
        put_first($reply, deep => '[' x $depth . ']' x $depth);
    },
    # A lone continuation byte, an overlong slash, half a surrogate pair.
    bad_utf8 => sub ($rule, $reply) {
        put_first($reply, note => qq("\xff\x80\xc0\xaf\xed\xa0\x80"));
    },
);

sub retouch ($rule, $reply) { $TEXT{ $rule->{kind} }->($rule, $reply); return }

# First, so that a reader which gives up late has parsed nothing useful before.
sub put_first ($reply, $name, $json) {
    $reply->{body} =~ s/\A\{/{"$name":$json,/;
    return;
}

1;
