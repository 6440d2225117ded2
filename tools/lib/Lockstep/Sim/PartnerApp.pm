package Lockstep::Sim::PartnerApp;

# The simulated partner: takes a call from arrival to reply.  Partner calls go
# past Mojolicious' routing, which would cost more than the read itself; only the
# control API uses it.

use Mojo::Base 'Mojolicious', -signatures;

use Mojo::IOLoop;
use Time::HiRes ();
use Lockstep::Sim::Accounts;
use Lockstep::Sim::Businesses;
use Lockstep::Sim::Control;
use Lockstep::Sim::Counters;
use Lockstep::Sim::Errors qw(error_reply);
use Lockstep::Sim::Faults;
use Lockstep::Sim::Limits;
use Lockstep::Sim::Reads;
use Lockstep::Sim::Status qw(pacific_today);
use Lockstep::Sim::Wire;

has seed         => 1;
has base_ms      => 0;
has account_list => sub { [] };
has help         => 'see tools/partner-sim --help';
has [qw(accounts businesses counters faults fixed_today latency limits)];

sub startup ($self) {
    $self->mode('production')->secrets(['no cookies here']);
    $self->log->level('error');
    $self->renderer->compress(0);
    $self->max_request_size(256 * 1024 * 1024);
    $self->counters(Lockstep::Sim::Counters->new);
    $self->fresh;
    Lockstep::Sim::Control::routes($self);
    return;
}

# Everything as at the start: what one test does is not left to the next.
sub fresh ($self) {
    srand $self->seed;
    $self->accounts(Lockstep::Sim::Accounts->new($self->seed));
    $self->accounts->put_checked($_) for @{ $self->account_list };
    $self->businesses(Lockstep::Sim::Businesses->new($self->accounts));
    $self->faults(Lockstep::Sim::Faults->new);
    $self->limits(Lockstep::Sim::Limits->new);
    $self->latency({
        base_ms => $self->base_ms, per_parallel_ms => 0, per_connection_ms => 0, jitter_ms => 0,
    });
    $self->fixed_today(undef);
    $self->counters->reset;
    $self->{recent} = {};
    return;
}

sub today ($self) { return $self->fixed_today // pacific_today() }

sub handler ($self, $tx) {
    return $self->SUPER::handler($tx) if $tx->req->url->path->to_string =~ m{\A/_sim(?:/|\z)};

    my $call = Lockstep::Sim::Reads::call_parse($tx->req);
    $self->_count($tx, $call);
    my ($refused, $account) = $self->_admit($call);
    my $fate = $refused ? undef : $self->faults->meet($call);

    # Made after the wait, so that replies show the data in the order they leave.
    my $answer = sub { $self->_answer($tx, $call, $account, $refused, $fate) };
    $self->faults->wait_then($fate, $self->_latency_ms($tx), $answer);
    return;
}

sub _count ($self, $tx, $call) {
    my ($counters, $id) = ($self->counters, $tx->connection);
    $counters->begin($call);
    $tx->on(finish => sub { $call->{gone} = 1; $counters->end($call) });
    return unless $counters->connection_seen($id);
    Mojo::IOLoop->stream($id)->on(close => sub {
        $counters->connection_closed($id);
        delete $self->{recent}{$id};
    });
    return;
}

# The refusal, if any, and the account.  Faults meet only calls with a good login,
# so that no rule can hide a wrong password.
sub _admit ($self, $call) {
    my $account = $self->accounts->login(@$call{qw(user password)});
    return (error_reply(401, headers => { 'WWW-Authenticate' => 'Basic realm="partner"' }), undef)
        unless $account;
    return (error_reply(403), $account)
        unless $call->{path} eq 'names' ? $account->has_names : $account->has_access;
    return ($self->limits->refusal($call), $account);
}

# The partner slows down with the calls in flight, and again for those that share a
# connection.
sub _latency_ms ($self, $tx) {
    my $l  = $self->latency;
    my $ms = $l->{base_ms} + $l->{per_parallel_ms} * ($self->counters->in_flight - 1);
    $ms += $l->{per_connection_ms} * $self->_shared($tx->connection) if $l->{per_connection_ms};
    return $ms + rand $l->{jitter_ms};
}

# HTTP/1.1 cannot have two calls on one connection at a time, so those of the last
# second stand for them.
sub _shared ($self, $id) {
    my $now    = Time::HiRes::time();
    my $recent = $self->{recent}{$id} //= [];
    @$recent = grep { $_ > $now - 1 } @$recent;
    push @$recent, $now;
    return @$recent - 1;
}

sub _answer ($self, $tx, $call, $account, $refused, $fate) {
    return $self->counters->answered($call, 'gone') if $call->{gone};

    my $reply = $refused // $self->_reply($call, $account, $fate);
    $self->counters->answered($call, $reply->{status});
    Lockstep::Sim::Wire::send_reply($tx, $reply);
    return if $refused;

    # New ones come to the front and push the others on; changes are anywhere.
    for my $rule (@{ $fate->{after} }) {
        my $op = $rule->{kind} =~ s/\Adrift_//r;
        $account->edit($op, { n => $rule->{n} // 1,
            pick => $op =~ /\A(?:add|remove)\z/ ? 'first' : 'random' });
    }
    return;
}

sub _reply ($self, $call, $account, $fate) {
    my $reply
        = $fate->{answer}
        ? Lockstep::Sim::Faults::answer($fate->{answer})
        : Lockstep::Sim::Reads::reply($call, $account, $fate->{twist}, $self->today,
            $self->businesses);
    return $reply unless defined $reply->{body};

    Lockstep::Sim::Faults::retouch($_, $reply) for @{ $fate->{text} };
    for my $rule (@{ $fate->{wire} }) {
        next if $rule->{kind} eq 'delay';
        $reply->{how}      = $rule->{kind};
        $reply->{part}     = $rule->{bytes};
        $reply->{step}     = $rule->{bytes} || 1;
        $reply->{interval} = ($rule->{interval_ms} // 100) / 1000;
    }
    return $reply;
}

1;
