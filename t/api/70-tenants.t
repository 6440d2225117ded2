#!/usr/bin/perl

# One account and another: nothing of B can be read, counted or followed by A, and no
# answer tells A whether there is anything to be kept from it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::FastCGI qw(fcgi_request);
use Lockstep::Problem;
use Lockstep::Stack;
use Test::More;

# One api worker, so that what it keeps of one account is there when the other asks.
my $s = Lockstep::Stack->start(conf => { 'api.workers' => 1, 'live.workers' => 2, 'jobs.workers' => 2,
	'auth.refusals_per_name' => 1000, 'auth.refusals_per_address' => 10000, 'stream.ping' => '500ms' });
my $partner = $s->partner;
my $none    = '11111111-2222-3333-4444-555555555555';
my $ids     = '/api/reseller/business-ids';
my $list    = '/api/reseller/programs';

$s->account($_, programs => 30, businesses => 2) for qw(anna bert);
$s->sync($_) for qw(anna bert);
my ($job) = map { $_->{id} } @{ $s->get('/api/jobs', as => 'bert')->{json}{jobs} };
my ($own) = map { $_->{id} } @{ $s->get('/api/jobs', as => 'anna')->{json}{jobs} };
my %id = map { $_ => $s->sql_value('SELECT id FROM account WHERE user_name = ?', $_) } qw(anna bert);

sub anna { my ($path, @how) = @_; return $s->get($path, as => 'anna', @how) }

subtest 'a job of another looks like one that is not there' => sub {
	my $operators = $s->sql_value("INSERT INTO job (kind, state) VALUES ('test', 'done') RETURNING id");
	for my $path ('/api/jobs/%s', '/api/jobs/%s/events') {
		is $s->get('/api/jobs/' . $job, as => 'bert')->{status}, 200, 'its owner sees it';
		my $nothing = anna(sprintf $path, $none);
		is_problem $nothing, 404, 'not_found', sprintf $path, 'none';
		same_answer anna(sprintf $path, $job), $nothing, '... the same for another\'s';
		same_answer anna(sprintf $path, uc $job), $nothing, '... in capitals';
		same_answer anna(sprintf $path, $operators), $nothing, '... for one of nobody\'s';
		same_answer anna(sprintf $path, 'no-id-at-all'), $nothing, '... for what is no id';
		same_answer $s->request(HEAD => sprintf($path, $job), as => 'anna'),
		    $s->request(HEAD => sprintf($path, $none), as => 'anna'), '... for HEAD';
		same_answer anna(sprintf($path, $job), headers => { 'Last-Event-ID' => "$job.1" }), $nothing,
		    '... with an event of it';
	}
	my @jobs = @{ anna('/api/jobs?limit=100')->{json}{jobs} };
	is_deeply [map { $_->{id} } @jobs], [$own], 'the list has one\'s own';
	is_deeply anna('/api/jobs?offset=1')->{json}, { jobs => [] }, '... however far it is turned';
};

sub types { return [map { $_->{json}{type} } @_] }

subtest 'an event id of another is worth as much as none' => sub {
	my (%events, %head);
	for my $last ('', "$none.3", "$job.1", "$job.99", 'nonsense') {
		my $sse = $s->sse("$list/sync-stream", method => 'POST', as => 'anna',
			headers => { length $last ? ('Last-Event-ID' => $last) : () });
		is $sse->status, 200, "'$last'";
		my @event = $sse->rest;
		ok !(grep { $_->{id} =~ /^\Q$job\E/ } @event), '... no event of the other';
		$events{$last} = join ' ', @{ types(@event) };
		my %header = %{ $sse->headers };
		delete @header{qw(date x-request-id)};
		$head{$last} = join ' ', map { "$_=$header{$_}" } sort keys %header;
	}
	like $events{''}, qr/^start info .*complete$/, 'one\'s own sync from its start';
	is $events{$_}, $events{''}, "'$_': the same" for keys %events;
	is $head{$_}, $head{''}, "'$_': the same head" for keys %head;
	my $sse = $s->sse("/api/jobs/$own/events", as => 'anna', headers => { 'Last-Event-ID' => "$job.2" });
	my @event = $sse->rest;
	is $event[0]{id}, "$own.1", 'one\'s own job from its start';
	ok !(grep { $_->{id} !~ /^\Q$own\E\./ } @event), '... and nothing else';
};

