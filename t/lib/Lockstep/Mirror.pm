package Lockstep::Mirror;

# One account as the partner has it and as the registry has it, side by side, cheap
# enough to be compared after each of many small changes: what has been understood
# once is not parsed again. A row is a line of text in which all its columns are.

use strict;
use warnings;
use JSON::PP ();
use Lockstep::Registry qw(COLUMNS account_id counts_wrong row_of row_stored);

my $json   = JSON::PP->new->canonical->allow_nonref->utf8;
my @column = COLUMNS();
my (%of_text, %of_row);

# user is of an account that keeps a journal at the simulator.
sub new {
	my ($class, $s, $user) = @_;
	return bless { s => $s, user => $user, id => account_id($s, $user) // die "$user has never signed in" }, $class;
}

sub user { return $_[0]{user} }
sub id   { return $_[0]{id} }

# [program_id, row] for each program of an answer of the control API.
sub programs_in {
	my ($self, $method, $path) = @_;
	my ($all) = $self->{s}->partner->call_raw($method, $path, $method eq 'POST' ? { user => $self->{user} } : undef)
	    =~ /"programs":\[\n(.*)\n\]/s or die "$method $path: no programs";
	return map { $of_text{$_} //= understood($json->decode($_)) } split /,\n/, $all;
}

sub understood { my ($p) = @_; return [$p->{program_id}, $json->encode(row_of($p))] }

# In the partner's order.
sub partner_list { my ($self) = @_; return $self->programs_in(GET => "/_sim/data?user=$self->{user}") }

# Those versions that the partner had since the last call.
sub partner_journal { my ($self) = @_; return $self->programs_in(POST => '/_sim/journal') }

# What the registry holds: {live => {id => row}, retired => {id => 1}, names => {id =>
# custom name}}. A retired program that still has links is live in part: its row says so.
sub registry {
	my ($self) = @_;
	my ($s, %got) = ($self->{s}, live => {}, retired => {}, names => {});
	my $links = $s->db->selectall_hashref(q(SELECT program_id, string_agg(business_id, ' ' ORDER BY
		business_id COLLATE "C") AS businesses FROM program_business WHERE account_id = ?
		GROUP BY program_id), 'program_id', {}, $self->{id});
	my $rows = $s->db->selectall_arrayref('SELECT program_id, retired_at IS NOT NULL, custom_name, '
	    . join(', ', @column) . ' FROM program WHERE account_id = ?', {}, $self->{id});
	for my $row (@$rows) {
		my ($id, $retired, $name, @value) = @$row;
		$got{names}{$id} = $name if defined $name;
		my $linked = (delete $links->{$id} // {})->{businesses} // '';
		if   ($retired) { $got{retired}{$id} = $linked }
		else            { $got{live}{$id} = row_text($linked, @value) }
	}
	$got{stray} = [sort keys %$links];
	return \%got;
}

sub row_text {
	my ($linked, @value) = @_;
	return $of_row{ join "\x1f", $linked, map { $_ // "\x1e" } @value } //= do {
		my %row;
		@row{@column} = @value;
		# Text is bytes here; what is JSON is decoded with its parts.
		utf8::decode($_) for grep { defined && /[\x80-\xff]/ && !/\A[\[{]/ } values %row;
		my $stored = row_stored(\%row);
		$stored->{businesses} = [split / /, $linked];
		$json->encode($stored);
	};
}

# Every row's version, the kept counts' too, and that of the registry: another after
# anything was written.
sub version {
	my ($self) = @_;
	return join ' ', map { $_ // '' } $self->{s}->db->selectrow_array(q{
		SELECT (SELECT md5(string_agg(xmin || ' ' || ctid, ',' ORDER BY ctid)) FROM program WHERE account_id = $1),
		       (SELECT md5(string_agg(xmin || ' ' || ctid, ',' ORDER BY ctid)) FROM program_business WHERE account_id = $1),
		       (SELECT md5(string_agg(xmin || ' ' || ctid, ',' ORDER BY ctid)) FROM business_count WHERE account_id = $1),
		       registry_version, synced_at, full_at FROM account WHERE id = $1}, {}, $self->{id});
}

sub counts_wrong_now { my ($self) = @_; return map { $json->encode($_) } @{ counts_wrong($self->{s}, $self->{id}) } }

# Columns in which two rows differ, for people.
sub difference {
	my ($have, $want) = @_;
	return 'have ' . ($have // 'nothing') . "\n    want " . ($want // 'nothing') if !defined $have || !defined $want;
	my ($one, $other) = map { $json->decode($_) } $have, $want;
	return join '; ', map { "$_: have " . $json->encode($one->{$_}) . ', want ' . $json->encode($other->{$_}) }
	    grep { $json->encode($one->{$_}) ne $json->encode($other->{$_}) } sort keys %$other;
}

1;
