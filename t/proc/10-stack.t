#!/usr/bin/perl

# The frame that the other tests stand on, and nginx's part of the contract.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1 });

sub stack_tool { return Lockstep::Stack->run({}, Lockstep::Stack->root . '/tools/stack', @_) }

sub is_problem {
	my ($answer, $status, $code, $name) = @_;
	subtest $name => sub {
		is $answer->{status}, $status, 'status';
		is $answer->{headers}{'content-type'}, 'application/problem+json', 'type';
		is $answer->{json}{status}, $status, 'status in the body';
		is $answer->{json}{code}, $code, 'code';
		is $answer->{json}{instance}, $answer->{headers}{'x-request-id'},
		    'the request id is the instance';
	};
}

subtest 'up says where everything is, again when it is up already' => sub {
	my $again = stack_tool('up', '--dir', $s->{DIR});
	is $again->{exit}, 0, 'up again';
	for my $key (qw(BASE_URL OPERATOR_URL PARTNER_URL DATABASE_URL PID_MASTER SELLER_URL
	    OPERATOR_USER OPERATOR_PASSWORD OTHER_OPERATOR_USER OTHER_OPERATOR_PASSWORD PID_SELLER
	    PID_NGINX PID_POSTGRES PID_PARTNER RUN_DIR LOG DIR)) {
		like $again->{out}, qr/^\Q$key=$s->{$key}\E$/m, $key;
	}
	is stack_tool('status', '--dir', $s->{DIR})->{exit}, 0, 'status: all runs';
};

subtest 'a stack elsewhere does not disturb this one' => sub {
	my $other = Lockstep::Stack->start;
	isnt $other->{BASE_URL}, $s->{BASE_URL}, 'another port';
	$other->stop;
	ok !-e $other->{DIR}, 'purged';
	is $s->operator('/readyz')->{status}, 200, 'this one is still ready';
};

subtest 'a directory that is too long or not a stack\'s is refused' => sub {
	my $long = stack_tool('up', '--dir', '/tmp/' . 'x' x 120);
	is $long->{exit}, 1, 'too long: exit 1';
	like $long->{err}, qr/too long by \d+ bytes/, 'says so';
	rmdir '/tmp/' . 'x' x 120;
	is stack_tool('down', '--dir', '/usr')->{exit}, 1, 'not a stack\'s';
};

subtest 'operator endpoints are on the operator\'s listener only' => sub {
	is $s->operator('/healthz')->{status}, 200, 'there';
	for my $path (qw(/healthz /readyz /status /metrics /api/../status)) {
		like $s->raw("GET $path HTTP/1.0\r\n\r\n"), qr{^HTTP/1.1 404}, "$path not here";
	}
	is $s->operator('/api/jobs')->{status}, 404, 'and nothing else there';
	my %kind = map { $_->{kind} => 1 } $s->workers;
	is_deeply [sort keys %kind], [qw(api jobs live stream)], 'every kind has a worker';
};

subtest 'nobody outside can ask for an internal location' => sub {
	for my $path ('/_stream/job?job=1', '/api/../_stream/job?job=1', '//_stream/job') {
		like $s->raw("GET $path HTTP/1.0\r\n\r\n"), qr{^HTTP/1.1 404}, $path;
	}
};

subtest 'the request id is in the answer and in both logs' => sub {
	my $rid = $s->get('/api/nowhere')->{headers}{'x-request-id'};
	like $rid, qr/^[0-9a-f]{32}$/, 'in the answer';
	ok wait_until(sub { $s->access_log(qr/rid=$rid .*status=404/) }, 5), 'in nginx\'s';
	ok $s->wait_log(qr/rid=$rid/, 20), 'in lockstep\'s';
};

my $big = 'x' x 300_000;
is_problem $s->post('/api/auth/validate-credentials', body => $big, as => 'demo'),
    413, 'too_large', 'a body over the limit';
is_problem $s->post('/api/auth/validate-credentials.html', as => 'demo',
	body => sub { my $part = $big; $big = ''; $part }), 413, 'too_large',
    'a chunked one, whatever the path looks like';

$s->stop_lockstep;
{
	my $busy = $s->get('/api/jobs', as => 'demo');
	is_problem $busy, 503, 'busy', 'nobody at the socket';
	cmp_ok $busy->{headers}{'retry-after'}, '>', 0, 'says when to come again';
}
is stack_tool('status', '--dir', $s->{DIR})->{exit}, 3, 'status: something is down';
$s->start_lockstep;
is $s->operator('/readyz')->{status}, 200, 'started again';

subtest 'PostgreSQL comes back on the same port with the same data' => sub {
	$s->sql('CREATE TABLE kept (n int)');
	my $url = $s->{DATABASE_URL};
	$s->stop_postgres;
	is $s->operator('/readyz')->{status}, 503, 'not ready without it';
	$s->start_postgres;
	is $s->{DATABASE_URL}, $url, 'same address';
	is $s->sql_value('SELECT count(*) FROM kept'), 0, 'same data';
	ok wait_until(sub { $s->operator('/readyz')->{status} == 200 }, 10, 'readyz'), 'ready';
};

subtest 'down ends what a killed master leaves, and only that' => sub {
	my @pid = ($s->{PID_NGINX}, map { $_->{pid} } $s->workers);
	$s->kill(KILL => 'master');
	kill 'KILL', $s->{PID_NGINX};
	is stack_tool('down', '--dir', $s->{DIR})->{exit}, 0, 'down';
	is_deeply [grep { $s->alive($_) } @pid], [], 'nobody is left';
	is stack_tool('up', '--dir', $s->{DIR})->{exit}, 0, 'and up again';
};

$s->stop;
done_testing;
