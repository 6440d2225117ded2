package Lockstep::Seller;

# The simulated seller API as a test steers it; the control API is described in
# tools/seller-sim --help. Faults, counters and latency are spoken as with the
# simulated partner.

use strict;
use warnings;
use parent 'Lockstep::Partner';

sub query {
	my (%what) = @_;
	return join '&', map { "$_=" . Lockstep::Partner::escape($what{$_}) } sort keys %what;
}

# Makes a seller, or makes it anew, and returns its token: products => N, jam =>
# none|standard|advanced, currency.
sub seller { my ($self, $name, %what) = @_; return $self->call(POST => '/_sim/sellers', { name => $name, %what })->{token} }

# Changes one that is there: jam, currency, jam_refusal, sales_page.
sub change { my ($self, $name, %what) = @_; return $self->call(POST => '/_sim/sellers/set', { seller => $name, %what }) }

# The usual token of a seller, or one as wanted: type, categories, days, opaque.
sub token {
	my ($self, $name, %what) = @_;
	return $self->call(GET => '/_sim/token?' . query(seller => $name))->{token} if !%what;
	return $self->call(POST => '/_sim/tokens', { seller => $name, %what })->{token};
}

sub revoke { my ($self, $token, $as) = @_; return $self->call(POST => '/_sim/tokens/revoke', { token => $token, as => $as // 403 }) }
sub header { my ($self, $how) = @_; return $self->call(POST => '/_sim/auth', { header => $how }) }

# The clock, after setting factor, at or advance if given: {now, factor, date, today}.
sub clock { my ($self, %set) = @_; return %set ? $self->call(POST => '/_sim/clock', \%set) : $self->call(GET => '/_sim/clock') }

sub limits  { my ($self, $name, %what) = @_; return $self->call(POST => '/_sim/limits', { seller => $name, %what }) }
sub penalty { my ($self, %what) = @_; return $self->call(POST => '/_sim/penalty', \%what) }

# What the funnel holds for a period, whether anybody asked or not: [{product, selected}].
sub data { my ($self, $name, $start, $end) = @_; return $self->call(GET => '/_sim/data?' . query(seller => $name, start => $start, end => $end))->{products} }

sub figures { my ($self, $name, $id, %set) = @_; return $self->call(POST => '/_sim/figures', { seller => $name, nmId => $id, set => \%set }) }

# {calls, early, methods} of one seller; all of them: counters().
sub counts { my ($self, $name) = @_; return $self->call(GET => '/_sim/counters?' . query(seller => $name)) }

# The calls as they were made and answered: seller, method, from, bodies => 0.
sub journal { my ($self, %which) = @_; return $self->call(GET => '/_sim/journal?' . query(%which))->{calls} }

# The figures that a seller was sent: {funnel: {nmId: [...]}, texts: {nmId: [...]}}.
sub sent { my ($self, $name) = @_; return $self->call(GET => '/_sim/sent?' . query(seller => $name)) }

sub reset { my ($self) = @_; return $self->call(POST => '/_sim/reset', {}) }

1;
