#!/usr/bin/perl

# Bad requests: each is refused with the status, the code and the field that tell
# what is wrong, and none of them reaches the partner.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Problem;
use Lockstep::Stack;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1, 'body_max' => '2k' });
my $list = '/api/reseller/programs';
my $ids  = '/api/reseller/business-ids';

$s->sync('p1');
my ($business) = sort keys %{ $s->counts('p1') };

sub get { my ($path, @how) = @_; return $s->get($path, as => 'p1', @how) }

# A request as bytes, for what no client library would send: status, headers, body,
# json as request() has them.
sub raw {
	my ($bytes) = @_;
	my ($status, $head, $body) = $s->raw($bytes) =~ m{\AHTTP/1\.[01] (\d+)[^\r]*\r\n(.*?)\r\n\r\n(.*)\z}s
	    or return { status => 0, headers => {}, body => '' };
	my %header = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } split /\r\n/, $head;
	$body = join '', $body =~ /^[0-9a-f]+\r\n(.*?)\r\n/gmsi
	    if ($header{'transfer-encoding'} // '') eq 'chunked';
	return { status => $status, headers => \%header, body => $body,
		json => scalar eval { JSON::PP::decode_json($body) } };
}

sub basic { my ($pair) = @_; return 'Basic ' . encode_base64($pair, '') }

sub request_line {
	my ($line, %more) = @_;
	return join "\r\n", "$line HTTP/1.0", 'Authorization: ' . basic('p1:pw'),
	    (map { "$_: $more{$_}" } sort keys %more), '', '';
}

my @bad_number = ('', '-1', '+1', '1.5', '1e2', '0x10', 'ten', '%201', '1%20', '1%00', '%00', '%00001',
	'1%0a', '1%1b', '%7f', '9223372036854775808', '-9223372036854775809', '9' x 400, '%D9%A1', '%ff', '1,2');

subtest 'numbers' => sub {
	my $before = $s->partner->counters->{all}{calls};
	for my $path ($list, "$list?business_id=$business", '/api/jobs') {
		my $and = $path =~ /\?/ ? '&' : '?';
		for my $field (qw(offset limit)) {
			my @odd = grep {
				my $answer = get("$path$and$field=$_");
				$answer->{status} != 400 || $answer->{json}{code} ne 'bad_field'
				    || $answer->{json}{field} ne $field
			} @bad_number;
			is_deeply \@odd, [], "$path: $field is a whole number or refused by name";
			is_problem get("$path$and$field=1&$field=1"), 400, 'bad_field', '... also given twice',
			    field => $field;
			is_problem get("$path$and$field"), 400, 'bad_field', '... or without a value', field => $field;
		}
	}
	is $s->partner->counters->{all}{calls}, $before, 'the partner was not asked';
};

subtest 'limits' => sub {
	my %most = ($list => 40, "$list?business_id=$business" => 100, '/api/jobs' => 100);
	for my $path (sort keys %most) {
		my $and = $path =~ /\?/ ? '&' : '?';
		is get("$path${and}limit=$most{$path}")->{status}, 200, "$path: $most{$path}";
		is get("$path${and}limit=1")->{status}, 200, 'and 1';
		my $answer = get($path . $and . 'limit=' . ($most{$path} + 1));
		is_problem $answer, 400, 'bad_field', 'not one more', field => 'limit';
		like $answer->{json}{detail}, qr/between 1 and $most{$path}\b/, '... and says what is good';
		is_problem get("$path${and}limit=0"), 400, 'bad_field', 'nor 0', field => 'limit';
		is get("$path${and}offset=0")->{status}, 200, 'offset 0';
		is_problem get("$path${and}offset=1000000000"), 400, 'bad_field', 'offset has an end', field => 'offset';
	}
};

