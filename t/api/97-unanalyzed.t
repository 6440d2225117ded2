#!/usr/bin/perl

# An account that was first synced after the last ANALYZE: the planner takes it for
# one row. What reads it must not compare all with all for that.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Stack;
use Test::More;

use constant PROGRAMS => 2671;

my $s = Lockstep::Stack->start(partner => { map { ($_ => { programs => PROGRAMS, businesses => 108 }) } qw(old new) });
$s->sync('old');
for my $table (qw(account business business_count program program_business)) {
	$s->sql("ANALYZE $table");
	$s->sql("ALTER TABLE $table SET (autovacuum_enabled = false)");
}
$s->sync('new');
my $account = $s->sql_value(q(SELECT id FROM account WHERE user_name = 'new'));

# The most rows that any step of a plan has looked at for nothing.
sub wasted {
	my ($node) = @_;
	my $n = 0;
	for my $step ($node, @{ $node->{Plans} // [] }) {
		my $here = $step == $node ? ($step->{'Rows Removed by Join Filter'} // 0) + ($step->{'Rows Removed by Filter'} // 0)
		    : wasted($step);
		$here *= $step->{'Actual Loops'} if $step == $node;
		$n = $here if $here > $n;
	}
	return $n;
}

sub plan_of {
	my ($name, @argument) = @_;
	my $sql = Lockstep::Stack::slurp("$FindBin::Bin/../../sql/query/$name.sql");
	$sql =~ s/\$(\d+)/defined $argument[$1 - 1] ? "'$argument[$1 - 1]'" : 'NULL'/ge;
	return JSON::PP::decode_json($s->sql_value("EXPLAIN (ANALYZE, FORMAT JSON) $sql"))->[0]{Plan};
}

# What a pass of that job has seen: every other program, in batches.
my $job = '00000000-0000-4000-8000-000000000000';
for my $who ('program_id', "'p' || i") {
	my $from = $who eq 'program_id' ? "(SELECT program_id, row_number() OVER () AS i FROM program WHERE account_id = $account) x"
	    : 'generate_series(1, 8000) i';
	$s->sql("INSERT INTO sync_seen (job_id, pass, ids) SELECT ?, 1, array_agg($who) FROM $from WHERE i % 2 = 0 GROUP BY i / 320", $job);
}

my $today = '2026-01-31';

# With every statement that reads or retires an account's programs.
sub not_all_with_all {
	my ($account, $programs, $what) = @_;
	my %reads = (
		'business-ids'                => ['programs/business_ids', $account, $today],
		'filters'                     => ['programs/filter_counts', $account, $today, (undef) x 10],
		'the list by business'        => ['programs/registry_list', $account, $today, (undef) x 10, 'business_name', 'f', 'f', (undef) x 3, 100, 0],
		'the list of what words leave' => ['programs/registry_list', $account, $today, (undef) x 5, 'b1', (undef) x 4, 'budget', 't', 'f', (undef) x 3, 100, 0],
		'filters of what words leave' => ['programs/filter_counts', $account, $today, (undef) x 5, 'b1', (undef) x 4],
		'what is missing'             => ['programs/missing', $account, $job, 1],
		'retiring'                    => ['programs/retire', $account, $job, 1],
	);
	for my $name (sort keys %reads) {
		$s->db->begin_work;
		cmp_ok wasted(plan_of(@{ $reads{$name} })), '<', 250 * $programs, "$what: $name: not all with all";
		$s->db->rollback;
	}
	return;
}

not_all_with_all($account, PROGRAMS, 'a synced account');
is $s->get("/api/reseller/$_", as => 'new')->{status}, 200, $_ for qw(business-ids available-filters programs?source=registry&q=a);

# A business for each program, as large agencies have it.
$s->account('many', programs => 0);
$s->get('/api/jobs', as => 'many')->{status} == 200 or die 'login';
my $many = $s->sql_value(q(SELECT id FROM account WHERE user_name = 'many'));
my $n = 8000;
$s->sql(q(INSERT INTO program (account_id, program_id, program_type, row_hash, active_features, businesses, budget)
	SELECT ?, 'p' || i, 'CPC', '\x00', '[]', '[]', i % 100 FROM generate_series(1, ?::int) i), $many, $n);
$s->sql(q(INSERT INTO program_business (account_id, program_id, business_id) SELECT ?, 'p' || i, 'b' || i FROM generate_series(1, ?::int) i), $many, $n);
$s->sql(q(INSERT INTO business_count (account_id, business_id, program_count) SELECT ?, 'b' || i, 1 FROM generate_series(1, ?::int) i), $many, $n);
not_all_with_all($many, $n, 'a business for each program');

done_testing;
