#!/usr/bin/perl

# Operators: nginx checks their password and names them to lockstep, in their own
# locations and nowhere else. First with lockstep, then with peers in its place
# that say what nginx told them.

use strict;
use warnings;
use File::Path ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP     ();
use Lockstep::FastCGI qw(fcgi_reply fcgi_request_read);
use Lockstep::Stack;
use POSIX ();
use Test::More;

my $s     = Lockstep::Stack->start(conf => { 'jobs.workers' => 1 });
my $login = $s->operator_login;
my ($name, $password) = @$login;
my $log   = "$s->{DIR}/seen";
my $peer;

END { local $?; kill 'KILL', $peer if $peer }

# Paths of the operator's routes, also as a client may spell them, and others.
my @theirs = ('/api/analytics', '/api/analytics/', '/api/analytics/sellers', '/api/analytics?x=1',
	'/api/analytics/jobs/7/events', '/api/admin', '/api/admin/x', '/api/sync/events',
	'/api//analytics/x', '/api/reseller/../analytics', '/api/%61nalytics', '/api/analytics/../admin/x',
	'/api/./sync/events', '/api/analytics%2Fsellers');
my @others = ('/api/jobs', '/api/reseller/programs', '/api/analytic', '/api/Analytics', '/api/x/analytics',
	'/api/analytics/../jobs', '/api/analytics/%2e%2e/jobs', '/api/reseller/programs/sync',
	'/api/?/api/analytics', '/api/x%2Fanalytics');
my @method = qw(GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND);

my %wrong = (
	'no login'            => [],
	'a wrong password'    => [login => [$name, 'wrong']],
	'no password'         => [login => [$name, '']],
	'the other\'s'        => [login => [$name, $s->operator_login('other')->[1]]],
	'a longer one'        => [login => [$name, "$password "]],
	'the hash itself'     => [login => [$name, (Lockstep::Stack::slurp("$s->{DIR}/nginx/htpasswd") =~ /^\Q$name\E:(.*)$/m)[0]]],
	'another spelling'    => [login => [uc $name, $password]],
	'a stranger'          => [login => ['nobody', $password]],
	'no name'             => [login => ['', $password]],
	'a partner\'s login'  => [as => 'demo'],
	'Bearer'              => [headers => { Authorization => "Bearer $password" }],
	'garbage'             => [headers => { Authorization => 'Basic !!!' }],
);

# Every path of the contract, with its method.
sub routes {
	my ($path, @route);
	for (split /\n/, Lockstep::Stack::slurp(Lockstep::Stack->root . '/docs/openapi.yaml')) {
		$path = $1 if m{^  (/\S+):$};
		push @route, [uc $1, $path =~ s/\{\w+\}/1/gr] if defined $path && /^    (get|post|put|patch|delete):$/;
	}
	return @route;
}

subtest 'an operator\'s name with a wrong password gets in nowhere' => sub {
	my @route = routes();
	cmp_ok scalar @route, '>', 15, 'routes of the contract';
	for my $route (@route, map { my $path = $_; map { [$_, $path] } @method } @theirs) {
		my ($method, $path) = @$route;
		my $answer = $s->request($method, $path, login => [$name, 'wrong']);
		ok $answer->{status} >= 400 && $answer->{status} < 500, "$method $path: $answer->{status}";
	}
};

