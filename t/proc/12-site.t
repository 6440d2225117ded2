#!/usr/bin/perl

# conf/nginx/site.conf as it is, but for ports, paths and a certificate of our own.

use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Lockstep::Run::Process qw(listen_port);
use Test::More;

my $s    = Lockstep::Stack->start(conf => { 'jobs.workers' => 1 });
my $dir  = File::Temp->newdir;
my %port = map { $_ => listen_port() } qw(80 443 8081);

sub write_file {
	my ($name, $text) = @_;
	open my $out, '>', "$dir/$name" or die "$name: $!";
	print $out $text;
	close $out or die "$name: $!";
}

sub certificate {
	return Lockstep::Stack->run({}, qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2
		-subj /CN=lockstep.example -addext subjectAltName=DNS:lockstep.example),
		'-keyout', "$dir/key.pem", '-out', "$dir/cert.pem");
}

sub adapted {
	my ($text) = @_;
	$text =~ s{/etc/ssl/\S+\.pem}{$dir/cert.pem}g;
	$text =~ s{/etc/ssl/\S+\.key}{$dir/key.pem}g;
	$text =~ s{/var/log/nginx/lockstep\.}{$dir/}g;
	$text =~ s{/usr/local/share/lockstep/web}{$dir/web}g;
	$text =~ s{unix:/run/lockstep/}{unix:$s->{RUN_DIR}/}g;
	$text =~ s{listen \[::\]:\d+[^;]*;}{}g;
	$text =~ s{listen (80|443)\b}{listen 127.0.0.1:$port{$1}}g;
	$text =~ s{127\.0\.0\.1:8081}{127.0.0.1:$port{8081}}g;
	return $text;
}

sub nginx_start {
	mkdir "$dir/$_" for qw(lockstep tmp web);
	write_file('web/index.html', "<!doctype html>\n");
	chmod 0755, "$dir/web";
	for my $file (glob Lockstep::Stack->root . '/conf/nginx/*') {
		write_file('lockstep/' . $file =~ s{.*/}{}r, adapted(Lockstep::Stack::slurp($file)));
	}
	# The sockets belong to the user that the stack runs as.
	my $user = $> == 0 ? 'user ' . getpwuid((stat $s->{RUN_DIR})[4]) . ';' : '';
	my $temp = join '', map { "${_}_temp_path $dir/tmp/$_;\n" }
	    qw(client_body fastcgi proxy scgi uwsgi);
	write_file('nginx.conf', "$user pid $dir/pid;\n"
	    . "events { worker_connections 64; }\nhttp { $temp include lockstep/site.conf; }\n");
	chmod 0755, $dir;
	return Lockstep::Stack->run({}, 'nginx', '-p', $dir, '-c', "$dir/nginx.conf",
		'-e', "$dir/error.log");
}

sub curl {
	my ($url, @option) = @_;
	return Lockstep::Stack->run({}, 'curl', '-sS', '-i', '--max-time', 10,
		'--cacert', "$dir/cert.pem", '--resolve', "lockstep.example:$port{443}:127.0.0.1",
		@option, $url)->{out};
}

is certificate()->{exit}, 0, 'a certificate';
local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
my $started = nginx_start();
is $started->{exit}, 0, 'nginx takes site.conf' or diag $started->{err};
# Written by the one who stays, who may be slower than the one who ended.
my $pid = wait_until { (Lockstep::Stack::slurp("$dir/pid") =~ /^(\d+)\n/)[0] } 10, 'the pid of nginx';

like curl("http://127.0.0.1:$port{80}/api/jobs?x=1"),
    qr{\AHTTP/1.1 308 .*\nLocation: https://lockstep\.example/api/jobs\?x=1\r\n}s,
    'port 80 only sends on, the method kept';
my $over_tls = curl("https://lockstep.example:$port{443}/api/jobs", '--http2');
like $over_tls, qr{\AHTTP/2 401 }, 'HTTP/2, and lockstep answers';
like $over_tls, qr{^x-request-id: [0-9a-f]{32}\r$}mi, 'with the request id';
like curl("https://lockstep.example:$port{443}/programs"), qr{\AHTTP/2 200 .*^<!doctype html>}sm, 'the page for browsers';
like curl("https://lockstep.example:$port{443}/"), qr{\AHTTP/2 404 }, 'nothing else is there';
like curl("https://lockstep.example:$port{443}/status"), qr{\AHTTP/2 404 }, 'no operator';
like curl("http://127.0.0.1:$port{8081}/readyz"), qr{\AHTTP/1.1 200 }, 'the operator on loopback';
like Lockstep::Stack::slurp("$dir/access.log"),
    qr{^time=\S+ rid=[0-9a-f]{32} .*request="GET /api/jobs HTTP/2.0" status=401 }m, 'the log has the id';
unlike Lockstep::Stack::slurp("$dir/error.log"), qr/\[(?:warn|error|emerg)\]/,
    'no complaint';

$s->stop;
done_testing;

END { kill 'TERM', $pid if $pid }
