#!/usr/bin/perl

# GET /api/reseller/programs without a business: the partner's own list, page by
# page, in its order, with what it says and nothing added.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Fcntl qw(O_NONBLOCK O_RDWR);
use IO::Select;
use Lockstep::FastCGI qw(fcgi_answer fcgi_connect fcgi_request);
use Lockstep::Problem;
use Lockstep::Stack;
use MIME::Base64 qw(encode_base64);
use POSIX qw(WNOHANG mkfifo);
use Test::More;
use Time::HiRes qw(time);

# A call must be in time though the partner or a worker stood still for a moment.
use constant DEADLINE => 8 * ($ENV{TEST_SLOW} || 1);

my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1, 'live.workers' => 4, 'api.workers' => 2,
	'live.deadline' => DEADLINE . 's', 'partner.body_max' => '1m' });
my $partner = $s->partner;
my $path    = '/api/reseller/programs';
my $odd     = "odd\$&#\\\xc3\xb1ame";
my @odd     = (login => [$odd, 'p@ss:w$&#\\']);

sub list { my ($query, @how) = @_; return $s->get("$path?$query", @how ? @how : (as => 'p80')) }
sub id   { return map { $_->{program_id} } @_ }
sub ids  { my ($answer) = @_; return [id(@{ $answer->{json}{programs} })] }

my @all = @{ $partner->data('p80')->{programs} };

subtest 'the answer is the contract\'s' => sub {
	my $answer = $s->get($path, as => 'p80');
	is $answer->{status}, 200, 'an answer';
	is $answer->{headers}{'content-type'}, 'application/json', 'JSON';
	is_deeply [sort keys %{ $answer->{json} }],
	    [sort qw(programs total_count offset limit program_status from_db)], 'these members';
	my %rest = %{ $answer->{json} };
	my $programs = delete $rest{programs};
	is_deeply \%rest, { total_count => 80, offset => 0, limit => 20, program_status => 'ALL',
		from_db => JSON::PP::false() }, 'what was not said is the default';
	is_deeply $programs, [@all[0 .. 19]], 'the first twenty, each as the partner has it';
	is $s->sql_value('SELECT count(*) FROM program'), 0, 'and nothing is stored';
};

subtest 'offset and limit are passed on' => sub {
	my @page = ([0, 1], [0, 40], [5, 7], [40, 40], [79, 1], [70, 40], [80, 20], [1000, 40], [100_000_000, 40]);
	for (@page) {
		my ($offset, $limit) = @$_;
		my $answer = list("offset=$offset&limit=$limit");
		my $last   = $offset + $limit > 80 ? 79 : $offset + $limit - 1;
		is_deeply $answer->{json}{programs}, [@all[$offset .. $last]], "$limit from $offset";
		is_deeply [@{ $answer->{json} }{qw(offset limit total_count)}], [$offset, $limit, 80], '... and says so';
	}
	$partner->forget;
	list('offset=33&limit=3');
	is_deeply $partner->counters->{users}{p80}{offsets}, [33], 'one call, for that page';
};

subtest 'the partner\'s order is kept' => sub {
	$partner->edit(user => 'p80', op => 'reorder');
	my @now = id(@{ $partner->data('p80')->{programs} });
	isnt "@now", join(' ', id(@all)), 'another order';
	is_deeply ids(list('limit=40')), [@now[0 .. 39]], 'shows';
	my @two = map { list('limit=40&offset=' . $_)->{json}{programs} } 0, 40;
	is_deeply [id(map { @$_ } @two)], \@now, 'page by page';
};

subtest 'each filter is the partner\'s' => sub {
	my $count = $s->sim(GET => '/_sim/counts?user=agency')->{statuses};
	my %seen;
	for my $status (qw(CURRENT PAST FUTURE PAUSED)) {
		my $answer = list("program_status=$status&limit=40", as => 'agency');
		is $answer->{json}{total_count}, $count->{$status}, "$status: as many as there are";
		is $answer->{json}{program_status}, $status, '... and says so';
		my @got = @{ ids($answer) };
		cmp_ok scalar @got, '>', 0, '... with some of them';
		ok !(grep { $seen{$_}++ } @got), '... that no other filter shows';
	}
	is list('program_status=ALL&limit=1', as => 'agency')->{json}{total_count}, 1914, 'ALL is all';
};

subtest 'an account without programs has an empty list' => sub {
	my $answer = $s->get($path, as => 'p0');
	is $answer->{body}, '{"programs":[],"total_count":0,"offset":0,"limit":20,"program_status":"ALL","from_db":false}',
	    'as it is written in DESIGN';
};

