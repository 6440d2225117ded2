#!/usr/bin/perl

# How nginx serves the pages for browsers. They are stand-ins here, so that this needs
# no npm; t/web has the real ones.

use strict;
use warnings;
use File::Path ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Compress::Gzip qw(gzip);
use Lockstep::Stack;
use Test::More;

my $s    = Lockstep::Stack->start(conf => { 'jobs.workers' => 1 });
my $root = "$s->{DIR}/web";
my $code = 'export const many = "' . 'x' x 5000 . qq(";\n);

File::Path::remove_tree($root);
subtest 'without pages there are none' => sub {
	is $s->get($_)->{status}, 404, $_ for qw(/login /programs /lockstep/third-party.txt);
	is $s->get($_, login => $s->operator_login)->{status}, 404, $_ for qw(/analytics /jobs);
};

sub put {
	my ($name, $text) = @_;
	File::Path::make_path("$root/$name" =~ s{/[^/]*$}{}r);
	open my $out, '>:raw', "$root/$name" or die "$name: $!";
	print $out $text;
	close $out or die "$name: $!";
}

gzip(\$code, \my $packed);
put('index.html', "<!doctype html>\n<title>Programs</title>\n");
put('lockstep/assets/app-1a2b3c.js', $code);
put('lockstep/assets/app-1a2b3c.js.gz', $packed);
put('lockstep/assets/app-1a2b3c.css', "body { margin: 0 }\n");
put('lockstep/third-party.txt', "MIT\n");
# As root the parts run as another user.
system('chmod', '-R', 'a+rX', $root) == 0 or die;
{
	my ($uid, $gid) = (stat $s->{RUN_DIR})[4, 5];
	system('chown', '-R', "$uid:$gid", $root) == 0 or die if $> == 0;
}

my %safe = (
	'x-content-type-options'       => 'nosniff',
	'referrer-policy'              => 'no-referrer',
	'cross-origin-opener-policy'   => 'same-origin',
	'cross-origin-resource-policy' => 'same-origin',
);

# The directives of the policy by their names.
sub policy {
	my ($answer) = @_;
	my $text = $answer->{headers}{'content-security-policy'} // '';
	return map { my ($name, @source) = split; ($name => "@source") } split /;\s*/, $text;
}

sub is_safe {
	my ($answer) = @_;
	is $answer->{headers}{$_}, $safe{$_}, $_ for sort keys %safe;
	my %policy = policy($answer);
	is $policy{'default-src'}, q('none'), 'nothing by default';
	is $policy{'script-src'},  q('self'), 'scripts are our files, none is inline';
	is $policy{'connect-src'}, q('self'), 'it talks to us alone';
	is $policy{$_}, q('none'), "$_ is shut" for qw(base-uri form-action frame-ancestors);
	like $answer->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/, 'the request id';
}

for my $path (qw(/login /programs /programs?status=CURRENT&next=https://elsewhere.example)) {
	subtest "$path is the page, and is not kept" => sub {
		my $answer = $s->get($path);
		is $answer->{status}, 200, 'status';
		like $answer->{body}, qr/<title>Programs/, 'index.html';
		is $answer->{headers}{'content-type'}, 'text/html; charset=utf-8', 'type';
		is $answer->{headers}{'cache-control'}, 'no-cache, no-store', 'not kept';
		is_safe($answer);
	};
}

for my $path (qw(/analytics /jobs /analytics?seller=7&q=x /jobs?job=1)) {
	subtest "$path is the page for operators alone" => sub {
		my $answer = $s->get($path, login => $s->operator_login);
		is $answer->{status}, 200, 'status';
		like $answer->{body}, qr/<title>Programs/, 'index.html';
		is $answer->{headers}{'content-type'}, 'text/html; charset=utf-8', 'type';
		is $answer->{headers}{'cache-control'}, 'no-cache, no-store', 'not kept';
		is_safe($answer);
		for my $how ([], [login => [$s->operator_login->[0], 'wrong']], [as => 'demo']) {
			my $no = $s->get($path, @$how);
			is $no->{status}, 401, 'nobody else';
			like $no->{headers}{'www-authenticate'}, qr/^Basic realm="Lockstep"/, '... is asked by the browser itself';
			unlike $no->{body}, qr/<title>Programs/, '... and sees nothing of it';
			is_safe($no);
		}
	};
}

subtest 'the files of the pages are for everybody' => sub {
	for my $path (qw(/login /programs /lockstep/assets/app-1a2b3c.js /lockstep/third-party.txt)) {
		is $s->get($path)->{status}, 200, $path;
		is $s->get($path, login => [$s->operator_login->[0], 'wrong'])->{status}, 200, '... whatever login is sent along';
	}
};

subtest 'a file with a hash in its name is kept for ever' => sub {
	my $plain = $s->get('/lockstep/assets/app-1a2b3c.js');
	is $plain->{status}, 200, 'status';
	is $plain->{body}, $code, 'as it is';
	is $plain->{headers}{'content-type'}, 'text/javascript; charset=utf-8', 'type';
	is $plain->{headers}{'cache-control'}, 'public, max-age=31536000, immutable', 'kept';
	is $plain->{headers}{vary}, 'Accept-Encoding', 'there are two of it';
	is_safe($plain);
	my $small = $s->get('/lockstep/assets/app-1a2b3c.js', headers => { 'Accept-Encoding' => 'gzip' });
	is $small->{headers}{'content-encoding'}, 'gzip', 'packed for who takes that';
	is $small->{body}, $packed, 'by the build';
	is $small->{headers}{'content-type'}, 'text/javascript; charset=utf-8', 'of the same type';
	is $s->get('/lockstep/assets/app-1a2b3c.css')->{headers}{'content-type'}, 'text/css; charset=utf-8', 'a style';
};

subtest 'one that is not there is 404, and that is not kept' => sub {
	my $answer = $s->get('/lockstep/assets/app-0.js');
	is $answer->{status}, 404, 'status';
	is $answer->{headers}{'cache-control'}, undef, 'says nothing of keeping it';
	is_safe($answer);
};

subtest 'the licences' => sub {
	my $answer = $s->get('/lockstep/third-party.txt');
	is $answer->{body}, "MIT\n", 'there';
	is $answer->{headers}{'content-type'}, 'text/plain; charset=utf-8', 'as text';
};

subtest 'everything else is 404, and nothing sends anywhere' => sub {
	for my $path (qw(/ /index.html /login/ /login.html /loginx /programs/ /programs/1 /lockstep
	    /analytics/ /analytics/1 /analyticsx /jobs/ /jobs/1 /jobsx
	    /lockstep/ /lockstep/index.html /lockstep/assets /lockstep/assets/ /assets/app-1a2b3c.js
	    /lockstep/assets/../../index.html /lockstep/assets/..%2f..%2findex.html
	    /lockstep/assets../index.html //elsewhere.example/programs /\elsewhere.example/%2e%2e
	    /lockstep/assets//elsewhere.example/..)) {
		my $text = $s->raw("GET $path HTTP/1.0\r\nHost: elsewhere.example\r\n\r\n");
		like $text, qr{^HTTP/1\.1 40[04] }, $path;
		unlike $text, qr/^Location:/mi, '... without a Location';
	}
	is $s->post('/login', body => 'user=a&password=b')->{status}, 405, 'a form that was sent is refused';
};

$s->stop;
done_testing;
