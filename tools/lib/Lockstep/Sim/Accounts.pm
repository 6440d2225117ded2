package Lockstep::Sim::Accounts;

# The partner's customers, by user name.  Names and passwords are opaque bytes
# here; only Control turns them from and into text.

use strict;
use warnings;
use feature 'signatures';

use Lockstep::Sim::Account;
use Lockstep::Sim::Input qw(input_check input_bytes);

# Sizes from contract sections 7 and 10.
my @DEFAULT = (
    { user => 'demo', password => 'demo-password', programs => 2671,
        businesses => 108, current => 435, biggest => 388 },
    { user => 'agency', password => 'agency-password', programs => 1914, businesses => 37 },
    (map { { user => "p$_", password => 'pw', programs => $_ } } 0, 1, 39, 40, 41, 80),
    { user => "odd\$&#\\\xc3\xb1ame", password => 'p@ss:w$&#\\', programs => 120,
        businesses => 7, variants => 1 },
    { user => 'noaccess', password => 'pw', programs => 5, access => 0 },
);

sub new ($class, $seed) {
    my $self = bless { seed => $seed, all => {} }, $class;
    $self->put($_) for @DEFAULT;
    return $self;
}

# Creates or replaces an account; dies with a reason.
sub put ($self, $spec) {
    my %full = (programs => 0, access => 1, names => 1, %$spec);
    $full{businesses} //= $full{programs} > 12 ? int $full{programs} / 12 : $full{programs} ? 1 : 0;
    return $self->{all}{ $full{user} } = Lockstep::Sim::Account->new($self->{seed}, \%full);
}

my %SPEC = (
    (map { $_ => 'text' } qw(user user_b64 password password_b64)),
    (map { $_ => 'count' } qw(programs businesses current biggest)),
    (map { $_ => 'bool' } qw(variants access names journal)),
);

# The same from outside, as JSON had it.
sub put_checked ($self, $in) {
    my %spec = %{ input_check($in, \%SPEC) };
    for my $name (qw(user password)) {
        $spec{$name} = input_bytes($in, $name) // die "$name: missing\n";
    }
    die "user: no colon allowed (RFC 7617)\n" if $spec{user} =~ /:/;
    die "programs: 250000 at most\n"          if ($spec{programs} // 0) > 250_000;
    return $self->put(\%spec);
}

sub find ($self, $user) { return $self->{all}{$user} }
sub all ($self)         { return map { $self->{all}{$_} } sort keys %{ $self->{all} } }

# The account of a good login, else undef.
sub login ($self, $user, $password) {
    my $account = $self->{all}{$user} or return undef;
    return $account->password_is($password) ? $account : undef;
}

1;
