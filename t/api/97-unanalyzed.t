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

my $today = '2026-01-31';
my %reads = (
	'business-ids'                => ['programs/business_ids', $account, $today],
	'filters'                     => ['programs/filter_counts', $account, $today, (undef) x 10],
	'the list by business'        => ['programs/registry_list', $account, $today, (undef) x 10, 'business_name', 'f', 'f', (undef) x 3, 100, 0],
	'the list of what words leave' => ['programs/registry_list', $account, $today, (undef) x 5, 'bakery', (undef) x 4, '-budget' =~ s/-//r, 't', 'f', (undef) x 3, 100, 0],
	'filters of what words leave' => ['programs/filter_counts', $account, $today, (undef) x 5, 'bakery', (undef) x 4],
);
for my $name (sort keys %reads) {
	cmp_ok wasted(plan_of(@{ $reads{$name} })), '<', 40 * PROGRAMS, "$name: not all with all";
}
is $s->get("/api/reseller/$_", as => 'new')->{status}, 200, $_ for qw(business-ids available-filters programs?source=registry&q=a);

done_testing;
