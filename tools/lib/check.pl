#!/usr/bin/perl

# The steps of tools/check. A build counts as one test, so that one that breaks is
# in the sum too; what cannot be run after it is left out.

use strict;
use warnings;
use TAP::Harness;
use Time::HiRes qw(time);

use constant JOBS => 2;

# Everything takes longer under the sanitizers, the waits of the tests too.
use constant SLOW => 3;

# Of the tests that go on for as long as they are told: rounds of changes behind the
# pool, kills with the sanitizers.
use constant { ROUNDS => 40, KILLS => 10 };

my ($passed, $failed) = (0, 0);
my @broken;

sub say_step { printf "== %s\n", $_[0] }

sub verdict {
	my ($good, $name) = @_;
	if ($good) { $passed++ }
	else       { $failed++; push @broken, $name; print "FAILED: $name\n" }
	return $good;
}

# Runs quietly; shows the output only of what fails.
sub quiet {
	my (@command) = @_;
	open my $out, '-|', 'sh', '-c', 'exec 2>&1; exec "$@"', 'sh', @command
	    or die "$command[0]: $!\n";
	my @line = <$out>;
	return 1 if close $out;
	print @line > 60 ? @line[-60 .. -1] : @line;
	return 0;
}

sub newer {
	my ($one, $other) = @_;
	return !-e $other || (stat $one)[9] > (stat $other)[9];
}

# A build tree, configured if it is not yet, with all that the tests need.
sub build {
	my ($dir, @configure) = @_;
	my $since = time;
	mkdir $dir;
	my $good = -d $dir
	    && (-e "$dir/Makefile" || quiet('sh', '-c',
		'cd "$1" && shift && ../configure -q "$@"', 'sh', $dir, @configure))
	    && quiet('make', '-s', '-C', $dir, '-j' . JOBS)
	    && quiet('make', '-s', '-C', $dir, '-j' . JOBS, 'check-programs');
	printf "%s: %.0f s\n", $dir, time - $since;
	return verdict($good, "build $dir");
}

sub units { return grep { -x } glob "$_[0]/t/unit/*.t" }

sub perl_tests { return grep { !m{^t/unit/} } glob 't/*/*.t' }

# Those that take a minute or more, the longest first: what is begun last goes on by
# itself at the end.
my @LONG = map { "t/$_.t" } qw(web/30-sync web/10-units proc/70-large api/95-any-change web/62-states
    web/70-analytics web/60-table);

# Four at a time: most of them wait more than they work. The runs of analytics do so most
# of all: where there are any, two of them are always among the four. Of the rest the
# long ones come first, then the last.
sub order {
	my (@file) = @_;
	my %rank = map { $LONG[$_] => $_ } 0 .. $#LONG;
	my @analytics = grep { m{^t/analytics/} } @file;
	my @rest      = reverse grep { !m{^t/analytics/} } @file;
	@rest = ((sort { $rank{$a} <=> $rank{$b} } grep { exists $rank{$_} } @rest), grep { !exists $rank{$_} } @rest);
	my @lane = map { my $i = $_; [@analytics[grep { $_ % 2 == $i } 0 .. $#analytics]] } 0, 1;
	return { par => [(map { { seq => $_ } } grep { @$_ } @lane), { par => \@rest }] };
}

sub tests {
	my ($what, @file) = @_;
	my $harness = TAP::Harness->new({ lib => ['t/lib'], jobs => JOBS + 2, rules => order(@file),
		timer => 1, color => 0, merge => 0, failures => 1 });
	my $result = $harness->runtests(@file);
	$passed += $result->passed;
	$failed += $result->failed;
	for my $name ($result->descriptions) {
		my ($parser) = $result->parsers($name);
		next if !$parser->has_problems;
		push @broken, "$what: $name";
		# A file that broke off has no failed test of its own to count.
		$failed++ if !$parser->failed;
	}
}

sub plain {
	say_step('plain');
	build('build', '--enable-werror', '--with-web') or return;
	local $ENV{LOCKSTEP_BUILD} = "$ENV{PWD}/build";
	# Tests with a browser have to run, not to be left out.
	local $ENV{TEST_WEB} = 1;
	tests('build', units('build'), perl_tests());
}

# The same build behind PgBouncer: all that has to do with a running stack. What it
# would find with the sanitizers it finds without a pool too.
sub pooled {
	say_step('behind a pool');
	verdict(-x 'build/lockstep', 'a build to test') or return;
	local $ENV{LOCKSTEP_BUILD} = "$ENV{PWD}/build";
	local $ENV{LOCKSTEP_POOL}  = 1;
	# What is long for being repeated has had all its rounds by now.
	local $ENV{TEST_ROUNDS} = ROUNDS;
	tests('behind a pool', grep { m{^t/(?:api|proc|sql)/} && !m{/70-large} } perl_tests());
}

# Where lockstep serves, tools/stack sets these options itself, with the reports
# going into files that the test frame looks for.
sub sanitized {
	say_step('with the sanitizers');
	build('build-asan', '--enable-sanitize', '--enable-werror', '--without-web') or return;
	local $ENV{LOCKSTEP_BUILD} = "$ENV{PWD}/build-asan";
	local $ENV{TEST_SLOW}  = SLOW;
	local $ENV{ASAN_OPTIONS}   = 'detect_leaks=1:abort_on_error=1';
	local $ENV{UBSAN_OPTIONS}  = 'halt_on_error=1:abort_on_error=1:print_stacktrace=1';
	local $ENV{CHAOS_KILLS}    = KILLS;
	# Pages, simulators and documents are the same for every build, and what is long for
	# being many goes the same ways as what is few: once is enough.
	tests('build-asan', units('build-asan'),
		grep { !m{^t/(?:web|sim|house)/|/70-large|/60-many} } perl_tests());
}

sub clang {
	say_step('clang');
	build('build-clang', 'CC=clang', '--enable-werror', '--without-web');
}

sub main {
	my $since = time;
	chomp($ENV{PWD} = `pwd`);
	$| = 1;
	if (!newer('configure.ac', 'configure') && !newer('Makefile.am', 'Makefile.in')
	    || verdict(quiet('autoreconf', '-fi'), 'autoreconf')) {
		plain();
		pooled();
		sanitized();
		clang();
	}
	print "\nbroken:\n", map { "  $_\n" } @broken if @broken;
	printf "took %.0f s\n", time - $since;
	print "$passed passed, $failed failed\n";
	return $failed ? 1 : 0;
}

exit main();