subtest 'words' => sub {
	my @bad = ('', 'current', 'ACTIVE', 'NOPE', 'CURRENT%20', 'CURRENT%00', '%00', 'ALL,PAST', 'A' x 3000);
	for my $path ($list, "$list?business_id=$business") {
		my $and = $path =~ /\?/ ? '&' : '?';
		for my $value (@bad) {
			is_problem get("$path${and}program_status=$value"), 400, 'bad_field',
			    "$path: " . substr($value, 0, 12), field => 'program_status';
		}
		is_problem get("$path${and}program_status=ALL&program_status=ALL"), 400, 'bad_field', 'twice',
		    field => 'program_status';
	}
	is_problem get("$list?program_status=INACTIVE"), 400, 'bad_field', 'the partner has no such filter',
	    field => 'program_status';
	is get("$list?business_id=$business&program_status=INACTIVE")->{status}, 200, 'the registry has';
};

subtest 'ids' => sub {
	for my $id ('', '%00', "$business%00", 'a%2fb', 'a/b', '..', '*', "'", 'a%20b', 'a+b', 'caf%C3%A9', '%ff',
		'a,b', 'x' x 101, 'x' x 5000) {
		is_problem get("$list?business_id=$id"), 400, 'bad_field', substr($id, 0, 12), field => 'business_id';
	}
	is_problem get("$list?business_id=$business&business_id=$business"), 400, 'bad_field', 'twice',
	    field => 'business_id';
	is get("$list?business_id=" . 'x' x 100)->{status}, 200, 'a hundred letters are an id';
	for my $id ('1', 'x' x 36, '%00', '11111111-1111-1111-1111-11111111111', "'%20OR%201=1", '..',
		'{11111111-1111-1111-1111-111111111111}', '%7b%7d') {
		my $status = $id eq '%00' || $id eq '..' ? qr/^(?:400|404|301)$/ : qr/^404$/;
		like get("/api/jobs/$id")->{status}, $status, "no job is called $id";
		like get("/api/jobs/$id/events")->{status}, $status, '... nor has events';
	}
};

subtest 'queries' => sub {
	for my $query ('%', 'a=%', 'a=%2', 'a=%zz', 'limit=1&%=1', '%00=1', 'limit%00=1', 'a%0a=1') {
		is_problem get("$list?$query"), 400, 'bad_query', $query;
	}
	is_problem get("$list?" . 'a=1&' x 33), 400, 'bad_query', 'too many';
	is get("$list?" . join '&', map { "a$_=1" } 1 .. 32)->{status}, 200, 'thirty-two are not';
	is get("$list?limit=1&unknown=%C3%A4&&=&;")->{status}, 200, 'what nobody asked for is ignored';
};

subtest 'paths' => sub {
	for my $path ('/api/', '/api/nowhere', '/api/reseller', '/api/reseller/', '/api/reseller/programs/',
		"$ids/", "$ids/x", '/api/jobs/', '/api/jobs//events', '/api//jobs', '/api/Jobs', '/api/jobs%2f',
		'/api/jobs.json', '/api/programs', '/api/status', '/api/' . 'x' x 4000, '/api' . '/x' x 20) {
		is_problem get($path), 404, 'not_found', substr $path, 0, 40;
	}
	is_problem $s->get('/api/nowhere'), 404, 'not_found', 'without a login as well';
	for my $path ('/api/%', '/api/%zz', '/api/%00', '/api/jobs/%0') {
		is raw(request_line("GET $path"))->{status}, 400, "$path is malformed";
	}
	is_problem raw(request_line('GET /api/jobs/a%0ab')), 400, 'bad_path', 'a control byte';
	is_problem raw(request_line('GET /api/jobs/%1b%5b31m')), 400, 'bad_path', 'an escape';
	is raw(request_line('GET /api/' . 'x' x 9000))->{status}, 414, 'too long';
	is raw(request_line("GET $list?limit=1&x=" . 'x' x 7000))->{status}, 200, 'long';
};

