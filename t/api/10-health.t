#!/usr/bin/perl

# What the operator is told, by whom nobody else is: the probes, /status and
# /metrics.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Problem;
use Lockstep::Stack;
use Test::More;

use constant DEADLINE => 12;

my $s = Lockstep::Stack->start(conf => { 'api.workers' => 2, 'live.workers' => 2,
	'jobs.workers' => 1, 'live.deadline' => DEADLINE . 's' });

sub metrics {
	my ($text) = map { $_->{body} } $s->operator('/metrics');
	return { map { /^(\S+) (\d+)$/ ? ($1, $2) : () } split /\n/, $text };
}

subtest 'the probes' => sub {
	for (['/healthz', "ok\n"], ['/readyz', "ready\n"]) {
		my ($path, $text) = @$_;
		my $answer = $s->operator($path);
		is $answer->{status}, 200, "$path is 200";
		is $answer->{body}, $text, '... and says so';
		is $answer->{headers}{'content-type'}, 'text/plain', '... as text';
		my $head = $s->request(HEAD => $path, operator => 1);
		is $head->{status}, 200, 'HEAD is enough';
		is $head->{body} // '', '', '... without a body';
	}
};

subtest 'the operator\'s endpoints are read, not written' => sub {
	for my $path (qw(/healthz /readyz /status /metrics)) {
		for my $method (qw(POST PUT DELETE OPTIONS)) {
			my $answer = $s->request($method => $path, operator => 1);
			is $answer->{status}, 405, "$method $path";
			is $answer->{headers}{allow}, 'GET, HEAD', 'Allow';
		}
	}
	for my $path (qw(/ /health /healthz/ /status/x /api/jobs /api/../status/../x)) {
		is $s->operator($path)->{status}, 404, "nothing at $path";
	}
};

subtest 'status has every worker and what it does' => sub {
	my $answer = $s->operator('/status');
	is $answer->{status}, 200, 'is there';
	is $answer->{headers}{'content-type'}, 'application/json', 'JSON';
	my $json = $answer->{json};
	is_deeply [sort keys %$json], [qw(tally version workers)], 'its members';
	like $json->{version}, qr/^\d+\.\d+\.\d+$/, 'the version';
	my %n;
	$n{ $_->{kind} }++ for @{ $json->{workers} };
	is_deeply \%n, { api => 2, live => 2, stream => 1, jobs => 1 }, 'as many as configured';
	for my $worker (@{ $json->{workers} }) {
		ok $s->alive($worker->{pid}), "$worker->{kind}/$worker->{index} lives";
		cmp_ok $worker->{uptime_ms}, '>=', 0, 'since a while';
	}
	my ($me) = grep { ($_->{what} // '') eq 'GET /status' } @{ $json->{workers} };
	is $me->{state}, 'busy', 'the one that answers is busy';
	is $me->{kind}, 'api', '... of kind api';
};

subtest 'what is in hand is shown without what is secret' => sub {
	is $s->post('/api/auth/validate-credentials', as => 'p1')->{status}, 200, 'a login';
	$s->partner->hold(user => 'p1', path => 'programs');
	my $waiting = $s->sse('/api/reseller/programs?limit=7', as => 'p1');
	my $busy = wait_until {
		(grep { $_->{state} eq 'busy' && $_->{kind} eq 'live' && $_->{what} !~ /validate/ } $s->workers)[0]
	} DEADLINE, 'a busy live worker';
	is $busy->{what}, 'GET /api/reseller/programs', 'what, without the query';
	like $busy->{rid}, qr/^[0-9a-f]{32}$/, 'the request id';
	cmp_ok $busy->{busy_ms}, '<', 1000 * DEADLINE, 'since when';
	my $text = join '', map { $s->operator($_)->{body} } qw(/status /metrics);
	unlike $text, qr/\bp1\b|limit=7|Basic|cDE6cHc/, 'neither user nor query nor login';
	$s->partner->heal;
	is $waiting->status, 200, 'the request ends';
	$waiting->close;
};

subtest 'metrics count' => sub {
	my $answer = $s->operator('/metrics');
	is $answer->{status}, 200, 'is there';
	is $answer->{headers}{'content-type'}, 'text/plain; version=0.0.4', 'the type Prometheus asks for';
	my @odd = grep { !/^(?:#.*|lockstep_\w+(?:\{\w+="\w+"\})? \d+)$/ } split /\n/, $answer->{body};
	is_deeply \@odd, [], 'every line is a sample or a comment';
	my $before = metrics();
	is $before->{'lockstep_workers{kind="live"}'}, 2, 'workers';
	cmp_ok $before->{'lockstep_workers_busy{kind="api"}'}, '>=', 1, 'the one that answers';
	$s->get('/api/nowhere') for 1 .. 3;
	my $after = metrics();
	my ($good, $bad) = map { qq(lockstep_requests_total{status="$_"}) } '2xx', '4xx';
	is $after->{$bad} - $before->{$bad}, 3, 'three 404s';
	cmp_ok $after->{$good} - $before->{$good}, '>=', 1, 'and the 200s';
	is $after->{lockstep_crashes_total}, 0, 'no crash';
};

subtest 'a migration that is missing is told' => sub {
	my $name = $s->sql_value('SELECT max(name) FROM schema_migration');
	$s->sql('DELETE FROM schema_migration WHERE name = ?', $name);
	my $answer = $s->operator('/readyz');
	is $answer->{status}, 503, 'not ready';
	is $answer->{json}{code}, 'database', 'code';
	like $answer->{json}{detail}, qr/lockstep migrate/, 'and what to do';
	$s->sql('INSERT INTO schema_migration (name) VALUES (?)', $name);
	is $s->operator('/readyz')->{status}, 200, 'ready again';
};

subtest 'without the database it is alive and not ready' => sub {
	$s->stop_postgres;
	is $s->operator('/healthz')->{status}, 200, 'alive';
	my $answer = $s->operator('/readyz');
	is $answer->{status}, 503, 'not ready';
	is $answer->{json}{code}, 'database', 'the code says why';
	is $s->operator('/status')->{status}, 200, '/status is there';
	is_problem $s->get('/api/jobs', as => 'p1'), 503, 'database', 'requests are told as much';
	$s->start_postgres;
	ok wait_until(sub { $s->operator('/readyz')->{status} == 200 }, 20, 'readyz'), 'ready again';
};

$s->stop;
done_testing;
