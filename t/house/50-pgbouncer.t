#!/usr/bin/perl

# The conf/pgbouncer.ini that is shipped is the one that the tests run behind: the
# stack's is the same, line by line, but for addresses and paths.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $root = Lockstep::Stack->root;
my $s    = Lockstep::Stack->start(pool => 1, conf => { 'jobs.workers' => 1 });

sub lines { return split /\n/, Lockstep::Stack::slurp($_[0]) }

# The settings of a line without what may differ.
sub shape {
	my ($line) = @_;
	return $line if $line =~ /^;/;
	return $line =~ s/ port=\K\d+//r if $line =~ /^lockstep = /;
	return $line =~ s/^(?:listen_port|unix_socket_dir|auth_file|logfile|pidfile) = \K.*//r;
}

my @shipped = lines("$root/conf/pgbouncer.ini");
my @used    = lines("$s->{DIR}/etc/pgbouncer.ini");
cmp_ok scalar @shipped, '>', 20, 'there is something';
is_deeply [map { shape($_) } @used], [map { shape($_) } @shipped], 'what is used is what is shipped';
like Lockstep::Stack::slurp("/proc/$s->{PID_POOL}/cmdline"), qr{\0\Q$s->{DIR}\E/etc/pgbouncer\.ini\0}, 'and PgBouncer has read it';

# What a worker's connection has instead of the settings that a pool refuses.
my ($setup) = map { /^lockstep = .*connect_query='(.*)'$/ } @shipped;
my %pool = map { /^SET (\w+) = (\w+)$/ ? ($1, $2) : () } split /; /, $setup // '';
is delete $pool{application_name}, 'lockstep', 'one that nobody has used yet has its name';
my %direct = Lockstep::Stack::slurp("$root/src/data/pq.c") =~ /-c (\w+)=(\w+)/g;
s/^(\d+)s$/$1 * 1000/e for values %direct;
is_deeply \%pool, \%direct, 'a session of the pool has what a session of our own has';
like "@shipped", qr/ pool_mode = transaction /, 'transaction pooling';
unlike "@shipped", qr/ ignore_startup_parameters /, 'who expects to be past the pool is refused';

$s->stop;
done_testing;
