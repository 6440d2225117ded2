# The simulated seller API, seen from outside: what the contract says it serves, its
# limits, and each way it can be told to misbehave.  Simulated time stands still
# unless a test moves it, so that no result depends on how fast the machine is.

use strict;
use warnings;
use feature 'signatures';
use utf8;

use FindBin ();
use Test::More;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use List::Util qw(sum0);
use Mojo::JSON qw(decode_json encode_json false true);
use Mojo::URL;
use Mojo::UserAgent;
use Time::HiRes qw(sleep time);
use lib "$FindBin::RealBin/../lib";
use Lockstep::Seller;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

use constant NOON => 1_795_176_000;    # 2026-11-20T12:00:00Z

my %PATH = (
    funnel  => '/api/analytics/v3/sales-funnel/products',
    history => '/api/analytics/v3/sales-funnel/products/history',
    texts   => '/api/v2/search-report/product/search-texts',
    sales   => '/api/v1/supplier/sales',
    ping    => '/ping',
);
my %MONTH = (start => '2026-10-21', end => '2026-11-19');

my $tool = "$FindBin::RealBin/../../tools/seller-sim";
my $dir  = tempdir(CLEANUP => 1);
my $pid  = sim_start('--port-file', "$dir/url", '--factor', 0, '--at', '2026-11-20T12:00:00Z');
my $url  = sim_url();
my $sim  = Lockstep::Seller->new($url);
my $ua   = Mojo::UserAgent->new(max_response_size => 0, inactivity_timeout => 30);
my %token;

END { local $?; kill KILL => $pid if $pid }

sub sim_start (@args) {
    my $child = fork // die "fork: $!";
    return $child if $child;
    open STDOUT, '>', "$dir/out" or die "out: $!";
    exec $^X, $tool, @args or die "exec: $!";
}

sub sim_url {
    for (1 .. 400) {
        if (open my $in, '<', "$dir/url") { chomp(my $line = <$in>); return $line }
        sleep 0.05;
    }
    BAIL_OUT('the simulator did not start');
}

# The clock stands at noon again, and nothing is left of what was before.
sub calm { $sim->reset; %token = (); return }