subtest 'what is refused says so as everything else does' => sub {
	my $no = $s->get('/api/analytics/sellers');
	is $no->{status}, 401, 'status';
	is $no->{headers}{'content-type'}, 'application/problem+json', 'type';
	is $no->{json}{code}, 'login_missing', 'code';
	is $no->{json}{instance}, $no->{headers}{'x-request-id'}, 'the request id';
	like $no->{headers}{'www-authenticate'}, qr/^Basic /, 'and the browser\'s own dialog';
	for my $how (sort keys %wrong) {
		my %how = @{ $wrong{$how} };
		my $quiet = $s->post('/api/analytics/sync-background', %how, headers => { %{ $how{headers} // {} }, 'X-Requested-With' => 'fetch' }, body => '{}');
		is_deeply [@{ $quiet->{headers} }{qw(www-authenticate content-type cache-control x-content-type-options)}], [undef, 'application/problem+json', 'no-store', 'nosniff'],
		    "$how: no dialog over a script's own form";
		is "$quiet->{status} $quiet->{json}{code} $quiet->{json}{instance}", "401 login_missing $quiet->{headers}{'x-request-id'}", '... and the same answer';
	}
	like $s->get($_)->{headers}{'www-authenticate'}, qr/^Basic /, "$_ asks by the browser's dialog" for qw(/analytics /jobs);
	is $s->get('/api/analytics/nothing-there', login => $login, headers => { 'X-Requested-With' => 'fetch' })->{status}, 404, 'the right one is let in with it too';
	my $yes = $s->get('/api/analytics/nothing-there', login => $login);
	is $yes->{status}, 404, 'with the right one lockstep answers';
	ok $s->wait_log(qr/rid=$yes->{headers}{'x-request-id'}/, 20), '... and logs it';
	is scalar($s->log(qr/rid=$no->{headers}{'x-request-id'}/)), 0, 'it never saw the other';
	is $s->get('/api/jobs', login => $login)->{status}, 401, 'an operator is nobody\'s partner login';
};

# In lockstep's place: a line in the log for each request. api hands on to what
# the argument "to" says.
sub peer_run {
	my %listen = map { $_ => IO::Socket::UNIX->new(Local => "$s->{RUN_DIR}/$_.sock", Listen => 64) // die "$_: $!" }
	    qw(api live stream);
	chmod 0777, "$s->{RUN_DIR}/$_.sock" for keys %listen;
	$peer = fork // die "fork: $!";
	return if $peer;
	my $select = IO::Select->new(values %listen);
	while (my @ready = $select->can_read) {
		for my $kind (grep { my $l = $listen{$_}; grep { $_ == $l } @ready } sort keys %listen) {
			my $socket = $listen{$kind}->accept // next;
			my ($pairs, $body) = fcgi_request_read($socket);
			open my $out, '>>', $log or POSIX::_exit(1);
			print $out JSON::PP::encode_json({ kind => $kind, pairs => $pairs, body => $body }), "\n";
			close $out;
			my ($query) = map { $_->[1] } grep { $_->[0] eq 'QUERY_STRING' } @$pairs;
			my ($to) = $kind eq 'api' ? $query =~ /\bto=([^&]+)/ : ();
			print $socket fcgi_reply(defined $to ? "X-Accel-Redirect: $to\r\n\r\n"
			    : "Content-Type: text/plain\r\n\r\n$kind");
			close $socket;
		}
	}
	POSIX::_exit(0);
}

# The requests that arrived since the last call: {kind, body, of => {name: [values]}}.
sub seen {
	my @seen = map { JSON::PP::decode_json($_) } split /\n/, Lockstep::Stack::slurp($log);
	unlink $log;
	for my $one (@seen) {
		push @{ $one->{of}{ $_->[0] } }, $_->[1] for @{ $one->{pairs} };
	}
	return @seen;
}

sub operators { return map { $_->{of}{LOCKSTEP_OPERATOR} } @_ }

$s->stop_lockstep;
unlink map { "$s->{RUN_DIR}/$_.sock" } qw(api live stream);
peer_run();

subtest 'no refused request arrives, whatever its method or spelling' => sub {
	for my $how (sort keys %wrong) {
		my @bad;
		for my $path (@theirs) {
			for my $method (@method) {
				my $answer = $s->request($method, $path, @{ $wrong{$how} });
				push @bad, "$method $path: $answer->{status}" if $answer->{status} != 401;
			}
		}
		is_deeply \@bad, [], "$how: 401";
		is_deeply [seen()], [], '... and nobody was asked';
	}
};

subtest 'the right password names the operator, and stays with nginx' => sub {
	for my $path (@theirs) {
		$s->post($path, login => $login, body => 'the body');
		my ($one, @more) = seen();
		is_deeply $one->{of}{LOCKSTEP_OPERATOR}, [$name], "$path: named once";
		ok !exists $one->{of}{HTTP_AUTHORIZATION}, '... without the password';
		is_deeply [$one->{kind}, $one->{body}, scalar @more], ['api', 'the body', 0], '... to api, with its body';
	}
	$s->get('/api/analytics/x', login => $s->operator_login('other'));
	is_deeply [operators(seen())], [['other']], 'the other by its own name';
};

subtest 'elsewhere nobody is an operator, whatever was typed' => sub {
	for my $path (@others) {
		for my $how ('the right password', sort keys %wrong) {
			$s->get($path, @{ $wrong{$how} // [login => $login] });
			is_deeply [operators(seen())], [['']], "$path, $how";
		}
	}
};

subtest 'a client cannot set it' => sub {
	for my $header ('Lockstep-Operator', 'LOCKSTEP_OPERATOR', 'Http-Lockstep-Operator', 'Remote-User',
	    'X-Remote-User', 'REMOTE_USER') {
		$s->get('/api/jobs', headers => { $header => $name });
		is_deeply [operators(seen())], [['']], "not by $header";
		is $s->get('/api/analytics/x', headers => { $header => $name })->{status}, 401, '... nor where it counts';
		$s->get('/api/analytics/x', headers => { $header => 'root' }, login => $login);
		is_deeply [operators(seen())], [[$name]], '... nor beside a login';
	}
	$s->get("/api/jobs?LOCKSTEP_OPERATOR=$name&remote_user=$name", login => [$name, 'wrong']);
	is_deeply [operators(seen())], [['']], 'not by an argument';
};

subtest 'what is handed on has an operator only where the password was checked again' => sub {
	my $to = sub { my ($path, $target, @how) = @_; return $s->post("$path?to=$target", body => 'b', @how) };
	is $to->('/api/analytics/x', '@live_operator', login => $login)->{body}, 'live', 'to live';
	my @seen = seen();
	is_deeply [operators(@seen)], [[$name], [$name]], '... with the name';
	ok !exists $seen[1]{of}{HTTP_AUTHORIZATION}, '... without the password';
	is $seen[1]{body}, 'b', '... with the body';
	$to->('/api/analytics/x', '@live', login => $login);
	is_deeply [operators(seen())], [[$name], ['']], '@live knows no operators';
	is $to->('/api/analytics/x', '/_stream/job', login => $login)->{body}, 'stream', 'to stream';
	is_deeply [operators(seen())], [[$name], ['']], '... what was decided is in its arguments';
	is $to->('/api/jobs', '@live_operator', login => [$name, 'wrong'])->{status}, 401,
	    'api may hand on whom it likes: nginx asks again';
	is_deeply [map { $_->{kind} } seen()], ['api'], '... and live is not asked';
};

# No page is installed here any more: who gets in finds none.
my @pages = ('/analytics', '/jobs', '/analytics?seller=1', '//jobs', '/x/../analytics', '/%6aobs');

subtest 'the pages ask for the same password, and nobody else for it' => sub {
	File::Path::remove_tree("$s->{DIR}/web");
	for my $path (@pages) {
		is $s->get($path, login => $login)->{status}, 404, "$path, the right one";
		is $s->get($path, login => $s->operator_login('other'))->{status}, 404, '... and the other\'s';
		is $s->get($path, @{ $wrong{$_} })->{status}, 401, "... $_" for sort keys %wrong;
	}
	is_deeply [seen()], [], 'lockstep is not asked for pages';
};

subtest 'without the file nobody gets in' => sub {
	my $file = "$s->{DIR}/nginx/htpasswd";
	rename $file, "$file.away" or die "$file: $!";
	is $s->get('/api/analytics/x', login => $login)->{status}, 403, 'not even with the right password';
	is $s->get('/analytics', login => $login)->{status}, 403, 'nor to a page';
	is_deeply [seen()], [], 'nobody was asked';
	rename "$file.away", $file or die "$file: $!";
	is $s->get('/api/analytics/x', login => $login)->{status}, 200, 'the file is read anew';
	seen();
};

subtest 'a host that lets known addresses in lets no name in' => sub {
	my $file = "$s->{DIR}/nginx/nginx.conf";
	my $text = Lockstep::Stack::slurp($file);
	$text =~ s/(listen 127\.0\.0\.1:\d+ backlog=4096;)/$1 satisfy any; allow 127.0.0.1; deny all; location = \/anew { return 204; }/
	    or die 'nginx.conf has changed';
	open my $out, '>', $file or die "$file: $!";
	print $out $text;
	close $out or die "$file: $!";
	kill 'HUP', $s->{PID_NGINX};
	ok wait_until(sub { $s->get('/anew')->{status} == 204 }, 10, 'nginx to take it'), 'satisfy any';
	seen();
	is $s->get('/api/analytics/x', login => [$name, 'wrong'])->{status}, 401, 'a known address is no password' for 1 .. 5;
	is $s->get('/jobs', login => [$name, 'wrong'])->{status}, 401, 'nor for a page';
	is_deeply [seen()], [], 'nobody was asked';
	is $s->get('/api/analytics/x', login => $login)->{status}, 200, 'the right one still is one';
};

kill 'KILL', $peer;
waitpid $peer, 0;
undef $peer;
$s->stop;
done_testing;
