package Lockstep::Sim::Seller::Token;

# Tokens: JWTs with the claims that the seller API documents, signed with a key of
# our own, so that one made before a restart is still good after it.

use strict;
use warnings;
use feature 'signatures';

use Digest::SHA qw(hmac_sha512 sha1_hex);
use Exporter 'import';
use Mojo::JSON qw(decode_json encode_json);
use Mojo::Util qw(b64_decode b64_encode);

our @EXPORT_OK = qw(token_make token_read token_types token_categories);

# acc of the documents; limits of Base are lower, all others have the usual ones.
my %ACC      = (base => 1, base_secret => 1, test => 2, personal => 3, service => 4);
my %CATEGORY = (content => 1, analytics => 2, prices => 3, statistics => 5);

sub token_types      { return [sort keys %ACC] }
sub token_categories { return [sort keys %CATEGORY] }

sub _url64 ($bytes) { return b64_encode($bytes, '') =~ tr{+/}{-_}r =~ s/=+\z//r }

sub _sign ($key, $text) { return _url64(hmac_sha512($text, "seller-sim $key")) }

# %what: oid of the seller, type, categories, exp, and n, which tells two apart.
sub token_make ($key, %what) {
    my $hex = sha1_hex("token $key $what{oid} $what{type} " . ($what{n} // 0));
    my $s   = 0;
    $s |= 1 << $CATEGORY{$_} for @{ $what{categories} };
    my $uuid = join '-', $hex =~ /\A(.{8})(.{4})(.{4})(.{4})(.{12})/;
    my $head = _url64('{"alg":"ES256","kid":"20250904v1","typ":"JWT"}');
    my $body = _url64(encode_json({
        acc  => $ACC{ $what{type} }, ent => 1, exp => int $what{exp}, id => $uuid,
        iid  => $what{oid} + 1, oid => $what{oid}, s => $s, sid => $uuid,
        t    => $what{type} eq 'test' ? \1 : \0, uid => $what{oid} + 1,
        'for' => $what{type} eq 'personal' ? 'self'
            : $what{type} eq 'service'     ? "asid:$uuid"
            : $what{type} eq 'base_secret' ? 'secret' : '',
    }));
    return join '.', $head, $body, _sign($key, "$head.$body");
}

# The claims with type and categories, or a text that says what is wrong.
sub token_read ($key, $text) {
    my @part = split /\./, $text, -1;
    return 'token is malformed: token contains an invalid number of segments' if @part != 3;
    for (@part) {
        return 'token is malformed: could not base64 decode signature' unless /\A[\w-]+\z/a;
    }
    my $claim = eval { decode_json(b64_decode($part[1] =~ tr{\-_}{+/}r)) };
    return 'token is malformed: could not JSON decode claim' unless ref $claim eq 'HASH';
    return 'token signature is invalid' if $part[2] ne _sign($key, "$part[0].$part[1]");

    my ($type) = grep { $ACC{$_} == $claim->{acc} } qw(base test personal service);
    $type = 'base_secret' if $type eq 'base' && $claim->{for} eq 'secret';
    return { %$claim, type => $type,
        categories => { map { $_ => 1 } grep { $claim->{s} & 1 << $CATEGORY{$_} } keys %CATEGORY } };
}

1;
