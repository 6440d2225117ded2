package Lockstep::FastCGI;

# FastCGI records by hand, for the peers that nginx never is: silent, half-open, not
# reading, or broken.

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::UNIX;

our @EXPORT_OK = qw(fcgi_answer fcgi_begin fcgi_connect fcgi_params fcgi_record
    fcgi_reply fcgi_request fcgi_request_read fcgi_stdin);

use constant { BEGIN_REQUEST => 1, END_REQUEST => 3, PARAMS => 4, STDIN_ => 5, STDOUT_ => 6,
	RESPONDER => 1 };

sub fcgi_connect {
	my ($path) = @_;
	return IO::Socket::UNIX->new(Peer => $path) // die "connect $path: $!";
}

sub fcgi_record {
	my ($type, $content) = @_;
	return pack('C C n n C C', 1, $type, 1, length $content, 0, 0) . $content;
}

sub fcgi_begin {
	return fcgi_record(BEGIN_REQUEST, pack 'n C x5', RESPONDER, 0);
}

sub length_bytes { my ($n) = @_; return $n < 128 ? chr $n : pack 'N', $n | 0x80000000 }

# One record with the parameters, and the empty one that ends them.
sub fcgi_params {
	my (%param) = @_;
	my $content = join '', map {
		length_bytes(length) . length_bytes(length $param{$_}) . $_ . $param{$_}
	} sort keys %param;
	return fcgi_record(PARAMS, $content) . fcgi_record(PARAMS, '');
}

sub fcgi_stdin {
	my ($body) = @_;
	return (length $body ? fcgi_record(STDIN_, $body) : '') . fcgi_record(STDIN_, '');
}

sub fcgi_request {
	my ($param, $body) = @_;
	return fcgi_begin() . fcgi_params(%$param) . fcgi_stdin($body // '');
}

# The other side: one request as nginx sends it. Parameters as they came, [name,
# value] each, because one that is sent twice counts once; and the body.
sub fcgi_request_read {
	my ($socket) = @_;
	my ($params, $body) = ('', '');
	while (8 == read $socket, my $head, 8) {
		my (undef, $type, undef, $n, $pad) = unpack 'C C n n C', $head;
		read $socket, my $content, $n + $pad;
		substr $content, $n, $pad, '';
		$params .= $content if $type == PARAMS;
		$body   .= $content if $type == STDIN_;
		last if $type == STDIN_ && !$n;
	}
	return (pairs($params), $body);
}

sub pairs {
	my ($bytes) = @_;
	my @pair;
	while (length $bytes) {
		my @n = map {
			my $long = ord($bytes) & 0x80;
			my $part = substr $bytes, 0, $long ? 4 : 1, '';
			$long ? unpack('N', $part) & 0x7fffffff : ord $part;
		} 1, 2;
		push @pair, [map { substr $bytes, 0, $_, '' } @n];
	}
	return \@pair;
}

sub fcgi_reply {
	my ($text) = @_;
	return fcgi_record(STDOUT_, $text) . fcgi_record(STDOUT_, '')
	    . fcgi_record(END_REQUEST, pack 'N C x3', 0, 0);
}

# What comes back until the other side closes: the text of its STDOUT records.
sub fcgi_answer {
	my ($socket) = @_;
	local $/;
	my ($bytes, $text) = (scalar <$socket> // '', '');
	while (length $bytes >= 8) {
		my (undef, $type, undef, $n, $pad) = unpack 'C C n n C', $bytes;
		$text .= substr $bytes, 8, $n if $type == STDOUT_;
		substr $bytes, 0, 8 + $n + $pad, '';
	}
	return $text;
}

1;
