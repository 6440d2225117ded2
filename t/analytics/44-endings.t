#!/usr/bin/perl

# How a run ends that cannot go on, and what it leaves: old figures, a time of the try,
# nothing that is still to come, and one word for each kind of trouble.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX ();
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(60, conf => { 'analytics.retries' => 2, 'db.timeout' => '20s' });

sub rows   { my ($seller) = @_; return values %{ pages($seller) } }
sub told   { my ($seller) = @_; return map { my $e = JSON::PP::decode_json($_->{data}); join ' ', $e->{type} =~ s/^analytics\.//r, $e->{code} // () }
	@{ $s->sql(q(SELECT data FROM event WHERE account_id = ? ORDER BY seq), $seller->{id}) } }
sub fault  { my ($seller, $kind, $method, %how) = @_; $s->seller->fault(seller => $seller->{name}, method => $method, kind => $kind, %how); return }
sub shown  { my ($seller) = @_; return op(GET => "sellers/$seller->{id}")->{json} }
sub retry  { my ($job) = @_; my $answer = op(POST => "jobs/$job->{id}/retry", json => { failedOnly => \1 });
	$answer->{status} == 202 or die "retry: $answer->{status} $answer->{body}"; return ended($answer->{json}{id}) }

subtest 'the API gives no access: the products were tried, and their figures are the old ones' => sub {
	for my $kind (qw(401 403 404)) {
		my $one = seller_of(products => 5, jam => 'standard');
		sync_of($one);
		my ($before, $rows) = (pages($one), stored($one));
		fault($one, $kind, 'funnel');
		my $job = sync_of($one);
		$s->seller->heal;
		is $job->{state}, 'failed', "$kind: failed";
		is $job->{counts}{failed}, 5, '... all of them';
		my $after = pages($one);
		is stored($one), $rows, '... what is stored is the same, byte for byte';
		is_deeply [grep { $_->{syncStatus} ne 'error' || !$_->{syncError}{code} } values %$after], [], '... marked as an error';
		is_deeply [grep { $after->{$_}{lastSyncAt} ne $before->{$_}{lastSyncAt} } keys %$after], [], '... lastSyncAt stays';
		is_deeply [grep { $after->{$_}{lastAttemptAt} le $before->{$_}{lastAttemptAt} } keys %$after], [], '... lastAttemptAt moves';
		is shown($one)->{failedProducts}, 5, '... and the seller says how many';
	}
};

subtest 'it ends when the figures are there already: no text is still to come' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	fault($one, '401', 'texts', after_calls => 1);
	my $job = sync_of($one);
	$s->seller->heal;
	is $job->{state}, 'failed', 'failed';
	my %n;
	$n{"$_->{syncStatus} " . ($_->{syncError}{code} // '-')}++ for rows($one);
	is_deeply \%n, { 'success -' => 50, 'partial login_wrong' => 70 }, 'fifty are complete, the others say why not';
};

subtest 'it is cancelled when the figures are there: likewise, for as long as it takes' => sub {
	my $one = seller_of(products => 120, jam => 'standard');
	# The second call for texts is under way for as long as this takes.
	fault($one, 'delay', 'texts', ms => 10_000, after_calls => 1);
	my $id = ask($one);
	wait_until { grep { ($_->{syncError}{code} // '') eq 'texts_pending' } rows($one) } 30, 'figures without texts';
	is op(POST => "jobs/$id/pause")->{json}{state}, 'paused', 'while it is paused they are still to come';
	ok scalar(grep { ($_->{syncError}{code} // '') eq 'texts_pending' } rows($one)), '... as the products say';
	my $etag = $s->request(GET => "/api/analytics/products?sellerId=$one->{id}", login => $s->operator_login)->{headers}{etag};
	is op(POST => "jobs/$id/cancel")->{json}{state}, 'cancelled', 'cancelled';
	my %n;
	$n{$_->{syncError}{code} // '-'}++ for rows($one);
	is $n{texts_pending}, undef, 'no text is still to come';
	cmp_ok $n{texts_missed}, '>=', 70, '... and the products say so';
	isnt $s->request(GET => "/api/analytics/products?sellerId=$one->{id}", login => $s->operator_login)->{headers}{etag}, $etag, '... to those who have read them before';
	$s->seller->heal;
	is retry({ id => $id })->{state}, 'done', 'what is missing can be asked for';
	is_deeply [grep { $_->{syncStatus} ne 'success' } rows($one)], [], '... and comes';
};

subtest 'trouble is told once, and again when it is worse' => sub {
	my $one = seller_of(products => 3, jam => 'standard');
	my $gone = (sort { $a <=> $b } @{ $one->{ids} })[0];
	my $lost = sub { fault($one, 'missing', 'funnel', only => [$gone]) };
	my $empty = sub { fault($one, 'empty', 'funnel') };
	# What is told, and what the seller shows.
	my @step = (
		['a product without data',  $lost, 'trouble products_failed', 'products_failed'],
		['the same, another night', $lost, undef, 'products_failed'],
		['no texts',                sub { fault($one, '404', 'texts') }, undef, 'texts_refused'],
		['no data at all',          $empty, 'trouble all_failed', 'all_failed'],
		['a product without data',  $lost, undef, 'products_failed'],
		['no data at all, again',   $empty, undef, 'all_failed'],
		['the token is refused',    sub { fault($one, '401', 'funnel') }, 'trouble login_wrong', 'login_wrong'],
		['no access',               sub { fault($one, '403', 'funnel') }, undef, 'no_access'],
		['no texts of one product', sub { fault($one, '422', 'texts', nmIds => [$gone]) }, undef, 'texts_failed'],
		['all is well',             sub { }, 'recovered texts_failed', undef],
		['and stays so',            sub { }, undef, undef],
		['a product without data',  $lost, 'trouble products_failed', 'products_failed'],
	);
	for (@step) {
		my ($name, $break, $want, $shown) = @$_;
		# A token that was refused is no longer tried; this one is taken again.
		$s->sql(q(UPDATE account SET state = 'active' WHERE id = ?), $one->{id});
		my $before = () = told($one);
		$break->();
		$s->log_mark;
		sync_of($one);
		$s->seller->heal;
		my @told = told($one);
		is_deeply [grep { !/^synced/ } @told[$before .. $#told]], [$want // ()], $name;
		is scalar($s->log(qr/analytics: (?:in|out of) trouble/, defined $want)), defined $want ? 1 : 0, '... in the log likewise';
		is +(shown($one)->{trouble} // {})->{code}, $shown, '... and the seller shows it';
	}
};

subtest 'only what has failed, while the API still gives no access: no all-clear' => sub {
	my $one = seller_of(products => 5, jam => 'standard');
	sync_of($one);
	fault($one, '403', 'funnel');
	my $job = sync_of($one);
	my @told = told($one);
	my $again = retry($job);
	is $again->{state}, 'failed', 'failed again';
	cmp_ok $again->{calls}{made}, '>=', 1, '... by the API\'s own word';
	is_deeply [told($one)], \@told, '... nothing is told as synced or recovered';
	is shown($one)->{trouble}{code}, 'no_access', '... the trouble stays';
	$s->seller->heal;
	$again = retry($again);
	is $again->{state}, 'done', 'with access it is done';
	is $again->{progress}{total}, 5, '... all five';
	is_deeply [grep { $_->{syncStatus} ne 'success' } rows($one)], [], '... every product';
	is shown($one)->{trouble}, undef, '... and the trouble is over';
};

subtest 'only what has failed of a run whose token was refused' => sub {
	my $one = seller_of(products => 5, jam => 'standard');
	fault($one, '401', 'funnel');
	my $job = sync_of($one);
	$s->seller->heal;
	my @told = told($one);
	my $answer = op(POST => "jobs/$job->{id}/retry", json => { failedOnly => \1 });
	is_deeply [$answer->{status}, $answer->{json}{code}], [409, 'conflict'], 'not as long as there is no other token';
	like $answer->{json}{detail}, qr/refused/, '... as it says';
	is $s->sql_value('SELECT count(*) FROM job WHERE account_id = ?', $one->{id}), 1, '... no job was made';
	is_deeply [told($one)], \@told, '... and nothing is told';
	is shown($one)->{trouble}{code}, 'login_wrong', '... the trouble stays';
	is op(POST => "sellers/$one->{id}/token", json => { token => $one->{token} })->{status}, 200, 'with a good token';
	is retry($job)->{state}, 'done', '... it is done';
};

subtest 'a token that is replaced while the API refuses it is no trouble' => sub {
	my $one = seller_of(products => 5, jam => 'standard');
	fault($one, '401', 'funnel', times => 1);
	$s->seller->hold(seller => $one->{name}, method => 'funnel', times => 1);
	my $id = ask($one);
	ok wait_until(sub { ($s->seller->counts($one->{name})->{methods}{funnel}{calls} // 0) == 2 }, 20, 'the first call'), 'it is under way, after the try';
	is op(POST => "sellers/$one->{id}/token", json => { token => $s->seller->token($one->{name}, categories => ['analytics'], days => 90) })->{status}, 200, 'another token';
	$s->seller->heal;
	is ended($id)->{state}, 'done', 'the run is done, with the new one';
	is shown($one)->{tokenState}, 'active', '... which is in use';
	is_deeply [grep { /trouble/ } told($one)], [], '... and nobody is told of any trouble';
};

subtest 'only what has failed, where nothing has' => sub {
	my $one = seller_of(products => 5, jam => 'none');
	my $job = sync_of($one);
	is $job->{state}, 'partial', 'partial: no Jam is no failure';
	my @told = told($one);
	my $again = retry($job);
	is $again->{state}, 'done', 'done';
	is +(events_of($again->{id}))[-1]{status}, 'up_to_date', '... there was nothing to do';
	is $again->{calls}{made}, 0, '... without a call';
	is_deeply [told($one)], \@told, '... and nothing is told as synced';
};

subtest 'only what has failed of a run that was cancelled: what it did not come to as well' => sub {
	my $one = seller_of(products => 180, jam => 'standard');
	sync_of($one);
	for my $calls (0, 2) {
		my @worker = $s->pids('jobs');
		$calls or CORE::kill('STOP', @worker);
		my $before = $s->seller->counts($one->{name})->{calls};
		# The second call for texts is held: until then the run is not over.
		$s->seller->hold(seller => $one->{name}, method => 'texts', after_calls => 1, times => 1) if $calls;
		my $id = ask($one);
		$calls and wait_until { (job_of($id)->{calls}{made} // 0) >= $calls } 30, "$calls calls";
		my $job = op(POST => "jobs/$id/cancel")->{json};
		$s->seller->heal;
		is $job->{state}, 'cancelled', "cancelled after $calls calls";
		my $done = $job->{progress}{done};
		CORE::kill('CONT', @worker);
		# A call is counted before it is made: it may still come.
		wait_until { $s->seller->counts($one->{name})->{calls} >= $before + $job->{calls}{made} } 20, 'the calls of the run that was cancelled' if $calls;
		$s->seller->forget;
		$s->seller->call(DELETE => '/_sim/journal');
		my $again = retry({ id => $id });
		is $again->{state}, 'done', '... done' or diag explain $again;
		is_deeply [grep { $_->{syncStatus} ne 'success' } rows($one)], [], '... every product is complete';
		my %asked;
		$asked{$_->{method}} += @{ $_->{request}{nmIds} } for @{ $s->seller->journal(seller => $one->{name}, bodies => 0) };
		cmp_ok $asked{texts}, '==', 180 - $done, '... and only what there was to do was asked for' if $calls;
		is $again->{progress}{total}, 180 - ($calls ? $done : 0), '... so many';
	}
};

# Who locks the seller before its account could meet a run that ends just then.
subtest 'an account is locked before its seller' => sub {
	my $one = seller_of(products => 3, jam => 'standard');
	for ([token => { token => $one->{token} }], [products => { all => \1 }]) {
		my ($path, $body) = @$_;
		$s->db->begin_work;
		$s->sql('SELECT FROM account WHERE id = ? FOR NO KEY UPDATE', $one->{id});
		my $pid = open(my $child, '-|') // die "fork: $!";
		if (!$pid) {
			print op(POST => "sellers/$one->{id}/$path", json => $body)->{status};
			STDOUT->flush;
			POSIX::_exit(0);
		}
		wait_until { $s->sql_value('SELECT count(*) FROM pg_locks WHERE NOT granted') } 20, 'it waits';
		ok eval { $s->sql('SELECT FROM seller WHERE account_id = ? FOR NO KEY UPDATE NOWAIT', $one->{id}); 1 }, "$path: the seller is not locked while the account is waited for" or diag $@;
		$s->db->commit;
		is <$child>, 200, '... and it is done';
		close $child;
	}
};

$s->stop;
done_testing;
