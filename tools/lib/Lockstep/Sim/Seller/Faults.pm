package Lockstep::Sim::Seller::Faults;

# The misbehaviour of the seller API: kinds and selectors of its own on the rules
# that the simulated partner has (Lockstep::Sim::Faults).

use strict;
use warnings;
use feature 'signatures';

use parent 'Lockstep::Sim::Faults';

use Mojo::JSON qw(decode_json);
use Lockstep::Sim::Seller::Errors qw(gateway_error html_reply service_error);
use Lockstep::Sim::Seller::Limits;

my %ERROR = (detail => 'text', retry_after => 'text');
my %LIMIT = (%ERROR, retry => 'count', reset => 'count', limit => 'count', remaining => 'count',
    headers => 'bool');
my %SOME  = (n => 'count', only => 'list');

my %KIND = (
    (map { $_ => ['answer', \%ERROR] } qw(400 401 402 403 404 409 413 422 500 503 504)),
    429          => ['answer', \%LIMIT],
    498          => ['answer', {}],
    502          => ['answer', {}],
    hang         => ['answer', {}],
    reset_before => ['answer', { rst => 'bool' }],
    html         => ['answer', { status => 'count' }],
    bare_array   => ['twist', {}],
    empty        => ['twist', {}],
    missing      => ['twist', \%SOME],
    unknown      => ['twist', { n => 'count' }],
    duplicate    => ['twist', { %SOME, other => 'bool' }],
    currency     => ['twist', { to => 'text' }],
    zero_opens   => ['twist', \%SOME],
    over_100     => ['twist', \%SOME],
    field        => ['twist', { %SOME, name => 'text', to => 'text' }],
    content_type => ['text', { type => 'text' }],
    truncated    => ['text', { bytes => 'count' }],
    huge_body    => ['text', { bytes => 'count', length => 'bool' }],
    deep_json    => ['text', { depth => 'count' }],
    bad_utf8     => ['text', {}],
    delay        => ['wire', { ms => 'ms', held => 'bool' }],
    drip         => ['wire', { interval_ms => 'ms', bytes => 'count' }],
    reset        => ['wire', { bytes => 'count' }],
    restate      => ['after', { n => 'count' }],
    remove       => ['after', { n => 'count' }],
    add          => ['after', { n => 'count' }],
);

my %SELECTOR = (
    kind   => [sort keys %KIND], seller => 'text', nmIds => 'list',
    method => Lockstep::Sim::Seller::Limits::methods(),
    call   => 'range', attempt => 'range', times => 'count', probability => 'share',
    after_calls => 'count',
);

sub kinds ($class)     { return \%KIND }
sub selectors ($class) { return \%SELECTOR }

sub selects ($self, $rule, $call) {
    return 0 if defined $rule->{seller} && $rule->{seller} ne $call->{seller};
    return 0 if defined $rule->{method} && $rule->{method} ne $call->{path};
    return 0 if $rule->{nmIds} && !grep { $call->{asks}->($_) } @{ $rule->{nmIds} };
    return 1;
}

