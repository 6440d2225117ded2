#!/usr/bin/perl

# Sellers, their tokens and products; whose they are; and what an operator's routes
# refuse before anything happens.

use strict;
use warnings;
use Encode ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Analytics;
use Lockstep::Stack;
use POSIX ();
use Test::More;

# Six add a seller at the same time: one operator has a quarter of the places.
my $s = analytics(60, conf => { 'live.workers' => 24, 'db.timeout' => '20s' });

sub problem_is {
	my ($answer, $status, $field, $name) = @_;
	is "$answer->{status} " . ($answer->{json}{field} // ''), "$status " . ($field // ''), $name or diag $answer->{body};
	return;
}

sub refusal_is {
	my ($answer, $code, $name) = @_;
	is "$answer->{status} " . ($answer->{json}{field} // '') . ' ' . ($answer->{json}{code} // ''), "422 token $code", $name or diag $answer->{body};
	return;
}

sub jobs { return $s->sql_value('SELECT count(*) FROM job') }

subtest 'a token is tried before it is kept, and never shown' => sub {
	my ($name, $token) = shop(jam => 'standard');
	$s->seller->forget;
	my $made = op(POST => 'sellers', json => { name => $name, token => $token });
	is $made->{status}, 201, 'added' or diag $made->{body};
	is $made->{headers}{location}, "/api/analytics/sellers/$made->{json}{id}", 'Location';
	is $s->seller->counts($name)->{calls}, 1, 'one call tried it';
	is_deeply [@{ $made->{json} }{qw(name tokenKind tokenState tokenExpiresSoon timeZone products)}],
	    [$name, 'personal', 'active', JSON::PP::false, 'Europe/Moscow', 0], 'as it stands';
	like $made->{json}{tokenExpiresAt}, qr/^20\d\d-/, 'when it expires';
	is_deeply op(GET => 'sellers')->{json}{sellers}, [$made->{json}], 'in the list';
	is_deeply op(GET => "sellers/$made->{json}{id}")->{json}, $made->{json}, 'by itself';
	unlike op(GET => 'sellers')->{body}, qr/\Q$token\E/, 'the token is not in it';
	is $s->sql_value('SELECT count(*) FROM account WHERE position(?::bytea in sealed_password) > 0', $token), 0, '... nor readable in the database';
	is scalar($s->log(qr/\Q$token\E/)), 0, '... nor in the log';
	problem_is(op(POST => 'sellers', json => { name => $name, token => $token }), 422, 'name', 'one of a name');
};

# Answers of requests that are made at the same time.
sub at_once {
	my ($doing, @body) = @_;
	my @pipe;
	for my $body (@body) {
		pipe my $in, my $out or die "pipe: $!";
		my $pid = fork // die "fork: $!";
		if ($pid) { push @pipe, [$pid, $in]; next }
		my $answer = op(POST => 'sellers', json => $body);
		print $out JSON::PP::encode_json($answer);
		close $out;
		POSIX::_exit(0);
	}
	$doing->();
	return map {
		my ($pid, $in) = @$_;
		my $answer = JSON::PP::decode_json(do { local $/; <$in> });
		waitpid $pid, 0;
		$answer;
	} @pipe;
}

subtest 'two of a name at the same time: one is added, the other is told' => sub {
	my @token = map { (shop(jam => 'standard'))[1] } 1 .. 6;
	$s->seller->fault(method => 'funnel', kind => 'delay', ms => 500);
	my @answer = at_once(sub { }, map { { name => 'Twins', token => $_ } } @token);
	$s->seller->heal;
	my ($added, @told) = sort { $a->{status} <=> $b->{status} } @answer;
	is $added->{status}, 201, 'one';
	problem_is($_, 422, 'name', 'another') for @told;
	is $s->sql_value(q(SELECT count(*) FROM seller WHERE name = 'Twins')), 1, 'there is one';
	is $s->sql_value(q(SELECT count(*) FROM account a WHERE api = 'wb' AND NOT EXISTS (SELECT FROM seller WHERE account_id = a.id))), 0, '... and nothing is left of the others';
	# The same with the moment held still: the other one is about to be committed.
	my ($name, $token) = shop(jam => 'standard');
	my ($operator) = $s->operator_login->[0];
	$s->db->begin_work;
	$s->sql(q(INSERT INTO account (api, user_name, login_hash, sealed_password, verified_at) VALUES ('wb', ':wb:held', '', '', clock_timestamp())));
	$s->sql(q(INSERT INTO seller (account_id, operator, name, limit_key) VALUES (lastval(), ?, 'Held', '')), $operator);
	my ($late) = at_once(sub {
		# Within a transaction it would show the same moment again and again.
		wait_until { $s->sql('SELECT pg_stat_clear_snapshot()'); $s->sql_value(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'transactionid')) } 20, 'the other waits';
		$s->db->commit;
	}, { name => 'Held', token => $token });
	problem_is($late, 422, 'name', 'it is told');
	$s->sql(q(DELETE FROM account WHERE user_name = ':wb:held'));
};

subtest 'tokens that are not good' => sub {
	my ($name) = shop(jam => 'standard');
	my %token = (malformed => 'abc', expired => $s->seller->token($name, days => -1),
		category => $s->seller->token($name, categories => ['prices']), revoked => $s->seller->token($name, days => 90));
	$s->seller->revoke($token{revoked}, 401);
	my %code = (malformed => 'token_refused', expired => 'token_expired', category => 'token_wrong_category', revoked => 'token_refused');
	for (sort keys %token) {
		refusal_is(op(POST => 'sellers', json => { name => "x $_", token => $token{$_} }), $code{$_}, $_);
	}
	refusal_is(op(POST => 'sellers', json => { name => 'x again', token => $token{category} }), 'token_just_refused', 'one that was refused just now');
	my $gone = $s->seller->token($name, days => 80);
	$s->seller->revoke($gone, 403);
	refusal_is(op(POST => 'sellers', json => { name => 'x gone', token => $gone }), 'token_no_access', 'one of a user who is gone');
	for ('', 'a b', "a\n", 'x' x 5000, 7, undef) {
		problem_is(op(POST => 'sellers', json => { name => 'x', token => $_ }), 400, 'token', 'no token at all');
	}
	for ('', ' ', 'x' x 256, "a\tb", 7) {
		problem_is(op(POST => 'sellers', json => { name => $_, token => 'abc' }), 400, 'name', 'no name at all');
	}
	problem_is(op(POST => 'sellers', json => { name => 'x', token => 'abc', timeZone => 'Mars/Olympus' }), 422, 'timeZone', 'no such time zone');
	is $s->sql_value('SELECT count(*) FROM seller WHERE name LIKE \'x%\''), 0, 'none was kept';
};

subtest 'another token' => sub {
	my $one   = seller_of(jam => 'standard');
	my $fresh = $s->seller->token($one->{name}, type => 'service', categories => ['analytics'], days => 30);
	my $answer = op(POST => "sellers/$one->{id}/token", json => { token => $fresh });
	is $answer->{status}, 200, 'taken' or diag $answer->{body};
	is $answer->{json}{tokenKind}, 'service', '... of its kind';
	my (undef, $strange) = shop(jam => 'standard');
	refusal_is(op(POST => "sellers/$one->{id}/token", json => { token => $strange }), 'token_other_seller', 'not another seller\'s');
	refusal_is(op(POST => "sellers/$one->{id}/token", json => { token => $s->seller->token($one->{name}, days => -1) }), 'token_expired', 'nor one that is over');
	my $soon = $s->seller->token($one->{name}, days => 5);
	$s->sql('DELETE FROM rate_bucket');
	is op(POST => "sellers/$one->{id}/token", json => { token => $soon })->{json}{tokenExpiresSoon}, JSON::PP::true, 'one that ends soon says so';
	run_of($one);
	run_of($one);
	is scalar($s->log(qr/"analytics: token expires soon" seller=\Q$one->{name}\E /, 1)), 1, 'it is warned about once';
	is $s->sql_value(q(SELECT count(*) FROM event WHERE topic = 'analytics.token_expires' AND account_id = ?), $one->{id}), 1, '... and by one event';
};

subtest 'a refused token stops the seller, another one goes on' => sub {
	my $one = seller_of(jam => 'standard');
	$s->seller->revoke($one->{token}, 401);
	my $job = run_of($one);
	is "$job->{state} $job->{errors}[0]{code}", 'failed login_wrong', 'the run fails';
	is op(GET => "sellers/$one->{id}")->{json}{tokenState}, 'refused', 'the seller is refused';
	is op(POST => 'sync-background', json => { sellerId => $one->{id} })->{status}, 409, 'no run is begun';
	$s->sql('DELETE FROM rate_bucket');
	is op(POST => "sellers/$one->{id}/token", json => { token => $s->seller->token($one->{name}, days => 100) })->{status}, 200, 'another token';
	$s->sql('DELETE FROM rate_bucket');
	is run_of($one)->{state}, 'done', 'and it runs';
};

subtest 'products by list and by CSV; what is no id is reported, item by item' => sub {
	my $one = seller_of(jam => 'standard', products => 3);
	my $path = "sellers/$one->{id}/products";
	my $answer = op(POST => $path, json => { nmIds => [$one->{ids}[0], 900, '901', 'x', 0, -5, 1.5, undef, { a => 1 }, 9e18 * 10] });
	is $answer->{status}, 200, 'a list';
	is_deeply [@{ $answer->{json} }{qw(added known rejectedCount total)}], [2, 1, 7, 5], 'added, known, rejected';
	is_deeply [map { $_->{item} } @{ $answer->{json}{rejected} }[0 .. 3]], ['x', 0, -5, 1.5], '... which';
	my $csv = "\xef\xbb\xbfnmId;title\r\n902;Mug\r\n\"903\",x\r\nabc\r\n\r\n904\r\n";
	$answer = op(POST => $path, body => $csv, headers => { 'Content-Type' => 'text/csv; charset=utf-8' });
	is_deeply [@{ $answer->{json} }{qw(added known rejectedCount total)}], [3, 0, 1, 8], 'CSV with a heading';
	is_deeply [@{ $answer->{json}{rejected}[0] }{qw(item line code)}], ['abc', 4, 'no_id'], '... and where it went wrong';
	for (undef, 'x', { a => 1 }) { problem_is(op(POST => $path, json => { nmIds => $_ }), 400, 'nmIds', 'no list') }
};

subtest 'no line of a CSV is lost in silence' => sub {
	my $one = seller_of(jam => 'standard', products => 1);
	my $path = "sellers/$one->{id}/products";
	my $next = 1000;
	# Three ids of their own in each.
	my $send = sub {
		my ($csv, $encode) = @_;
		$csv =~ s/N/$next++/ge;
		return op(POST => $path, body => $encode ? $encode->($csv) : $csv, headers => { 'Content-Type' => 'text/csv' });
	};
	my %same = ('LF' => "N\nN\nN\n", 'CR' => "N\rN\rN\r", 'CRLF' => "N\r\nN\r\nN", 'tabs' => "nmId\ttitle\nN\ta\nN\tb\nN\tc\n",
		'a title of two lines' => qq(nmId,title\nN,"Mug\n904"\nN,x\n"N",y\n), 'a Russian heading' => "\xd0\x90\xd1\x80\xd1\x82;x\nN\nN\nN",
		'lines of nothing' => "N\n\n;;\nN\n  \nN\n\n");
	for my $how (sort keys %same) {
		for my $as ('UTF-8', 'UTF-16LE', 'UTF-16BE') {
			my $answer = $send->($same{$how}, $as eq 'UTF-8' ? undef : sub { Encode::encode($as, "\x{feff}" . Encode::decode('UTF-8', $_[0])) });
			is_deeply [$answer->{status}, @{ $answer->{json} }{qw(added known rejectedCount)}], [200, 3, 0, 0], "$how, $as" or diag $answer->{body};
		}
	}
	my %told = ("41000012x\nN\n" => ['41000012x', 1], ",N\nN\n" => ['', 1], "nmId\nN\n\n;N\n" => ['', 4],
		"nmId\nnmId\nN\n" => ['nmId', 2], qq(N,"a\nb"\nx\n) => ['x', 3], "N\n\xc0\xf0\xf2 7\n" => ['??? 7', 2],
		"N\n" . "\xd0\x90" x 40 => ["\x{410}" x 32, 2], "N\n1 000\n" => ['1 000', 2]);
	for my $csv (sort keys %told) {
		my $answer = $send->($csv);
		is_deeply [$answer->{status}, $answer->{json}{added}, map { [@$_{qw(item line)}] } @{ $answer->{json}{rejected} }], [200, 1, $told{$csv}],
		    'told: ' . $csv =~ s/[^ -~]/?/gr or diag $answer->{body};
	}
	my $total = op(GET => "sellers/$one->{id}")->{json}{products};
	for my $csv ("903\n904\0\n905\n", "9\0000\0003\0", "\xff\xfe9\0000", "\xff\xfe\x00\xd8", "\xff\xfe\0\0009\0\0\0", qq(903\n904,"x\n905\n), qq("903"4\n)) {
		problem_is($send->($csv), 400, 'body', 'refused: ' . $csv =~ s/[^ -~]/?/gr);
	}
	is op(GET => "sellers/$one->{id}")->{json}{products}, $total, '... as a whole';
};

subtest 'products that are removed are gone with their past' => sub {
	my $one = seller_of(jam => 'standard', products => 4);
	my $path = "sellers/$one->{id}/products";
	my ($gone, $more, @rest) = sort { $a <=> $b } @{ $one->{ids} };
	is op(POST => $path, json => { nmIds => [7] })->{json}{added}, 1, 'an id that was never on the market';
	is run_of($one)->{state}, 'partial', '... makes the run partial';
	my $other = seller_of(jam => 'standard', products => 1);
	my $answer = op(DELETE => $path, json => { nmIds => [7, $gone, $gone, 8, 'x', $other->{ids}[0]] });
	is_deeply [$answer->{status}, @{ $answer->{json} }{qw(removed unknown rejectedCount total)}], [200, 2, 3, 1, 3], 'removed, unknown, rejected';
	is_deeply [sort keys %{ pages($one) }], [$more, @rest], 'the list is without it';
	is op(GET => "products/$gone?sellerId=$one->{id}")->{status}, 404, '... so is it by itself';
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND nm_id = ?', $one->{id}, $gone), 0, '... its past is gone';
	is $s->sql_value('SELECT count(*) FROM product WHERE account_id = ?', $other->{id}), 1, 'another seller\'s is untouched';
	is run_of($one)->{state}, 'done', 'and the next run is done';
	is op(GET => "sellers/$one->{id}")->{json}{trouble}, undef, '... without trouble';
	$answer = op(DELETE => $path, body => "nmId\r\n$more\r\n", headers => { 'Content-Type' => 'text/csv' });
	is_deeply [@{ $answer->{json} }{qw(removed total)}], [1, 2], 'by CSV';
	problem_is(op(DELETE => $path, json => { nmIds => 7 }), 400, 'nmIds', 'no list');
	problem_is(op(DELETE => $path, json => { all => JSON::PP::true }), 400, 'all', 'all of them at once');
	problem_is(op(DELETE => $path), 400, 'body', 'nothing at all');
	is scalar(keys %{ pages($one) }), 2, 'nothing was removed by those';
};

subtest 'products that are removed in the middle of a run' => sub {
	my $one = seller_of(jam => 'standard', products => 120);
	$s->seller->fault(seller => $one->{name}, method => 'texts', kind => 'delay', ms => 800, call => 2);
	my $id = ask($one);
	wait_until { ($s->seller->counts($one->{name})->{methods}{texts}{calls} // 0) >= 2 } 20, 'the second call for texts';
	my @gone = (sort { $a <=> $b } @{ $one->{ids} })[60 .. 64, 110];
	is op(DELETE => "sellers/$one->{id}/products", json => { nmIds => \@gone })->{json}{removed}, 6, 'five of that call, one of the next';
	my $job = ended($id);
	$s->seller->heal;
	is $job->{state}, 'done', 'the run is done';
	is_deeply [grep { $_->{syncStatus} ne 'success' } values %{ pages($one) }], [], 'all that are left are complete';
	is scalar(keys %{ pages($one) }), 114, '... and none is back';
};

subtest 'what asks for a run: each bad value is named, and no job is made' => sub {
	my $one = seller_of(jam => 'standard');
	my $before = jobs();
	my $path = 'sync-background';
	for my $size (0, -1, 1001, 'x', 1.5, JSON::PP::true, [], '10') {
		problem_is(op(POST => $path, json => { sellerId => $one->{id}, batchSize => $size }), 400, 'batchSize', 'batchSize ' . JSON::PP->new->allow_nonref->encode($size));
	}
	for my $body ('{', '[]', '"x"', '{"batchSize":}', 'batchSize=10') {
		problem_is(op(POST => $path, body => $body), 400, 'body', "malformed: $body");
	}
	for ('x', 1.5, -1) { problem_is(op(POST => $path, json => { sellerId => $_ }), 400, 'sellerId', "sellerId $_") }
	for (0.5, 'x', 0) { problem_is(op(POST => $path, json => { sellerId => $one->{id}, ifOlderThanHours => $_ }), 400, 'ifOlderThanHours', "ifOlderThanHours $_") }
	problem_is(op(POST => $path, json => { sellerId => 999_999 }), 422, 'sellerId', 'an unknown seller');
	problem_is(op(POST => $path, json => { sellerId => $one->{id} }, other => 1), 422, 'sellerId', 'another operator\'s seller');
	my $several = op(POST => $path);
	problem_is($several, 422, 'sellerId', 'several sellers');
	is_deeply [sort map { $_->{id} } @{ $several->{json}{choices} }], [sort map { $_->{id} } @{ op(GET => 'sellers')->{json}{sellers} }], '... with the choices';
	my $none = op(POST => $path, other => 1);
	problem_is($none, 422, 'sellerId', 'no seller at all');
	is_deeply $none->{json}{choices}, [], '... with none to choose';
	is jobs(), $before, 'no job was made';
};

subtest 'everything is optional, whatever the content type; the only seller is meant' => sub {
	my $one = seller_of(jam => 'standard', other => 1);
	my $answer = op(POST => 'sync-background', other => 1);
	is $answer->{status}, 202, 'no body at all';
	is $answer->{headers}{location}, "/api/analytics/jobs/$answer->{json}{taskId}", 'Location';
	is ended($answer->{json}{taskId})->{state}, 'done', 'it runs';
	$answer = op(POST => 'sync-background', other => 1, body => '{"batchSize":10,"ifOlderThanHours":24}', headers => { 'Content-Type' => 'text/plain' });
	is_deeply [$answer->{status}, $answer->{json}], [200, { taskId => undef, fresh => JSON::PP::true }], 'JSON as text/plain; fresh data is left alone';
	$s->sql(q(UPDATE product SET last_sync_at = last_sync_at - interval '25 hours' WHERE account_id = ? AND nm_id = ?), $one->{id}, $one->{ids}[0]);
	$answer = op(POST => 'sync-background', other => 1, json => { ifOlderThanHours => 24 });
	is $answer->{status}, 202, 'one old product is enough for a run';
	ended($answer->{json}{taskId});
};

subtest 'an operator sees only what is theirs' => sub {
	my ($mine, $theirs) = (seller_of(jam => 'standard'), seller_of(jam => 'standard', other => 1));
	my $job = run_of($theirs);
	is $job->{state}, 'done', 'theirs has run';
	my ($id, $seller, $nm) = ($job->{id}, $theirs->{id}, $theirs->{ids}[0]);
	unlike op(GET => 'sellers')->{body}, qr/"id":$seller\b/, 'not in the list of sellers';
	unlike op(GET => 'jobs?limit=100')->{body}, qr/$id/, 'nor in that of jobs';
	for ("GET sellers/$seller", "DELETE sellers/$seller", "POST sellers/$seller/products", "POST sellers/$seller/token", "DELETE sellers/$seller/products",
	    "GET sellers/$seller/events", "GET jobs/$id", "GET jobs/$id/events", map { "POST jobs/$id/$_" } qw(cancel pause resume retry)) {
		my ($method, $path) = split / /;
		is op($method => $path, ($method eq 'POST' ? (body => '{"nmIds":[5],"token":"x"}') : ()))->{status}, 404, $_;
	}
	for ("products?sellerId=$seller", "products/$nm?sellerId=$seller") { is op(GET => $_)->{status}, 422, "GET $_" }
	is op(GET => "products/$nm?sellerId=$mine->{id}")->{status}, 404, 'nor by an id of theirs with a seller of mine';
	is op(GET => "sellers/$seller", other => 1)->{status}, 200, 'theirs is untouched';
	is op(GET => 'products?search=' . $nm, other => 1)->{status}, 422, 'two sellers of theirs: which?';
};

subtest 'a partner never matches a seller, nor an operator a partner' => sub {
	my $user = $s->sql_value(q(SELECT convert_from(user_name, 'UTF8') FROM account WHERE api = 'wb' LIMIT 1));
	like $user, qr/^:wb:[0-9a-f]{32}$/, 'the name that a seller\'s account has';
	is $s->get('/api/jobs', login => [$user, $s->seller->token('demo')])->{status}, 401, 'it is no login';
	is $s->get('/api/jobs', login => $s->operator_login)->{status}, 401, 'an operator is no partner';
	is $s->get('/api/analytics/sellers', as => 'demo')->{status}, 401, 'a partner is no operator';
	my $list = $s->lockstep(qw(account list));
	unlike $list->{out}, qr/wb:/, 'accounts are the partner\'s';
	my $id = $s->sql_value(q(SELECT id FROM account WHERE api = 'wb' LIMIT 1));
	is $s->lockstep('account', 'disable', "id:$id")->{exit}, 4, '... by number too';
};

subtest 'another site\'s page cannot act for an operator' => sub {
	my $one = seller_of(jam => 'standard');
	my $host = $s->{BASE_URL} =~ s{http://}{}r;
	my $before = jobs();
	my $ask = sub { my (%header) = @_; return op(POST => 'sync-background', json => { sellerId => $one->{id} }, headers => \%header)->{status} };
	is $ask->('Sec-Fetch-Site' => 'cross-site'), 403, 'Sec-Fetch-Site: cross-site';
	is $ask->(Origin => 'https://evil.example'), 403, 'another Origin';
	is $ask->(Origin => 'null'), 403, 'an Origin that says nothing';
	is $ask->(Origin => "http://$host.evil.example"), 403, 'one that begins as ours';
	is op(DELETE => "sellers/$one->{id}", headers => { 'Sec-Fetch-Site' => 'cross-site' })->{status}, 403, 'DELETE too';
	is jobs(), $before, 'nothing happened';
	is op(GET => 'sellers', headers => { 'Sec-Fetch-Site' => 'cross-site' })->{status}, 200, 'reading is safe';
	is $ask->(Origin => "http://$host", 'Sec-Fetch-Site' => 'same-origin'), 202, 'our own page may';
};

# Its events, from its start.
sub follow {
	my ($id) = @_;
	my $stream = $s->sse("/api/analytics/jobs/$id/events", login => $s->operator_login);
	$stream->next(20) or die 'no event';
	return $stream;
}

subtest 'a stream of a job that is no more ends in words' => sub {
	my $one = seller_of(jam => 'standard', products => 120);
	my $stream = follow(my $id = ask($one));
	$s->sql('DELETE FROM job WHERE id = ?', $id);
	$s->sql(q(SELECT pg_notify('job', ?)), $id);
	is_deeply [map { @{ $_->{json} }{qw(type code)} } ($stream->rest(20))[-1]], ['error', 'not_found'], 'an error';
	ok $stream->complete, '... and its proper end';
};

subtest 'a seller that is removed takes all with it' => sub {
	my $one = seller_of(jam => 'standard', products => 120);
	my $id = ask($one);
	my $stream = follow($id);
	is op(DELETE => "sellers/$one->{id}")->{status}, 200, 'removed, in the middle of a run';
	is $s->sql_value("SELECT count(*) FROM $_ WHERE account_id = ?", $one->{id}), 0, "no $_" for qw(seller product product_analytics job schedule);
	is op(GET => "jobs/$id")->{status}, 404, 'its job is gone';
	is_deeply [map { $_->{json}{type} } ($stream->rest(20))[-1]], ['error'], 'its stream has ended in words';
	ok $stream->complete, '... properly';
	is op(GET => "sellers/$one->{id}")->{status}, 404, 'so is the seller';
};

$s->stop;
done_testing;
