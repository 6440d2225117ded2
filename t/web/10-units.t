#!/usr/bin/perl

# The types of the pages, and the tests of their logic, which vitest prints as TAP.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $build = $ENV{LOCKSTEP_BUILD} || Lockstep::Stack->root . '/build';
if (!$ENV{TEST_WEB} && !-d "$build/web-build/node_modules") {
	plan skip_all => 'no pages in the build: make pages';
}

# A stack that another test starts makes it, too.
my $copy = eval { Lockstep::Run::Build::pages_copied(Lockstep::Stack->root) };
ok $copy, 'a copy of web/' or die $@;
chdir $copy or die "$copy: $!";
my %how = (timeout => 300);

my $types = Lockstep::Stack->run(\%how, qw(npm run --silent types));
is $types->{exit}, 0, 'the types agree' or diag $types->{out};

my $logic = Lockstep::Stack->run(\%how, qw(node_modules/.bin/vitest run --reporter=tap-flat));
is $logic->{exit}, 0, 'the logic does as it should' or diag $logic->{err};
my ($name, $n) = ('', 0);
for (split /\n/, $logic->{out}) {
	next if !/^(ok|not ok) \d+ - (.*?)(?: # (skip|todo)\b.*| # time=\S+)?$/i;
	(my $verdict, $name, my $left) = ($1, $2, $3);
	ok $verdict eq 'ok' && !$left, $name or diag $logic->{out} =~ /^\Q$_\E\n(  ---\n.*?^  \.\.\.)/ms;
	$n++;
}
cmp_ok $n, '>', 0, 'there is logic';

done_testing;
