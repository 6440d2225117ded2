# The simulated partner, seen from outside: what the contract says it serves, and
# each way it can be told to misbehave.

use strict;
use warnings;
use feature 'signatures';
use utf8;

use FindBin ();
use Test::More;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Select;
use Mojo::JSON qw(decode_json encode_json false true);
use Mojo::Promise;
use Mojo::URL;
use Mojo::UserAgent;
use Mojo::Util qw(b64_encode encode);
use Time::HiRes qw(sleep time);

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $dir  = tempdir(CLEANUP => 1);
my $file = "$dir/url";
my $sim  = sim_start('--port-file', $file);
my $url  = sim_url();
my $ua   = Mojo::UserAgent->new(max_connections => 100, inactivity_timeout => 0, max_response_size => 0);
my %PASSWORD = (demo => 'demo-password', agency => 'agency-password');

END { local $?; kill KILL => $sim if $sim }

sub sim_start (@args) {
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', "$dir/out" or die "out: $!";
    exec $^X, "$FindBin::RealBin/../../tools/partner-sim", @args or die "exec: $!";
}

sub sim_url {
    for (1 .. 200) {
        if (open my $in, '<', $file) { chomp(my $line = <$in>); return $line }
        sleep 0.05;
    }
    BAIL_OUT('the simulator did not start');
}

sub control ($method, $path, $in = undef) {
    my $tx = $ua->start($ua->build_tx($method, "$url/_sim$path", {}, defined $in ? encode_json($in) : ()));
    return ($tx->res->code, $tx->res->json);
}

sub do_control (@call) {
    my ($status, $out) = control(@call);
    die "control @call[0, 1]: $status " . encode_json($out) if $status != 200;
    return $out;
}

sub fault (%rule) { return do_control(POST => '/faults', \%rule)->{id} }
sub calm          { return do_control(POST => '/reset', {}) }

sub auth ($user, $password = $PASSWORD{$user} // 'pw') {
    return { Authorization => 'Basic ' . b64_encode("$user:$password", '') };
}

sub get ($user, $path, %query) {
    return $ua->get(Mojo::URL->new("$url$path")->query({%query}), auth($user))->res;
}

sub page ($user, $offset, $limit = 40, %more) {
    return get($user, '/programs/v1', offset => $offset, limit => $limit, program_status => 'ALL', %more);
}

sub ids ($res) { return map { $_->{program_id} } @{ $res->json->{payment_programs} } }

sub read_all ($user, $filter) {
    my (@all, $total);
    do {
        my $body = page($user, scalar @all, 40, program_status => $filter)->json;
        $total = $body->{total};
        push @all, @{ $body->{payment_programs} };
        return ($total, @all) unless @{ $body->{payment_programs} };
    } while @all < $total;
    return ($total, @all);
}

sub truth ($user) { return do_control(GET => "/data?user=$user")->{programs} }

# The bytes a bare socket gets back within a time, and how it ended.
sub raw_ask ($user, $path) {
    my $at   = Mojo::URL->new($url);
    my $sock = IO::Socket::INET->new(PeerAddr => $at->host, PeerPort => $at->port) or die "connect: $!";
    my $auth = auth($user)->{Authorization};
    syswrite $sock, "GET $path HTTP/1.1\r\nHost: sim\r\nAuthorization: $auth\r\n\r\n";
    return $sock;
}

# Until so much of the body has come, if that is told.
sub raw ($user, $path, $seconds, $enough = undef) {
    my $sock = raw_ask($user, $path);
    my ($got, $until, $select) = ('', time + $seconds, IO::Select->new($sock));
    while ((my $left = $until - time) > 0) {
        next unless $select->can_read($left);
        my $n = sysread $sock, $got, 65536, length $got;
        return ($got, $!{ECONNRESET} ? 'reset' : "error $!") unless defined $n;
        return ($got, 'closed') if $n == 0;
        last if defined $enough && $got =~ /\r\n\r\n(.*)/s && length $1 >= $enough;
    }
    return ($got, 'open');
}

