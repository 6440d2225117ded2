package Lockstep::Bench;

# What the benches have in common: rows of one table, medians, and the real stack.
# A bench run by itself prints its own rows; under bench/run they are collected.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use JSON::PP       ();
use List::Util     qw(max sum0);
use POSIX          ();
use Time::HiRes    qw(time);

my $root;
BEGIN { $root = Cwd::realpath(dirname(__FILE__) . '/../../..') }
use lib "$root/t/lib";
use Lockstep::Stack;

our @EXPORT = qw(built calm commas median note progress row seconds stack table);

# A sample counts as disturbed when others use more of the machine meanwhile; then it
# is taken again, for so many seconds in all, and at last the least disturbed counts.
use constant OTHERS_MOST => 0.10;
my $patience = $ENV{BENCH_PATIENCE} // 20;

my (@row, @note);
my ($samples, $disturbed) = (0, 0);
my $dir = '';

sub root { return $root }

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[@sorted / 2]
	    : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# The real stack, one for a bench; %how as Lockstep::Stack takes it.
sub stack {
	my (%how) = @_;
	my $s = Lockstep::Stack->start(%how);
	$dir = $s->{DIR};
	return $s;
}

# Ticks that all processors were at work, and those of them that were ours: of this
# process, its children, and whatever works in our stack's directory.
sub ticks {
	my ($user, $nice, $system) = Lockstep::Stack::slurp('/proc/stat') =~ /^cpu +(\d+) (\d+) (\d+)/;
	my $ours = sum0(times) * POSIX::sysconf(POSIX::_SC_CLK_TCK());
	for my $process (glob '/proc/[0-9]*') {
		index((readlink("$process/cwd") // '') . '/', "$dir/") == 0 or next;
		my @field = split ' ', Lockstep::Stack::slurp("$process/stat") =~ s/^.*\)//sr;
		$ours += sum0(@field[11 .. 14]) if @field;
	}
	return ($user + $nice + $system, $ours);
}

# Runs $sample and returns its result, undisturbed if that can be had.
sub calm {
	my ($sample) = @_;
	my ($best, $least);
	$samples++;
	while (1) {
		my ($since, @before) = (time, ticks());
		my $result = $sample->();
		my ($took, @after) = (time - $since, ticks());
		my $others = ($after[0] - $before[0] - ($after[1] - $before[1]))
		    / ($took * cores() * POSIX::sysconf(POSIX::_SC_CLK_TCK()));
		($best, $least) = ($result, $others) if !defined $least || $others < $least;
		last if $least <= OTHERS_MOST;
		if ($patience <= 0) { $disturbed++; last }
		$patience -= $took;
	}
	return $best;
}

sub cores { my @core = Lockstep::Stack::slurp('/proc/cpuinfo') =~ /^processor\s*:/mg; return scalar @core }

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
	my $ratio = $row->{ratio};
	return ($row->{what}, $row->{ours}, $row->{beside} // '', $row->{theirs} // '',
		defined $ratio ? sprintf $ratio < 2 ? '%.3f' : '%.2f', $ratio : '',
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

sub disturbance {
	my ($n, $bad) = @_;
	return "none of $n samples was disturbed by other work on the machine" if !$bad;
	return "$bad of $n samples were disturbed by other work on the machine";
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
		print $out JSON::PP::encode_json({ rows => \@row, notes => \@note,
			samples => $samples, disturbed => $disturbed }), "\n";
		close $out or die "$file: $!\n";
	} else {
		print table(\@row, \@note);
		print disturbance($samples, $disturbed), "\n";
	}
	return;
}

END { my $status = $?; finish() if $status == 0; $? = $status }

1;