# The reply that takes the place of the read.
sub answer ($rule, $now) {
    my $kind = $rule->{kind};
    return { how => 'hang', status => 'hang' } if $kind eq 'hang';
    return { how => $rule->{rst} ? 'rst' : 'close', status => 'closed' } if $kind eq 'reset_before';
    return html_reply($rule->{status} // 502) if $kind eq 'html';
    return html_reply($kind) if $kind =~ /\A(?:498|502)\z/;
    my $reply = _refusal($kind, $rule->{detail} // 'asked for by a test', $now);
    $reply->{headers}{'Retry-After'} = $rule->{retry_after} if defined $rule->{retry_after};
    return $reply if $kind != 429 || defined $rule->{headers} && !$rule->{headers};

    my %name = (Retry => 'retry', Reset => 'reset', Limit => 'limit', Remaining => 'remaining');
    my %value = (retry => 20, reset => 60, limit => 3, %$rule);
    for (sort keys %name) {
        $reply->{headers}{"X-Ratelimit-$_"} = $value{ $name{$_} } if defined $value{ $name{$_} };
    }
    return $reply;
}

sub _refusal ($status, $detail, $now) {
    return gateway_error($status, 'too many requests', $detail, $now) if $status == 429;
    return gateway_error($status, $status == 401 ? 'unauthorized' : 'path not found', $detail, $now)
        if $status == 401 || $status == 404;
    return service_error($status, $detail);
}

# Twists of the rows of an answer.  $id: the nmId of a row; $set: where the figures
# of a row are.
my %TWIST = (
    empty   => sub ($rule, $rows, $id, $set) { @$rows = () },
    missing => sub ($rule, $rows, $id, $set) {
        my %gone = map { $_ => 1 } _chosen($rule, $rows, $id);
        @$rows = grep { !$gone{ $id->($_) } } @$rows;
    },
    unknown => sub ($rule, $rows, $id, $set) {
        my $n = $rule->{n} // 1;
        for my $i (1 .. (@$rows ? $n : 0)) {
            my $copy = _copy($rows->[0]);
            ($copy->{product} // $copy)->{nmId} = 999_000_000 + $i;
            push @$rows, $copy;
        }
    },
    duplicate => sub ($rule, $rows, $id, $set) {
        my %twice = map { $_ => 1 } _chosen($rule, $rows, $id);
        my @copy  = map { _copy($_) } grep { $twice{ $id->($_) } } @$rows;
        if ($rule->{other}) { $set->($_, \&_one_more) for @copy }
        push @$rows, @copy;
    },
    zero_opens => sub ($rule, $rows, $id, $set) {
        _figures($rule, $rows, $id, $set, sub ($f) {
            @$f{qw(openCount cartCount)} = (0, 0);
            $f->{orderCount} ||= 3;
            $f->{orderSum}   ||= 1500;
            @{ $f->{conversions} }{qw(addToCartPercent cartToOrderPercent)} = (0, 0);
        });
    },
    over_100 => sub ($rule, $rows, $id, $set) {
        _figures($rule, $rows, $id, $set, sub ($f) {
            $f->{openCount} ||= 10;
            $f->{cartCount}  = 2 * $f->{openCount};
            $f->{orderCount} = 3 * $f->{cartCount};
            @{ $f->{conversions} }{qw(addToCartPercent cartToOrderPercent)} = (200, 300);
        });
    },
    field => sub ($rule, $rows, $id, $set) {
        my ($value) = @{ decode_json('[' . ($rule->{to} // 'null') . ']') };
        _figures($rule, $rows, $id, $set, sub ($f) { $f->{ $rule->{name} // 'openCount' } = $value });
    },
);

sub add ($self, $in) {
    die "to: not JSON\n" if ref $in eq 'HASH' && ($in->{kind} // '') eq 'field'
        && !eval { decode_json('[' . ($in->{to} // 'null') . ']') };
    return $self->SUPER::add($in);
}

sub _one_more ($f) {
    ref $f->{openCard} ? $f->{openCard}{current}++ : $f->{openCount}++;
    return;
}

# The products meant: "only", else the first n.
sub _chosen ($rule, $rows, $id) {
    return @{ $rule->{only} } if $rule->{only};
    my %seen;
    my @all = grep { !$seen{$_}++ } map { $id->($_) } @$rows;
    my $n   = $rule->{n} // 1;
    return splice @all, 0, $n;
}

sub _figures ($rule, $rows, $id, $set, $edit) {
    my %some = map { $_ => 1 } _chosen($rule, $rows, $id);
    for (grep { $some{ $id->($_) } } @$rows) { $set->($_, $edit) }
    return;
}

# Deep, so that what is changed stays in this answer.
sub _copy ($v) {
    return { map { $_ => _copy($v->{$_}) } keys %$v } if ref $v eq 'HASH';
    return [map { _copy($_) } @$v] if ref $v eq 'ARRAY';
    return $v;
}

sub twist_rows ($twist, $rows, $id, $set) {
    $TWIST{$_}->($twist->{$_}, $rows, $id, $set) for grep { $twist->{$_} } sort keys %TWIST;
    return;
}

1;
