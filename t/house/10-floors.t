#!/usr/bin/perl

# A folder of src/ is a floor: its files include their own floor and those below,
# never one above. And an outside library is named in one file alone, so that there
# is one place to look at and one to replace.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find     ();
use File::Path     ();
use File::Temp     ();
use FindBin;
use Test::More;

my @floors = qw(core proc data net http events jobs programs cli top);
my %height = map { $floors[$_] => $_ } 0 .. $#floors;

# Products stand side by side: each may use the floors below, none another one.
my @products = qw(analytics);
$height{$_} = $height{programs} for @products;
my %product = map { $_ => 1 } 'programs', @products;

# Header of an outside library: the only file that may include it.
my %library = (
	'fcgiapp.h'   => 'http/fcgi.c',
	'libpq-fe.h'  => 'data/pq.h',
	'curl/curl.h' => 'net/upstream.c',
	'jansson.h'   => 'core/json.c',
	'sodium.h'    => 'core/secret.c',
	'ini.h'       => 'core/conf.c',
);

# libpq has two kinds of connection and what they have in common.
my %private = ('data/pq.h' => [qw(data/pq.c data/conn.h data/db.c data/link.c)],
	'data/conn.h' => [qw(data/conn.c data/db.c)]);

# Of the system, or as good as that. Whoever needs another one writes it here, or
# finds that it is a library.
my %system = map { $_ => 1 } qw(assert.h ctype.h dirent.h endian.h errno.h fcntl.h
	getopt.h grp.h inttypes.h limits.h locale.h math.h netdb.h poll.h pwd.h signal.h
	stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
	string.h strings.h syslog.h termios.h time.h unistd.h sanitizer/asan_interface.h
	uthash.h utlist.h);

sub slurp {
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	local $/;
	return <$in>;
}

sub floor_of { my ($file) = @_; return $file =~ m{^([^/]+)/} ? $1 : 'top' }

# What is wrong with one include of ours.
sub judge_own {
	my ($src, $file, $name) = @_;
	my ($here, $there) = (floor_of($file), floor_of($name));
	return "$file includes $name, which is not there"
	    if !-e "$src/$name" && $name ne 'data/query.h';
	return "$file includes $name from $there, a floor above $here"
	    if $height{$there} > $height{$here};
	return "$file includes $name of another product"
	    if $product{$here} && $product{$there} && $here ne $there;
	return "$file includes $name, which is not for it"
	    if $private{$name} && !grep { $_ eq $file } @{ $private{$name} };
	return;
}

sub judge_outside {
	my ($file, $name) = @_;
	return if $system{$name} || $name =~ m{^sys/};
	my $only = $library{$name} // ($name =~ m{^curl/} ? $library{'curl/curl.h'} : undef);
	return "$file includes $name, a library that is not listed" if !defined $only;
	return $file eq $only ? () : "$file includes $name, which only $only may";
}

sub judge_file {
	my ($src, $file) = @_;
	my @complaint;
	push @complaint, "$file lies on no floor" if !defined $height{ floor_of($file) };
	return @complaint if @complaint;
	for (split /\n/, slurp("$src/$file")) {
		/^\s*#\s*include\s*(["<])([^">]+)[">]/ or next;
		push @complaint, $1 eq '"' ? judge_own($src, $file, $2) : judge_outside($file, $2);
	}
	return @complaint;
}

sub files_of {
	my ($src) = @_;
	my @file;
	File::Find::find({ no_chdir => 1, wanted => sub {
		push @file, s{^\Q$src\E/}{}r if /\.[ch]\z/;
	} }, $src);
	return sort @file;
}

# Everything that is wrong with a source tree, in words.
sub judge { my ($src) = @_; return map { judge_file($src, $_) } files_of($src) }

# A source tree of these files, each given as what it includes.
sub sample {
	my (%file) = @_;
	my $dir = File::Temp->newdir;
	for my $name (keys %file) {
		File::Path::make_path("$dir/" . dirname($name));
		open my $out, '>', "$dir/$name" or die "$name: $!";
		print $out map { "#include $_\n" } @{ $file{$name} };
		close $out or die "$name: $!";
	}
	return $dir;
}

sub complains {
	my ($file, $complaint, $name) = @_;
	my $dir = sample(%$file);
	is_deeply [judge("$dir")], $complaint, $name;
}

complains({ 'core/a.h' => ['<stdint.h>'], 'net/b.c' => ['"core/a.h"', '"net/b.h"', '<sys/un.h>'],
	'net/b.h' => [], 'main.c' => ['"net/b.h"'] }, [], 'a tree in order is not complained of');
complains({ 'core/a.c' => ['"http/req.h"'], 'http/req.h' => [] },
	['core/a.c includes http/req.h from http, a floor above core'],
	'a file that includes a floor above is found');
complains({ 'cli/a.c' => ['"routes.h"'], 'routes.h' => [] },
	['cli/a.c includes routes.h from top, a floor above cli'],
	'the table of routes is above all floors');
complains({ 'jobs/a.h' => ['"programs/x.h"'], 'programs/x.h' => [] },
	['jobs/a.h includes programs/x.h from programs, a floor above jobs'],
	'a header that includes a floor above is found');
complains({ 'analytics/a.c' => ['"programs/x.h"'], 'programs/x.h' => [] },
	['analytics/a.c includes programs/x.h of another product'],
	'a product that includes another one is found');
complains({ 'programs/a.c' => ['"analytics/x.h"'], 'analytics/x.h' => [] },
	['programs/a.c includes analytics/x.h of another product'], '... either way');
complains({ 'core/a.c' => ['"buf.h"'], 'core/buf.h' => [] },
	['core/a.c includes buf.h, which is not there'],
	'an include that is not written from src/ is found');
complains({ 'utils/a.c' => [] }, ['utils/a.c lies on no floor'], 'a folder that is no floor is found');
complains({ 'jobs/a.c' => ['<jansson.h>'] },
	['jobs/a.c includes jansson.h, which only core/json.c may'],
	'a library in a second file is found');
complains({ 'net/retry.c' => ['<curl/multi.h>'] },
	['net/retry.c includes curl/multi.h, which only net/upstream.c may'],
	'a library is known by its folder too');
complains({ 'core/a.c' => ['<zlib.h>'] },
	['core/a.c includes zlib.h, a library that is not listed'],
	'a new library is found');
complains({ 'data/migrate.c' => ['"data/pq.h"'], 'data/pq.h' => ['<libpq-fe.h>'] },
	['data/migrate.c includes data/pq.h, which is not for it'],
	'libpq does not leak out of the files that hold connections');

my $src = "$FindBin::Bin/../../src";
is_deeply [judge($src)], [], 'no file of src/ includes a floor above or another\'s library';
for my $name (sort keys %library) {
	like slurp("$src/$library{$name}"), qr/^#include <\Q$name\E>$/m,
	    "$library{$name} is where $name is used";
}
done_testing;
