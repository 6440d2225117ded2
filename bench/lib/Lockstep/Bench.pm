package Lockstep::Bench;

# What the benches have in common: rows of one table, medians, and the real stack.
# A bench run by itself prints its own rows; under bench/run they are collected.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use JSON::PP       ();
use List::Util     qw(max);

my $root;
BEGIN { $root = Cwd::realpath(dirname(__FILE__) . '/../../..') }
use lib "$root/t/lib";
use Lockstep::Stack;

our @EXPORT = qw(built commas median note progress row seconds table);

my (@row, @note);

sub root { return $root }

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[@sorted / 2]
	    : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

sub commas { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }

sub seconds { my ($s) = @_; return sprintf '%.3f s', $s }

# Where the run stands, for whoever waits.
sub progress { print STDERR "bench: $_[0]\n"; return }

# A row: what, ours (text), beside (what stands for the other side), theirs (text),
# ratio (a number, or undef), goal ('>= 0.45' or '<= 1.10', or undef).
sub row { my (%row) = @_; push @row, \%row; return }

# A line under the table.
sub note { push @note, $_[0]; return }

sub verdict {
	my ($row) = @_;
	return '' if !defined $row->{goal};
	my ($sign, $bound) = $row->{goal} =~ /^([<>])= ([\d.]+)$/
	    or die "goal '$row->{goal}'";
	my $met = $sign eq '<' ? $row->{ratio} <= $bound : $row->{ratio} >= $bound;
	return $met ? 'met' : 'MISSED';
}

sub cells {
	my ($row) = @_;
	return ($row->{what}, $row->{ours}, $row->{beside} // '', $row->{theirs} // '',
		defined $row->{ratio} ? sprintf '%.2f', $row->{ratio} : '',
		$row->{goal} // '', verdict($row));
}

sub table {
	my ($rows, $notes) = @_;
	my @line = (['figure', 'Lockstep', 'beside', 'that one', 'ratio', 'goal', ''],
		map { [cells($_)] } @$rows);
	my @width = map { my $i = $_; max map { length $_->[$i] } @line } 0 .. 6;
	my $text = '';
	for my $line (@line) {
		$text .= join('  ', map { /^[134]$/
		    ? sprintf '%*s', $width[$_], $line->[$_]
		    : sprintf '%-*s', $width[$_], $line->[$_] } 0 .. 6) =~ s/ +$//r . "\n";
	}
	return $text . (@$notes ? "\n" . join('', map { "$_\n" } @$notes) : '');
}

# A helper in C, up to date.
sub built {
	my ($name) = @_;
	my $build = $ENV{LOCKSTEP_BUILD} || "$root/build";
	Lockstep::Stack->binary;
	system('make', '-s', '-C', $build, "bench/$name") == 0 or die "bench/$name: not built\n";
	return "$build/bench/$name";
}

# To bench/run, or to the terminal.
sub finish {
	return if !@row;
	if (my $file = $ENV{BENCH_ROWS}) {
		open my $out, '>>', $file or die "$file: $!\n";
		print $out JSON::PP::encode_json({ rows => \@row, notes => \@note }), "\n";
		close $out or die "$file: $!\n";
	} else {
		print table(\@row, \@note);
	}
	return;
}

END { my $status = $?; finish() if $status == 0; $? = $status }

1;
