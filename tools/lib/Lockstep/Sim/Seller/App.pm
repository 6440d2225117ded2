package Lockstep::Sim::Seller::App;

# The simulated seller API: takes a call from arrival to reply.  The token comes
# first, then the limits, then what was asked for, then the misbehaviour that a test
# has asked for.

use Mojo::Base 'Mojolicious', -signatures;

use Digest::SHA qw(sha1_hex);
use Mojo::IOLoop;
use Mojo::IOLoop::Subprocess;
use Socket qw(IPPROTO_TCP TCP_INFO);
use Storable qw(freeze thaw);
use Lockstep::Sim::Control;
use Lockstep::Sim::Faults;
use Lockstep::Sim::Seller::Clock qw(moscow_day);
use Lockstep::Sim::Seller::Control;
use Lockstep::Sim::Seller::Counters;
use Lockstep::Sim::Seller::Errors qw(gateway_error service_error);
use Lockstep::Sim::Seller::Faults;
use Lockstep::Sim::Seller::Journal;
use Lockstep::Sim::Seller::Limits;
use Lockstep::Sim::Seller::Reads;
use Lockstep::Sim::Seller::Shop;
use Lockstep::Sim::Seller::Token qw(token_make token_read);
use Lockstep::Sim::Wire;

use constant { TOKEN_DAYS => 180, DAY => 86_400, FIRST_OID => 4100 };

# Rows that are made on the side, so that nobody else's call waits for them.
use constant { MANY_ROWS => 20, ASIDE => 2 };

# Where struct tcp_info has tcpi_last_data_recv, in milliseconds; linux/tcp.h.
use constant LAST_DATA => 52;

has seed          => 1;
has start_at      => undef;
has factor        => 1;
has latency_ms    => 0;
has journal_bytes => 256 * 1024 * 1024;
has header        => 'raw';
has help          => 'see tools/seller-sim --help';
has [qw(clock counters faults journal limits latency shops texts_max_days)];

# Name, products, Jam.
my @USUAL = (
    ['demo', 438, 'standard'], ['big', 1000, 'advanced'], ['small', 3, 'standard'],
    ['nojam', 25, 'none'], ['empty', 0, 'standard'],
);

sub startup ($self) {
    $self->mode('production')->secrets(['no cookies here']);
    $self->log->level('error');
    $self->renderer->compress(0);
    $self->max_request_size(16 * 1024 * 1024);
    $self->counters(Lockstep::Sim::Seller::Counters->new);
    $self->{as_started} = [$self->factor, $self->header];
    $self->fresh;
    Lockstep::Sim::Control::routes($self, Lockstep::Sim::Seller::Control::routes());
    return;
}