subtest 'methods' => sub {
	my %allow = ('/api/auth/validate-credentials' => 'POST', '/api/reseller/programs/sync' => 'POST',
		'/api/reseller/programs/sync-stream' => 'POST', $ids => 'GET, HEAD', $list => 'GET, HEAD',
		'/api/jobs' => 'GET, HEAD', '/api/jobs/1' => 'GET, HEAD', '/api/jobs/1/events' => 'GET, HEAD');
	for my $path (sort keys %allow) {
		for my $method (qw(GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND)) {
			next if " $allow{$path}," =~ / $method,/;
			my $answer = $s->request($method => $path);
			is $answer->{status}, 405, "$method $path";
			is $answer->{headers}{allow}, $allow{$path}, '... Allow';
			is_problem $answer, 405, 'method_not_allowed', '... and why' if $method ne 'HEAD';
		}
	}
};

subtest 'bodies' => sub {
	my %most = ('/api/auth/validate-credentials' => 1024, '/api/reseller/programs/sync' => 1024,
		'/api/reseller/programs/sync-stream' => 1024);
	for my $path (sort keys %most) {
		is $s->post($path, as => 'p1', body => 'x' x $most{$path})->{status}, 200, "$path: its bound";
		my $answer = $s->post($path, as => 'p1', body => 'x' x ($most{$path} + 1));
		is_problem $answer, 413, 'too_large', '... not one byte more, of lockstep\'s own';
		like $answer->{json}{detail}, qr/\b$most{$path}\b/, '... and says the bound';
		is_problem $s->post($path, as => 'p1', body => 'x' x 262_145), 413, 'too_large', '... nginx\'s is higher';
	}
	is_problem $s->request(GET => $ids, as => 'p1', body => 'x'), 413, 'too_large', 'a GET has none';
	my $part = 'x' x 1025;
	is_problem $s->post('/api/reseller/programs/sync', as => 'p1', body => sub { my $p = $part; $part = ''; $p }),
	    413, 'too_large', 'a chunked one is counted as well';
	is_problem $s->post('/api/reseller/programs/sync', body => 'x' x 2000), 413, 'too_large',
	    'before anybody is asked to sign in';
	for my $length ('x', '-1', '+1', '1 1', '99999999999999999999') {
		my $answer = raw(request_line('POST /api/reseller/programs/sync', 'Content-Length' => $length));
		like $answer->{status}, qr/^4(?:00|13)$/, "Content-Length: $length";
	}
};

subtest 'defect 27: logins that cannot be read' => sub {
	my %bad = (
		'none'                  => undef,
		'empty'                 => '',
		'another scheme'        => 'Bearer ' . 'x' x 40,
		'Digest'                => 'Digest username="p1", realm="x"',
		'no base64'             => 'Basic ***',
		'cut base64'            => 'Basic cDE6cH',
		'base64 of another sort' => 'Basic cDE6-_8=',
		'base64 and more'       => basic('p1:pw') . ' x',
		'nothing after Basic'   => 'Basic',
		'only a space after it' => 'Basic ',
		'no space'              => 'Basic' . encode_base64('p1:pw', ''),
		'no colon'              => basic('p1'),
		'no user name'          => basic(':pw'),
		'a colon'               => basic(':'),
		'nothing'               => basic(''),
		'a long user name'      => basic('u' x 256 . ':pw'),
		'a long password'       => basic('p1:' . 'p' x 1025),
		'a very long one'       => basic('p1:' . 'p' x 5000),
		'only a user name'      => basic("p1\0pw"),
	);
	my $before = $s->partner->counters->{all}{calls};
	for my $name (sort keys %bad) {
		my %header = defined $bad{$name} ? (Authorization => $bad{$name}) : ();
		my $answer = $s->get($ids, headers => \%header);
		is_problem $answer, 401, 'login_missing', $name;
		is $answer->{headers}{'www-authenticate'}, 'Basic realm="Lockstep", charset="UTF-8"', '... asks for one';
		my $quiet = $s->get($ids, headers => { %header, 'X-Requested-With' => 'XMLHttpRequest' });
		is_problem $quiet, 401, 'login_missing', '... to a page\'s own request';
		is $quiet->{headers}{'www-authenticate'}, undef, '... does not, or browsers open a dialog';
	}
	is raw("GET $ids HTTP/1.0\r\nAuthorization: " . basic('p1:pw') . "\r\nAuthorization: "
	    . basic('p40:pw') . "\r\n\r\n")->{status}, 400, 'two at once';
	is $s->partner->counters->{all}{calls}, $before, 'the partner was asked about none';
	is $s->get($_, headers => {})->{status}, 401, "$_ wants a login" for $ids, $list, '/api/jobs',
	    '/api/jobs/1', '/api/jobs/1/events';
	is $s->post($_)->{status}, 401, "$_ wants one" for '/api/auth/validate-credentials',
	    '/api/reseller/programs/sync', '/api/reseller/programs/sync-stream';
	is $s->get($ids, headers => { Authorization => 'basic   ' . encode_base64('p1:pw', '') })->{status}, 200,
	    'the scheme in any case, any spaces after it';
};

