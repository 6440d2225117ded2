package Lockstep::Sim::Input;

# Checks what a person or a test sends to the control API.  A misspelt name must
# not be ignored: the test would pass for the wrong reason.

use strict;
use warnings;
use feature 'signatures';

use Exporter 'import';
use Mojo::Util qw(b64_decode decode encode);

our @EXPORT_OK = qw(input_check input_bytes bytes_shown);

my %IS = (
    count  => sub ($v) { !ref $v && $v =~ /\A\d{1,9}\z/a },
    int    => sub ($v) { !ref $v && $v =~ /\A-?\d{1,9}\z/a },
    ms     => sub ($v) { !ref $v && $v =~ /\A\d{1,7}(?:\.\d+)?\z/a },
    share  => sub ($v) { !ref $v && $v =~ /\A(?:0|1|0?\.\d+)\z/a },
    bool   => sub ($v) { ref $v eq 'JSON::PP::Boolean' || !ref $v && $v =~ /\A[01]\z/ },
    text   => sub ($v) { !ref $v },
    list   => sub ($v) { ref $v eq 'ARRAY' },
    object => sub ($v) { ref $v eq 'HASH' },
    range  => sub ($v) { is_range($v) },
    date   => sub ($v) { !ref $v && $v =~ /\A\d{4}-\d\d-\d\d\z/a },
);

# N, or [from, to] with both ends in.
sub is_range ($v) {
    return $v =~ /\A\d{1,9}\z/a unless ref $v;
    return ref $v eq 'ARRAY' && @$v == 2 && !grep { !defined || ref || !/\A\d{1,9}\z/a } @$v;
}

# $allowed: name => kind, or name => [the words allowed].  Dies with a reason.
sub input_check ($in, $allowed) {
    die "a JSON object is wanted\n" unless ref $in eq 'HASH';
    for my $name (sort keys %$in) {
        my $kind = $allowed->{$name}
            or die "$name: unknown, expected one of " . join(', ', sort keys %$allowed) . "\n";
        my $value = $in->{$name};
        die "$name: is null\n" unless defined $value;
        if (ref $kind) {
            die "$name: one of " . join(', ', @$kind) . "\n" unless grep { $_ eq $value } @$kind;
            next;
        }
        die "$name: not a $kind\n" unless $IS{$kind}->($value);
    }
    return $in;
}

# Opaque bytes: {"user": text} means its UTF-8, {"user_b64": …} any bytes at all.
sub input_bytes ($in, $name) {
    return b64_decode($in->{"${name}_b64"} =~ tr{ _\-}{+/+}r)
        if defined $in->{"${name}_b64"};
    return defined $in->{$name} ? encode('UTF-8', $in->{$name}) : undef;
}

# For output: text where the bytes are UTF-8, else a base64 form that says so.
sub bytes_shown ($bytes) {
    return decode('UTF-8', $bytes) // 'b64:' . Mojo::Util::b64_encode($bytes, '');
}

1;
