package Lockstep::Partner;

# The simulated partner as a test steers it; the control API is described in
# tools/partner-sim --help.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP     ();
use MIME::Base64 ();

my $json = JSON::PP->new->utf8->allow_nonref->canonical;

sub new {
	my ($class, $url) = @_;
	# A connection for each call: head and body go out in two pieces, and on an old
	# connection the second one waits 40 ms for the first to be acknowledged.
	return bless { url => $url, http => HTTP::Tiny->new(timeout => 20, keep_alive => 0) }, $class;
}

sub url { return $_[0]{url} }

# Dies when the simulator does not understand: that is a mistake in the test.
sub call {
	my $text = call_raw(@_);
	return length $text ? $json->decode($text) : undef;
}

# The same, with the answer as it came.
sub call_raw {
	my ($self, $method, $path, $body) = @_;
	my $answer = $self->{http}->request($method, $self->{url} . $path, {
		headers => { 'Content-Type' => 'application/json' },
		(defined $body ? (content => $json->encode($body)) : ()) });
	$answer->{success} or die "$method $path: $answer->{status} $answer->{content}";
	return $answer->{content};
}

sub escape { my ($text) = @_; return $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }
sub b64    { my ($bytes) = @_; return MIME::Base64::encode_base64($bytes, '') }

# User and password are bytes, as everywhere in the tests.
sub account {
	my ($self, $user, $password, %what) = @_;
	return $self->call(POST => '/_sim/accounts',
		{ user_b64 => b64($user), password_b64 => b64($password), %what });
}

sub password {
	my ($self, $user, $password) = @_;
	return $self->call(POST => '/_sim/accounts/password',
		{ user_b64 => b64($user), password_b64 => b64($password) });
}

sub access {
	my ($self, $user, $access) = @_;
	return $self->call(POST => '/_sim/accounts/access',
		{ user_b64 => b64($user), access => $access ? JSON::PP::true : JSON::PP::false });
}

sub data   { my ($self, $user) = @_; return $self->call(GET => '/_sim/data?user=' . escape($user)) }
sub total  { my ($self, $user) = @_; return $self->data($user)->{total} }
sub counts { my ($self, $user) = @_; return $self->call(GET => '/_sim/counts?user=' . escape($user))->{businesses} }
sub edit   { my ($self, %edit) = @_; return $self->call(POST => '/_sim/edit', \%edit) }
sub fault  { my ($self, %rule) = @_; return $self->call(POST => '/_sim/faults', \%rule)->{id} }
sub faults { my ($self) = @_; return $self->call(GET => '/_sim/faults') }

# Calls that are not answered before they are let go: by release(id), or by heal, which
# lets all of them go. So nothing that a test does meanwhile can come too late.
sub hold    { my ($self, %rule) = @_; return $self->fault(kind => 'delay', ms => 300_000, held => JSON::PP::true(), %rule) }
sub release { my ($self, $id) = @_; return $self->call(DELETE => "/_sim/faults/$id") }
sub heal   { my ($self) = @_; return $self->call(DELETE => '/_sim/faults') }
sub latency  { my ($self, %model) = @_; return $self->call(POST => '/_sim/latency', \%model) }
sub limit    { my ($self, %limit) = @_; return $self->call(POST => '/_sim/limit', \%limit) }
sub business { my ($self, $id) = @_; return $self->call(GET => '/_sim/business?id=' . escape($id))->{business} }
sub rename   { my ($self, $id, %what) = @_; return $self->call(POST => '/_sim/business', { id => $id, %what }) }
sub counters { my ($self) = @_; return $self->call(GET => '/_sim/counters') }
sub forget   { my ($self) = @_; return $self->call(DELETE => '/_sim/counters') }

1;