subtest 'defect 33: a refused login is asked for as quietly' => sub {
	my @login = (login => ['p1', 'wrong']);
	for my $round ('asked', 'remembered') {
		my $answer = $s->get($ids, @login);
		is_problem $answer, 401, 'login_wrong', $round;
		like $answer->{headers}{'www-authenticate'}, qr/^Basic /, '... with a challenge';
		my $quiet = $s->get($ids, @login, headers => { 'X-Requested-With' => 'fetch' });
		is $quiet->{headers}{'www-authenticate'}, undef, '... without for a page';
	}
	is $s->get($list, as => 'noaccess')->{headers}{'www-authenticate'}, undef, 'no access is no reason to ask';
};

subtest 'a request id leads from the answer into both logs' => sub {
	my @answer = (get("$list?limit=0"), get('/api/nowhere'), $s->get($ids), $s->post($ids),
		$s->get($ids, login => ['p1', 'wrong']), $s->get($ids, as => 'noaccess'),
		$s->post('/api/reseller/programs/sync', as => 'p1', body => 'x' x 1025));
	for my $answer (@answer) {
		my $rid = $answer->{json}{instance};
		is $rid, $answer->{headers}{'x-request-id'}, "$answer->{status}: the instance is X-Request-ID";
		ok wait_until(sub { $s->access_log(qr/rid=\Q$rid\E .* status=$answer->{status} /) }, 5), '... in nginx\'s log';
		ok $s->wait_log(qr/rid=\Q$rid\E .*status=$answer->{status}\b/, 20), '... in lockstep\'s';
	}
	my $mine = get($ids, headers => { 'X-Request-ID' => 'forged', 'Request-Id' => 'forged' });
	like $mine->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/, 'a client does not choose it';
	my %seen;
	ok !(grep { $seen{ $_->{json}{instance} }++ } @answer), 'each has its own';
};

subtest 'a log line stays one line' => sub {
	$s->log_mark;
	raw(request_line("GET /api/x%0alevel=error%20msg=forged"));
	raw(request_line("GET /api/x\"y\\z"));
	raw("GET /api/\x1b[31m HTTP/1.0\r\n\r\n");
	my @line = $s->log(qr/./, 2);
	cmp_ok scalar @line, '>=', 2, 'logged';
	ok !(grep { !/^ts=\S+ level=(?:info|warn) / } @line), 'nobody forges a line';
	ok !(grep { /[^ -~]/ } @line), '... or colours it';
};

is $s->operator('/metrics')->{body} =~ /^lockstep_crashes_total 0$/m, 1, 'and nothing has crashed';

$s->stop;
done_testing;