# Text, since numbers are to arrive as they were written.
subtest 'fields in every variant come through' => sub {
	my @truth = @{ $partner->call(GET => '/_sim/data?user=' . Lockstep::Partner::escape($odd))->{programs} };
	my @got   = map { @{ list("limit=40&offset=$_", @odd)->{json}{programs} } } 0, 40, 80;
	is_deeply \@got, \@truth, 'all of them, as the partner has them';
	my $text = join '', map { list("limit=40&offset=$_", @odd)->{body} } 0, 40, 80;
	for my $piece ('"caf\xc3\xa9 \xe2\x98\x83"', '"budget":1000000.0', '"budget":0', '"ad_cost":20450.0',
		'"billed_impressions":2147483648', '"cost":8.24', '"max_bid":null', '"program_metrics":null',
		'"end_date":"soon"', '"program_type":"HOLOGRAM"') {
		my $bytes = $piece =~ s/\\x(..)/chr hex $1/ger;
		ok index($text, $bytes) >= 0, $piece;
	}
	my $of_p80 = join '', map { list("limit=40&offset=$_")->{body} } 0, 40;
	my @cost = $of_p80 =~ /"cost":([^,}]+)/g;
	cmp_ok scalar @cost, '>', 3, 'sums in dollars';
	is_deeply [grep { !/^\d+(?:\.\d{1,2})?$/ } @cost], [], '... are not made longer';
};

subtest 'what goes wrong at the partner is told by its code' => sub {
	my @trouble = (
		['500', 502, 'partner_error'], ['503', 503, 'partner_unavailable'], ['504', 504, 'partner_timeout'],
		['429', 503, 'partner_limited', retry_after => 3], ['403', 403, 'no_access'],
		['400', 502, 'partner_refused'], ['404', 502, 'partner_refused'], ['409', 502, 'partner_refused'],
		['html', 502, 'partner_error'], ['truncated', 502, 'partner_error'], ['reset', 502, 'partner_error'],
		['array_missing', 502, 'partner_error'], ['array_null', 502, 'partner_error'],
		['bad_utf8', 502, 'partner_error'], ['deep_json', 502, 'partner_error'],
		['huge_body', 502, 'partner_error', bytes => 2_000_000],
		['huge_body', 502, 'partner_error', bytes => 2_000_000, length => JSON::PP::false()],
	);
	$s->account('limited', programs => 3);
	for (@trouble) {
		my ($kind, $status, $code, %how) = @$_;
		# What the partner says of when to come again holds for all calls of the account.
		my $user = $how{retry_after} ? 'limited' : 'p80';
		is list('limit=3', as => $user)->{status}, 200, "$user: before";
		$partner->fault(kind => $kind, user => $user, %how);
		my $answer = list('limit=3', as => $user);
		is_problem $answer, $status, $code, "partner $kind: $status $code";
		is $answer->{headers}{'retry-after'}, $how{retry_after}, '... when to come again';
		$partner->heal;
	}
	is list('limit=3')->{status}, 200, 'the partner is well again';
};

subtest 'the partner is left alone for as long as it has asked' => sub {
	$s->account('hushed', programs => 3);
	is list('limit=3', as => 'hushed')->{status}, 200, 'before';
	$partner->fault(kind => '429', user => 'hushed', retry_after => 600, times => 1);
	is_problem list('limit=3', as => 'hushed'), 503, 'partner_limited', 'too many';
	$partner->forget;
	my $answer = list('limit=2', as => 'hushed');
	is_problem $answer, 503, 'partner_limited', 'too early';
	like $answer->{headers}{'retry-after'}, qr/^\d{2,3}$/, '... when to come again';
	cmp_ok $answer->{headers}{'retry-after'}, '<=', 600, '... as the partner has said';
	is $partner->counters->{users}{hushed}, undef, '... and the partner heard nothing of it';

	# Nearly ten minutes go by.
	my $began = time;
	is $s->sql(q(UPDATE rate_bucket SET blocked_until = clock_timestamp() + interval '2 s', tat = clock_timestamp()
		WHERE blocked_until > clock_timestamp() + interval '10 s')), 1, 'two seconds are left';
	ok wait_until(sub { list('limit=3', as => 'hushed')->{status} == 200 }, 20, 'the list'), 'then it is asked again';
	cmp_ok time - $began, '>=', 1.9, '... and no earlier';
	$partner->heal;
};

