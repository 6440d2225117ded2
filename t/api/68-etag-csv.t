#!/usr/bin/perl

# Answers from the registry say when they are still good (ETag and 304), and the list
# comes as CSV too: all of it, harmless, in bounded memory, and never a part that
# looks like the whole.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Lockstep::FastCGI qw(fcgi_request);
use Lockstep::Listing qw(@COLUMNS);
use Lockstep::Stack;
use Encode qw(decode_utf8 encode_utf8);
use MIME::Base64 qw(encode_base64);
use Test::More;

my $s = Lockstep::Stack->start(env => { STACK_FREES => 1 }, conf => { 'api.workers' => 2, 'live.workers' => 2, 'jobs.workers' => 2 },
	partner => { shop => { programs => 90, businesses => 6, variants => JSON::PP::true }, other => 40, big => 1 });
my $list = '/api/reseller/programs?source=registry';
my @path = ($list, "$list&limit=7&sort=-budget", '/api/reseller/business-ids', '/api/reseller/available-filters',
	'/api/reseller/available-filters?pause=PAUSED');

sub get { my ($path, $user, %header) = @_; return $s->get($path, as => $user, headers => \%header) }

sub status_with { my ($path, $tag, @user) = @_; return get($path, $user[0] // 'shop', 'If-None-Match' => $tag)->{status} }

# One backend a worker: what a session was told holds for all that it does later. Each
# is waited for, so that the worker sees that it has gone.
sub new_sessions {
	$s->sql(q(SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE usename = 'lockstep' AND application_name = 'lockstep'));
	wait_until { get($list, 'shop')->{status} == 200 && get($list, 'shop')->{status} == 200 } 10, 'the database';
}

$s->sync($_) for qw(shop other big);

subtest 'what has not changed is not sent again' => sub {
	for my $path (@path) {
		my $first = get($path, 'shop');
		my $tag   = $first->{headers}{etag};
		like $tag, qr{^W/"[0-9a-f]{32}"$}, "$path: a tag";
		is $first->{headers}{'cache-control'}, 'private, no-cache', 'to be asked for each time';
		is get($path, 'shop')->{headers}{etag}, $tag, 'the same again';
		my $second = get($path, 'shop', 'If-None-Match' => $tag);
		is $second->{status}, 304, 'nothing new';
		is $second->{body} // '', '', 'with nothing in it';
		is $second->{headers}{etag}, $tag, 'but the tag';
		is status_with($path, $tag =~ s{^W/}{}r), 304, 'compared weakly';
		is status_with($path, "\"x\", $tag , W/\"y\""), 304, 'found in a list';
		is status_with($path, '*'), 304, 'any';
		is status_with($path, 'W/"' . 'a' x 32 . '"'), 200, 'not another';
		my $head = $s->request(HEAD => $path, as => 'shop');
		is_deeply [$head->{status}, $head->{headers}{etag}, $head->{body} // ''], [200, $tag, ''], 'HEAD: the same tag';
		is $s->request(HEAD => $path, as => 'shop', headers => { 'If-None-Match' => $tag })->{status}, 304, 'nor anything new';
	}
};

subtest 'each answer has a tag of its own' => sub {
	$s->sql('UPDATE account SET registry_version = 50');
	my %seen;
	push @{ $seen{ get($_, 'shop')->{headers}{etag} } }, $_ for @path, "$list&limit=8";
	push @{ $seen{ get($list, 'shop', Accept => 'text/csv')->{headers}{etag} } }, 'csv';
	push @{ $seen{ get($_, 'other')->{headers}{etag} } }, "other $_" for @path;
	is_deeply [grep { @$_ > 1 } values %seen], [], 'none is used twice';
	my $tag = get($list, 'shop')->{headers}{etag};
	is status_with($list, $tag, 'other'), 200, 'that of another account is no good';
	is status_with($list, $tag, 'stranger'), 401, 'nor of any use to a stranger';
	is get("$list&limit=x", 'shop')->{headers}{etag}, undef, 'a mistake has none';
	is get('/api/reseller/programs?limit=1', 'shop')->{headers}{etag}, undef, 'nor has the partner\'s list';
};

subtest 'defect 26: a change makes it new' => sub {
	my %tag = map { $_ => get($_, 'shop')->{headers}{etag} } @path;
	my $other = get($list, 'other')->{headers}{etag};
	$s->post('/api/reseller/programs/sync?mode=full', as => 'shop');
	is status_with($_, $tag{$_}), 304, "$_: not by a sync that changes nothing" for @path;
	$s->partner->edit(user => 'shop', op => 'change', field => 'budget', n => 1);
	$s->post('/api/reseller/programs/sync?mode=full', as => 'shop');
	is status_with($_, $tag{$_}), 200, "$_: by one that does" for @path;
	is status_with($list, $other, 'other'), 304, 'and not for others';
	$tag{$list} = get($list, 'shop')->{headers}{etag};
	my $id = get($list, 'shop')->{json}{programs}[0]{program_id};
	$s->post("/api/reseller/program/$id/custom-name", as => 'shop', json => { custom_name => 'New' });
	is status_with($list, $tag{$list}), 200, 'by a name too';
};

subtest 'a status changes at midnight without a write' => sub {
	my $id = $s->sql_value(q(SELECT program_id FROM program p JOIN account a ON a.id = p.account_id
		WHERE user_name = 'shop' AND program_state(program_pause_status, program_status, start_date, end_date, pacific_today()) = 'CURRENT' LIMIT 1));
	$s->sql('UPDATE program SET end_date = ? WHERE program_id = ?', '2031-03-01', $id);
	my %day;
	for my $day (qw(2031-03-01 2031-03-02)) {
		$s->sql("ALTER DATABASE lockstep SET lockstep.today = '$day'");
		new_sessions();
		my $answer = get("$list&q=$id", 'shop');
		$day{$day} = { status => $answer->{json}{programs}[0]{status}, etag => $answer->{headers}{etag},
			counts => { map { @$_{qw(value count)} } @{ get('/api/reseller/available-filters', 'shop')->{json}{statuses} } } };
	}
	my ($before, $after) = @day{qw(2031-03-01 2031-03-02)};
	is_deeply [$before->{status}, $after->{status}], [qw(CURRENT PAST)], 'the last day, and the next';
	isnt $before->{etag}, $after->{etag}, 'a new tag';
	is $after->{counts}{PAST}, $before->{counts}{PAST} + 1, 'and other counts';
	is status_with("$list&q=$id", $before->{etag}), 200, 'yesterday\'s is no good';
	$s->sql('ALTER DATABASE lockstep RESET lockstep.today');
	new_sessions();
};

# RFC 4180: rows of cells; dies when it is none.
sub parse_csv {
	my ($text) = @_;
	my (@row, @all);
	pos($text) = 0;
	while (pos $text < length $text) {
		if ($text =~ /\G"((?:[^"]|"")*)"/gc) { push @row, $1 =~ s/""/"/gr }
		elsif ($text =~ /\G([^",\r\n]*)/gc) { push @row, $1 }
		if    ($text =~ /\G,/gc)    { next }
		elsif ($text =~ /\G\r\n/gc) { push @all, [@row]; @row = () }
		else                        { die 'no CSV at ' . pos $text }
	}
	die 'the last line has no end' if @row;
	return @all;
}

sub csv { my ($path, $user) = @_; return get($path, $user, Accept => 'text/csv') }

# A cell as the JSON row would have to show it.
sub cell {
	my ($value) = @_;
	return '' if !defined $value;
	return $value ? 'true' : 'false' if JSON::PP::is_bool($value);
	return JSON::PP->new->canonical->encode($value) if ref $value;
	return $value;
}

subtest 'the list as CSV is all of the list' => sub {
	my @names = ('=cmd|\' /C calc\'!A0', '+1', '-1', '@x', 'a,"b"', 'é ☀', "quote\"d", 'plain');
	my @ids = map { $_->{program_id} } @{ get("$list&limit=8", 'shop')->{json}{programs} };
	$s->post("/api/reseller/program/$ids[$_]/custom-name", as => 'shop', json => { custom_name => $names[$_] }) for 0 .. 7;
	for my $query ('', '&sort=-budget', '&pause=PAUSED', '&q=nothing-like-this', '&limit=3', '&offset=5&limit=2') {
		my $answer = csv("$list$query", 'shop');
		is $answer->{status}, 200, "an answer: $query";
		like $answer->{headers}{'content-type'}, qr{^text/csv; charset=utf-8}, 'its type';
		like $answer->{headers}{'content-disposition'}, qr/^attachment; filename="programs-\d{4}-\d\d-\d\d\.csv"$/, 'a name for the file';
		my ($head, @got) = parse_csv($answer->{body});
		is_deeply $head, \@COLUMNS, 'the header';
		my $filter = $query =~ s/&(?:limit|offset)=\d+//gr;
		my @want = @{ get("$list$filter&limit=200", 'shop')->{json}{programs} };
		my $bad = 0;
		for my $i (0 .. $#want) {
			for my $k (0 .. $#COLUMNS) {
				my ($is, $must) = ($got[$i][$k], encode_utf8(cell($want[$i]{ $COLUMNS[$k] })));
				$is = cell(JSON::PP::decode_json($is)), $must = decode_utf8($must) if ref $want[$i]{ $COLUMNS[$k] };
				$must = "'$must" if $must =~ /^[-=+\@]/ && $want[$i]{ $COLUMNS[$k] } !~ /^-\d+$/a || $must eq '-1';
				next if $is eq $must;
				$bad++;
				diag "$COLUMNS[$k]: $is for $must";
			}
		}
		is_deeply [scalar @got, $bad], [scalar @want, 0], 'the rows of the list';
		is $answer->{headers}{'x-total-count'}, scalar @want, '... as many as it was said there would be';
	}
	my ($tag) = csv($list, 'shop')->{headers}{etag};
	is get($list, 'shop', Accept => 'text/csv', 'If-None-Match' => $tag)->{status}, 304, 'it need not be sent twice either';
	my $head = $s->request(HEAD => $list, as => 'shop', headers => { Accept => 'text/csv' });
	is_deeply [$head->{status}, $head->{headers}{etag}, $head->{body} // ''], [200, $tag, ''], 'HEAD';
	is get($list, 'shop', Accept => 'text/csv, application/json')->{headers}{'content-type'}, 'application/json', 'JSON when both are as good';
	is csv("$list&sort=nothing", 'shop')->{json}{field}, 'sort', 'a mistake is named as ever';
	is $s->get($list, headers => { Accept => 'text/csv' })->{status}, 401, 'a stranger gets none';
	unlike csv($list, 'other')->{body}, qr/\Q$ids[0]\E/, 'nor does another account';
};

# Rows of our own making, as many as no page ever holds.
my $big = $s->sql_value(q(SELECT id FROM account WHERE user_name = 'big'));
$s->sql(q(INSERT INTO program (account_id, program_id, program_type, row_hash, active_features, businesses, budget)
	SELECT ?, 'row' || n, 'CPC', '\x00', '["LINK_TRACKING", "AD_GOAL"]', '[]', n % 100 FROM generate_series(1, 60000) n), $big);
$s->sql('ANALYZE program');

sub memory_kb { my ($pid) = @_; return Lockstep::Stack::slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m ? $1 : die }

subtest 'many rows take no memory' => sub {
	get($list, 'big') for 1 .. 8;
	my @pid = $s->pids('api');
	my ($before) = sort { $b <=> $a } map { memory_kb($_) } @pid;
	for my $sort ('program_id', '-budget') {
		my $answer = csv("$list&sort=$sort", 'big');
		is scalar(() = $answer->{body} =~ /\r\n/g), 60_002, "$sort: all rows";
		cmp_ok length $answer->{body}, '>', 5_000_000, 'which are long';
	}
	my ($after) = sort { $b <=> $a } map { memory_kb($_) } @pid;
	is_deeply [sort { $a <=> $b } $s->pids('api')], [sort { $a <=> $b } @pid], 'the same workers';
	cmp_ok $after - $before, '<', 3000, 'kB more than before: ' . ($after - $before);
};

# A request straight to api, whose answer has begun and is not read on: the socket, what
# came, and the pid of the backend. Neither can end, for no pipe holds so much.
sub unread {
	my $socket = $s->fcgi('api');
	$socket->syswrite(fcgi_request({ REQUEST_METHOD => 'GET', REQUEST_URI => $list, QUERY_STRING => 'source=registry',
		REMOTE_ADDR => '127.0.0.1', HTTP_ACCEPT => 'text/csv',
		HTTP_AUTHORIZATION => 'Basic ' . encode_base64('big:big-password', '') }));
	IO::Select->new($socket)->can_read(10) && sysread $socket, my $text, 4096 or die 'no answer';
	my $pid = wait_until { $s->sql_value(q(SELECT pid FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'ClientWrite')) } 10, 'a full pipe'
	    or die;
	return ($socket, $text, $pid);
}

sub rest {
	my ($socket, $text) = @_;
	while (IO::Select->new($socket)->can_read(10)) { sysread $socket, $text, 65536, length $text or last }
	return $text;
}

sub has_end { my ($text) = @_; my ($at, $end) = (0, 0); while ($at + 8 <= length $text) { my ($type, $n, $pad) = (unpack 'C C n n C', substr $text, $at, 8)[1, 3, 4]; $end = 1 if $type == 3; $at += 8 + $n + $pad } return $end }

subtest 'a part is never taken for the whole' => sub {
	is has_end(rest(unread())), 1, 'to its end, an answer has one';
	my ($socket, $begin, $pid) = unread();
	$s->sql('SELECT pg_terminate_backend(?)', $pid);
	my $text = rest($socket, $begin);
	cmp_ok length $text, '>', 1000, 'some of it came';
	is has_end($text), 0, 'but when the database breaks off, it has none';

	# The same through nginx: the client is left with a body that is not complete.
	my $sound = $s->sql_value(q(SELECT pg_get_functiondef('iso_time(timestamptz)'::regprocedure)));
	$s->sql('CREATE SEQUENCE breaks');
	$s->sql('GRANT ALL ON breaks TO lockstep');
	$s->sql(q(CREATE OR REPLACE FUNCTION iso_time(t timestamptz) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
		BEGIN
			IF nextval('breaks') > 20000 THEN RAISE 'broken by the test'; END IF;
			RETURN 'x';
		END $$));
	my $raw = $s->raw("GET $list HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: text/csv\r\nAuthorization: Basic "
	    . encode_base64('big:big-password', '') . "\r\n\r\n", 10);
	like substr($raw, 0, 20), qr{^HTTP/1\.1 200}, 'it had begun well';
	ok $raw !~ /\r\n0\r\n\r\n\z/, 'and does not end as if it were whole';
	is csv($list, 'big')->{status}, 503, 'what breaks before the first row is a problem of its own';
	$s->sql($sound);
};

subtest 'a reader who leaves holds nobody' => sub {
	my $waits = q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite');
	for (1 .. 3) {
		my ($socket) = unread();
		close $socket;
		ok wait_until { !$s->sql_value($waits) } 10, 'the statement ends';
	}
	is get($_, 'shop')->{status}, 200, 'and the workers go on' for ($list) x 4;
};

$s->stop;
done_testing;