# Everything as at the start, the clock too: what one test does is not left to the next.
sub fresh ($self) {
    srand $self->seed;
    my ($factor, $header) = @{ $self->{as_started} };
    $self->header($header)->texts_max_days(undef);
    $self->clock(Lockstep::Sim::Seller::Clock->new($self->start_at // time, $factor));
    $self->shops({});
    $self->{next_oid} = FIRST_OID;
    $self->shop_put(name => $_->[0], products => $_->[1], jam => $_->[2]) for @USUAL;
    $self->faults(Lockstep::Sim::Seller::Faults->new);
    $self->limits(Lockstep::Sim::Seller::Limits->new);
    $self->journal(Lockstep::Sim::Seller::Journal->new($self->journal_bytes));
    $self->latency({ base_ms => $self->latency_ms, jitter_ms => 0 });
    $self->counters->reset;
    @$self{qw(revoked opaque last_token)} = ({}, {}, 0);
    return;
}

# A new seller in the place of one of that name, if there is one.
sub shop_put ($self, %what) {
    my $old = $self->shops->{ $what{name} };
    return $self->shops->{ $what{name} } = Lockstep::Sim::Seller::Shop->new(
        $self->seed,
        name     => $what{name},
        oid      => $old ? $old->oid : $self->{next_oid}++,
        jam      => $what{jam} // 'standard',
        currency => $what{currency} // 'RUB',
        products_wanted => $what{products} // 10,
    );
}

# A seller's token; n tells two alike apart, 0 is the one that everybody gets.
sub token ($self, $shop, %what) {
    return token_make($self->seed, oid => $shop->oid, type => $what{type} // 'personal',
        categories => $what{categories} // [qw(analytics statistics)], n => $what{n} // 0,
        exp => $self->clock->now + ($what{days} // TOKEN_DAYS) * DAY);
}

# The same under a name that says nothing, as long as the simulator runs.
sub opaque ($self, $token) {
    my $name = sha1_hex("opaque $token");
    $self->{opaque}{$name} = $token;
    return $name;
}

sub next_token ($self) { return ++$self->{last_token} }

# From now on this token is answered $status.
sub revoke ($self, $token, $status) { $self->{revoked}{$token} = $status; return }

sub handler ($self, $tx) {
    return $self->SUPER::handler($tx) if $tx->req->url->path->to_string =~ m{\A/_sim(?:/|\z)};

    my $call = Lockstep::Sim::Seller::Reads::call_parse($tx->req);
    $call->{at} = $self->clock->then(_unread_for($tx));
    my ($refused, $fate) = $self->_admit($tx, $call);
    my $ms = $self->latency->{base_ms} + rand $self->latency->{jitter_ms};
    $tx->on(finish => sub { $call->{gone} = 1; $self->counters->end($call) if $call->{counted} });
    $self->faults->wait_then($fate, $ms, sub { $self->_answer($tx, $call, $refused, $fate) });
    return;
}

# Seconds for which the end of a call has been there.  It has come when the kernel had
# it: at a factor of 20, a tenth of a second in which nobody read is two.
sub _unread_for ($tx) {
    my $info = getsockopt Mojo::IOLoop->stream($tx->connection)->handle, IPPROTO_TCP, TCP_INFO;
    return 0 unless defined $info && length $info >= LAST_DATA + 4;
    return unpack('L', substr $info, LAST_DATA, 4) / 1000;
}

# The refusal, or undef and what becomes of the call.
sub _admit ($self, $tx, $call) {
    my $known = $call->{path} !~ /\A(?:retired|other)\z/;
    my $bad   = $known ? $self->_login($call) : $self->_nowhere($call);
    $call->{entry} = $self->journal->begin($call);
    if ($bad) {
        $self->counters->refused if $known;
        return $bad;
    }
    $self->counters->begin($call);
    $call->{counted} = 1;

    my $turn = $self->limits->take(@$call{qw(seller path type at)});
    if ($turn->{early}) { $self->counters->early($call); $call->{entry}{early} = \1 }
    return $self->_too_many($call, $turn) unless $turn->{ok};

    my $refused = $self->_check($call);
    if ($refused) {
        $self->limits->charge_4xx(@$call{qw(seller path)});
        return $refused;
    }
    return (undef, $self->faults->meet($call));
}

sub _nowhere ($self, $call) {
    return gateway_error(404, 'path not found', $call->{path} eq 'retired'
        ? 'the method is switched off, use POST /api/analytics/v3/sales-funnel/products'
        : 'Please consult the documentation', $call->{at});
}

# A 401 or 403, or undef with seller, shop and type in the call.
sub _login ($self, $call) {
    my $no   = sub ($detail) { gateway_error(401, 'unauthorized', $detail, $call->{at}) };
    my $text = $call->{authorization} // '';
    return $no->('empty Authorization header') unless length $text;
    my $scheme = $text =~ s/\ABearer //i ? 'bearer' : 'raw';
    return $no->('token problem; token is malformed: unexpected scheme')
        unless $self->header eq 'both' || $self->header eq $scheme;

    my $claim = token_read($self->seed, $self->{opaque}{$text} // $text);
    return $no->("token problem; $claim") unless ref $claim;
    return $no->('token problem; token is expired') if $claim->{exp} <= $call->{at};
    my ($shop) = grep { $_->oid == $claim->{oid} } values %{ $self->shops };
    return $no->('token problem; unknown seller') unless $shop;
    if (my $status = $self->{revoked}{$text}) {
        return $status == 401 ? $no->('token withdrawn') : service_error($status, 'user is deleted');
    }
    my $category = $call->{category};
    return $no->('token scope not allowed') if $category && !$claim->{categories}{$category};
    @$call{qw(seller shop type)} = ($shop->name, $shop, $claim->{type});
    return undef;
}

sub _too_many ($self, $call, $turn) {
    my $reply = gateway_error(429, 'too many requests',
        'limited by global limiter, per seller and method', $call->{at});
    $reply->{headers} = {
        'X-Ratelimit-Retry' => $turn->{retry}, 'X-Ratelimit-Reset' => $turn->{reset},
        'X-Ratelimit-Limit' => $turn->{limit},
    };
    return $reply;
}

# No Jam, or a call that asks for what there is not: the refusal, or undef.
sub _check ($self, $call) {
    my $shop = $call->{shop};
    if ($call->{path} eq 'texts' && $shop->jam eq 'none') {
        return service_error($shop->jam_refusal, 'the Jam subscription is required',
            $shop->jam_refusal == 403 ? 'access denied' : 'bad request');
    }
    $call->{in} = eval {
        Lockstep::Sim::Seller::Reads::check($call, $shop, today => moscow_day($call->{at}),
            texts_max_days => $self->texts_max_days);
    };
    if (!$call->{in}) {
        my $detail = $@ =~ s/\n\z//r;
        die $detail if $detail =~ / at \S+ line \d+/;
        return service_error(400, $detail);
    }
    my @ids  = @{ $call->{in}{ids} // [] };
    my %asks = map { $_ => 1 } @ids;
    $call->{asks} = sub ($id) { @ids ? $asks{$id} : $shop->find($id) };
    $call->{page} = join ' ', $call->{path}, sort @ids;
    return undef;
}

sub _answer ($self, $tx, $call, $refused, $fate) {
    my $then = sub ($reply) { $self->_send($tx, $call, $reply, $fate) };
    return $then->($refused) if $refused || $call->{gone};
    return $then->($self->_reply($call, $fate)) if $fate->{answer} || !_is_long($call);
    push @{ $self->{waiting} }, [sub { $self->_reply($call, $fate) }, $then];
    $self->_aside;
    return;
}

sub _is_long ($call) {
    return 1 if $call->{path} eq 'sales';
    my $n = @{ $call->{in}{ids} // [] };
    return $call->{path} ne 'ping' && ($n || $call->{shop}->total) > MANY_ROWS;
}

# A process of its own makes the reply, a few at a time.
sub _aside ($self) {
    while (($self->{aside} // 0) < ASIDE && @{ $self->{waiting} // [] }) {
        my ($make, $then) = @{ shift @{ $self->{waiting} } };
        $self->{aside}++;
        my $process = Mojo::IOLoop::Subprocess->new(serialize => \&freeze, deserialize => \&thaw);
        $process->run(sub ($) { return $make->() }, sub ($, $failed, @reply) {
            $self->{aside}--;
            print STDERR "seller-sim: $failed\n" if $failed;
            $then->($failed ? service_error(500, "the simulator failed: $failed") : $reply[0]);
            $self->_aside;
        });
    }
    return;
}

sub _send ($self, $tx, $call, $reply, $fate) {
    if ($call->{gone}) {
        $call->{entry}{status} = 'gone';
        $self->counters->answered($call, 'gone') if $call->{counted};
        return;
    }
    $self->_remaining($call, $reply);
    $self->counters->answered($call, $reply->{status}) if $call->{counted};
    $self->journal->sent($call->{entry}, $reply);
    Lockstep::Sim::Wire::send_reply($tx, $reply);
    $self->_after($call, $fate) if $fate;
    return;
}

# On every status but 429.
sub _remaining ($self, $call, $reply) {
    return unless $call->{counted} && ($reply->{status} // '') =~ /\A\d+\z/ && $reply->{status} != 429;
    $reply->{headers}{'X-Ratelimit-Remaining'}
        = $self->limits->remaining(@$call{qw(seller path type)}, $self->clock->now);
    return;
}

sub _reply ($self, $call, $fate) {
    my $rule  = $fate->{answer};
    my $reply = $rule
        ? Lockstep::Sim::Seller::Faults::answer($rule, $self->clock->now)
        : Lockstep::Sim::Seller::Reads::reply($call, $call->{shop}, $fate->{twist}, $self->clock->now);
    $self->limits->told(@$call{qw(seller path)}, $reply->{headers}{'X-Ratelimit-Retry'}, $call->{at})
        if $rule && $rule->{kind} eq '429';
    return $reply unless defined $reply->{body};

    Lockstep::Sim::Faults::retouch($_, $reply) for @{ $fate->{text} };
    for my $wire (grep { $_->{kind} ne 'delay' } @{ $fate->{wire} }) {
        @$reply{qw(how part)} = @$wire{qw(kind bytes)};
        $reply->{step}     = $wire->{bytes} || 1;
        $reply->{interval} = ($wire->{interval_ms} // 100) / 1000;
    }
    return $reply;
}

sub _after ($self, $call, $fate) {
    for my $rule (@{ $fate->{after} }) {
        my $n = $rule->{n} // 1;
        if    ($rule->{kind} eq 'restate') { $call->{shop}->restate($n, undef) }
        elsif ($rule->{kind} eq 'remove')  { $call->{shop}->remove($n, undef) }
        else                               { $call->{shop}->add($n) }
    }
    return;
}

1;
