package Lockstep::Sim::Control;

# The control API under /_sim/: JSON in, JSON out, 400 with a reason for what it
# does not understand.  It is not part of the partner's contract.

use strict;
use warnings;
use feature 'signatures';

use Mojo::JSON qw(encode_json decode_json);
use Lockstep::Sim::Account;
use Lockstep::Sim::Input qw(input_check input_bytes bytes_shown);
use Lockstep::Sim::Status qw(status_of);

my %USER = (user => 'text', user_b64 => 'text');

my @ROUTES = (
    [GET    => '/health',            \&health],
    [GET    => '/accounts',          \&accounts],
    [POST   => '/accounts',          \&account_put],
    [POST   => '/accounts/password', \&account_password],
    [POST   => '/accounts/access',   \&account_access],
    [GET    => '/data',              \&data],
    [GET    => '/counts',            \&counts],
    [POST   => '/journal',           \&journal],
    [POST   => '/edit',              \&edit],
    [GET    => '/latency',           sub ($sim, $) { $sim->latency }],
    [POST   => '/latency',           \&latency],
    [POST   => '/today',             \&today],
    [GET    => '/business',          \&business],
    [POST   => '/business',          \&business_tell],
    [POST   => '/limit',             \&limit],
    [GET    => '/faults',            sub ($sim, $) { { faults => [$sim->faults->list] } }],
    [POST   => '/faults',            sub ($sim, $in) { { id => $sim->faults->add($in) } }],
    [DELETE => '/faults',            sub ($sim, $) { $sim->faults->clear; {} }],
    [DELETE => '/faults/:id',        \&fault_remove],
    [GET    => '/counters',          \&counters],
    [DELETE => '/counters',          sub ($sim, $) { $sim->counters->reset; {} }],
    [POST   => '/reset',             sub ($sim, $) { $sim->fresh; {} }],
);

# @routes: those of another simulator, [METHOD, path below /_sim, handler].
sub routes ($sim, @routes) {
    @routes = @ROUTES unless @routes;
    my $r = $sim->routes;
    my $help = sub ($c) { $c->render(text => $sim->help, format => 'txt') };
    $r->get($_ => $help) for '/_sim', '/_sim/help';
    for my $route (@routes) {
        my ($method, $path, $run) = @$route;
        $r->any([$method] => "/_sim$path" => sub ($c) { respond($c, $run) });
    }
    $r->any('/*any' => { any => '' } =>
        sub ($c) { put_json($c, 404, { error => 'no such control call, see GET /_sim/' }) });
    return;
}

# A handler gets the simulator and the input (body of a POST, query of a GET), and
# dies with a line to refuse.  Text instead of a hash is JSON made already.
sub respond ($c, $run) {
    my $out = eval { $run->($c->app, input_of($c)) };
    return put_json($c, 200, $out) if defined $out;
    my $reason = $@;
    chomp $reason;
    return put_json($c, $reason =~ / at \S+ line \d+/ ? 500 : 400, { error => $reason });
}

sub put_json ($c, $status, $out) {
    $c->render(
        status => $status, format => 'json', data => ref $out ? encode_json($out) : $out
    );
    return;
}

