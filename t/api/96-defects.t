#!/usr/bin/perl

# Those of the numbered defects of the tool before this one (partner contract, section
# 9) that no other test is about. Which test shows which one mended is in
# docs/design.md, section 12.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'partner.retry_base' => '10ms', 'jobs.workers' => 1 });
my $partner = $s->partner;

my @FULL = (query => 'mode=full');

# Writing programs fails so many times from now on, whoever tries.
sub writes_fail {
	my ($times) = @_;
	$s->sql('SET client_min_messages = warning');
	$s->sql('DROP SEQUENCE IF EXISTS breaks CASCADE');
	$s->sql('CREATE SEQUENCE breaks');
	$s->sql('GRANT ALL ON breaks TO lockstep');
	$s->sql(qq(CREATE OR REPLACE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN
			IF nextval('breaks') <= $times THEN RAISE 'broken by the test'; END IF;
			RETURN NULL;
		END \$\$));
	$s->sql('CREATE OR REPLACE TRIGGER break BEFORE INSERT ON program FOR EACH STATEMENT EXECUTE FUNCTION break()');
	return;
}

subtest 'defect 10: a write that fails is not reported as done' => sub {
	my $user = known($s, 200);
	writes_fail(2);
	my $got = sync($s, $user);
	is $s->sql_value('SELECT last_value FROM breaks') > 2, 1, 'writing has failed, and was tried again';
	is_done($got);
	is_deeply $got->{job}{counts}, { added => 200, updated => 0, removed => 0, unchanged => 0, failed => 0 }, 'the counts are what was written';

	$user = known($s, 200);
	$s->log_mark;
	writes_fail(1_000_000);
	my $ask = ask($s, $user);
	my @failed;
	ok wait_until { @failed = $s->log(qr/query failed.*broken by the test/); @failed >= 5 } 40, 'writing fails for good';
	my @at = map { $s->sql_value('SELECT extract(epoch FROM ?::timestamptz)', $s->fields($_)->{ts}) } @failed;
	is_deeply [grep { $at[$_] - $at[$_ - 1] < 0.1 * 2 ** ($_ - 1) - 0.005 } 2 .. 4], [], 'after a pause each time';
	is newest($s, $user)->{state}, 'running', 'it is still being tried';
	# As often as it may be: the rest of them would take minutes. Between two tries, as the
	# pause after one that is under way would be as long as it gets.
	ok wait_until { $s->sql(q(UPDATE job SET claims = 100 WHERE account_id = ? AND lease_until = '-infinity'),
		account_id($s, $user)) > 0 } 20, 'as if it had been tried a hundred times';
	$got = outcome($ask);
	is $got->{job}{state}, 'failed', 'then the job has failed';
	cmp_ok $got->{answer}{status}, '>=', 500, '... and so it is answered';
	is_deeply [grep { $_->{type} eq 'complete' } @{ $got->{events} }], [], '... without complete';
	is $got->{events}[-1]{type}, 'error', '... but an error';
	is $got->{job}{counts}{added}, 0, 'nothing is said to be added';
	is rows_of($s, $user), 0, '... as nothing is';
	$s->sql('DROP SEQUENCE breaks CASCADE');
	$s->sql('DROP FUNCTION break() CASCADE');
	is_done(sync($s, $user));
};

# By the statements themselves: how long a job pauses that has been claimed so often.
subtest 'each pause is twice as long as the last, up to half a minute' => sub {
	my ($free, $next) = map { Lockstep::Stack::slurp($s->root . "/sql/query/jobs/$_.sql") } qw(free next);
	my %pause;
	for my $claims (1 .. 3, 8 .. 10, 20) {
		$s->db->begin_work;
		my ($job, $at) = @{ $s->sql(q(INSERT INTO job (kind, state, n, claims, holder, run_at, lease_until)
			VALUES ('test', 'running', 1, ?, 'nobody', clock_timestamp(), clock_timestamp() + interval '1 hour')
			RETURNING id, clock_timestamp() AS at), $claims)->[0] }{qw(id at)};
		$s->sql($free, 'nobody') for 1 .. 2;
		$pause{$claims} = $s->sql_value('SELECT greatest(0, extract(epoch FROM run_at - ?::timestamptz)) FROM job WHERE id = ?', $at, $job);
		my $ms   = $s->sql_value($next, ['test'], 60_000);
		my $gone = $s->sql_value('SELECT extract(epoch FROM clock_timestamp() - ?::timestamptz)', $at);
		cmp_ok $ms, '>', 1000 * ($pause{$claims} - $gone) - 1000, "$claims: it is woken for" if $claims == 20;
		$s->db->rollback;
	}
	my %want = (1 => 0, 2 => 0.2, 3 => 0.4, 8 => 12.8, 9 => 25.6, 10 => 30, 20 => 30);
	is_deeply [grep { $pause{$_} < $want{$_} || $pause{$_} > $want{$_} + 5 * !!$want{$_} } keys %want], [], 'so long'
	    or diag explain \%pause;
	cmp_ok $pause{3}, '>', $pause{2}, '... and longer' or diag explain \%pause;
};

subtest 'defect 13: updated_at moves with a change, and only then' => sub {
	my $user = known($s, 80);
	$s->sync($user);
	my $times = sub { return { map { $_->{program_id} => $_->{updated_at} } @{ $s->sql('SELECT program_id, updated_at
		FROM program WHERE account_id = ?', account_id($s, $user)) } } };
	my $created = sub { $s->sql_value('SELECT md5(string_agg(created_at::text, $$ $$ ORDER BY program_id)) FROM program WHERE account_id = ?', account_id($s, $user)) };
	my ($before, $born) = ($times->(), $created->());
	my @changed = sort @{ $partner->edit(user => $user, op => 'change', field => 'dates', n => 7, pick => 'random')->{ids} };
	is $s->sync($user, @FULL)->{updated}, 7, 'seven have changed';
	my $after = $times->();
	is_deeply [sort grep { $after->{$_} gt $before->{$_} } keys %$after], \@changed, 'theirs is later';
	is_deeply [grep { $after->{$_} lt $before->{$_} } keys %$after], [], '... and none is earlier';
	is $s->sync($user, @FULL)->{updated}, 0, 'nothing has changed';
	is_deeply $times->(), $after, '... and no time';
	is $created->(), $born, 'when they were made is another matter';
};

subtest 'defect 14: programs without metrics are no reason to ask for each' => sub {
	my $user = known($s, 200);
	$partner->edit(user => $user, op => 'change', n => 200, values => { program_type => 'LOGO' }, unset => ['program_metrics']);
	for my $when ('first', 'second') {
		my $got = sync($s, $user, @FULL);
		is_done($got, status => $when eq 'first' ? 'synced' : 'up_to_date');
		is_deeply [sort keys %{ $partner->counters->{users}{$user}{by_path} }], [$when eq 'first' ? 'names' : (), 'programs'], "$when: the list and names, nothing else";
		cmp_ok $got->{calls}, '<=', 200 / 40 + 1, '... a call for each page of it';
	}
	is $s->sql_value('SELECT count(*) FROM program WHERE account_id = ? AND num_nulls(budget, currency, is_autobid, max_bid,
		billed_impressions, billed_clicks, ad_cost, fee_period) = 8', account_id($s, $user)), 200, 'what the partner did not say is null';
};

$s->stop;
done_testing;