subtest 'a business of another looks like one that is not there' => sub {
	my ($theirs) = sort keys %{ $partner->counts('bert') };
	my $made_up = reverse $theirs;
	is $s->get("$list?business_id=$theirs", as => 'bert')->{json}{total_count},
	    $partner->counts('bert')->{$theirs}, 'its owner sees it';
	$partner->forget;
	for my $query ('', '&limit=100', '&offset=3', '&program_status=CURRENT', '&program_status=INACTIVE') {
		my ($one, $other) = map { anna("$list?business_id=$_$query") } $theirs, $made_up;
		is $one->{json}{total_count}, 0, "nothing$query";
		$_->{body} =~ s/"business_id":"\K[^"]+// for $one, $other;
		same_answer $one, $other, '... as of one that is not';
	}
	is $partner->counters->{all}{calls}, 0, 'and nobody is asked for it';
};

subtest 'defect 29: counts and lists are one\'s own' => sub {
	for (1 .. 3) {
		is_deeply $s->counts($_), $partner->counts($_), "$_\'s counts" for qw(anna bert);
	}
	$partner->forget;
	my %seen = map { $_->{program_id} => 1 } @{ $partner->data('bert')->{programs} };
	my @got  = @{ anna("$list?limit=40")->{json}{programs} };
	is scalar @got, 30, 'a list';
	ok !(grep { $seen{ $_->{program_id} } } @got), '... of no other\'s programs';
	is_deeply [sort keys %{ $partner->counters->{users} }], ['anna'], '... asked for in one\'s own name';
};