subtest 'it says where it is and that it is well' => sub {
    open my $out, '<', "$dir/out" or die "out: $!";
    is scalar <$out>, "PARTNER_URL=$url\n", 'the URL is on stdout as in the port file';
    like $url, qr{\Ahttp://127\.0\.0\.1:\d+\z}, 'loopback, a port of its own';
    ok do_control(GET => '/health')->{ok}, 'health';
    like $ua->get("$url/_sim/")->res->body, qr{POST\s+/_sim/faults}, 'help lists the control API';
    my $help = qx("$^X" "$FindBin::RealBin/../../tools/partner-sim" --help);
    like $help, qr/--port-file/, '--help prints the manual';
    my $wild = qx("$^X" "$FindBin::RealBin/../../tools/partner-sim" --listen http://0.0.0.0:0 2>&1);
    like $wild, qr/loopback/, 'any other address is refused';
};

subtest 'only the right login is let in' => sub {
    is page('demo', 0)->code, 200, 'right password';
    my $res = $ua->get("$url/programs/v1", auth('demo', 'wrong'))->res;
    is $res->code, 401, 'wrong password';
    is $res->json->{error}{code}, '401_UNAUTHORIZED', 'in an envelope of section 6';
    is $ua->get("$url/programs/v1")->res->code, 401, 'no login';
    is $ua->get("$url/programs/v1", { Authorization => 'Bearer x' })->res->code, 401, 'another scheme';
    is get('nobody', '/programs/v1')->code, 401, 'unknown user';
    is $ua->get("$url/nowhere")->res->code, 401, 'a stranger does not learn which paths there are';
    is get('demo', '/nowhere')->code, 404, 'unknown path';
    is $ua->post("$url/programs/v1", auth('demo'))->res->code, 404, 'unknown method';

    my $denied = page('noaccess', 0);
    is $denied->code, 403, 'no access';
    is $denied->json->{error}{id}, 'ACCESS_DENIED', 'says so';
    do_control(POST => '/accounts/access', { user => 'p1', access => false });
    is page('p1', 0)->code, 403, 'access is taken away';
    do_control(POST => '/accounts/password', { user => 'p39', password => 'new' });
    is page('p39', 0)->code, 401, 'a stored password becomes bad';
    calm();
    is page($_, 0)->code, 200, "reset gives $_ back" for qw(p1 p39);
};

subtest 'names and passwords are opaque bytes' => sub {
    my $res = $ua->get("$url/programs/v1?program_status=ALL",
        auth(encode('UTF-8', 'odd$&#\\ñame'), 'p@ss:w$&#\\'))->res;
    is $res->code, 200, 'UTF-8, colon in the password';
    is $res->json->{total}, 120, 'its own programs';

    my ($user, $password) = ("\xff\x01 '\"", "\xfe::");
    do_control(POST => '/accounts',
        { user_b64 => b64_encode($user, ''), password_b64 => b64_encode($password, ''), programs => 3 });
    is $ua->get("$url/programs/v1", auth($user, $password))->res->code, 200, 'bytes that are no text';
    is do_control(GET => '/data?user_b64=' . b64_encode($user, '') =~ s/\+/%2B/gr)->{total}, 3, 'its truth';
    ok do_control(GET => '/counters')->{users}{ 'b64:' . b64_encode($user, '') }, 'its counters';
    calm();
};

subtest 'paging gives each program once, in the partner\'s own order' => sub {
    for my $n (0, 1, 39, 40, 41, 80) {
        my ($total, @all) = read_all("p$n", 'ALL');
        is $total, $n, "p$n: total";
        is scalar @all, $n, "p$n: rows";
    }
    my ($total, @all) = read_all('demo', 'ALL');
    my @ids = map { $_->{program_id} } @all;
    is scalar @all, 2671, 'all of demo';
    is scalar(keys %{ { map { $_ => 1 } @ids } }), 2671, 'no id twice';
    is_deeply \@all, truth('demo'), 'they are the truth';
    isnt "@ids", join(' ', sort @ids), 'not in order of ids';
    is scalar(grep { !/\A[-\w]{22}\z/a } @ids), 0, 'ids of 22 characters';
    ok scalar(grep { /\A-/ } @ids), 'some begin with a minus';

    my $counts = do_control(GET => '/counts?user=demo');
    is scalar keys %{ $counts->{businesses} }, 108, '108 businesses';
    is +(sort { $b <=> $a } values %{ $counts->{businesses} })[0], 388, 'the biggest has 388';
    ok scalar(grep { $counts->{businesses}{$_} } @ids), 'a program has the id of a business';
    is do_control(GET => '/counts?user=agency')->{total}, 1914, 'agency';
};

subtest 'bounds, defaults and echoes' => sub {
    my $body = get('demo', '/programs/v1')->json;
    is_deeply [@$body{qw(program_status offset limit total)}], ['CURRENT', 0, 20, 435], 'defaults';
    is scalar @{ $body->{payment_programs} }, 20, 'twenty rows';
    for my $bad ([limit => 0], [limit => 41], [limit => 'x'], [limit => ''], [offset => -1],
        [offset => '1.5'], [program_status => 'ACTIVE'])
    {
        my $res = get('demo', '/programs/v1', @$bad);
        is $res->code, 400, "$bad->[0]=$bad->[1] is refused";
        like $res->json->{error}{description}, qr/\A$bad->[0]/, 'by name';
    }
    is_deeply page('demo', 5000)->json->{payment_programs}, [], 'nothing beyond the end';
    my $res = page('demo', 0);
    is $res->headers->content_length, length $res->body, 'a length is told';
};

subtest 'the filter goes by the Pacific date' => sub {
    my $statuses = do_control(GET => '/counts?user=demo')->{statuses};
    for my $filter (qw(CURRENT PAST FUTURE PAUSED)) {
        my ($total, @all) = read_all('demo', $filter);
        is $total, $statuses->{$filter}, "$filter: total";
        is scalar @all, $total, "$filter: rows";
    }
    is $statuses->{CURRENT}, 435, '435 are current';

    do_control(POST => '/edit', { user => 'p1', op => 'change', n => 1, values => {
        program_status => 'ACTIVE', program_pause_status => 'NOT_PAUSED',
        start_date => '2026-03-02', end_date => '2026-03-02' } });
    my %on = ('2026-03-01' => 'FUTURE', '2026-03-02' => 'CURRENT', '2026-03-03' => 'PAST');
    for my $day (sort keys %on) {
        do_control(POST => '/today', { date => $day });
        is get('p1', '/programs/v1', program_status => $on{$day})->json->{total}, 1, "$day: $on{$day}";
    }
    calm();
};

subtest 'midnight is Californian, in winter and in summer' => sub {
    require lib;
    lib->import("$FindBin::RealBin/../../tools/lib");
    require Lockstep::Sim::Status;
    my %day = (1768463999 => '2026-01-14', 1768464000 => '2026-01-15',
        1784098799 => '2026-07-14', 1784098800 => '2026-07-15');
    is Lockstep::Sim::Status::pacific_today($_), $day{$_}, "epoch $_" for sort keys %day;
};

subtest 'every variant of every field is in the odd account' => sub {
    my @all = @{ truth('odd%24%26%23%5C%C3%B1ame') };
    my $has = sub ($name, $test) { ok scalar(grep { $test->() } @all), $name };
    my $m   = sub { ref $_->{program_metrics} ? $_->{program_metrics} : {} };
    $has->('metrics absent',  sub { !exists $_->{program_metrics} });
    $has->('metrics null',    sub { exists $_->{program_metrics} && !defined $_->{program_metrics} });
    $has->('metrics partial', sub { keys %{ $m->() } == 1 });
    $has->('max_bid null',    sub { exists $m->()->{max_bid} && !defined $m->()->{max_bid} });
    $has->("businesses: $_",  do { my $n = $_; sub { @{ $_->{businesses} } == $n } }) for 0, 1, 3;
    $has->("end $_",          do { my $d = $_; sub { ($_->{end_date} // 'null') eq $d } }) for qw(9999-12-31 null soon);
    $has->('start malformed', sub { ($_->{start_date} // '') eq '2025-13-45' });
    $has->('unknown type',    sub { $_->{program_type} eq 'HOLOGRAM' });
    $has->('unknown status',  sub { $_->{program_status} eq 'TERMINATED' });
    $has->('extra fields',    sub { exists $_->{brand_new_field} });
    $has->('page upgrade',    sub { $_->{page_upgrade_info} && $_->{page_upgrade_info}{cost} == 8.24 });
    $has->('budget 0',        sub { defined $m->()->{budget} && $m->()->{budget} == 0 });
    $has->('2^31 impressions', sub { ($m->()->{billed_impressions} // 0) == 2**31 });
    like $ua->get("$url/_sim/data?user=odd%24%26%23%5C%C3%B1ame")->res->body, qr/"budget":1000000\.0\b/, '1000000.0';
};

subtest 'program info answers what it knows and lists what it does not' => sub {
    my @want = @{ truth('p80') }[5, 2];
    my @ids  = map { $_->{program_id} } @want;
    my $res  = get('p80', '/v1/programs/info/' . join ',', $ids[0], 'x' x 22, $ids[1]);
    is $res->code, 200, 'no failure';
    is_deeply [map { $_->{program_id} } @{ $res->json->{programs} }], \@ids, 'the two known ones';
    is_deeply $res->json->{errors},
        [{ id => 'INVALID_PROGRAM_ID', description => 'Supplied program ID does not exist.' }], 'one error';
    my $first = $res->json->{programs}[0];
    ok !exists $first->{businesses}, 'the business is flat';
    is $first->{yelp_business_id}, $want[0]{businesses}[0]{yelp_business_id}, 'and the same';
    is_deeply get('p80', "/v1/programs/info/$ids[0],$ids[1]", start => 1)->json->{programs}[0]{program_id},
        $ids[1], 'start skips';
    is_deeply get('p41', "/v1/programs/info/$ids[0]")->json->{programs}, [], 'nothing of another account';

    my @many = map { $_->{program_id} } @{ truth('demo') }[0 .. 200];
    is scalar @{ get('demo', '/v1/programs/info/' . join ',', @many[0 .. 199])->json->{programs} }, 200, '200 ids';
    is get('demo', '/v1/programs/info/' . join ',', @many)->code, 400, '201 ids are too many';
};

subtest 'programs of businesses are paged for each business' => sub {
    my $counts = do_control(GET => '/counts?user=demo')->{businesses};
    my ($big, $next) = sort { $counts->{$b} <=> $counts->{$a} } keys %$counts;
    my $res = get('demo', "/v1/programs/list/$big,$next," . 'x' x 22, limit => 40);
    my ($one, $two) = @{ $res->json->{businesses} };
    is $one->{yelp_business_id}, $big, 'the first';
    is scalar @{ $_->{programs} }, 40, 'a full page' for $one, $two;
    is scalar @{ $res->json->{errors} }, 1, 'the unknown one is an error';
    ok exists $one->{destination_yelp_business_id}, 'not merged';
    is scalar @{ get('demo', "/v1/programs/list/$big", start => 360, limit => 40)->json->{businesses}[0]{programs} },
        28, 'the last page';
    is get('demo', "/v1/programs/list/$big", limit => 41)->code, 400, 'limit is bounded';
};

subtest 'each status can be had, with the envelope and the headers wanted' => sub {
    for my $kind (qw(400 401 403 404 409 429 500 502 503 504)) {
        fault(kind => $kind, times => 1);
        is page('p1', 0)->code, $kind, "status $kind";
        is page('p1', 0)->code, 200, 'and then no more';
    }
    calm();
    fault(kind => '403', times => 1);
    is page('p1', 0)->json->{error}{id}, 'ACCESS_DENIED', '403 is ACCESS_DENIED';
    fault(kind => '429', times => 1, retry_after => 7);
    is page('p1', 0)->headers->header('Retry-After'), 7, 'seconds';
    fault(kind => '503', times => 1, retry_after => 60, retry_after_date => true);
    like page('p1', 0)->headers->header('Retry-After'), qr/\A\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\z/, 'a date';
    fault(kind => '429', times => 1);
    is page('p1', 0)->headers->header('Retry-After'), undef, 'none';
    fault(kind => '500', times => 1, shape => 'list', error_id => 'BOOM');
    is page('p1', 0)->json->{errors}[0]{error_code}, 'BOOM', 'another shape';
    fault(kind => '500', times => 1, shape => 'none');
    is page('p1', 0)->body, '', 'no body at all';
    calm();
};

subtest 'a rule meets the calls it selects and no other' => sub {
    fault(kind => '500', user => 'p80', path => 'programs', offset => 40, attempt => 1);
    is page('p80', 0)->code,  200, 'another page';
    is page('p41', 40)->code, 200, 'another user';
    is page('p80', 40)->code, 500, 'first attempt';
    is page('p80', 40)->code, 200, 'second attempt';
    calm();
    fault(kind => '500', offset => [40, 79], call => 2);
    is join(' ', map { page('demo', $_)->code } 0, 40, 60, 40), '200 200 500 200', 'the second call of a range';
    calm();
    fault(kind => '403', after_calls => 2, times => 1);
    is join(' ', map { page('demo', 0)->code } 1 .. 4), '200 200 403 200', 'after two, once';
    calm();
    my $id = truth('p80')->[7]{program_id};
    fault(kind => '500', ids => [$id]);
    is get('p80', "/v1/programs/info/$id")->code, 500, 'that id';
    is get('p80', '/v1/programs/info/' . truth('p80')->[8]{program_id})->code, 200, 'another id';
    my $rule = do_control(GET => '/faults')->{faults}[0];
    is $rule->{hits}, 1, 'hits are counted';
    do_control(DELETE => "/faults/$rule->{id}");
    is_deeply do_control(GET => '/faults')->{faults}, [], 'one rule is deleted';
    fault(kind => '500', probability => 0.5);
    my $bad = grep { page('p1', 0)->code == 500 } 1 .. 60;
    ok $bad > 10 && $bad < 50, "about half fail ($bad of 60)";
    do_control(DELETE => '/faults');
    is page('p1', 0)->code, 200, 'all rules are deleted';
};

subtest 'a wrong password stays 401 under any rule' => sub {
    fault(kind => '500');
    is $ua->get("$url/programs/v1", auth('demo', 'wrong'))->res->code, 401, 'still 401';
    calm();
};

subtest 'bodies that lie' => sub {
    my $once = sub (%rule) { calm(); fault(%rule); return page('demo', 40) };
    my $good = page('demo', 40);

    my $res = $once->(kind => 'html');
    is $res->code, 200, 'html: 200';
    like $res->headers->content_type, qr{text/html}, 'html: type';
    $res = $once->(kind => 'content_type');
    like $res->headers->content_type, qr{text/plain}, 'content_type: text/plain';
    is $res->body, $good->body, 'content_type: the right JSON';
    $res = $once->(kind => 'truncated');
    is $res->headers->content_length, length $res->body, 'truncated: the length is that of the cut';
    is $res->json, undef, 'truncated: no JSON';
    ok !exists $once->(kind => 'array_missing')->json->{payment_programs}, 'array_missing';
    $res = $once->(kind => 'array_null');
    ok exists $res->json->{payment_programs} && !defined $res->json->{payment_programs}, 'array_null';
    $res = $once->(kind => 'empty_page');
    is_deeply [@{ $res->json }{qw(total payment_programs)}], [2671, []], 'empty_page';
    is $once->(kind => 'total_off', k => -3)->json->{total}, 2668, 'total_off';
    $res = $once->(kind => 'no_echo');
    is join(' ', sort keys %{ $res->json }), 'payment_programs total', 'no_echo';
    is_deeply [ids($once->(kind => 'duplicate'))], [map { $_->{program_id} } @{ truth('demo') }[0 .. 39]], 'duplicate';
    is_deeply [(ids($once->(kind => 'duplicate', n => 2)))[2 .. 39]], [(ids($good))[0 .. 37]], 'duplicate of two';
    isnt join(' ', ids($once->(kind => 'unstable_order'))), join(' ', ids($good)), 'unstable_order';
    $res = $once->(kind => 'hide', n => 2600);
    is_deeply [$res->json->{total}, scalar ids($res)], [71, 31], 'hide';
    is $once->(kind => 'hide', n => 5000)->json->{total}, 0, 'hide all';
    $res = $once->(kind => 'clamp', to => 10);
    is_deeply [scalar ids($res), $res->json->{limit}], [10, 10], 'clamp';
    is page('demo', 0, 100)->json->{limit}, 10, 'clamp takes any limit';
    $res = $once->(kind => 'huge_body', bytes => 3_000_000);
    is length $res->body, 3_000_000 + length('"padding":"",'), 'huge_body';
    $res = $once->(kind => 'huge_body', bytes => 3_000_000, length => false);
    is $res->headers->content_length, undef, 'huge_body without a length';
    ok length $res->body > 3_000_000, 'as huge';
    like $once->(kind => 'deep_json', depth => 500)->body, qr/"deep":\[{500}\]{500},/, 'deep_json';
    like $once->(kind => 'bad_utf8')->body, qr/"note":"\xff/, 'bad_utf8';
    calm();
};

subtest 'networks that fail' => sub {
    my $path = '/programs/v1?program_status=ALL&limit=40';
    fault(kind => 'hang', times => 1);
    is_deeply [raw('demo', $path, 0.4)], ['', 'open'], 'hang';
    fault(kind => 'reset_before', times => 1);
    is_deeply [raw('demo', $path, 20)], ['', 'closed'], 'reset_before';
    fault(kind => 'reset_before', rst => true, times => 1);
    is_deeply [raw('demo', $path, 20)], ['', 'reset'], 'reset_before with RST';

    fault(kind => 'reset', times => 1);
    my ($got, $end) = raw('demo', $path, 20);
    is $end, 'reset', 'reset';
    my ($length) = $got =~ /^Content-Length: (\d+)/m;
    my ($body) = $got =~ /\r\n\r\n(.*)/s;
    ok length $body && length $body < $length, 'in the middle of the body';

    fault(kind => 'drip', interval_ms => 20, times => 1);
    my $began = time;
    ($got, $end) = raw('demo', $path, 20, 50);
    my $most = (time - $began) / 0.02 + 1;
    ($body) = $got =~ /\r\n\r\n(.*)/s;
    is $end, 'open', 'drip: not done yet';
    ok length $body >= 50 && length $body <= $most, 'drip: a byte at a time';
    fault(kind => 'drip', interval_ms => 1, bytes => 2000, times => 1);
    is scalar ids(page('demo', 0)), 40, 'drip: all of it in the end';

    fault(kind => 'delay', ms => 200, times => 1);
    $began = time;
    page('demo', 0);
    cmp_ok time - $began, '>=', 0.2, 'delay';

    my @id = map { fault(kind => 'delay', ms => 60_000, held => true, offset => $_) } 0, 40;
    $began = time;
    my @sock = map { raw_ask('demo', "$path&offset=$_") } 0, 40;
    my $ready = sub ($i, $seconds) { IO::Select->new($sock[$i])->can_read($seconds) ? 1 : 0 };
    is $ready->(0, 0.3), 0, 'a delay that is held';
    is_deeply [map { $_->{hits} } grep { $_->{held} } @{ do_control(GET => '/faults')->{faults} }], [1, 1], '... is a fault as any';
    do_control(DELETE => "/faults/$id[0]");
    is $ready->(0, 20), 1, '... ends with its rule';
    is $ready->(1, 0), 0, '... and no other';
    do_control(DELETE => '/faults');
    is $ready->(1, 20), 1, '... or with all of them';
    cmp_ok time - $began, '<', 60, '... before its time';
    is $ua->get("$url$path", auth('demo'))->res->code, 200, '... and holds nobody else';
    is do_control(GET => '/counters')->{all}{in_flight}, 0, 'nothing is left in flight';
    calm();
};

subtest 'the truth drifts between two pages' => sub {
    my @before = ids(page('p80', 0));
    fault(kind => 'drift_add', n => 2, times => 1);
    is_deeply [ids(page('p80', 0))], \@before, 'this call sees nothing';
    my $next = page('p80', 40);
    is $next->json->{total}, 82, 'the next one has a new total';
    is_deeply [(ids($next))[0, 1]], [@before[38, 39]], 'and rows seen before';
    calm();
    my @second = ids(page('p80', 40));
    fault(kind => 'drift_remove', n => 2, times => 1);
    page('p80', 0);
    is_deeply [ids(page('p80', 40))], [@second[2 .. 39]], 'removal leaves a gap';
    calm();
    my $old = truth('p80');
    fault(kind => $_, n => 3, times => 1) for qw(drift_change drift_move);
    my $seen = page('p80', 0)->json->{payment_programs};
    is_deeply $seen, [@$old[0 .. 39]], 'nor does it see a change';
    my %was     = map { $_->{program_id} => $_ } @$old;
    my @other   = grep { encode_json($_) ne encode_json($was{ $_->{program_id} }) } @{ truth('p80') };
    my $of      = sub { $_[0]{businesses}[0]{yelp_business_id} };
    my @moved   = grep { $of->($_) ne $of->($was{ $_->{program_id} }) } @other;
    is scalar @moved, 3, 'three have moved';
    cmp_ok scalar @other, '>=', 4, '... and others changed';
    fault(kind => 'drift_reorder', times => 1);
    page('p80', 0);
    isnt join(' ', map { $_->{program_id} } @{ truth('p80') }), join(' ', map { $_->{program_id} } @$old), 'another order';
    calm();
};

subtest 'edits change the truth and say what they touched' => sub {
    my $edit = sub (%how) { do_control(POST => '/edit', { user => 'p80', %how }) };
    my $ids  = sub { [map { $_->{program_id} } @{ truth('p80') }] };
    my $old  = truth('p80');

    my $out = $edit->(op => 'add', n => 2);
    is $out->{total}, 82, 'add: total';
    is_deeply [@{ $ids->() }[0, 1]], $out->{ids}, 'add: at the front';
    is_deeply $edit->(op => 'remove', ids => $out->{ids})->{ids}, $out->{ids}, 'remove: by id';
    is_deeply truth('p80'), $old, 'as before';
    $out = $edit->(op => 'remove', n => 3, pick => 'random');
    is scalar @{ $out->{ids} }, 3, 'remove: three of them';
    is get('p80', "/v1/programs/info/$out->{ids}[0]")->json->{programs}[0], undef, 'and info agrees';

    $out = $edit->(op => 'change', n => 6);
    my %was = map { $_->{program_id} => encode_json($_) } @$old;
    my @new = grep { $was{ $_->{program_id} } ne encode_json($_) } @{ truth('p80') };
    is_deeply [map { $_->{program_id} } @new], $out->{ids}, 'change: these and no others';
    $edit->(op => 'change', n => 1, values => { program_metrics => { budget => 4242 } });
    is truth('p80')->[0]{program_metrics}{budget}, 4242, 'change: to a value';
    is page('p80', 0)->json->{payment_programs}[0]{program_metrics}{budget}, 4242, 'and the page shows it';
    $edit->(op => 'change', n => 1, values => { program_type => 'EP' }, unset => ['program_metrics']);
    is truth('p80')->[0]{program_type}, 'EP', 'change: several at once';
    ok !exists truth('p80')->[0]{program_metrics}, 'change: a field can go';

    my $five = $edit->(op => 'remove', n => 5, pick => 'random')->{ids};
    is_deeply $edit->(op => 'restore', n => 2, pick => 'last')->{ids}, [@$five[3, 4]], 'restore: the last that went';
    is_deeply [@{ $ids->() }[-2, -1]], [@$five[3, 4]], '... at the end';
    is_deeply $edit->(op => 'restore', n => 3)->{ids}, [@$five[0 .. 2]], '... and those before them';
    is $edit->(op => 'restore', n => 9)->{total}, 82, '... as many as there are';

    my $from = truth('p80')->[0]{businesses}[0]{yelp_business_id};
    $edit->(op => 'move', n => 1);
    isnt truth('p80')->[0]{businesses}[0]{yelp_business_id}, $from, 'move: another business';
    my $order = $ids->();
    $edit->(op => 'reorder');
    isnt "@{ $ids->() }", "@$order", 'reorder: another order';
    is_deeply [sort @{ $ids->() }], [sort @$order], 'reorder: the same programs';
    $edit->(op => 'set', programs => [{ %{ $old->[0] }, program_metrics => { budget => '#raw#1e3' } }]);
    is page('p80', 0)->json->{total}, 1, 'set: all replaced';
    like page('p80', 0)->body, qr/"budget":1e3\b/, 'set: a number as written';

    my ($status, $why) = control(POST => '/edit', { user => 'p80', op => 'explode' });
    is $status, 400, 'an unknown op is refused';
    calm();
    is_deeply truth('p80'), $old, 'reset brings the seeded truth back';
};

subtest 'a journal has every version that was to be seen' => sub {
    is +(control(POST => '/journal', { user => 'p80' }))[0], 400, 'of an account that keeps one';
    do_control(POST => '/accounts', { user => 'noted', password => 'pw', programs => 50, journal => true });
    my $taken = sub { do_control(POST => '/journal', { user => 'noted' })->{programs} };
    is_deeply $taken->(), [], 'nothing was asked for yet';
    my $first = page('noted', 0)->json->{payment_programs};
    is_deeply $taken->(), $first, 'what a page has shown';
    page('noted', 0);
    is_deeply $taken->(), [], '... once';
    my $change = sub { do_control(POST => '/edit', { user => 'noted', op => 'change', n => 1 }) };
    my @shown = map { $change->(); page('noted', 0)->json->{payment_programs}[0] } 1, 2;
    $change->();
    is_deeply $taken->(), \@shown, 'every version that came, and none that did not';
    calm();
};

subtest 'accounts are made to measure' => sub {
    my $out = do_control(POST => '/accounts', { user => 'made', password => 'pw', programs => 500, businesses => 9 });
    is_deeply [@$out{qw(total businesses)}], [500, 9], 'as asked';
    for my $bad ({ user => 'x' }, { user => 'x', password => 'y', programs => 'many' }, { user => 'a:b', password => 'y' },
        { user => 'x', password => 'y', programs => 2, businesses => 3 }, { user => 'x', password => 'y', colour => 1 })
    {
        my ($status, $why) = control(POST => '/accounts', $bad);
        is $status, 400, "refused: $why->{error}";
    }
    is +(control(POST => '/faults', { kind => 'plague' }))[0], 400, 'unknown kind of fault';
    is +(control(POST => '/faults', { kind => 'hang', ofset => 1 }))[0], 400, 'misspelt selector';
    is $ua->post("$url/_sim/edit", '{"user":')->res->code, 400, 'no JSON';
    is +(control(GET => '/nonsense'))[0], 404, 'unknown control call';
    calm();
};

subtest 'counters tell what was asked, and how much at once' => sub {
    do_control(POST => '/latency', { base_ms => 5000 });
    my $began = time;
    Mojo::Promise->all(map { $ua->get_p("$url/programs/v1?program_status=ALL&limit=40&offset=" . 40 * $_, auth('demo')) } 0 .. 59)->wait;
    my $took = time - $began;
    do_control(POST => '/latency', { base_ms => 0 });
    page('p1', 0);
    get('p1', '/v1/programs/info/' . 'y' x 22);
    $ua->get("$url/programs/v1", auth('p1', 'wrong'));

    my $all = do_control(GET => '/counters');
    is $all->{all}{calls}, 63, 'calls';
    is_deeply $all->{all}{by_path}, { programs => { 200 => 61, 401 => 1 }, info => { 200 => 1 } }, 'by path and status';
    is $all->{users}{demo}{peak}, 60, 'sixty at once';
    is do_control(GET => '/counters?user=p1')->{peak}, 1, 'never two of p1';
    is_deeply [sort { $a <=> $b } @{ $all->{users}{demo}{offsets} }], [map { 40 * $_ } 0 .. 59], 'offsets';
    is_deeply $all->{all}{ids}{info}, ['y' x 22], 'ids';
    cmp_ok $all->{connections}{opened}, '>=', 59, 'connections';
    cmp_ok $all->{all}{last_ms} - $all->{all}{first_ms}, '>=', 4900, 'first and last time';
    cmp_ok $took, '<', 60 * 5 / 4, 'calls wait side by side';
    do_control(DELETE => '/counters');
    is do_control(GET => '/counters')->{all}{calls}, 0, 'reset';

    do_control(POST => '/latency', { base_ms => 500, per_parallel_ms => 100 });
    $began = time;
    Mojo::Promise->all(map { $ua->get_p("$url/programs/v1", auth('demo')) } 1 .. 4)->wait;
    cmp_ok time - $began, '>=', 0.8, 'the fourth call waits for three others';
    calm();
};

subtest 'business_info: up to 200 ids, access by itself' => sub {
    my ($one, $two) = map { $_->{businesses}[0]{yelp_business_id} } @{ truth('demo') }[0, 1];
    my $res = get('demo', "/v1/business_info/$one,$two," . 'n' x 22);
    is $res->code, 200, 'an answer';
    my @business = @{ $res->json->{businesses} };
    is_deeply [sort map { $_->{yelp_business_id} } @business], [sort keys %{ { $one => 1, $two => 1 } }], 'those it knows';
    ok !(grep { !length $_->{name} } @business), '... with their names';
    is_deeply [map { $_->{id} } @{ $res->json->{errors} }], ['INVALID_BUSINESS_ID'], '... and an error for the other';
    is get('demo', '/v1/business_info/' . join ',', map { sprintf '%022d', $_ } 1 .. 201)->code, 400, '201 ids are too many';

    do_control(POST => '/business', { id => $one, name => "Zo\x{eb}" });
    is get('demo', "/v1/business_info/$one")->json->{businesses}[0]{name}, "Zo\x{eb}", 'another name';
    do_control(POST => '/business', { id => $one, name => '' });
    ok !defined get('demo', "/v1/business_info/$one")->json->{businesses}[0]{name}, 'a null one';
    do_control(POST => '/business', { id => $one, absent => true });
    is_deeply get('demo', "/v1/business_info/$one")->json->{businesses}, [], 'none at all';

    my $count = do_control(GET => '/counters?user=demo');
    is $count->{names}{calls}, 5, 'counted by themselves';
    is $count->{calls}, 0, '... not among the reads of programs';
    do_control(POST => '/accounts/access', { user => 'demo', names => false });
    is get('demo', "/v1/business_info/$two")->code, 403, 'no access to names';
    is page('demo', 0)->code, 200, '... is access to programs';
    fault(kind => '500', path => 'names');
    is get('agency', "/v1/business_info/$two")->code, 500, 'faults find it';
    calm();
};

subtest 'a limit of calls a second' => sub {
    do_control(POST => '/limit', { user => 'p80', rate => 0.2, burst => 3, path => 'programs', retry_after => 5 });
    my @answer = map { page('p80', 0) } 1 .. 5;
    is_deeply [map { $_->code } @answer], [200, 200, 200, 429, 429], 'a burst, then 429';
    is $answer[-1]->headers->header('Retry-After'), 5, '... with Retry-After';
    is get('p80', '/v1/programs/info/' . 'y' x 22)->code, 200, 'another kind of call has its own';
    is page('p41', 0)->code, 200, '... and so has another account';
    sleep 5.1;
    is_deeply [map { page('p80', 0)->code } 1 .. 2], [200, 429], 'five seconds later there is one more';
    do_control(POST => '/limit', { user => 'p80', rate => 0, path => 'programs' });
    is page('p80', 0)->code, 200, 'no limit any more';
    calm();
};

subtest 'the same seed makes the same data' => sub {
    my $first = $ua->get("$url/_sim/data?user=agency")->res->body;
    kill TERM => $sim;
    waitpid $sim, 0;
    is $?, 0, 'TERM ends it cleanly';
    unlink $file;
    open my $out, '>', "$dir/accounts" or die "accounts: $!";
    print {$out} encode_json([{ user => 'extra', password => 'pw', programs => 2 }]);
    close $out;
    $sim = sim_start('--port-file', $file, '--accounts', "$dir/accounts", '--latency', 150);
    $url = sim_url();
    is $ua->get("$url/_sim/data?user=agency")->res->body, $first, 'the same bytes after a restart';
    my $began = time;
    is page('extra', 0)->json->{total}, 2, '--accounts adds one';
    cmp_ok time - $began, '>=', 0.15, '--latency holds';
    kill INT => $sim;
    waitpid $sim, 0;
    is $?, 0, 'INT ends it cleanly';
    undef $sim;
};

done_testing;
