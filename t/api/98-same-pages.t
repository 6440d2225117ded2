#!/usr/bin/perl

# A page that comes again as it was is not compared with the registry: when that holds,
# when it does not any more, and that nobody can tell from what a sync ends in.

use strict;
use warnings;
use DBD::Pg ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'partner.retry_base' => '10ms', 'partner.concurrency' => 2, 'partner.concurrency_start' => 2 });
my $partner = $s->partner;

# What reaches PostgreSQL is in its log.
$s->db->do(q(ALTER SYSTEM SET log_min_duration_statement = 0));
$s->db->do('SELECT pg_reload_conf()');
my $log = "$s->{LOG_DIR}/postgres.log";
ok wait_until(sub { $s->sql_value(q(SELECT 'it is logged')); Lockstep::Stack::slurp($log) =~ /SELECT 'it is logged'/ }, 20, 'the log'), 'statements are logged';

# A full sync: whether any of it was compared, or all of it known; and what it has found.
# In the end the registry is what the partner has (is_done).
sub full {
	my ($user, $name, $how, %found) = @_;
	my $mark = -s $log;
	my $got  = sync($s, $user, query => 'mode=full');
	my $said = substr Lockstep::Stack::slurp($log), $mark;
	is_done($got, status => %found ? 'synced' : 'up_to_date');
	my ($compared, $known) = (scalar(() = $said =~ /\bFULL JOIN\b/g), scalar(() = $said =~ /INSERT INTO sync_seen \(job_id, pass, ids\)\s+VALUES \(\$1::uuid/g));
	is $compared > 0 ? 'compared' : $known > 0 ? 'known' : 'neither', $how, "$name: $how";
	is_deeply { map { $_ => $got->{answer}{json}{$_} } qw(added updated removed) }, { added => 0, updated => 0, removed => 0, %found }, '... with the right end';
	return;
}

sub ids { my ($user, @n) = @_; return map { $partner->data($user)->{programs}[$_]{program_id} } @n }

subtest 'what is as it was is not compared, and what differs is' => sub {
	my $user = known($s, 200);
	full($user, 'a first reading', 'compared', added => 200);
	full($user, 'the next one', 'known');
	$partner->edit(user => $user, op => 'change', field => 'budget', ids => [ids($user, 150)]);
	full($user, 'a program has changed', 'compared', updated => 1);
	full($user, 'it stays so', 'known');
	$partner->edit(user => $user, op => 'reorder');
	full($user, 'another order', 'compared');
	full($user, 'it stays so', 'known');
	$partner->edit(user => $user, op => 'move', ids => [ids($user, 7)]);
	full($user, 'a program of another business', 'compared', updated => 1);
};

subtest 'what goes and comes back' => sub {
	my $user = known($s, 200);
	full($user, 'a first reading', 'compared', added => 200);
	$partner->edit(user => $user, op => 'remove', n => 2, pick => 'last');
	full($user, 'two are gone', 'compared', removed => 2);
	full($user, 'they stay so', 'known');
	$partner->edit(user => $user, op => 'restore', n => 2, pick => 'last');
	full($user, 'two are back, with the values that they had', 'compared', added => 2);
	full($user, 'they stay', 'known');
};

subtest 'the registry has moved without the partner' => sub {
	my $user = known($s, 100);
	full($user, 'a first reading', 'compared', added => 100);
	my ($one) = ids($user, 50);
	is $s->post("/api/reseller/program/$one/custom-name", as => $user, json => { custom_name => 'mine' })->{status}, 200, 'a name';
	full($user, 'after that', 'compared');
	full($user, 'and then', 'known');
	$s->sql('DELETE FROM program WHERE account_id = ? AND program_id = ?', account_id($s, $user), $one);
	full($user, 'one is taken away by hand', 'compared', added => 1);
	full($user, 'it is back', 'known');
};

subtest 'a reading that was interrupted keeps nothing' => sub {
	my $user = known($s, 400);
	full($user, 'a first reading', 'compared', added => 400);
	$partner->edit(user => $user, op => 'change', field => 'budget', ids => [ids($user, 5)]);
	$partner->hold(user => $user, offset => 360, times => 1);
	my $asked = ask($s, $user, query => 'mode=full');
	ok wait_until(sub { (newest($s, $user)->{counts}{updated} // 0) == 1 }, 20, 'the change'), 'a change is written';
	CORE::kill('KILL', $s->pids('jobs'));
	$partner->heal;
	is_done(outcome($asked));
	full($user, 'the next one', 'compared');
	full($user, 'and then', 'known');
};

$s->stop;
done_testing;
