package Lockstep::Sim::Wire;

# How the bytes of a reply leave: whole, or in one of the ways a network has of
# not delivering them.  The odd ways write past the server, on the bare stream,
# and end the connection.

use strict;
use warnings;
use feature 'signatures';

use Mojo::IOLoop;
use Mojo::Message::Response;
use Socket qw(SOL_SOCKET SO_LINGER);

my %HOW = (
    whole   => \&_whole,
    hang    => sub { },
    close   => sub ($tx, $) { _stream($tx)->close },
    rst     => sub ($tx, $) { _break(_stream($tx)) },
    drip    => \&_drip,
    reset   => \&_reset,
    endless => \&_endless,
);

sub send_reply ($tx, $reply) {
    $HOW{ $reply->{how} // 'whole' }->($tx, $reply);
    return;
}

sub _whole ($tx, $reply) {
    my $res     = $tx->res->code($reply->{status})->body($reply->{body});
    my $headers = $res->headers->content_type($reply->{type});
    $headers->header($_ => $reply->{headers}{$_}) for keys %{ $reply->{headers} };
    $tx->resume;
    return;
}

sub _stream ($tx) { return Mojo::IOLoop->stream($tx->connection) }

# Without lingering, close sends RST instead of FIN.
sub _break ($stream) {
    setsockopt $stream->handle, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    $stream->close;
    return;
}

sub _head ($reply, $length) {
    my $res     = Mojo::Message::Response->new(code => $reply->{status});
    my $headers = $res->headers->content_type($reply->{type})->connection('close');
    $headers->header($_ => $reply->{headers}{$_}) for keys %{ $reply->{headers} };
    $headers->content_length($length) if defined $length;
    # Not build_headers, which would tell a length of its own.
    return $res->build_start_line . $headers->to_string . "\r\n\r\n";
}

# A pause before the RST: it would overtake the bytes that went before it.
sub _reset ($tx, $reply) {
    my $stream = _stream($tx);
    my $part   = $reply->{part} // int(length($reply->{body}) / 2);
    my $text   = _head($reply, length $reply->{body}) . substr $reply->{body}, 0, $part;
    $stream->write($text => sub ($stream) {
        Mojo::IOLoop->timer(0.05 => sub { _break($stream) if $stream->handle });
    });
    return;
}

sub _drip ($tx, $reply) {
    my $stream = _stream($tx);
    my ($body, $at, $step) = ($reply->{body}, 0, $reply->{step});
    my $timer = Mojo::IOLoop->recurring($reply->{interval} => sub {
        $stream->write(substr $body, $at, $step);
        $at += $step;
        $stream->close_gracefully if $at >= length $body;
    });
    $stream->on(close => sub { Mojo::IOLoop->remove($timer) });
    $stream->write(_head($reply, length $body));
    return;
}

# No length told: the reader learns the size by reading.
sub _endless ($tx, $reply) {
    my $stream = _stream($tx);
    $stream->write(_head($reply, undef) . $reply->{body});
    $stream->close_gracefully;
    return;
}

1;
