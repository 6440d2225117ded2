#!/usr/bin/perl

# Who is let in: only whom the partner lets in, remembered for a while, refused
# without asking too often, and without a trace of the password anywhere.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find   ();
use Lockstep::Problem;
use Lockstep::Stack;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes  qw(time);

# A call must be in time though the partner or a worker stood still for a moment.
use constant DEADLINE => 8;

my $slow = $ENV{TEST_SLOW} || 1;
my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 2, 'live.deadline' => DEADLINE . 's',
	'auth.lifetime' => '1h', 'auth.refusal_memory' => '30s',
	'partner.retry_base' => '20ms', 'log.level' => 'debug' });
my $partner = $s->partner;
my $ids     = '/api/reseller/business-ids';

sub validate { my (@how) = @_; return $s->post('/api/auth/validate-credentials', @how) }
sub ids      { my (@how) = @_; return $s->get($ids, @how) }

# How often the partner was asked in the name of this user.
sub asked { my ($user) = @_; return $s->sim(GET => '/_sim/counters?user=' . Lockstep::Partner::escape($user))->{calls} }

# As if that much time had gone by: since all refusals, whenever they really were, and
# since the partner accepted.
sub age_refusals { my ($s_) = @_; $s->sql("UPDATE login_refusal SET at = clock_timestamp() - ? * interval '1 s'", $s_) }
sub age_logins   { my ($s_) = @_; $s->sql("UPDATE account SET verified_at = verified_at - ? * interval '1 s'", $s_) }
sub forget       { $s->sql('DELETE FROM login_refusal') }

