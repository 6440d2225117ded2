#!/usr/bin/perl

# The documents say what is: settings and defaults in the manual page and in the
# example, links that lead somewhere, names of metrics and problems, and the curl
# lines of the README with the answers that they give.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $root = Lockstep::Stack->root;

sub source { return Lockstep::Stack::slurp("$root/$_[0]") }

# Settings: {"section.key" => default}, as the binary prints them.
sub settings {
	my $conf = File::Temp->new;
	print $conf "[db]\nurl = postgresql:///lockstep\n";
	close $conf;
	my $all = Lockstep::Stack->run({}, Lockstep::Stack->binary, '-c', "$conf", 'check', '-T');
	my ($section, %value) = '';
	for (split /\n/, $all->{out}) {
		if    (/^\[(\w+)\]/)     { $section = "$1." }
		elsif (/^(\w+) = ?(.*)/) { $value{"$section$1"} = $2 }
	}
	return \%value;
}

# 60s and 1min are the same.
sub plain {
	my ($value) = @_;
	my %unit = (ms => 1, s => 1000, min => 60_000, h => 3_600_000, d => 86_400_000,
		k => 1024, m => 1 << 20);
	return $value =~ /^(\d+)(ms|s|min|h|d|k|m)$/ ? $1 * $unit{$2} : $value;
}

# The same from lockstep.conf(5): {default, from, to}.
sub manual {
	my ($section, $key, %found) = '';
	for (split /\n/, source('docs/man/lockstep.conf.5')) {
		if    (/^\.Ss Section (\w+)/) { $section = "$1." }
		elsif (/^\.It Cm (\w+)$/)     { $key = "$section$1"; $found{$key} = {} }
		elsif (!defined $key)         { next }
		elsif (/^\.Ql (?:\\&)?"?(.+?)"? \.$/)    { $found{$key}{default} = $1 }
		elsif (/^Default: empty\./)         { $found{$key}{default} = '' }
		elsif (/^Must be set\./)            { $found{$key}{default} = 'required' }
		elsif (/^From (\S+) to (\S+)\.$/)   { @{ $found{$key} }{qw(from to)} = ($1, $2) }
		elsif (/^\.El/)                     { undef $key }
	}
	return \%found;
}

# And from the example, where a default is commented out: #key = value.
sub example {
	my ($section, $words, %found) = ('', '');
	for (split /\n/, source('conf/lockstep.conf.example')) {
		if    (/^\[(\w+)\]/)  { ($section, $words) = ("$1.", '') }
		elsif (/^# ?(.*\S)?/ && !/^#\w+ =/) { $words .= ' ' . ($1 // '') }
		elsif (/^(#?)(\w+) = ?(.*)/) {
			my ($key, $default) = ("$section$2", $1 ? $3 : 'required');
			my ($from, $to) = $words =~ /\((\w+) to (\w+)\)/;
			$found{$key} = { default => $default, from => $from, to => $to };
			$words = '';
		} elsif (/^$/) { $words = '' }
	}
	return \%found;
}

subtest 'every setting is in the manual and in the example, with its default' => sub {
	my ($built, $manual, $example) = (settings(), manual(), example());
	cmp_ok scalar(keys %$built), '>', 30, 'settings';
	is_deeply [sort keys %$manual],  [sort keys %$built], 'the manual has them all';
	is_deeply [sort keys %$example], [sort keys %$built], 'so has the example';
	for my $key (sort keys %$built) {
		my $default = $built->{$key} =~ /^\*+$/ ? 'required' : plain($built->{$key});
		is plain($manual->{$key}{default} // 'nothing'), $default, "$key in the manual";
		is plain($example->{$key}{default} // 'nothing'), $default, "$key in the example";
		is_deeply [map { plain($_ // '') } @{ $manual->{$key} }{qw(from to)}],
		    [map { plain($_ // '') } @{ $example->{$key} }{qw(from to)}], '... and its range';
	}
};

subtest 'the manual pages are well formed' => sub {
	for my $page (qw(lockstep.1 lockstep.conf.5)) {
		my $lint = Lockstep::Stack->run({}, 'mandoc', '-T', 'lint', '-W', 'warning', "$root/docs/man/$page");
		is $lint->{out} . $lint->{err}, '', $page;
	}
};

my @documents = map { s{^\Q$root\E/}{}r } glob "$root/*.md $root/docs/*.md";

subtest 'links lead somewhere' => sub {
	cmp_ok scalar(@documents), '>=', 7, 'documents';
	for my $file (@documents) {
		my $text = source($file);
		ok length $text > 200, "$file is written";
		my %anchor = map { lc($_) =~ s/[^\w\- ]//gr =~ s/ /-/gr => 1 } $text =~ /^#+ (.*)$/mg;
		for my $link ($text =~ /\]\(([^)\s]+)\)/g) {
			next if $link =~ /^https?:/;
			my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
			ok $path eq '' ? $anchor{$anchor} : -e "$root/" . dirname($file) . "/$path", "$file: $link";
		}
	}
};

subtest 'what can be seen and met is explained' => sub {
	my $operations = source('docs/operations.md');
	for my $metric (source('src/http/status.c') =~ /metric\(b?&?b, "(\w+)"/g) {
		like $operations, qr/lockstep_$metric\b/, "metric $metric";
	}
	for my $code (source('src/http/problem.c') =~ /= \{ \d{3},\s*"(\w+)"/g) {
		like $operations, qr/`$code`/, "problem $code";
	}
	my $client = source('src/events/client.c');
	for my $how ($client =~ /(?:client_drop|end|end_with_retry)\(c, "([^"]+)"\)/g) {
		like $operations, qr/`$how`/, "a stream ends: $how";
	}
	for my $signal (qw(TERM INT HUP USR1)) {
		like $operations, qr/`$signal`/, "signal $signal";
	}
};

# Commands of the README that ask the demo, each with the answer printed below it.
sub curl_lines {
	my @asked;
	for my $block (source('README.md') =~ /^```console\n(.*?)^```$/msg) {
		for (split /^(?=\$ )/m, $block) {
			push @asked, [$1, $2] if /^\$ (curl [^\n]*127\.0\.0\.1:8080[^\n]*)\n(.*)\z/s;
		}
	}
	return @asked;
}

# The printed answer as a pattern, in which "…" is whatever was left out.
sub pattern {
	my ($text) = @_;
	return join '.*?', map { quotemeta } split /…/, $text =~ s/\s+\z//r, -1;
}

subtest 'the curl lines of the README give what it says' => sub {
	my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1 });
	$s->sync('demo');
	my @asked = curl_lines();
	cmp_ok scalar(@asked), '>=', 5, 'lines';
	for (@asked) {
		my ($command, $printed) = @$_;
		my $out = Lockstep::Stack->run({}, 'sh', '-c', $command =~ s{http://127\.0\.0\.1:8080}{$s->{BASE_URL}}gr)->{out};
		like $out, qr/\A@{[pattern($printed)]}\s*\z/s, $command;
	}
	$s->stop;
};

done_testing;
