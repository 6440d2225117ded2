#!/usr/bin/perl

# Every defect of the tool before this one that the contract numbers has a test of its
# name, "defect N: what holds", in a unit defect_N_what_holds; and the table in
# docs/design.md says which file it is in.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $root = Lockstep::Stack->root;

sub source { return Lockstep::Stack::slurp("$root/$_[0]") }

# {number}{file} = 1, by the tests themselves. A name in a comment is none.
sub by_tests {
	my %has;
	for my $file (map { s{^\Q$root\E/}{}r } glob "$root/t/*/*.t $root/t/unit/*.c") {
		my $text = source($file);
		my @number = $file =~ /\.c$/ ? $text =~ /^\t+cmocka_unit_test\w*\(defect_(\d+)_\w+/mg
		    : $text =~ /^\s*subtest (?:'|")defect (\d+): \S/mg;
		$has{$_}{$file} = 1 for @number;
	}
	return \%has;
}

# The same by the table; a number that is there twice is a mistake.
sub by_table {
	my ($section) = source('docs/design.md') =~ /^## 12\. Defects.*?\n(.*?)(?=^## |\z)/ms or die 'no section 12';
	my %has;
	for ($section =~ /^\| (\d+ \|.*) \|$/mg) {
		my ($number, $defect, $here, $files) = split / *\| */;
		fail("$number is there twice") if $has{$number};
		ok length $defect && length $here, "$number: what it was, and what is done";
		$has{$number} = { map { $_ => 1 } split /, */, $files };
	}
	return \%has;
}

my ($tests, $table) = (by_tests(), by_table());
my @number = (1 .. 31, 33, 34);

is_deeply [sort { $a <=> $b } keys %$table], \@number, 'the table has each of them';
for my $n (@number) {
	ok keys %{ $tests->{$n} // {} }, "$n: there is a test of that name";
	is_deeply [sort keys %{ $table->{$n} // {} }], [sort keys %{ $tests->{$n} // {} }], "$n: in the files that the table names";
}
is_deeply [grep { my $n = $_; !grep { $_ == $n } @number } sort keys %$tests], [], 'no test is of a number that there is not';

done_testing;