sub token ($seller) { return $token{$seller} //= $sim->token($seller) }

sub send_call ($method, $token, $body = {}) {
    my $head = defined $token ? { Authorization => $token } : {};
    return $ua->get(Mojo::URL->new("$url$PATH{$method}")->query($body), $head)->res
        if $method =~ /\A(?:sales|ping)\z/;
    return $ua->post("$url$PATH{$method}", $head, ref $body ? encode_json($body) : $body)->res;
}

# Within the limit: the clock goes on by as much as any limit wants.
sub ask ($seller, $method, %body) {
    $sim->clock(advance => 60);
    return send_call($method, token($seller), { body_of($method), %body });
}

sub body_of ($method) {
    return (selectedPeriod => {%MONTH}, limit => 1000) if $method eq 'funnel';
    return (selectedPeriod => { start => '2026-11-14', end => '2026-11-20' }) if $method eq 'history';
    return (dateFrom => '2026-11-18') if $method eq 'sales';
    return () if $method eq 'ping';
    return (currentPeriod => {%MONTH}, limit => 30, topOrderBy => 'openCard',
        orderBy => { field => 'openCard', mode => 'desc' });
}

sub limits_of ($res) {
    return { map { lc $_ => $res->headers->header("X-Ratelimit-$_") + 0 }
        grep { defined $res->headers->header("X-Ratelimit-$_") } qw(Remaining Retry Reset Limit) };
}

sub ids ($res) { return map { $_->{product}{nmId} } @{ $res->json->{data}{products} } }
sub all_ids ($seller) { return map { $_->{product}{nmId} } @{ $sim->data($seller, @MONTH{qw(start end)}) } }
sub fault (%rule) { return $sim->fault(times => 1, %rule) }

sub raw_ask ($method, $body) {
    $sim->clock(advance => 60);
    my $at   = Mojo::URL->new($url);
    my $sock = IO::Socket::INET->new(PeerAddr => $at->host, PeerPort => $at->port) or die "connect: $!";
    my $json = encode_json($body);
    syswrite $sock, "POST $PATH{$method} HTTP/1.1\r\nHost: sim\r\nAuthorization: " . token('small')
        . "\r\nContent-Length: " . length($json) . "\r\n\r\n$json";
    return $sock;
}

# What came back until the time was over, and how it ended.
sub raw ($method, $body, $seconds) {
    my $sock = raw_ask($method, $body);
    my ($got, $until, $select) = ('', time + $seconds, IO::Select->new($sock));
    while ((my $left = $until - time) > 0) {
        next unless $select->can_read($left);
        my $n = sysread $sock, $got, 65536, length $got;
        return ($got, $!{ECONNRESET} ? 'reset' : "error $!") unless defined $n;
        return ($got, 'closed') if $n == 0;
    }
    return ($got, 'open');
}

subtest 'it says where it is, and its manual says the rest' => sub {
    open my $out, '<', "$dir/out" or die "out: $!";
    is scalar <$out>, "SELLER_URL=$url\n", 'the URL is on stdout as in the port file';
    ok $sim->call(GET => '/_sim/health')->{ok}, 'health';
    my $help = qx("$^X" "$tool" --help);
    like $help, qr/--port-file/, '--help prints the manual';
    like $ua->get("$url/_sim/")->res->body, qr{POST\s+/_sim/faults}, 'the control API too';
    like qx("$^X" "$tool" --listen http://0.0.0.0:0 2>&1), qr/loopback/, 'any other address is refused';
    require lib;
    lib->import("$FindBin::RealBin/../../tools/lib");
    require Lockstep::Sim::Seller::Faults;
    like $help, qr/^\s.*\b\Q$_\E\b/m, "fault $_ is in the manual" for sort keys %{ Lockstep::Sim::Seller::Faults->kinds };
    require Lockstep::Sim::Seller::Control;
    for my $route (Lockstep::Sim::Seller::Control::routes()) {
        my ($method, $path) = @$route;
        next if $path =~ /:id/;
        like $help, qr{^\s+$method\s+/_sim\Q$path\E(?:[\s?]|$)}m, "$method $path is in the manual";
    }
    is $ua->post("$url/_sim/faults", encode_json({ kind => '500', methud => 'texts' }))->res->code, 400,
        'a misspelt selector is refused';
};

subtest 'a token is looked at before anything else' => sub {
    calm();
    my $good = token('demo');
    my ($head, $claims, $sign) = split /\./, $good;
    my %bad = (
        missing => undef, empty => '', 'no JWT' => 'abc', 'cut' => "$head.$claims",
        'another signature' => "$head.$claims." . reverse($sign), Bearer => "Bearer $good",
        expired => $sim->token('demo', days => -1),
        'another category' => $sim->token('demo', categories => ['content', 'statistics']),
    );
    for my $name (sort keys %bad) {
        my $res = send_call(funnel => $bad{$name}, { body_of('funnel') });
        is $res->code, 401, "$name: 401";
        like $res->headers->content_type, qr{\Aapplication/problem\+json}, '... problem+json';
        is_deeply [sort keys %{ $res->json }],
            [qw(code detail origin requestId status statusText timestamp title)], '... of that form';
    }
    is send_call(sales => $sim->token('demo', categories => ['analytics']), { dateFrom => '2026-11-18' })->code,
        401, 'sales want Statistics';
    is $sim->counters->{refused}, 1 + keys %bad, 'refusals are counted apart';
    is_deeply $sim->counters->{sellers}, {}, '... and cost nobody a call';
    is send_call(funnel => $good, { body_of('funnel') })->code, 200, 'the good one';

    $sim->header('bearer');
    is send_call(ping => "Bearer $good")->code, 200, 'with Bearer, when that is wanted';
    is send_call(ping => $good)->code, 401, '... and not without';
    $sim->header('both');
    is send_call(ping => $_)->code, 200, '... or either' for $good, "Bearer $good";

    my $opaque = $sim->token('demo', opaque => 1);
    like $opaque, qr/\A[0-9a-f]{40}\z/, 'one that says nothing';
    is send_call(funnel => $opaque, { body_of('funnel') })->code, 200, '... is as good';
    is send_call(funnel => scalar reverse($opaque), { body_of('funnel') })->code, 401, '... to whom it was given';

    $sim->revoke($good);
    is send_call(funnel => $good)->code, 403, 'of a deleted user: 403';
    my $old = token('small');
    $sim->clock(at => NOON + 181 * 86_400);
    is send_call(funnel => $old)->code, 401, 'good for 180 days';
    calm();
    is_deeply [@{ decode_json(Mojo::Util::b64_decode($claims =~ tr{\-_}{+/}r)) }{qw(s acc exp t)}],
        [1 << 2 | 1 << 5, 3, NOON + 180 * 86_400, false], 'the claims say what it is';
};

subtest 'what is retired or never was is 404' => sub {
    for my $path (qw(/api/v2/nm-report/detail /api/v2/nm-report/detail/history /nowhere)) {
        my $res = $ua->post("$url$path", { Authorization => token('demo') }, '{}')->res;
        is $res->code, 404, $path;
        is $res->json->{title}, 'path not found', '... as problem+json';
    }
    is $ua->get("$url$PATH{funnel}", { Authorization => token('demo') })->res->code, 404, 'another method';
};

subtest 'the funnel gives every product once, by pages too' => sub {
    calm();
    my $data = $sim->data('demo', @MONTH{qw(start end)});
    is scalar @$data, 438, '438 products';
    my $res = ask('demo', 'funnel');
    is_deeply [sort(ids($res))], [sort(all_ids('demo'))], 'all in one call with limit 1000';
    is scalar(my @first = ids(ask('demo', 'funnel', limit => undef))), 50, 'the default limit is 50';
    my @paged = map { ids(ask('demo', 'funnel', limit => 100, offset => 100 * $_)) } 0 .. 4;
    is_deeply \@paged, [ids($res)], 'five pages are the same';
    is_deeply \@first, [@paged[0 .. 49]], '... and so is the first page of 50';
    is_deeply [ids(ask('demo', 'funnel', offset => 438))], [], 'nothing beyond the end';
    is_deeply ask('empty', 'funnel')->json, { data => { products => [], currency => 'RUB' } }, 'a seller without products';

    my %sent = map { $_->{product}{nmId} => $_ } @{ $res->json->{data}{products} };
    is_deeply $sent{ $_->{product}{nmId} }{statistic}{selected}, $_->{selected}, 'the truth' for @$data[0, 19, 437];
    my $row = $sent{ $data->[0]{product}{nmId} };
    is_deeply $row->{statistic}{selected}{period}, \%MONTH, 'the period asked for';
    is_deeply [sort keys %{ $row->{statistic}{selected} }], [sort qw(period openCount cartCount orderCount
        orderSum buyoutCount buyoutSum cancelCount cancelSum avgPrice avgOrdersCountPerDay shareOrderPercent
        addToWishlist timeToReady localizationPercent conversions wbClub)], 'all fields of the contract';
    like $row->{product}{title}, qr/\p{Cyrillic}/, 'titles are Russian';
    ok((grep { !$_->{selected}{openCount} } @$data), 'some were never looked at');
    my @open = map { $_->{statistic}{selected}{openCount} } @{ $res->json->{data}{products} };
    is_deeply \@open, [sort { $b <=> $a } @open], 'most opens first';

    my @two = (all_ids('demo'))[7, 3];
    is_deeply [sort(ids(ask('demo', 'funnel', nmIds => [@two, 5])))], [sort @two], 'only those asked for and known';
    my $brand = $row->{product}{brandName};
    my @of = ids(ask('demo', 'funnel', brandNames => [$brand]));
    is scalar @of, (grep { $_->{product}{brandName} eq $brand } @$data), 'a brand';
    cmp_ok scalar(ids(ask('demo', 'funnel', brandNames => [$brand], subjectIds => [$row->{product}{subjectId}]))),
        '<', @of, 'filters combine';
    my $up = ask('demo', 'funnel', orderBy => { field => 'orderSum', mode => 'asc' }, limit => 438)->json->{data}{products};
    is_deeply [map { $_->{statistic}{selected}{orderSum} } @$up],
        [sort { $a <=> $b } map { $_->{selected}{orderSum} } @$data], 'another order';
    my $past = ask('demo', 'funnel', nmIds => [$two[0]], pastPeriod => { start => '2026-09-21', end => '2026-10-20' });
    ok $past->json->{data}{products}[0]{statistic}{$_}, "pastPeriod: $_" for qw(past comparison);
    calm();
    $sim->call(POST => '/_sim/edit', { seller => 'small', op => 'delete', ids => [(all_ids('small'))[0]] });
    is scalar ids(ask('small', 'funnel', skipDeletedNm => true)), 2, 'deleted ones are left out on demand';
};

subtest 'days add up to a period, and history has the same days' => sub {
    calm();
    my ($id) = all_ids('demo');
    my $day = sub ($d) { ask('demo', 'funnel', nmIds => [$id], selectedPeriod => { start => $d, end => $d })
        ->json->{data}{products}[0]{statistic}{selected} };
    my @days = map { $day->("2026-11-$_") } 14 .. 20;
    my $history = ask('demo', 'history', nmIds => [$id])->json;
    is ref $history, 'ARRAY', 'history is a bare array';
    for my $f (qw(openCount cartCount orderCount orderSum buyoutCount)) {
        is_deeply [map { $_->{$f} } @{ $history->[0]{history} }], [map { $_->{$f} } @days], "$f of each day";
    }
    is ask('demo', 'history', nmIds => [$id], aggregationLevel => 'week')->json->[0]{history}[0]{openCount},
        sum0(map { $_->{openCount} } @days), 'a week is their sum';
    is ask('demo', 'history', nmIds => [$id], selectedPeriod => { start => '2026-11-12', end => '2026-11-13' })->code,
        400, 'history ends a week ago';
    is ask('demo', 'history', nmIds => [(all_ids('demo'))[0 .. 20]])->code, 400, '21 ids are too many for it';
};

subtest 'search texts are a flat list of objects, limited for each product' => sub {
    calm();
    my @ids = (all_ids('demo'))[0 .. 49];
    my $res = ask('demo', 'texts', nmIds => \@ids);
    is $res->code, 200, '50 products';
    my %n;
    my @items = @{ $res->json->{data}{items} };
    $n{ $_->{nmId} }++ for @items;
    is_deeply [grep { my $id = $_; !grep { $_ == $id } @ids } keys %n], [], 'of those asked for only';
    is((sort { $b <=> $a } values %n)[0], 30, 'thirty texts at most');
    ok keys %n < 50, 'some products have none';
    like $items[0]{text}, qr/\p{Cyrillic}/, 'the text is in "text"';
    is_deeply [sort keys %{ $items[0]{$_} }], [qw(current dynamics percentile)], "$_ is an object"
        for qw(openCard addToCart orders openToCart cartToOrder);
    is_deeply [sort keys %{ $items[0]{$_} }], [qw(current dynamics)], "$_ too"
        for qw(avgPosition medianPosition frequency visibility);
    my @open = map { $_->{openCard}{current} } @items;
    is_deeply \@open, [sort { $b <=> $a } @open], 'in the order asked for';
    my @five = grep { $_->{nmId} == $items[0]{nmId} } @{ ask('demo', 'texts', nmIds => \@ids, limit => 5)->json->{data}{items} };
    is_deeply [map { $_->{text} } @five], [(map { $_->{text} } grep { $_->{nmId} == $items[0]{nmId} } @items)[0 .. $#five]],
        'fewer are the best of them';
    ok !(grep { $_->{isSubstitutedSKU} } @{ ask('demo', 'texts', nmIds => \@ids, includeSubstitutedSKUs => false)->json->{data}{items} }),
        'without substituted articles';
    is ask('big', 'texts', nmIds => [(all_ids('big'))[0]], limit => 100)->code, 200, 'Advanced Jam: 100 texts';

    my $no = ask('nojam', 'texts', nmIds => [all_ids('nojam')]);
    is $no->code, 403, 'no Jam: 403';
    is_deeply [sort keys %{ $no->json }], [qw(detail origin requestId title)], '... of the smaller form';
    is ask('nojam', 'funnel')->code, 200, '... and the funnel is there';
    $sim->change('nojam', jam_refusal => 400);
    is ask('nojam', 'texts', nmIds => [all_ids('nojam')])->code, 400, 'or 400, as some saw it';
};

# Calls that come while the simulator stands still: what the kernel had of each, when.
subtest 'a call has come when its last byte was there, whoever reads it how late' => sub {
    calm();
    my $at   = Mojo::URL->new($url);
    my $json = encode_json({ body_of('funnel'), nmIds => [(all_ids('small'))[0]] });
    my $head = "POST $PATH{funnel} HTTP/1.1\r\nHost: sim\r\nAuthorization: " . token('small')
        . "\r\nContent-Length: " . length($json) . "\r\n\r\n";
    # One connection is an old one: it has had an answer already, and its time is not that.
    my @sock = map { IO::Socket::INET->new(PeerAddr => $at->host, PeerPort => $at->port) or die "connect: $!" } 1 .. 3;
    my $answer = sub ($sock) {
        my $got = '';
        while ($got !~ /\r\n\r\n.*\}\z/s) {
            IO::Select->new($sock)->can_read(20) or last;
            sysread $sock, $got, 65536, length $got or last;
        }
        return $got =~ /\AHTTP\/1.1 (\d+)/ ? $1 : $got;
    };
    syswrite $sock[1], $head . $json;
    is $answer->($sock[1]), 200, 'an answer';
    sleep 0.2;
    $sim->clock(factor => 20);
    $sim->limits('small', method => 'funnel', interval => 0);
    $sim->forget;
    kill STOP => $pid;
    my @when;    # before and after each was sent
    for my $n (0 .. 2) {
        sleep 0.3 if $n;
        if ($n == 2) { syswrite $sock[2], $head; sleep 0.3 }
        my $before = time;
        syswrite $sock[$n], $n == 2 ? $json : $head . $json;
        push @when, [$before, time];
    }
    sleep 0.3;
    kill CONT => $pid;
    is_deeply [map { $answer->($_) } @sock], [200, 200, 200], 'they are answered';
    my $m = $sim->counts('small')->{methods}{funnel};
    my @gap = map { ($m->{times}[$_ + 1] - $m->{times}[$_]) / 20 } 0, 1;
    is_deeply [@$m{qw(first_at last_at)}], [@{ $m->{times} }[0, -1]], 'in the order in which they came';
    is_deeply [sort { $a <=> $b } @{ $m->{times} }], $m->{times}, '... each at its place';
    # The kernel counts in ticks, of ten milliseconds at most.
    for (0, 1) {
        cmp_ok $gap[$_], '>=', $when[$_ + 1][0] - $when[$_][1] - 0.03, "gap $_: as long as between the sending of the two";
        cmp_ok $gap[$_], '<=', $when[$_ + 1][1] - $when[$_][0] + 0.03, '... and no longer';
    }
    my ($small) = sort { $a <=> $b } @gap;
    cmp_ok abs($m->{smallest_gap} / 20 - $small), '<', 0.001, 'the smallest is the smallest';
    calm();
};

subtest 'what is asked for wrongly is 400, and says what' => sub {
    calm();
    my @many = map { 1000 + $_ } 1 .. 1001;
    my $in   = sub ($start, $end) { return { start => $start, end => $end } };
    my @funnel = (
        [selectedPeriod => undef], [selectedPeriod => 'x'], [selectedPeriod => { start => '2026-10-21' }],
        [selectedPeriod => $in->('2026-11-19', '2026-10-21')], [selectedPeriod => $in->('2026-13-01', '2026-13-02')],
        [selectedPeriod => $in->('2026-11-20', '2026-11-21')], [selectedPeriod => $in->('2025-11-19', '2026-11-19')],
        [selectedPeriod => $in->('2026-11-31', '2026-11-31')],
        [nmIds => \@many], [nmIds => ['1']], [nmIds => [1.5]], [nmIds => [-1]], [nmIds => 5],
        [limit => 1001], [limit => 0], [limit => '50'], [limit => 1.5], [offset => -1],
        [orderBy => { field => 'openCard' }], [orderBy => { field => 'x', mode => 'asc' }],
        [orderBy => { field => 'openCard', mode => 'up' }], [brandNames => 'x'], [skipDeletedNm => 1],
    );
    my @id = (nmIds => [(all_ids('demo'))[0]]);
    my @texts = (
        [currentPeriod => undef], [nmIds => undef], [nmIds => []], [nmIds => [@many[0 .. 50]]],
        [topOrderBy => undef], [topOrderBy => 'x'], [orderBy => undef], [limit => undef], [limit => 31],
        [pastPeriod => $in->('2026-01-01', '2026-03-01')],
    );
    for my $case ((map { [funnel => @$_] } @funnel), (map { [texts => @$_] } @texts)) {
        my ($method, $name, $value) = @$case;
        my $res = ask('demo', $method, ($method eq 'texts' ? @id : ()), $name => $value);
        is $res->code, 400, "$method: $name " . substr encode_json([$value]), 0, 60;
        like $res->json->{detail}, qr/\b\Q$name\E\b/, '... by name';
    }
    is ask('big', 'texts', @id, limit => 101)->code, 400, 'Advanced Jam: 101 texts are too many';
    is ask('demo', 'texts', @id, includeSubstitutedSKUs => false, includeSearchTexts => false)->code, 400, 'neither kind';
    is ask('demo', 'texts', @id, currentPeriod => $in->('2026-11-10', '2026-11-19'))->code, 200, 'ten days of texts';
    $sim->call(POST => '/_sim/texts', { max_days => 7 });
    is ask('demo', 'texts', @id, currentPeriod => $in->('2026-11-10', '2026-11-19'))->code, 400, '... not where seven are the most';
    for my $body ('', '[]', '{"a":') {
        $sim->clock(advance => 60);
        is send_call(funnel => token('demo'), $body)->code, 400, "no object: '$body'";
    }
    is_deeply [sort keys %{ send_call(funnel => token('demo'), '')->json }], [qw(detail origin requestId title)], 'the form of a 400';
    is ask('demo', 'funnel', nmIds => [@many[0 .. 999]])->code, 200, '1000 ids';
    is ask('demo', 'funnel', selectedPeriod => $in->('2025-11-20', '2026-11-20'))->code, 200, '365 days ago';
    is ask('demo', 'sales', dateFrom => $_)->code, 400, "sales: dateFrom '$_'" for '', 'x', '2026-02-30';
};

subtest 'sales are rows of the whole store that go on where they ended' => sub {
    calm();
    my $rows = ask('demo', 'sales')->json;
    ok @$rows > 500, 'three days of them';
    my @changed = map { $_->{lastChangeDate} } @$rows;
    is_deeply \@changed, [sort @changed], 'in the order of their change';
    is scalar(keys %{ { map { $_->{srid} => 1 } @$rows } }), @$rows, 'none twice';
    my %kind;
    $kind{ substr $_->{saleID}, 0, 1 }++ for @$rows;
    ok $kind{S} && $kind{R}, 'sold and returned';
    ok !(grep { /\A2026-11-20/ ? $_->{finishedPrice} : 0 } @$rows), 'no prices yet for today';
    my $day = sub ($d) { sum0 map { $_->{selected}{buyoutCount} } @{ $sim->data('demo', $d, $d) } };
    is scalar(grep { $_->{date} =~ /\A2026-11-18/ && $_->{saleID} =~ /\AS/ } @$rows), $day->('2026-11-18'),
        'as many sold as the funnel has bought out';
    $sim->change('demo', sales_page => 300);
    $sim->clock(at => NOON);
    my (@paged, $page);
    my $from = '2026-11-18';
    do {
        # Each call a minute later, and nothing new in the last second before noon.
        $page = [grep { $_->{lastChangeDate} lt '2026-11-20T15:00:00' } @{ ask('demo', 'sales', dateFrom => $from)->json }];
        push @paged, @$page;
        $from = $page->[-1]{lastChangeDate} if @$page;
    } while @$page;
    is_deeply [map { $_->{srid} } @paged], [map { $_->{srid} } grep { $_->{lastChangeDate} lt '2026-11-20T15:00:00' } @$rows],
        'page by page they are the same';
    is ask('demo', 'sales', dateFrom => '2026-11-20T12:00:00Z')->json->[0]{lastChangeDate} gt '2026-11-20T15:00:00', 1, 'a time in UTC';
};

subtest 'the bucket holds three calls and one more every 20 s' => sub {
    calm();
    my $go = sub ($seller = 'small', $method = 'funnel') { send_call($method, token($seller), { body_of($method), nmIds => [1] }) };
    is_deeply [map { limits_of($_) } map { $go->() } 1 .. 3], [{ remaining => 2 }, { remaining => 1 }, { remaining => 0 }],
        'only Remaining, and it counts down';
    my $no = $go->();
    is $no->code, 429, 'the fourth';
    is_deeply limits_of($no), { retry => 20, reset => 60, limit => 3 }, 'the three headers of a 429, no Remaining';
    like $no->headers->content_type, qr{\Aapplication/problem\+json}, 'problem+json';
    is_deeply [sort keys %{ $no->json }], [qw(code detail origin requestId status statusText timestamp title)], 'of that form';
    is $go->('demo')->code, 200, 'another seller has its own';
    is $go->('small', 'texts')->code, 200, 'another method too';
    is $go->('small', 'history')->code, 200, 'and another';
    is send_call(funnel => $sim->token('small'), {})->code, 429, 'another token of the seller has not';

    $sim->clock(advance => 12.5);
    is_deeply limits_of($go->()), { retry => 8, reset => 48, limit => 3 }, 'whole seconds, rounded up';
    $sim->clock(advance => 7.6);
    is $go->()->code, 200, 'after Retry';
    $sim->clock(advance => 1000);
    is_deeply [map { $go->()->code } 1 .. 4], [200, 200, 200, 429], 'never more than three are saved up';
    my $c = $sim->counts('small');
    is $c->{early}, 2, 'calls before their time';
    is $c->{methods}{funnel}{calls}, 11, 'calls of the method';
    is_deeply $c->{methods}{funnel}{statuses}, { 200 => 7, 429 => 4 }, '... by status';
    calm();
    is send_call(texts => token('nojam'), {})->code, 403, 'a 403 counts as a call';
    is_deeply limits_of(send_call(texts => token('nojam'), {})), { remaining => 1 }, '... and carries Remaining';
};

subtest 'a Base token has the lower limits, the others the usual ones' => sub {
    calm();
    my $base = $sim->token('small', type => 'base');
    is send_call(funnel => $base, { body_of('funnel') })->code, 200, 'one funnel call';
    is_deeply limits_of(send_call(funnel => $base, {})), { retry => 1800, reset => 1800, limit => 1 }, 'then half an hour';
    send_call(texts => $base, { body_of('texts'), nmIds => [1] });
    is_deeply limits_of(send_call(texts => $base, {})), { retry => 3600, reset => 3600, limit => 1 }, 'texts: an hour';
    send_call(sales => $base, { body_of('sales') });
    is_deeply limits_of(send_call(sales => $base, {})), { retry => 7200, reset => 7200, limit => 1 }, 'sales: two hours';
    for my $type (qw(personal service base_secret test)) {
        calm();
        my $token = $sim->token('small', type => $type);
        is_deeply [map { send_call(funnel => $token, { body_of('funnel') })->code } 1 .. 4], [200, 200, 200, 429], $type;
    }
    send_call(sales => token('demo'), { body_of('sales') });
    is_deeply limits_of(send_call(sales => token('demo'), {})), { retry => 60, reset => 60, limit => 1 }, 'sales: a minute';
    $sim->limits('demo', method => 'funnel', interval => 0);
    is_deeply [grep { $_ != 200 } map { send_call(funnel => token('demo'), { body_of('funnel'), limit => 1 })->code } 1 .. 8], [],
        'a limit can be taken away';
};

subtest 'whoever comes before Retry has run out is punished, on demand' => sub {
    calm();
    my $go = sub { send_call(funnel => token('small'), { body_of('funnel') }) };
    $sim->penalty(after => 3, seconds => 1800);
    $go->() for 1 .. 4;
    is_deeply [map { limits_of($go->())->{retry} } 1 .. 2], [20, 20], 'two early calls cost nothing';
    is_deeply limits_of($go->()), { retry => 1800, reset => 1840, limit => 3 }, 'the third shuts the method';
    $sim->clock(advance => 1799);
    is_deeply limits_of($go->()), { retry => 1, reset => 41, limit => 3 }, 'for all of that time';
    $sim->clock(advance => 1);
    is_deeply [map { $go->()->code } 1 .. 2], [200, 429], 'and then there is one call';
    is send_call(texts => token('small'), { body_of('texts'), nmIds => [1] })->code, 200, 'other methods are open';
    calm();
    $sim->penalty(cost_4xx => 5);
    is send_call(funnel => token('small'), {})->code, 400, 'a 400 that counts as five calls';
    is_deeply limits_of($go->()), { retry => 60, reset => 100, limit => 3 }, '... leaves two to be paid back';
};

subtest 'the clock runs as fast as wanted, and the counters go by it' => sub {
    calm();
    my $go = sub { send_call(funnel => token('small'), { body_of('funnel') }); return };
    for (0, 20.5, 20.5, 19.5, 0, 300) { $sim->clock(advance => $_); $go->() }
    my $m = $sim->counts('small')->{methods}{funnel};
    is $m->{calls}, 6, 'calls';
    is $m->{smallest_gap}, 0, 'the smallest gap';
    is $m->{peak_60s}, 4, 'most calls in any 60 s: one that is 60 s old is out';
    is_deeply [map { $_ - NOON } @{ $m->{times} }], [0, 20.5, 41, 60.5, 60.5, 360.5], 'when they came';
    $sim->forget;
    $go->(); $sim->clock(advance => 20.25); $go->();
    is $sim->counts('small')->{methods}{funnel}{smallest_gap}, 20.25, 'of the calls since';

    $sim->clock(factor => 1000);
    my ($real, $then) = (time, $sim->clock->{now});
    sleep 0.2;
    my ($passed, $most) = ($sim->clock->{now} - $then, 1000 * (time - $real));
    ok $passed >= 200 && $passed <= $most, "a thousand times as fast ($passed s of at most $most)";
    $sim->clock(factor => 0, at => '2026-11-20T21:30:00Z');
    is $sim->clock->{today}, '2026-11-21', 'days are Moscow days';
    is send_call(funnel => token('demo'), { selectedPeriod => { start => '2026-11-21', end => '2026-11-21' } })->code, 200, '... that can be asked for';
};

subtest 'each status can be had' => sub {
    calm();
    for my $kind (qw(400 401 402 403 404 409 413 422 429 498 500 502 503 504)) {
        fault(kind => $kind);
        my $res = ask('small', 'funnel');
        is $res->code, $kind, "status $kind";
        is defined limits_of($res)->{remaining}, $kind ne '429', '... with Remaining unless it is 429';
        is ask('small', 'funnel')->code, 200, '... and then no more';
    }
    fault(kind => '502');
    like ask('small', 'funnel')->headers->content_type, qr{text/html}, '502 is a page';
    fault(kind => 'html', status => 200);
    my $res = ask('small', 'funnel');
    is_deeply [$res->code, $res->json], [200, undef], 'so is html, with any status';
};

subtest '429 in every form it was seen in' => sub {
    calm();
    fault(kind => '429', headers => false);
    is_deeply limits_of(ask('small', 'funnel')), {}, 'without headers';
    is $sim->counts('small')->{early}, 0, '... nothing was told, so nobody is early';
    fault(kind => '429', retry => 2, reset => 29);
    is_deeply limits_of(ask('small', 'funnel')), { retry => 2, reset => 29, limit => 3 }, 'Retry 2 and Reset 29';
    my $go = sub { send_call(funnel => token('small'), { body_of('funnel') })->code };
    $sim->clock(advance => 1.5);
    is $go->(), 429, 'before that time it is 429 again';
    is $sim->counts('small')->{early}, 1, '... and counted as early';
    $sim->clock(advance => 0.5);
    is_deeply [map { $go->() } 1 .. 4], [200, 200, 200, 429], 'at that time all three calls are there';
    fault(kind => '429', remaining => 0, headers => true, retry_after => 5);
    my $res = ask('small', 'funnel');
    is limits_of($res)->{remaining}, 0, 'some carry Remaining 0';
    is $res->headers->header('Retry-After'), 5, 'or Retry-After';
};

subtest 'a rule meets the calls it selects and no other' => sub {
    calm();
    my @ids = all_ids('demo');
    $sim->fault(kind => '500', method => 'texts', nmIds => [$ids[60]]);
    is ask('demo', 'texts', nmIds => [@ids[0 .. 49]])->code, 200, 'a batch without that product';
    is ask('demo', 'texts', nmIds => [@ids[50 .. 99]])->code, 500, 'with it';
    is ask('demo', 'texts', nmIds => [@ids[50 .. 59]])->code, 200, 'halves of it: one is good';
    is ask('demo', 'texts', nmIds => [$ids[60]])->code, 500, 'the product itself never is';
    is ask('demo', 'funnel')->code, 200, 'another method';
    calm();
    $sim->fault(kind => '503', seller => 'demo', attempt => 1);
    is_deeply [map { ask(@$_)->code } ['small', 'funnel'], ['demo', 'funnel'], ['demo', 'funnel'],
        ['demo', 'funnel', nmIds => [1]]], [200, 503, 200, 503], 'the first attempt of each, of one seller';
    calm();
    $sim->fault(kind => '500', call => [2, 3]);
    is_deeply [map { ask('small', 'funnel')->code } 1 .. 4], [200, 500, 500, 200], 'the second and third call';
    is $sim->faults->{faults}[0]{hits}, 2, 'hits are counted';
    is ask('small', 'funnel', limit => 0)->code, 400, 'what is asked for wrongly is 400 under any rule';
    calm();
    $sim->fault(kind => '500', nmIds => [(all_ids('small'))[1]]);
    is ask('small', 'funnel')->code, 500, 'no ids: all are asked for';
    $sim->heal;
    is ask('small', 'funnel')->code, 200, 'healed';
};

subtest 'answers that lie' => sub {
    calm();
    my @ids = all_ids('small');
    my $once = sub (%rule) { fault(%rule); return ask('small', 'funnel') };
    my $text = sub (%rule) { fault(%rule); return ask('small', 'texts', nmIds => \@ids) };
    my $of = sub ($res, $id) { (grep { $_->{product}{nmId} == $id } @{ $res->json->{data}{products} })[0]{statistic}{selected} };

    is_deeply $once->(kind => 'bare_array')->json, [], 'a bare array';
    is_deeply $text->(kind => 'bare_array')->json, [], '... of texts';
    is_deeply [ids($once->(kind => 'empty'))], [], 'no rows';
    is_deeply [sort(ids($once->(kind => 'missing', only => [$ids[1]])))], [sort @ids[0, 2]], 'a product is missing';
    is scalar ids($once->(kind => 'missing', n => 2)), 1, 'two are';
    is_deeply [sort { $a <=> $b } grep { my $i = $_; !grep { $_ == $i } @ids } ids($once->(kind => 'unknown', n => 2))],
        [999_000_001, 999_000_002], 'ids never heard of';
    ok scalar(grep { $_->{nmId} == 999_000_001 } @{ $text->(kind => 'unknown')->json->{data}{items} }), '... of texts';
    is scalar(grep { $_ == $ids[2] } ids($once->(kind => 'duplicate', only => [$ids[2]]))), 2, 'a product twice';
    my @twice = grep { $_->{product}{nmId} == $ids[2] }
        @{ $once->(kind => 'duplicate', only => [$ids[2]], other => true)->json->{data}{products} };
    is $twice[1]{statistic}{selected}{openCount} - $twice[0]{statistic}{selected}{openCount}, 1, '... with another figure';
    is $once->(kind => 'currency')->json->{data}{currency}, 'KGS', 'KGS';
    my $f = $of->($once->(kind => 'zero_opens', only => [$ids[0]]), $ids[0]);
    is $f->{openCount}, 0, 'no opens';
    cmp_ok $f->{orderCount}, '>', 0, '... and orders';
    $f = $of->($once->(kind => 'over_100', only => [$ids[0]]), $ids[0]);
    is $f->{cartCount}, 2 * $f->{openCount}, 'more in the cart than opened';
    is $f->{orderCount}, 3 * $f->{cartCount}, '... and more ordered than in the cart';
    is $of->($once->(kind => 'field', only => [$ids[0]], name => 'orderSum', to => 'null'), $ids[0])->{orderSum}, undef, 'null for a figure';
    is $text->(kind => 'field', name => 'openCard', to => '7')->json->{data}{items}[0]{openCard}, 7, 'a number for an object';

    my $res = $once->(kind => 'truncated');
    is $res->json, undef, 'cut JSON';
    is $res->headers->content_length, length $res->body, '... with the length of the cut';
    like $once->(kind => 'content_type')->headers->content_type, qr{text/plain}, 'another type';
    like $once->(kind => 'deep_json', depth => 500)->body, qr/"deep":\[{500}\]{500},/, 'deep JSON';
    like $once->(kind => 'bad_utf8')->body, qr/"note":"\xff/, 'bad UTF-8';
    ok length $once->(kind => 'huge_body', bytes => 3_000_000)->body >= 3_000_000, 'a huge body';

    $sim->figures('small', $ids[0], openCount => 1234, cartCount => 617);
    $f = $of->(ask('small', 'funnel'), $ids[0]);
    is_deeply [@$f{qw(openCount cartCount)}, $f->{conversions}{addToCartPercent}], [1234, 617, 50], 'figures as wanted';
    my $before = $of->(ask('small', 'funnel'), $ids[1]);
    $sim->call(POST => '/_sim/edit', { seller => 'small', op => 'restate', ids => [$ids[1]] });
    isnt $of->(ask('small', 'funnel'), $ids[1])->{openCount}, $before->{openCount}, 'late data changes old days';
    fault(kind => 'add', n => 2);
    is_deeply [map { scalar ids(ask('small', 'funnel')) } 1, 2], [3, 5], 'products are added between two calls';
};

subtest 'networks that fail' => sub {
    calm();
    my %body = body_of('funnel');
    fault(kind => 'hang');
    is_deeply [raw(funnel => \%body, 0.4)], ['', 'open'], 'no answer at all';
    fault(kind => 'reset_before');
    is_deeply [raw(funnel => \%body, 20)], ['', 'closed'], 'closed before any byte';
    fault(kind => 'reset_before', rst => true);
    is_deeply [raw(funnel => \%body, 20)], ['', 'reset'], '... with RST';
    fault(kind => 'reset');
    my ($got, $end) = raw(funnel => \%body, 20);
    is $end, 'reset', 'RST in the middle';
    my ($length) = $got =~ /^Content-Length: (\d+)/m;
    my ($part)   = $got =~ /\r\n\r\n(.*)/s;
    ok length $part && length $part < $length, '... of the body';
    fault(kind => 'delay', ms => 200);
    my $began = time;
    is ask('small', 'funnel')->code, 200, 'late';
    cmp_ok time - $began, '>=', 0.2, '... by so much';

    fault(kind => 'delay', ms => 60_000, held => true);
    $began = time;
    my $select = IO::Select->new(raw_ask(funnel => \%body));
    is scalar(my @none = $select->can_read(0.3)), 0, 'held';
    $sim->heal;
    is scalar(my @there = $select->can_read(20)), 1, '... until the rule is taken away';
    cmp_ok time - $began, '<', 60, '... before its time';
};

subtest 'the journal has what was asked and what was sent' => sub {
    calm();
    my @ids = all_ids('demo');
    my $funnel = ask('demo', 'funnel')->json;
    my $texts  = ask('demo', 'texts', nmIds => [@ids[0 .. 49]])->json;
    fault(kind => 'truncated');
    ask('demo', 'funnel', nmIds => [$ids[0]]);
    fault(kind => 'missing', only => [$ids[1]]);
    ask('demo', 'funnel', nmIds => [@ids[0, 1]]);
    my @calls = @{ $sim->journal(seller => 'demo') };
    is_deeply [map { "$_->{method} $_->{status}" } @calls], ['funnel 200', 'texts 200', 'funnel 200', 'funnel 200'], 'each call';
    is_deeply $calls[0]{reply}, $funnel, 'what was sent';
    is_deeply $calls[1]{request}{nmIds}, [@ids[0 .. 49]], 'what was asked for';
    is $calls[2]{reply}, undef, 'nothing of a body that was cut';
    is_deeply [map { $_->{n} } @{ $sim->journal(method => 'funnel', from => $calls[1]{n}, bodies => 0) }],
        [map { $_->{n} } @calls[2, 3]], 'a part of it';

    my $sent = $sim->sent('demo');
    is scalar keys %{ $sent->{funnel} }, 438, 'figures of every product';
    my ($first) = grep { $_->{product}{nmId} == $ids[5] } @{ $funnel->{data}{products} };
    is_deeply $sent->{funnel}{ $ids[5] }, [{ n => $calls[0]{n}, currency => 'RUB', selected => $first->{statistic}{selected} }], 'one of them';
    is_deeply [map { $_->{n} } @{ $sent->{funnel}{ $ids[0] } }], [map { $_->{n} } @calls[0, 3]], 'twice where it came twice';
    ok !exists $sent->{funnel}{ $ids[1] }[1]{selected}, 'asked for and left out';
    my @of = grep { $_->{nmId} == $ids[0] } @{ $texts->{data}{items} };
    is_deeply [map { [@$_{qw(text openCard avgPosition)}] } @{ $sent->{texts}{ $ids[0] }[0]{items} // [] }],
        [map { [$_->{text}, $_->{openCard}{current}, $_->{avgPosition}{current}] } @of], 'texts with their current values';
    is scalar keys %{ $sent->{texts} }, 50, 'those without texts too';
};

subtest 'a token is still good after a restart' => sub {
    calm();
    my $token = token('demo');
    kill TERM => $pid;
    waitpid $pid, 0;
    is $?, 0, 'TERM ends it in order';
    unlink "$dir/url";
    $pid = sim_start('--port-file', "$dir/url", '--factor', 0, '--at', NOON);
    $url = sim_url();
    $sim = Lockstep::Seller->new($url);
    is send_call(funnel => $token, { body_of('funnel') })->code, 200, 'the same token';
    is scalar @{ $sim->call(GET => '/_sim/sellers')->{sellers} }, 5, 'the same sellers';
};

done_testing;