# The partner's ids are unique for it, but nobody says that two accounts never share one.
subtest 'two accounts may have the same programs' => sub {
	$s->account($_, programs => 20, businesses => 2) for qw(twin1 twin2);
	my @same = @{ $partner->data('twin1')->{programs} };
	$partner->edit(user => 'twin2', op => 'set', programs => [@same[0 .. 9]]);
	$s->sync($_) for qw(twin1 twin2);
	is_deeply $s->counts($_), $partner->counts($_), "$_ has its own" for qw(twin1 twin2);
	my $rows = sub { join "\n", map { $_->{row} } @{ $s->sql("SELECT p::text AS row FROM account a
	    JOIN program p ON p.account_id = a.id WHERE user_name = \$1 UNION ALL SELECT b::text FROM account a
	    JOIN program_business b ON b.account_id = a.id WHERE user_name = \$1 ORDER BY row", $_[0]) } };
	my $before = $rows->('twin1');
	$partner->edit(user => 'twin2', op => 'change', field => 'pause', n => 10);
	$partner->edit(user => 'twin2', op => 'move', n => 5, to => 'elsewhere');
	is $s->sync('twin2')->{status}, 'synced', 'one changes';
	is $rows->('twin1'), $before, 'the other does not';
	is_deeply $s->counts('twin1'), $partner->counts('twin1'), '... nor do its counts';
	is $s->sync('twin1')->{status}, 'up_to_date', '... and it has nothing to do';
};

subtest 'two syncs at a time do not meet' => sub {
	$partner->edit(user => $_, op => 'add', n => 50) for qw(anna bert);
	$partner->latency(base_ms => 100);
	my %sse = map { $_ => $s->sync_stream($_) } qw(anna bert);
	my %event = map { $_ => [$sse{$_}->rest] } qw(anna bert);
	$partner->latency(base_ms => 0);
	my %job = map { my $user = $_; $user => { map { $_->{id} =~ s/\.\d+$//r => 1 } @{ $event{$user} } } } qw(anna bert);
	is scalar keys %{ $job{$_} }, 1, "$_ follows one job" for qw(anna bert);
	isnt((keys %{ $job{anna} })[0], (keys %{ $job{bert} })[0], '... each its own');
	is $event{$_}[-1]{json}{added}, 50, "$_ gets its own" for qw(anna bert);
};

subtest 'defect 28: a name alone opens nothing' => sub {
	my @path = ($ids, $list, '/api/jobs', "/api/jobs/$job", "/api/jobs/$job/events", "/api/jobs/$none");
	my @login = (['bert', ''], ['bert', 'x'], ['bert', 'bert'], ['bert', 'anna-password'],
		['Bert', 'bert-password'], ['bert ', 'bert-password'], ["bert\0", 'bert-password']);
	my $stranger = $s->get("/api/jobs/$none", login => ['nobody-at-all', 'x']);
	is_problem $stranger, 401, 'login_wrong', 'a stranger';
	for my $login (@login) {
		for my $path (@path) {
			my $answer = $s->get($path, login => $login);
			same_answer $answer, $stranger, join ' ', @$login, $path =~ s/[0-9a-f-]{36}/ID/r;
			unlike $answer->{body}, qr/bert|\Q$job\E/, '... tells nothing';
		}
		for my $post ("$list/sync", "$list/sync-stream", '/api/auth/validate-credentials') {
			same_answer $s->post($post, login => $login), $stranger, '... nor ' . $post;
		}
	}
	same_answer $s->get($ids, headers => { Authorization => 'Basic ' }),
	    $s->get("/api/jobs/$job", headers => { Authorization => 'Basic ' }), 'no login, no difference';
	is $s->get($ids, as => 'bert')->{status}, 200, 'the owner is still let in';
};

# Streams that a request outside could ask for, if nginx let it.
my $handover = "job=$job&as=sse&account=$id{bert}&after=0&until=9999999999";

subtest 'what is decided inside cannot be asked for from outside' => sub {
	my $nowhere = $s->raw("GET /nowhere HTTP/1.0\r\n\r\n") =~ s/\r\n.*\r\n\r\n/ /sr;
	for my $path ("/_stream/job?$handover", "//_stream/job?$handover", "/_stream/../_stream/job?$handover",
		"/api/../_stream/job?$handover", "/%5fstream/job?$handover", "/_stream%2fjob?$handover",
		'/@live', '/%40live', '/@live/api/jobs', '/@busy', '/@too_large') {
		is $s->raw("GET $path HTTP/1.0\r\n\r\n") =~ s/\r\n.*\r\n\r\n/ /sr, $nowhere, substr $path, 0, 30;
	}
	is anna('/api/@live')->{status}, 404, '/api/@live';
	is anna('/api/_stream/job?' . $handover)->{status}, 404, '/api/_stream';
	my $answer = anna("/api/jobs/$job/events?$handover");
	is_problem $answer, 404, 'not_found', 'a query cannot decide whose job it is';
	my $sse = $s->sse("/api/jobs/$own/events?$handover", as => 'anna');
	ok !(grep { $_->{id} !~ /^\Q$own\E\./ } $sse->rest), 'nor which';
	$sse = $s->sse("$list/sync-stream?$handover", method => 'POST', as => 'anna', body => $handover);
	ok !(grep { $_->{id} =~ /^\Q$job\E/ } $sse->rest), 'nor can a body';
};

subtest 'headers that a client makes up do nothing' => sub {
	my %forged = ('X-Accel-Redirect' => "/_stream/job?$handover", 'X-Accel-Buffering' => 'no',
		'X-Sendfile' => '/etc/passwd', 'Lockstep-Listener' => 'operator', 'X-Lockstep-Listener' => 'operator',
		'LOCKSTEP_LISTENER' => 'operator', 'LOCKSTEP_OPERATOR' => 'root', 'Lockstep-Operator' => 'root',
		'Remote-User' => 'bert', 'X-Remote-User' => 'bert', 'X-Forwarded-User' => 'bert', 'Remote_User' => 'bert',
		'X-Original-URL' => '/status', 'X-Rewrite-URL' => '/status', 'X-HTTP-Method-Override' => 'POST',
		'X-Forwarded-For' => '127.0.0.1', 'X-Forwarded-Host' => 'localhost', 'Forwarded' => 'for=127.0.0.1',
		'Proxy' => 'http://127.0.0.1:1', 'Request-Id' => 'x', 'Script-Name' => '/status', 'Query-String' => $handover);
	for my $path ($ids, '/api/jobs', "/api/jobs/$job", '/api/status', "$list?limit=1", '/healthz', '/status') {
		my $plain = anna($path);
		for my $name (sort keys %forged) {
			same_answer anna($path, headers => { $name => $forged{$name} }), $plain, "$name: $path";
		}
		same_answer anna($path, headers => \%forged), $plain, 'all at once';
	}
	same_answer $s->get($ids, headers => { 'Remote-User' => 'bert', 'X-Remote-User' => 'bert' }), $s->get($ids),
	    'no login is made of them';
	my $answer = anna("/api/jobs/$own/events");
	is_deeply [grep { /accel-(?!buffering)|lockstep|powered/i } keys %{ $answer->{headers} }], [],
	    'and nothing from inside comes out';
};

subtest 'defect 30: the operator\'s endpoints are not public, nor the public ones the operator\'s' => sub {
	my $nowhere = anna('/nowhere');
	same_answer anna($_), $nowhere, "$_ as any other path" for qw(/healthz /readyz /status /metrics);
	for my $name (qw(healthz readyz status metrics)) {
		same_answer anna("/api/$name"), anna('/api/nowhere'), "/api/$name as any other";
		same_answer $s->post("/api/$name", as => 'anna'), anna('/api/nowhere'), '... for any method';
		for my $line ("GET /api/../$name", "GET /api/..%2f$name", "GET /api/%2e%2e/$name", "GET //$name",
			"GET $s->{OPERATOR_URL}/$name", "GET /api/jobs/../../$name") {
			like $s->raw("$line HTTP/1.0\r\nHost: localhost\r\n\r\n"), qr{\AHTTP/1\.1 404 }, $line;
		}
	}
	for my $path ($ids, '/api/jobs', "/_stream/job?$handover", '/@live', '/healthz/../api/jobs', '/api/../api/jobs') {
		is $s->get($path, as => 'anna', operator => 1)->{status}, 404, "operator's listener: $path";
	}
};

# Past nginx: what the api itself takes for the operator's word.
sub straight {
	my (%param) = @_;
	my $socket = $s->fcgi('api');
	syswrite $socket, fcgi_request({ REQUEST_METHOD => 'GET', REQUEST_ID => 'straight', QUERY_STRING => '',
		REMOTE_ADDR => '127.0.0.1', %param });
	local $/;
	my ($status) = <$socket> =~ /Status: (\d+)/;
	return $status;
}

subtest 'only the listener\'s own word makes an operator' => sub {
	for my $path (qw(/healthz /readyz /status /metrics)) {
		is straight(REQUEST_URI => $path, LOCKSTEP_LISTENER => 'operator'), 200, "$path for the operator";
		is straight(REQUEST_URI => $path), 404, '... not without a word';
		for my $word ('', 'public', 'Operator', 'operator ', 'operators') {
			is straight(REQUEST_URI => $path, LOCKSTEP_LISTENER => $word), 404, "... '$word' is another";
		}
		is straight(REQUEST_URI => $path, HTTP_LOCKSTEP_LISTENER => 'operator'), 404, '... a header is none';
	}
};

$s->stop;
done_testing;