sub account {
	my ($user) = @_;
	return $s->sql("SELECT id, state, verified_at, encode(login_hash, 'hex') AS hash,
	    encode(sealed_password, 'hex') AS sealed FROM account
	    WHERE user_name = decode(?, 'hex')", unpack 'H*', $user)->[0];
}

# All that is stored of accounts and jobs, as text.
sub stored {
	return join "\n", map { $_->{row} } @{ $s->sql(
	    'SELECT a::text AS row FROM account a UNION ALL SELECT j::text FROM job j ORDER BY 1') };
}

sub job_of {
	my ($user, $state, $reason) = @_;
	return $s->sql_value("INSERT INTO job (kind, account_id, state, waiting_reason, run_at)
	    VALUES ('test-' || gen_random_uuid(), ?, ?, ?, clock_timestamp() + interval '1 h')
	    RETURNING id", account($user)->{id}, $state, $reason);
}

sub state_of {
	my ($job) = @_;
	return join ' ', map { $_ // '-' } @{ $s->db->selectrow_arrayref(
	    'SELECT state, waiting_reason FROM job WHERE id = ?', undef, $job) };
}

subtest 'the right password is asked about once and remembered' => sub {
	is asked('p1'), 0, 'nobody has asked yet';
	my $answer = ids(as => 'p1');
	is $answer->{status}, 200, 'let in';
	is_deeply $answer->{json}, { total => 0, businesses => [], from_db => JSON::PP::true(),
	    statuses => { map { $_ => 0 } qw(CURRENT PAST FUTURE PAUSED INACTIVE) } }, 'with an answer';
	is asked('p1'), 1, 'one question';
	is ids(as => 'p1')->{status}, 200, 'again' for 1 .. 3;
	is asked('p1'), 1, 'no further question';
	is account('p1')->{state}, 'active', 'stored as active';
};

subtest 'defect 34: each trouble has a status and a code of its own' => sub {
	is_problem ids(login => ['p40', 'wrong']), 401, 'login_wrong', 'wrong password';
	is_problem ids(as => 'noaccess'), 403, 'no_access', 'no access';
	my @trouble = (
		['500',          502, 'partner_error'],
		['502',          502, 'partner_error'],
		['503',          503, 'partner_unavailable'],
		['429',          503, 'partner_limited', retry_after => 7],
		['504',          504, 'partner_timeout'],
		['404',          502, 'partner_refused'],
		['html',         502, 'partner_error'],
		['truncated',    502, 'partner_error'],
		['reset_before', 502, 'partner_error'],
		['array_null',   502, 'partner_error'],
		['deep_json',    502, 'partner_error'],
		['403',          403, 'no_access'],
	);
	$s->account('limited', programs => 1);
	for (@trouble) {
		my ($kind, $status, $code, %how) = @$_;
		# What the partner says of when to come again holds for all calls of the account.
		my $user = $how{retry_after} ? 'limited' : 'p40';
		$partner->fault(kind => $kind, user => $user, %how);
		my $answer = ids(as => $user);
		is_problem $answer, $status, $code, "partner $kind: $status";
		is $answer->{headers}{'retry-after'}, $how{retry_after}, '... and when to come again';
		$partner->heal;
	}
	is account($_), undef, "none of them stored the login of $_" for qw(p40 limited);
	is account('noaccess'), undef, 'nor is one without access';
	is ids(as => 'p40')->{status}, 200, 'the partner is well again';
};

subtest 'a partner that hangs costs no more than the deadline' => sub {
	$partner->fault(kind => 'hang', user => 'p39');
	my $began = time;
	is_problem ids(as => 'p39'), 504, 'partner_timeout', 'hang';
	my $took = time - $began;
	cmp_ok $took, '>', 0.8 * DEADLINE, 'it was waited for';
	cmp_ok $took, '<', DEADLINE * (1 + 0.7 * $slow), '... until live.deadline';
	$partner->heal;
};

subtest 'one failure is tried again within the request' => sub {
	$partner->fault(kind => '500', user => 'p39', times => 1);
	is ids(as => 'p39')->{status}, 200, 'the second try is good';
	$partner->heal;
};

subtest 'defect 28: a refused login changes nothing stored' => sub {
	forget();
	my $before = stored();
	is ids(login => ['p1', 'not this'])->{status}, 401, 'refused';
	is validate(login => ['p1', 'nor that'])->{status}, 401, '... here too';
	is $s->post('/api/reseller/programs/sync', login => ['p1', 'x'])->{status}, 401, 'no sync';
	is $s->get('/api/reseller/programs', login => ['p1', 'y'])->{status}, 401, 'no list';
	is ids(login => ['nobody', 'x'])->{status}, 401, 'unknown name';
	is stored(), $before, 'every row is as before';
	is ids(as => 'p1')->{status}, 200, 'the right password is still good';
	is asked('p1'), 1 + 4, 'and nobody had to ask about it';
};

subtest 'unknown name and wrong password look the same' => sub {
	forget();
	same_answer ids(login => ['p1', 'wrong']), ids(login => ['nobody', 'wrong']), 'asked of the partner';
	same_answer ids(login => ['p1', 'wrong']), ids(login => ['nobody', 'wrong']), 'remembered';
	same_answer ids(login => ['p1', 'wrong']), ids(login => ['p1', 'other']), 'one and the other';
	same_answer validate(login => ['p1', 'wrong2']), validate(login => ['nobody', 'wrong2']), 'validate';
};

subtest 'a refusal is remembered, for as long as configured' => sub {
	forget();
	is ids(login => ['p0', 'wrong'])->{status}, 401, 'refused';
	is asked('p0'), 1, 'by the partner';
	is ids(login => ['p0', 'wrong'])->{status}, 401, 'again' for 1 .. 10;
	is asked('p0'), 1, 'who is not asked again';
	age_refusals(20);
	is ids(login => ['p0', 'wrong'])->{status}, 401, 'after 20 seconds';
	is asked('p0'), 1, 'neither';
	age_refusals(31);
	is ids(login => ['p0', 'wrong'])->{status}, 401, 'after 31 seconds';
	is asked('p0'), 2, 'the partner is asked anew';
	is ids(as => 'p0')->{status}, 200, 'another password for that name is another question';
};

sub is_too_many {
	my ($answer, $name) = @_;
	is_problem $answer, 429, 'too_many_refusals', $name;
	return is $answer->{headers}{'retry-after'}, 60, '... and when to come again';
}

subtest 'five refusals a minute for a name are enough' => sub {
	forget();
	my $before = asked('p41');
	is ids(login => ['p41', "wrong$_"])->{status}, 401, "wrong password $_" for 1 .. 5;
	is_too_many ids(login => ['p41', 'wrong6']), 'the sixth';
	is_too_many ids(as => 'p41'), 'even the right one, that nobody knows yet';
	is asked('p41') - $before, 5, 'the partner was not asked';
	is ids(login => ['p41', 'wrong1'])->{status}, 401, 'what is known to be wrong stays 401';
	is ids(login => ['p80', 'pw'])->{status}, 200, 'other names are not concerned';
	age_refusals(40);
	is_too_many ids(login => ['p41', 'wrong7']), 'a minute is a minute, whatever is remembered';
	age_refusals(61);
	is ids(as => 'p41')->{status}, 200, 'after a minute the right one is let in';
};

subtest 'a login that is known is not shut out by refusals of its name' => sub {
	forget();
	ids(login => ['p1', "guess$_"]) for 1 .. 6;
	is_too_many ids(login => ['p1', 'guess7']), 'somebody guesses';
	is ids(as => 'p1')->{status}, 200, 'the owner is let in';
	is validate(as => 'p1')->{status}, 200, '... and may have it checked';
};

subtest 'twenty refusals a minute from an address are enough' => sub {
	forget();
	my $odd = grep { ids(login => ["stranger$_", 'x'])->{status} != 401 } 1 .. 20;
	is $odd, 0, 'twenty are refused by the partner';
	is_too_many ids(login => ['stranger21', 'x']), 'the next';
	is asked('stranger21'), 0, 'the partner was not asked';
	is ids(as => 'p1')->{status}, 200, 'a known login from the same address passes';
	my $forged = ids(login => ['stranger22', 'x'], headers => {
		'X-Forwarded-For' => '192.0.2.1', 'X-Real-IP' => '192.0.2.1', 'Remote-Addr' => '192.0.2.1' });
	is_too_many $forged, 'an address cannot be made up';
	age_refusals(61);
	is ids(login => ['stranger21', 'x'])->{status}, 401, 'after a minute it is asked about';
	forget();
};

subtest 'user names and passwords are any bytes' => sub {
	my @login = (
		["\$&#\\", 'p@ss:w$&#\\'], ["caf\xc3\xa9 \xe2\x98\x83", 'plain'], ["\xff\xfe\x80", "\xff:\x00"],
		["nul\0one", 'same'], ["nul\0two", 'same'], ['nul', 'same'],
		["tab\tnew\nline\r\e[31m\x7f", 'x'], [' spaces ', '  '], ["'\";--", '::::'], ['%00%2f', '%'],
		['empty', ''], ['u' x 255, 'p' x 1024],
	);
	for my $login (@login) {
		my ($user, $password) = @$login;
		my $shown = substr $user =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger, 0, 30;
		$partner->account($user, $password, programs => 1, businesses => 1);
		is validate(login => $login)->{status}, 200, "'$shown' is let in";
		ok account($user), '... under that very name';
		is ids(login => [$user, "$password."])->{status}, 401, '... not with another password'
		    if length $password < 1024;
		is ids(login => $login)->{status}, 200, '... and known';
	}
	wait_until { $s->sql_value('SELECT bool_and(synced_at IS NOT NULL) FROM account WHERE id IN (?, ?)',
		map { account("nul\0$_")->{id} } qw(one two)) } 20, 'their first syncs';
	is asked("nul\0one"), asked("nul\0two"), 'names that differ after a NUL are two';
	my %seen;
	my @twice = grep { $seen{ account($_->[0])->{id} }++ } @login;
	is @twice, 0, 'no two share an account';
	is ids(login => ["odd\$&#\\\xc3\xb1ame", 'p@ss:w$&#\\'])->{status}, 200, 'the partner\'s own odd one';
	forget();
};

subtest 'defect 30: what is stored tells nothing' => sub {
	my ($one, $two) = map { account("nul\0$_") } qw(one two);
	isnt $one->{sealed}, $two->{sealed}, 'equal passwords are sealed differently';
	isnt $one->{hash}, $two->{hash}, '... and hashed differently';
	is validate(login => ["nul\0one", 'same'])->{status}, 200, 'the same login once more';
	isnt account("nul\0one")->{sealed}, $one->{sealed}, 'is sealed anew';
	is account("nul\0one")->{hash}, $one->{hash}, '... with the same hash';
	is length $one->{sealed}, 2 * (1 + 24 + length('same') + 16), 'version, nonce, password, tag';
};

subtest 'validate-credentials always asks' => sub {
	ids(as => 'p1');
	my $before = asked('p1');
	for my $n (1 .. 3) {
		my $answer = validate(as => 'p1');
		is $answer->{status}, 200, 'valid';
		is $answer->{body}, '{"valid":true}', '... is all it says';
		is $answer->{headers}{'content-type'}, 'application/json', '... as JSON';
	}
	cmp_ok asked('p1') - $before, '>=', 3, 'three questions';
	$partner->fault(kind => '503', user => 'p1', path => 'programs');
	is_problem validate(as => 'p1'), 503, 'partner_unavailable', 'no answer, no verdict';
	is ids(as => 'p1')->{status}, 200, 'which does not make the known login bad';
	$partner->heal;
	is_problem validate(as => 'noaccess'), 403, 'no_access', 'no access';
};

subtest 'defect 31: the first sync is queued, once' => sub {
	my $jobs = sub { $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', account($_[0])->{id}) };
	$s->account('newcomer', programs => 41);
	is ids(as => 'newcomer')->{status}, 200, 'signing in';
	is $jobs->('newcomer'), 0, '... queues nothing';
	is validate(as => 'newcomer')->{status}, 200, 'being checked';
	is validate(as => 'newcomer')->{status}, 200, '... and again';
	ok wait_until(sub { my $j = $s->get('/api/jobs', as => 'newcomer')->{json}{jobs};
		@$j && $j->[0]{state} eq 'done' }, 20, 'the sync'), 'ran a sync';
	is_deeply $s->counts('newcomer'), $partner->counts('newcomer'), '... of everything';
	is validate(as => 'newcomer')->{status}, 200, 'later';
	is $jobs->('newcomer'), 1, '... no other';
	for my $user (map { "first$_" } 1 .. 10) {
		$s->account($user, programs => 1);
		my @open = map { $s->sse('/api/auth/validate-credentials', method => 'POST', as => $user) } 1 .. 4;
		my @odd = grep { $_->status != 200 } @open;
		is @odd, 0, "four at once, $user";
		ok wait_until(sub { $s->sql_value('SELECT synced_at IS NOT NULL FROM account WHERE id = ?',
			account($user)->{id}) }, 20, 'the sync'), '... synced';
		is $jobs->($user), 1, '... by one job';
	}
	$s->account('synced', programs => 1);
	$s->sync('synced');
	is validate(as => 'synced')->{status}, 200, 'who has synced by hand';
	is $jobs->('synced'), 1, '... needs no first sync';
	$s->account('empty2', programs => 0);
	validate(as => 'empty2');
	ok wait_until(sub { $s->sql_value('SELECT synced_at IS NOT NULL FROM account WHERE id = ?',
		account('empty2')->{id}) }, 20, 'the empty sync'), 'nothing to sync is a sync as well';
	validate(as => 'empty2');
	is $jobs->('empty2'), 1, '... and enough';
};

subtest 'the stored pair refused: the account is refused, its jobs wait' => sub {
	$s->account($_, programs => 2, password => 'first') for qw(mover bystander);
	ids(as => $_) for qw(mover bystander);
	my %job = (queued => job_of('mover', 'queued'), waiting => job_of('mover', 'waiting', 'partner_limited'),
		paused => job_of('mover', 'paused', 'by_hand'), done => job_of('mover', 'done'));
	my $other = job_of('bystander', 'queued');
	$partner->password('mover', 'second');
	is_problem validate(as => 'mover'), 401, 'login_wrong', 'the partner no longer accepts it';
	is account('mover')->{state}, 'refused', 'refused';
	is state_of($job{queued}), 'paused login_refused', 'what was queued waits';
	is state_of($job{waiting}), 'paused login_refused', 'what waited waits for this now';
	is state_of($job{paused}), 'paused by_hand', 'what was paused by hand stays so';
	is state_of($job{done}), 'done -', 'what is over is over';
	is state_of($other), 'queued -', 'others are not concerned';
	is account('bystander')->{state}, 'active', '... at all';
	is_problem ids(as => 'mover'), 401, 'login_wrong', 'the old pair reads nothing';

	my $id = account('mover')->{id};
	is ids(login => ['mover', 'second'])->{status}, 200, 'a good login';
	is account('mover')->{state}, 'active', '... opens it again';
	is account('mover')->{id}, $id, '... the same account';
	is state_of($job{$_}), 'queued -', "$_: goes on" for qw(queued waiting);
	is state_of($job{paused}), 'paused by_hand', 'what was paused by hand does not';
	is_problem ids(as => 'mover'), 401, 'login_wrong', 'the old pair stays out';
};

subtest 'the list may be what finds out' => sub {
	$s->account('lister', programs => 2);
	is $s->get('/api/reseller/programs', as => 'lister')->{status}, 200, 'a good login';
	$partner->password('lister', 'changed');
	is_problem $s->get('/api/reseller/programs', as => 'lister'), 401, 'login_wrong', 'refused';
	is account('lister')->{state}, 'refused', 'and noted';
	forget();
};

subtest 'after its lifetime a login is asked about again' => sub {
	$s->account('guest', programs => 1, password => 'old');
	is ids(as => 'guest')->{status}, 200, 'let in';
	$partner->password('guest', 'new');
	age_logins(3500);
	is ids(as => 'guest')->{status}, 200, 'within the hour the change is not noticed';
	is asked('guest'), 1, '... as nobody asks';
	age_logins(150);
	is_problem ids(as => 'guest'), 401, 'login_wrong', 'after the hour it is';
	is asked('guest'), 2, '... by asking';
	is ids(login => ['guest', 'new'])->{status}, 200, 'the new one is let in';
	age_logins(3601);
	is ids(login => ['guest', 'new'])->{status}, 200, 'and lives on';
	is asked('guest'), 4, '... when asked again';
	forget();
};

my $secret = 'Very:secret-7f3a&9c';
my $typo   = 'Very:secret-typo-51e0';

subtest 'defect 30: the password is nowhere' => sub {
	my $user = 'somebody-special';
	my $ask  = '/api/reseller/programs';
	$s->account($user, programs => 45, password => $secret);
	is ids(as => $user)->{status}, 200, 'a good login';
	is ids(login => [$user, $typo])->{status}, 401, 'a mistyped one';
	$s->sync($user);
	is $s->get($ask, as => $user)->{status}, 200, 'a list';
	my ($business) = sort keys %{ $s->counts($user) };
	is $s->get("$ask?business_id=$business", as => $user)->{status}, 200, 'a page of details';
	for my $kind (qw(500 html reset_before)) {
		$partner->fault(kind => $kind, user => $user);
		is $s->get($ask, as => $user)->{status}, 502, "trouble $kind";
		$partner->heal;
	}
	$s->get("$ask?offset=x", as => $user);
	$s->get('/api/nowhere', as => $user);
	$s->raw("GET $ids HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "
	    . encode_base64("$user:$secret", '') . "\r\nContent-Length: x\r\n\r\n", 1);
	$partner->password($user, "$secret.");
	is validate(as => $user)->{status}, 401, 'a refused one';

	my %pattern = map { my $p = $_; ($p => 1, encode_base64($p, '') =~ s/=+$//r => 1,
		unpack('H*', $p) => 1, encode_base64("$user:$p", '') =~ s/.=*$//r => 1) } $secret, $typo;
	my $never = join '|', map { quotemeta } sort keys %pattern;
	for my $leak ($secret, unpack('H*', $secret), map { encode_base64($_, '') } $secret, "$user:$secret") {
		like "x=$leak.", qr/$never/, 'such a leak would be seen';
	}
	$s->sql('CHECKPOINT');
	my (@found, @named);
	my $look = sub {
		my ($where, $text) = @_;
		push @found, $where if $text =~ /$never/;
		push @named, $where if $text =~ /\Q$user\E/ && $where !~ /row|data/;
	};
	$look->("$_ (operator)", $s->operator($_)->{body}) for qw(/status /metrics /readyz);
	for my $table (map { $_->{t} } @{ $s->sql("SELECT table_name AS t FROM information_schema.tables
	    WHERE table_schema = 'public'") }) {
		$look->("row of $table", $_->{row}) for @{ $s->sql("SELECT x::text AS row FROM \"$table\" x") };
	}
	my $files = 0;
	File::Find::find({ no_chdir => 1, wanted => sub {
		return if !-f || m{/etc/|/bin/};
		$files++;
		$look->($_, Lockstep::Stack::slurp($_));
	} }, $s->{DIR});
	for my $pid ($s->{PID_MASTER}, map { $_->{pid} } $s->workers) {
		$look->("process $pid", join '', map { Lockstep::Stack::slurp("/proc/$pid/$_") } qw(cmdline environ comm));
	}
	cmp_ok $files, '>', 100, 'there was something to look at';
	ok +(grep { m{log/lockstep\.log$} } glob "$s->{LOG_DIR}/*"), '... the log among it';
	is_deeply \@found, [], 'no password, in any form';
	is_deeply \@named, [], 'and no user name in logs, status or process titles';
};

subtest 'with the partner down a known login still reads' => sub {
	is ids(as => 'p1')->{status}, 200, 'known';
	$s->stop_partner;
	is ids(as => 'p1')->{status}, 200, 'business-ids';
	is $s->get('/api/jobs', as => 'p1')->{status}, 200, 'jobs';
	is_problem $s->get('/api/reseller/programs', as => 'p1'), 502, 'partner_error', 'the live list does not';
	is_problem ids(login => ['p1', 'another']), 502, 'partner_error', 'a login not known cannot be checked';
	is_problem validate(as => 'p1'), 502, 'partner_error', '... nor checked anew';
	age_logins(3601);
	is_problem ids(as => 'p1'), 502, 'partner_error', 'after its lifetime a known one is not known';
	$s->start_partner;
	is ids(as => 'p1')->{status}, 200, 'the partner is back';
	is_problem ids(login => ['p1', 'another']), 401, 'login_wrong', 'and says what it thinks';
};

$s->stop;
done_testing;
