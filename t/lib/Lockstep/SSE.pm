package Lockstep::SSE;

# A client of one event stream that a test reads event by event: it can wait, stop
# reading, or leave in the middle. Over a plain socket, so that nothing is read
# ahead behind the test's back.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP    ();
use Time::HiRes qw(time);

# Sends the request; the answer is read as it is asked for. %how: port, method,
# path, headers (hash), body, timeout (seconds for each wait; those that a wait is told
# itself are longer by the factor TEST_SLOW).
sub open {
	my ($class, %how) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $how{port}, Timeout => $how{timeout})
	    or die "connect $how{port}: $!";
	my %header = (Host => "127.0.0.1:$how{port}", Accept => 'text/event-stream',
		%{ $how{headers} // {} });
	my $body = $how{body} // '';
	$header{'Content-Length'} = length $body if $how{method} ne 'GET';
	my $self = bless { socket => $socket, timeout => $how{timeout},
		raw => '', text => '', comments => 0 }, $class;
	$self->write("$how{method} $how{path} HTTP/1.1\r\n"
	    . join('', map { "$_: $header{$_}\r\n" } sort keys %header) . "\r\n$body");
	return $self;
}

sub write {
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes) {
		my $n = syswrite $self->{socket}, $bytes or die "write: $!";
		substr $bytes, 0, $n, '';
	}
}

# More bytes from the socket: true, or false at its end, or undef at the deadline.
sub fill {
	my ($self, $deadline) = @_;
	return 0 if $self->{eof};
	my $left = $deadline - time;
	return if !IO::Select->new($self->{socket})->can_read($left > 0 ? $left : 0);
	return 1 if sysread $self->{socket}, $self->{raw}, 65536, length $self->{raw};
	$self->{eof} = 1;
	return 0;
}

sub read_head {
	my ($self, $deadline) = @_;
	while (!$self->{headers}) {
		if ($self->{raw} =~ s/\AHTTP\S+ (\d+).*?\r\n(.*?\r\n)?\r\n//s) {
			$self->{status}  = $1;
			$self->{headers} = { map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () }
			    split /\r\n/, $2 // '' };
			$self->{chunked} = ($self->{headers}{'transfer-encoding'} // '') eq 'chunked';
			$self->{left}    = $self->{headers}{'content-length'};
			last;
		}
		$self->fill($deadline) or return 0;
	}
	return 1;
}

# Moves what is whole from raw to text; true when the body is at its end.
sub decode {
	my ($self) = @_;
	return 1 if $self->{done};
	if (!$self->{chunked}) {
		$self->{text} .= $self->{raw};
		$self->{left} -= length $self->{raw} if defined $self->{left};
		$self->{raw} = '';
		return $self->{done} = defined $self->{left} && $self->{left} <= 0 ? 1 : 0;
	}
	while ($self->{raw} =~ /\A([0-9a-fA-F]+)[^\r\n]*\r\n/) {
		my ($size, $at) = (hex $1, $+[0]);
		last if length $self->{raw} < $at + $size + 2;
		$self->{text} .= substr $self->{raw}, $at, $size;
		substr $self->{raw}, 0, $at + $size + 2, '';
		return $self->{done} = 1 if $size == 0;
	}
	return 0;
}

sub deadline {
	my ($self, $timeout) = @_;
	return time + (defined $timeout ? $timeout * ($ENV{TEST_SLOW} || 1) : $self->{timeout});
}

sub status  { my ($self) = @_; $self->read_head($self->deadline); return $self->{status} }
sub headers { my ($self) = @_; $self->read_head($self->deadline); return $self->{headers} }

# One block of the stream as a hash, or undef for one of comments alone.
sub parse {
	my ($self, $block) = @_;
	my %event;
	for my $line (split /\r?\n/, $block) {
		if ($line =~ /^:/) { $self->{comments}++; next }
		my ($name, $value) = $line =~ /^([^:]+):? ?(.*)$/s or next;
		$event{$name} = defined $event{$name} ? "$event{$name}\n$value" : $value;
	}
	return if !%event;
	$event{json} = eval { JSON::PP::decode_json($event{data}) } if defined $event{data};
	return \%event;
}

# The next event {id, data, json, event?, retry?}, or undef at the end of the
# stream or after the time-out; ended() tells which.
sub next { my ($self, $timeout) = @_; return $self->next_before($self->deadline($timeout)) }

sub next_before {
	my ($self, $deadline) = @_;
	$self->read_head($deadline) or return;
	while (1) {
		my $over = $self->decode;
		while ($self->{text} =~ s/\A(.*?)\r?\n\r?\n//s) {
			my $event = $self->parse($1);
			return $event if $event;
		}
		return if $over || !$self->fill($deadline);
	}
}

# All events up to the end, or up to the time-out.
sub rest {
	my ($self, $timeout) = @_;
	my $deadline = $self->deadline($timeout);
	my @event;
	while (my $event = $self->next_before($deadline)) {
		push @event, $event;
	}
	return @event;
}

# Events up to and including the first whose "type" is $type.
sub until {
	my ($self, $type, $timeout) = @_;
	my $deadline = $self->deadline($timeout);
	my @event;
	while (my $event = $self->next_before($deadline)) {
		push @event, $event;
		last if ($event->{json}{type} // '') eq $type;
	}
	return @event;
}

# The rest of an answer that is no stream.
sub body {
	my ($self, $timeout) = @_;
	my $deadline = $self->deadline($timeout);
	$self->read_head($deadline) or return;
	while (!$self->decode && $self->fill($deadline)) { }
	return $self->{text};
}

sub json     { my ($self) = @_; return scalar eval { JSON::PP::decode_json($self->body) } }
sub ended    { my ($self) = @_; return $self->{done} || $self->{eof} ? 1 : 0 }
sub complete { my ($self) = @_; return $self->{done} ? 1 : 0 }
sub comments { my ($self) = @_; return $self->{comments} }
sub socket   { my ($self) = @_; return $self->{socket} }
sub close    { my ($self) = @_; CORE::close($self->{socket}); $self->{eof} = 1; return }

1;
