#!/usr/bin/perl

# Every header compiles alone, with the flags of the build, and says of every
# function what it does: a comment stands before the prototype, or before the group
# of prototypes (lines without an empty one between) that it is in.

use strict;
use warnings;
use Cwd        ();
use File::Find ();
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $root  = Lockstep::Stack->root;
my $build = Cwd::realpath($ENV{LOCKSTEP_BUILD} || "$root/build");

sub slurp {
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	local $/;
	return <$in>;
}

# The compiler and its flags, as make has them.
sub compiler {
	my $makefile = File::Temp->new;
	print $makefile "include Makefile\nhouse-flags:\n",
	    "\t\@:\$(info flags: \$(CC) \$(DEFS) \$(DEFAULT_INCLUDES) \$(INCLUDES)",
	    " \$(AM_CPPFLAGS) \$(CPPFLAGS) \$(AM_CFLAGS) \$(CFLAGS))\n";
	$makefile->flush;
	my ($flags) = `make -s -C \Q$build\E -f $makefile house-flags` =~ /^flags: (.*)$/m
	    or die "no flags from $build/Makefile";
	return $flags;
}

# The compiler's complaint, '' for none. In the build's directory, where config.h is.
sub compile {
	my ($compiler, $header) = @_;
	# -Werror is the build's to choose; a warning is one here in any case.
	my $text = `cd \Q$build\E && $compiler -Werror -fsyntax-only -x c \Q$header\E 2>&1`;
	return $? == 0 ? '' : $text || "exit $?";
}

# The header without what its braces and the preprocessor's lines hold; every
# comment is left as a mark.
sub outline {
	my ($text) = @_;
	$text =~ s{/\*.*?\*/}{\@}gs;
	$text =~ s{^\s*#(?:\\\n|.)*$}{#}gm;
	1 while $text =~ s/\{[^{}]*\}/~/g;
	return $text;
}

# Names of functions that no comment covers. A group ends with an empty line; what
# comes before a prototype in its group, a struct or a macro, is of it.
sub silent {
	my ($text) = @_;
	my @name;
	for my $group (split /\n[ \t]*\n/, outline($text)) {
		my $said = 0;
		while ($group =~ /(\@)|([^;\@]*;)/g) {
			if (defined $1) { $said = 1; next }
			my $declaration = $2;
			next if $said || $declaration !~ /\b(\w+)\s*\(/;
			my $function = $1;
			push @name, $function if $declaration !~ /\btypedef\b|\(\s*\*/;
		}
	}
	return @name;
}

sub headers {
	my @file;
	File::Find::find({ no_chdir => 1, wanted => sub { push @file, $_ if /\.h\z/ } }, @_);
	return sort @file;
}

# The checks themselves, on headers that are wrong.

Lockstep::Stack->binary;
my $compiler = compiler();

sub compile_sample {
	my ($text) = @_;
	my $file = File::Temp->new(SUFFIX => '.h');
	print $file $text;
	$file->flush;
	return compile($compiler, "$file");
}

is compile_sample("#include <stddef.h>\nsize_t\ta(void);\n"), '', 'a header that stands alone compiles';
like compile_sample("struct a {\n\tuint64_t\tn;\n};\n"), qr/uint64_t/, 'a header that lacks an include does not';
like compile_sample("#include \"core/buf.h\"\nint\ta(struct buf *, struct other *);\n"), qr/struct other/,
    'a warning is enough';

my $good = <<'H';
/* What it is for. */
struct a;

/* Makes one, and ends it. */
struct a	*a_new(void);
void		 a_free(struct a *);

/* Counters. */
struct tally {
	int	 n;

	int	 (*fn)(int);
};
struct tally	*tally(void);

/* So many at a time. */
#define MOST	256
int	a_ask(struct a *,
	    int n) MUST_CHECK;
H
is_deeply [silent($good)], [], 'a comment covers its group';
is_deeply [silent("#ifndef A_H\n#define A_H\n\nint\ta(void);\n\n#endif\n")], ['a'],
    'a prototype without a comment is found';
is_deeply [silent("/* One. */\nint\ta(void);\n\nint\tb(void);\nint\n\tc(int,\n\t    int);\n")], ['b', 'c'],
    'a comment does not cover what follows an empty line';
is_deeply [silent("/* What it is for. */\n\nstruct a;\nint\ta(void);\n")], ['a'],
    'nor does what stands at the top of the file';
is_deeply [silent("/* Says. */\nextern int x;\n\nstruct b {\n\t/* a field */\n\tint n;\n};\nvoid\tb(void);\n")],
    ['b'], 'nor does the comment of a field';
is_deeply [silent("struct k {\n\tint\t(*run)(void);\n};\ntypedef int (*fn)(void);\n")], [],
    'a pointer to a function is none';

# And on our own.

my @header = headers("$root/src");
cmp_ok scalar @header, '>=', 40, 'the headers are found';
for my $header (@header, headers("$build/src")) {
	my $name = $header =~ s{^.*/src/}{}r;
	is compile($compiler, $header), '', "$name compiles alone";
	is_deeply [silent(slurp($header))], [], "$name says what each function does"
	    if $header =~ m{^\Q$root/src\E/};
}
done_testing;
