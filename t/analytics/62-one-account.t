#!/usr/bin/perl

# The API's limits are of a seller's account, whoever has a token of it: two operators'
# sellers of one account, run at once by two masters, and tokens tried beside them, are
# one budget.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(20, conf => { 'jobs.workers' => 2 });

# Sellers of both operators, of one account at the API.
my ($shop, $token) = shop(products => 150, jam => 'standard');
my @ids    = products_of($shop);
my @seller = map {
	my $other = $_;
	$s->sql('DELETE FROM rate_bucket');
	my $made = op(POST => 'sellers', json => { name => 'shop', token => $token }, other => $other);
	op(POST => "sellers/$made->{json}{id}/products", json => { nmIds => \@ids }, other => $other);
	{ id => $made->{json}{id}, name => $shop, token => $token, ids => \@ids, other => $other };
} 0, 1;

# Nothing was ever asked, here or there.
sub fresh {
	$s->sql('DELETE FROM rate_bucket');
	$s->seller->limits($shop, method => $_, interval => 20, burst => 3) for qw(funnel texts);
	$s->seller->forget;
	return;
}

sub statuses { my ($method) = @_; return $s->seller->counts($shop)->{methods}{$method}{statuses} }

# Lines of runs that each master has written.
sub lines {
	return map { scalar(grep { /"analytics: (?:start|batch|done)/ } split /\n/, Lockstep::Stack::slurp($_)) } $s->{LOG}, "$s->{DIR}/second.log";
}

my $master = $s->second_master;
END { local $?; kill 'KILL', $master if $master }
ok wait_until(sub { -S "$s->{DIR}/second/api.sock" }, 20, 'the second master'), 'a second master';

subtest 'two sellers of one account, two masters' => sub {
	is $s->sql_value('SELECT count(DISTINCT limit_key) FROM seller'), 1, 'they count as one';
	fresh();
	my @task = map { ask($_) } @seller;
	my @job  = map { ended($_, 90) } @task;
	is_deeply [map { "$_->{state} $_->{calls}{made}" } @job], [('done 4') x 2], 'both are done, four calls each';
	my $count = $s->seller->counts($shop);
	is_deeply { map { ($_ => $count->{methods}{$_}{statuses}) } keys %{ $count->{methods} } }, { funnel => { 200 => 2 }, texts => { 200 => 6 } }, 'no call was refused';
	for my $method (qw(funnel texts)) {
		cmp_ok $count->{methods}{$method}{smallest_gap}, '>=', 20, "$method: 20 s between any two calls";
		cmp_ok $count->{methods}{$method}{peak_60s}, '<=', 3, '... and three a minute';
	}
	is $count->{early}, 0, 'none came early';
};

subtest 'tokens tried beside a run' => sub {
	my $fresh = $s->seller->token($shop, type => 'service', categories => ['analytics'], days => 100);
	fresh();
	my @task = map { ask($_) } @seller;
	wait_until { ($s->seller->counts($shop)->{methods}{texts}{calls} // 0) >= 1 } 20, 'a run under way';
	my %answer;
	for (1 .. 12) {
		my $answer = op(POST => "sellers/$seller[$_ % 2]{id}/token", json => { token => $_ % 3 ? $fresh : $token }, other => $_ % 2);
		$answer{ $answer->{status} }++;
	}
	ok $answer{200}, 'there is a call for people who wait';
	ok $answer{503}, '... until there is none';
	is_deeply [sort keys %answer], [200, 503], '... and that is all that is said';
	is_deeply [map { $_->{state} } map { ended($_, 90) } @task], ['done', 'done'], 'the runs are done';
	is_deeply [keys %{ statuses('funnel') }], [200], 'no call was refused';
	is statuses('funnel')->{200}, 2 + $answer{200}, '... each was one that was given';
	is_deeply statuses('texts'), { 200 => 6 }, 'nor one for texts';
	is $s->seller->counts($shop)->{early}, 0, 'none came early';
};

subtest 'what the API has told a run to wait holds for who adds the seller as well' => sub {
	fresh();
	$s->seller->fault(seller => $shop, method => 'funnel', kind => '429', retry => 8, reset => 12, times => 1);
	my $task = ask($seller[0]);
	wait_until { (job_of($task)->{waiting_reason} // '') eq 'api_limited' } 20, 'a limit';
	$s->seller->heal;
	# Another operator has no seller of this account yet.
	my %how = (json => { name => 'later', token => $s->seller->token($shop, type => 'service', categories => ['analytics'], days => 90) }, other => 1);
	my $refused = op(POST => 'sellers', %how);
	is_deeply [$refused->{status}, $refused->{json}{code}], [503, 'partner_limited'], 'not now';
	cmp_ok $refused->{headers}{'retry-after'}, '>=', 1, '... and when';
	is ended($task, 60)->{state}, 'done', 'the run goes on when it may';
	fresh();
	$task = ask($seller[0]);
	wait_until { ($s->seller->counts($shop)->{methods}{funnel}{calls} // 0) == 1 } 20, 'a call of the run';
	$s->seller->call(DELETE => '/_sim/journal');
	is op(POST => 'sellers', %how)->{status}, 201, 'right after a call the burst is left for a try';
	my $until = $s->sql_value(q(SELECT extract(epoch FROM tat - clock_timestamp()) FROM rate_bucket b JOIN seller s ON s.limit_key = b.account
		WHERE s.account_id = ? AND method = 'funnel'), $seller[0]{id});
	cmp_ok $until, '>', 20.5 / 20, '... and it holds back the next call of the run by an interval';
	ended($task, 60);
	is $s->seller->counts($shop)->{early}, 0, 'none came early';
	op(DELETE => "sellers/$_", other => 1) for map { $_->{id} } grep { $_->{name} eq 'later' } @{ op(GET => 'sellers', other => 1)->{json}{sellers} };
};

subtest 'a try that is used late holds back the run after it' => sub {
	fresh();
	# The grant takes most of an interval to become known.
	$s->sql($_) for q(CREATE FUNCTION slow_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF new.granted > 0 AND new.method = 'funnel' THEN PERFORM pg_sleep(0.8); END IF;
			RETURN NULL;
		END $$),
	    'CREATE TRIGGER slow_turn AFTER INSERT OR UPDATE OF granted ON rate_bucket FOR EACH ROW EXECUTE FUNCTION slow_turn()';
	is op(POST => "sellers/$seller[0]{id}/token", json => { token => $token })->{status}, 200, 'a try';
	$s->sql($_) for 'DROP TRIGGER slow_turn ON rate_bucket', 'DROP FUNCTION slow_turn()';
	is ended(ask($seller[0]), 90)->{state}, 'done', 'a run';
	my $funnel = $s->seller->counts($shop)->{methods}{funnel};
	is_deeply $funnel->{statuses}, { 200 => 2 }, 'a call each';
	cmp_ok $funnel->{smallest_gap}, '>=', 20, '... 20 s between them, as they arrive';
};

# Who takes a job is chance.
for (1 .. 5) {
	last if !grep { !$_ } lines();
	fresh();
	ended(ask($_), 90) for @seller;
}
ok !(grep { !$_ } lines()), 'both masters have run them: ' . join ' and ', lines();
kill 'TERM', $master;
waitpid $master, 0;
is $? >> 8, 0, 'the second one ends by itself';
undef $master;

$s->stop;
done_testing;