sub input_of ($c) {
    if ($c->req->method ne 'POST') {
        my %in = (%{ $c->req->query_params->to_hash }, %{ $c->match->stack->[-1] // {} });
        return { map { $_ => $in{$_} } grep { !ref $in{$_} } keys %in };
    }
    return {} unless length $c->req->body;
    my $in = eval { decode_json($c->req->body) };
    die "the body is not a JSON object\n" unless ref $in eq 'HASH';
    return $in;
}

sub account_of ($sim, $in) {
    my $user = input_bytes($in, 'user') // die "user: missing\n";
    return $sim->accounts->find($user) // die "user: no such account\n";
}

sub health ($sim, $) {
    return {
        ok        => \1,
        seed      => $sim->seed,
        accounts  => scalar(my @all = $sim->accounts->all),
        today     => $sim->today,
        in_flight => $sim->counters->in_flight,
    };
}

sub shown ($account) {
    return {
        user       => bytes_shown($account->user),
        total      => $account->total,
        businesses => scalar keys %{ $account->by_business },
        access     => $account->has_access ? \1 : \0,
        names      => $account->has_names  ? \1 : \0,
    };
}

sub accounts ($sim, $) {
    return { accounts => [map { shown($_) } $sim->accounts->all] };
}

sub account_put ($sim, $in) { return shown($sim->accounts->put_checked($in)) }

sub account_password ($sim, $in) {
    input_check($in, { %USER, password => 'text', password_b64 => 'text' });
    my $password = input_bytes($in, 'password') // die "password: missing\n";
    my $account = account_of($sim, $in);
    $account->set_password($password);
    return shown($account);
}

sub account_access ($sim, $in) {
    input_check($in, { %USER, access => 'bool', names => 'bool' });
    my $account = account_of($sim, $in);
    die "access: missing\n" unless defined $in->{access} || defined $in->{names};
    $account->set_access($in->{access}) if defined $in->{access};
    $account->set_names($in->{names})   if defined $in->{names};
    return shown($account);
}

# The truth, in the words the partner itself uses.  A line for each program: who
# reads it often need not parse what is as it was.
sub data ($sim, $in) {
    my $account = account_of($sim, $in);
    my $all     = $account->select_status('ALL', $sim->today);
    return programs_json($account->total, map { $account->text($_, 'programs') } @$all);
}

sub programs_json ($total, @text) {
    return sprintf qq({"total":%d,"programs":[\n%s\n]}), $total, join ",\n", @text;
}

sub journal ($sim, $in) {
    input_check($in, \%USER);
    my @text = account_of($sim, $in)->journal_take;
    return programs_json(scalar @text, @text);
}

sub counts ($sim, $in) {
    my $account = account_of($sim, $in);
    my $index   = $account->by_business;
    my %status;
    $status{ status_of($_->{element}, $sim->today) }++
        for @{ $account->select_status('ALL', $sim->today) };
    return {
        total      => $account->total,
        businesses => { map { $_ => scalar @{ $index->{$_} } } keys %$index },
        statuses   => \%status,
    };
}

my %EDIT = (
    %USER,
    op       => [qw(add remove restore change move reorder set)],
    n        => 'count',
    pick     => [qw(first last random)],
    ids      => 'list',
    field    => [Lockstep::Sim::Account::change_fields()],
    values   => 'object',
    unset    => 'list',
    status   => [qw(CURRENT PAST FUTURE PAUSED INACTIVE)],
    business => 'text',
    to       => 'text',
    programs => 'list',
);

sub edit ($sim, $in) {
    input_check($in, \%EDIT);
    my $account = account_of($sim, $in);
    my @ids = $account->edit($in->{op} // '', $in);
    return { op => $in->{op}, ids => \@ids, total => $account->total };
}

sub latency ($sim, $in) {
    my $latency = $sim->latency;
    input_check($in, { map { $_ => 'ms' } keys %$latency });
    $latency->{$_} = $in->{$_} + 0 for keys %$in;
    return $latency;
}

# Without a date the clock runs again.
sub today ($sim, $in) {
    input_check($in, { date => 'date' });
    $sim->fixed_today($in->{date});
    return { today => $sim->today };
}

sub business ($sim, $in) {
    return { business => $sim->businesses->find($in->{id} // die "id: missing\n") };
}

# {"id","name"} gives a name ("" means null), {"id","absent"} takes all away.
sub business_tell ($sim, $in) {
    input_check($in, { id => 'text', name => 'text', absent => 'bool' });
    my %what = map { $_ => $in->{$_} } grep { defined $in->{$_} } qw(name absent);
    $what{absent} = $what{absent} ? 1 : 0 if exists $what{absent};
    $what{name}   = undef if exists $what{name} && $what{name} eq '';
    $sim->businesses->tell($in->{id} // die("id: missing\n"), %what);
    return {};
}

sub limit ($sim, $in) {
    input_check($in, { %USER, rate => 'ms', burst => 'count', retry_after => 'count',
        path => [qw(programs info list names)] });
    my $user = account_of($sim, $in)->user;
    my $rate = $in->{rate} // die "rate: missing\n";
    $sim->limits->set($user, $in->{path}, $rate, $in->{burst} // $rate, $in->{retry_after});
    return {};
}

sub fault_remove ($sim, $in) {
    die "id: no such rule\n"
        unless $in->{id} =~ /\A\d+\z/a && $sim->faults->remove($in->{id});
    return {};
}

sub counters ($sim, $in) {
    my $report = $sim->counters->report;
    my $user   = input_bytes($in, 'user');
    return $report->{users}{$user} // Lockstep::Sim::Counters::fresh(0) if defined $user;
    my $users = $report->{users};
    $report->{users} = { map { bytes_shown($_) => $users->{$_} } keys %$users };
    return $report;
}

1;