subtest 'the partner\'s own words reach the reader, and no more than words' => sub {
	$partner->fault(kind => '400', user => 'p80', description => 'The moon is in the wrong house.');
	like list('limit=3')->{json}{detail}, qr/answered 400: The moon is in the wrong house\./, 'said';
	$partner->heal;
	for my $lead (0 .. 3) {
		my $long = 'x' x $lead . "\xf0\x9f\x90\xab" x 200;
		utf8::decode($long);
		$partner->fault(kind => '500', user => 'p80', description => $long);
		my $answer = list('limit=3');
		like $answer->{json}{detail}, qr/answered 500: x*\x{1f42b}+/, 'cut between characters';
		cmp_ok length $answer->{body}, '<', 700, '... to a bound';
		$partner->heal;
	}
	$partner->fault(kind => '500', user => 'p80', description => qq(a"b\\c\n\e[31m</script>));
	is list('limit=3')->{json}{code}, 'partner_error', 'and still JSON with anything in it';
	$partner->heal;
};

subtest 'one failure is tried again, a hang is not waited for' => sub {
	$partner->fault(kind => $_, user => 'p80', times => 1) for qw(500);
	is list('limit=3')->{status}, 200, 'the second try is good';
	$partner->heal;
	# The last is a login that has to be asked about first: it does not get the time twice.
	my @kind = (['hang', 'p80'], ['drip', 'p40', interval_ms => 200], ['delay', 'slowpoke', ms => 700 * DEADLINE]);
	$s->account('slowpoke', programs => 3);
	is list('limit=3', as => 'p40')->{status}, 200, 'a login that is known';
	$partner->fault(kind => $_->[0], user => $_->[1], @$_[2 .. $#$_]) for @kind;
	my $began = time;
	my @open  = map { $s->sse("$path?limit=3", as => $_->[1], timeout => 2 * DEADLINE) } @kind;
	for my $i (0 .. $#kind) {
		my $sse = $open[$i];
		is_problem { status => $sse->status, headers => $sse->headers, json => $sse->json, body => '' },
		    504, 'partner_timeout', $kind[$i][0];
	}
	my $took = time - $began;
	cmp_ok $took, '>', 0.8 * DEADLINE, 'they were waited for';
	cmp_ok $took, '<', 2 * DEADLINE, '... until live.deadline, and a slow check and a slow list no longer';
	$partner->heal;
};

subtest 'odd numbers of rows and totals are passed on' => sub {
	$partner->fault(kind => 'clamp', to => 5, user => 'p80');
	my $answer = list('limit=20');
	is scalar @{ ids($answer) }, 5, 'as many as came';
	is $answer->{json}{limit}, 20, '... of those asked for';
	$partner->heal;
	$partner->fault(kind => 'no_echo', user => 'p80');
	is list('limit=2')->{json}{total_count}, 80, 'echoes may be missing';
	$partner->heal;
	$partner->fault(kind => 'content_type', user => 'p80');
	is list('limit=2')->{status}, 200, 'the type may be wrong';
	$partner->heal;
};

# Four workers: two for one account at most.
subtest 'one account cannot have all live workers' => sub {
	$s->get($path, as => $_)->{status} == 200 or die for qw(p41 p80);
	$partner->fault(kind => 'delay', ms => 700 * DEADLINE, user => 'p41', path => 'programs');
	$partner->forget;
	my $ask  = sub { return $s->sse("$path?limit=1", as => 'p41') };
	my @open = ($ask->(), $ask->());
	ok wait_until(sub { ($partner->counters->{users}{p41}{peak} // 0) == 2 }, 20, 'both at the partner'), 'two at the partner';
	my @more = ($ask->(), $ask->());
	$_->status for @more;
	is list('limit=1')->{status}, 200, 'another account is served';
	ok !IO::Select->new(map { $_->socket } @open)->can_read(0), '... while they are waited for';
	push @open, @more;
	my %n;
	for my $sse (@open) {
		my $status = $sse->status;
		$n{$status}++;
		is_problem { status => $status, headers => $sse->headers, json => $sse->json, body => '' },
		    503, 'busy', 'what is too much is told so' if $status == 503;
		is $sse->headers->{'retry-after'}, $status == 503 ? 1 : undef, '... and when to come again';
	}
	is_deeply \%n, { 200 => 2, 503 => 2 }, 'half of the workers for one';
	is $partner->counters->{users}{p41}{peak}, 2, '... as the partner saw it';
	$partner->heal;
	is list('limit=1', as => 'p41')->{status}, 200, 'the places are free again';
};

my $master;
END { local $?; kill 'KILL', $master if $master }

# Another master, whose log is a pipe that is full: whoever has answered goes no further
# than its line there, as where the system's log is slow.
subtest 'a place is free before the answer is there' => sub {
	my $pipe = "$s->{DIR}/second.log";
	mkfifo($pipe, 0600) or die "mkfifo: $!";
	sysopen my $log, $pipe, O_RDWR | O_NONBLOCK or die "$pipe: $!";
	my $text = '';
	my $drain = sub { 1 while sysread $log, $text, 65536, length $text };
	$master = $s->second_master;
	ok wait_until(sub { $drain->(); $text =~ /"master: ready"/ }, 10, 'the master'), 'it runs';
	for my $n (4096, 1) { 1 while syswrite $log, 'x' x $n }
	my @status = map {
		my $socket = fcgi_connect("$s->{DIR}/second/live.sock");
		syswrite $socket, fcgi_request({ REQUEST_METHOD => 'GET', REQUEST_URI => $path, QUERY_STRING => 'limit=1',
			REMOTE_ADDR => '127.0.0.1', HTTP_AUTHORIZATION => 'Basic ' . encode_base64('p80:pw', '') });
		IO::Select->new($socket)->can_read(20) && fcgi_answer($socket) =~ /^(?:Status: (\d+)|\{)/m ? $1 // 200 : 'nothing';
	} 1 .. 3;
	is_deeply \@status, [200, 200, 200], 'one after the other, each is served';
	kill 'TERM', $master;
	ok wait_until(sub { $drain->(); waitpid($master, WNOHANG) == $master }, 20, 'its end'), 'and it ends';
	undef $master;
};

$s->stop;
done_testing;
