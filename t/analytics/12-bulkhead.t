#!/usr/bin/perl

# Trying a token holds a live worker for as long as the API likes: never more than half
# of them, nor more than half of those for one operator; and how often the API is asked
# about tokens that are none is bounded.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Analytics;
use Lockstep::Stack;
use MIME::Base64 ();
use POSIX qw(WNOHANG);
use Test::More;

my $s = analytics(60, partner => { shop => 40 }, conf => { 'live.workers' => 8, 'api.workers' => 2, 'live.deadline' => '25s', 'analytics.timeout' => '24s',
	'analytics.funnel_interval' => '60s' });

my %child;	# those under way: pid => where the answer comes

# Adds a seller in another process, of the other operator's with other => 1.
sub add_beside {
	my (%how) = @_;
	my ($name, $token) = shop(jam => 'standard');
	pipe my $in, my $out or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		my $answer = op(POST => 'sellers', json => { name => $name, token => $token }, %how);
		print $out JSON::PP::encode_json($answer);
		close $out;
		POSIX::_exit(0);
	}
	$child{$pid} = $in;
	return $pid;
}

sub answer_of {
	my ($pid) = @_;
	my $in = delete $child{$pid};
	my $answer = JSON::PP::decode_json(do { local $/; <$in> });
	waitpid $pid, 0;
	return $answer;
}

END { local $?; kill 'KILL', $_ for keys %child }

sub calls { return $s->seller->counters->{calls} }

subtest 'a hanging API leaves workers to those who sign in at the partner' => sub {
	$s->seller->forget;
	# All that follows is within the deadline.
	$s->seller->hold(method => 'funnel');
	my @held;
	for my $other (0, 0, 1, 1) {
		push @held, add_beside(other => $other);
		my $n = @held;
		ok wait_until(sub { calls() == $n }, 20, "call $n"), "$n under way" or return;
		next if $n != 2;
		my $third = answer_of(add_beside());
		is "$third->{status} $third->{json}{code}", '503 busy', 'one operator has half of the places';
		is $third->{headers}{'retry-after'}, 1, '... and may come back';
	}
	for my $other (0, 1) {
		my $more = answer_of(add_beside(other => $other));
		is "$more->{status} $more->{json}{code}", '503 busy', 'all of them have half of the workers';
	}
	is calls(), 4, 'who has no place asks nothing';
	is $s->get('/api/jobs', as => 'shop')->{status}, 200, 'a first login at the partner meanwhile';
	is_deeply [grep { waitpid $_, WNOHANG } @held], [], '... while all of them still wait';
	$s->seller->heal;
	is answer_of($_)->{status}, 201, 'who had a place has a seller' for @held;
	is answer_of(add_beside())->{status}, 201, 'and the places are free again';
};

# The answer's status, its code, and the field at fault.
sub told { my ($answer) = @_; return join ' ', $answer->{status}, map { $_ // '-' } @{ $answer->{json} }{qw(code field)} }

sub key_of { my ($id) = @_; return unpack 'H*', $s->sql_value('SELECT limit_key FROM seller WHERE account_id = ?', $id) }
sub rest   { $s->sql("DELETE FROM $_") for qw(rate_bucket login_refusal); return }

subtest 'a token that says nothing counts once, wherever it is pasted' => sub {
	rest();
	my ($shop) = shop(jam => 'standard');
	$s->seller->limits($shop, method => $_, interval => 0) for qw(funnel history);	# ours are what counts here
	my @opaque = map { $s->seller->token($shop, opaque => 1) } 1 .. 3;
	my $one = op(POST => 'sellers', json => { name => 'opaque', token => $opaque[0] });
	is "$one->{status} $one->{json}{tokenKind} $one->{json}{tokenState}", '201 unknown active', 'it is simply tried';
	my $same = op(POST => 'sellers', json => { name => 'opaque', token => $opaque[0] }, other => 1);
	is told($same), '503 partner_limited -', 'the same of another operator has no call left';
	cmp_ok $same->{headers}{'retry-after'}, '>', 30, '... for as long as one takes';
	is $s->seller->counts($shop)->{calls}, 1, 'the API was asked once';
	rest();
	$same = op(POST => 'sellers', json => { name => 'opaque', token => $opaque[0] }, other => 1);
	is $same->{status}, 201, 'it may have it, when it is time';
	is key_of($same->{json}{id}), key_of($one->{json}{id}), '... and both count as one';

	my $path = "sellers/$one->{json}{id}/token";
	is told(op(POST => $path, json => { token => $opaque[1] })), '503 partner_limited -', 'another one takes from the old one\'s budget';
	rest();
	is op(POST => $path, json => { token => $opaque[1] })->{status}, 200, '... when it is time';
	isnt key_of($one->{json}{id}), key_of($same->{json}{id}), 'now it is by itself';
	my ($strange, $token) = shop(jam => 'standard');
	rest();
	is op(POST => $path, json => { token => $s->seller->token($shop) })->{status}, 200, 'one that says whose it is';
	my $key = key_of($one->{json}{id});
	rest();
	is op(POST => $path, json => { token => $opaque[2] })->{status}, 200, 'one that says nothing again';
	is key_of($one->{json}{id}), $key, '... is that seller\'s all the same';
	rest();
	is told(op(POST => $path, json => { token => $token })), '422 token_other_seller token', '... whom no token makes another one';
};

subtest 'guesses are bounded, whatever they say of themselves' => sub {
	rest();
	$s->seller->forget;
	my $refused = sub { $s->seller->counters->{refused} };
	my $try = sub { my ($token, @how) = @_; return op(POST => 'sellers', json => { name => 'guess', token => $token }, @how) };
	my @guess = map { $_ % 2 ? "guess$_" : join '.', 'e30', MIME::Base64::encode_base64url(qq({"oid":$_,"acc":3})), 'x' } 1 .. 6;
	is told($try->($guess[$_])), '422 token_refused token', "guess $_" for 0 .. 3;
	is told($try->($guess[$_])), '422 token_just_refused token', '... again' for 0 .. 3;
	is $refused->(), 4, 'the API is not asked twice about the same';
	is told($try->($guess[4])), '422 token_refused token', 'the fifth';
	my $more = $try->($guess[5]);
	is told($more) . " $more->{headers}{'retry-after'}", '429 too_many_refusals - 60', 'no more for a minute';
	is $refused->(), 5, '... the API is not asked';
	my ($name, $good) = shop(jam => 'standard');
	is told($try->($good)), '429 too_many_refusals -', '... about a good one neither';
	is $try->($good, other => 1)->{status}, 201, 'another operator may go on';
	is $s->get('/api/jobs', login => ['p1', 'pw'])->{status}, 200, 'so may a partner at the same address';
};

$s->stop;
done_testing;
