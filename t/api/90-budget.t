#!/usr/bin/perl

# One budget for each login and kind of call, taken from by syncs and by people alike:
# all of the partner's limit is used and none of it passed, people wait a second at
# most, and the sync goes on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use List::Util qw(max min sum0);
use POSIX      ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant {
	RATE    => 10,
	BURST   => 8,		# below the partner's own, as calls overtake each other
	RESERVE => 2,
	LATENCY => 0.1,
	SLACK   => 1.5,		# the way of 32 people on a busy machine
	IN_FLIGHT => 12,	# of the sync, and of half of the live workers
};

my $s = Lockstep::Stack->start(latency => 1000 * LATENCY, conf => {
	'partner.rate' => RATE, 'partner.burst' => BURST, 'partner.reserve' => 25,
	'jobs.workers' => 2, 'live.workers' => 8, 'partner.retry_base' => '20ms' },
	partner => { big => { programs => 24_000, businesses => 40, names => 0 } });
my $partner = $s->partner;
my $slow    = $ENV{TEST_SLOW} || 1;
my $list    = '/api/reseller/programs?limit=5';

sub asked  { my ($user) = @_; return $partner->counters->{users}{$user} // { calls => 0 } }
sub newest { my ($user) = @_; return $s->get('/api/jobs?limit=1', as => $user)->{json}{jobs}[0] }

# n children at once; each sends one line for every [value, ...] that its work yields.
sub side_by_side {
	my ($n, $work) = @_;
	my @from = map {
		pipe my $read, my $write or die "pipe: $!";
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			my $ok = eval { print {$write} "@$_\n" for $work->(); close $write };
			POSIX::_exit($ok ? 0 : 1);
		}
		close $write;
		[$pid, $read];
	} 1 .. $n;
	my @line;
	for my $child (@from) {
		my ($pid, $read) = @$child;
		push @line, map { [split] } <$read>;
		waitpid $pid, 0;
		is $?, 0, 'a child did its work' if $?;
	}
	return @line;
}

subtest 'however many take, it is never more than there is' => sub {
	my $sql = do { local (@ARGV, $/) = ($s->root . '/sql/query/net/rate_take.sql'); <> };
	$s->disconnect;
	my ($rate, $seconds) = (200, 1.5);
	my $taken = sub {
		my ($method, $burst) = @_;
		my @took = side_by_side(8, sub {
			my $statement = $s->db->prepare($sql);
			my $end = time + $seconds;
			my ($granted, $asked, $began) = (0, 0, time);
			while (time < $end) {
				$statement->execute('test', '\x01', $method, 3, $rate, $burst, 0, 1000);
				my $row = $statement->fetchrow_hashref;
				$granted += $row->{granted};
				$asked++;
				sleep min(0.005, $row->{next_ms} / 1000);
			}
			return [$granted, $asked, $began, time];
		});
		return (sum0(map { $_->[0] } @took), sum0(map { $_->[1] } @took),
			max(map { $_->[3] } @took) - min(map { $_->[2] } @took));
	};
	my $burst = 10;
	my ($granted, $asked, $elapsed) = $taken->('m', $burst);
	$s->disconnect;
	cmp_ok $asked, '>', $granted / 2, 'many asked at once';
	cmp_ok $granted, '<=', $burst + $rate * $elapsed, 'no more than rate and burst';

	# From empty, with room for all that comes while they are slow to take it.
	$burst = 10_000;
	my $left = q(FROM rate_bucket WHERE api = 'test' AND method = 'empty');
	$s->sql(q(INSERT INTO rate_bucket (api, account, method, taken_at, granted, tat)
		SELECT 'test', '\x01', 'empty', at, 0, at + ? * interval '1 s' FROM clock_timestamp() at), $burst / $rate);
	my $since = $s->sql_value("SELECT extract(epoch FROM taken_at) $left");
	$s->disconnect;
	($granted) = $taken->('empty', $burst);
	$s->disconnect;
	my ($now, $stock) = @{ $s->sql("SELECT extract(epoch FROM at) AS now, ? - ? * extract(epoch FROM tat - at) AS stock
		FROM clock_timestamp() at, rate_bucket WHERE api = 'test' AND method = 'empty'", $burst, $rate)->[0] }{qw(now stock)};
	cmp_ok $granted, '>', 0, 'it fills by itself';
	cmp_ok abs($granted + $stock - $rate * ($now - $since)), '<', 1, '... and nothing is lost: taken and left are what has come';
};

subtest 'how much is granted' => sub {
	my $granted = sub {
		my ($n, $tat, $burst, $wait, $blocked) = @_;
		return $s->sql_value(q(SELECT rate_granted(?, t + ? * interval '1 ms', t + ? * interval '1 ms', t, 10, ?, ?)
			FROM (SELECT timestamptz '2026-01-01' AS t) x), $n, $tat, $blocked // -1, $burst, $wait);
	};
	is $granted->(20, -5000, 8, 0),     8, 'all of the burst when it is full, no more';
	is $granted->(3,  -5000, 8, 0),     3, 'no more than asked for';
	is $granted->(20, 300,   8, 0),     5, 'less what was taken';
	is $granted->(20, 750,   8, 0),     0, 'parts of a call are none';
	is $granted->(20, 2000,  8, 0),     0, 'nothing when it is overdrawn';
	is $granted->(1,  1700,  8, 1000),  1, 'one that comes free within the wait';
	is $granted->(1,  1701,  8, 1000),  0, '... but not one after it';
	is $granted->(1,  -5000, 8, 0, 1),  0, 'nothing while the partner says so';
	is $granted->(1,  -5000, 8, 10, 9), 1, 'unless that ends within the wait';
};

# The calls that are left for people, and when that was.
sub stock {
	return $s->sql(q(SELECT extract(epoch FROM at) AS at, least(?::float8, ? - extract(epoch FROM tat - at) * ?) AS left
		FROM rate_bucket, clock_timestamp() at WHERE method = 'programs' ORDER BY tat DESC LIMIT 1), BURST, BURST, RATE)->[0];
}

# Four seconds with as many people as want to, beside the sync: their answers as
# [status, code, seconds, Retry-After], and what the partner and the budget saw.
sub four_seconds {
	my $done  = newest('big')->{progress}{done};
	my $began = time;
	$partner->forget;
	my $from = stock();
	my $end  = time + 4;
	my @page = side_by_side(32, sub {
		my @seen;
		while (time < $end) {
			my $began  = time;
			my $answer = $s->get($list, as => 'big');
			push @seen, [$answer->{status}, $answer->{json}{code} // '-', time - $began,
				$answer->{headers}{'retry-after'} // 0];
			sleep max(0, min(0.5, $end - time)) if $answer->{status} != 200;
		}
		return @seen;
	});
	my $till  = stock();
	my $count = asked('big');
	my @good  = grep { $_->[0] == 200 } @page;
	return {
		page => \@page, good => \@good, count => $count, lasted => time - $began,
		longest => max(0, map { $_->[2] } @good),
		rows    => newest('big')->{progress}{done} - $done,
		# Of the calls that came meanwhile; what was in stock, or is, is no use of the rate.
		used => ($count->{calls} + $till->{left} - $from->{left}) / ($till->{at} - $from->{at}) / RATE,
	};
}

# What nobody held up for some seconds, so that all of it can be as quick as it should.
sub is_undisturbed {
	my ($w) = @_;
	return $w->{used} > 0.95 && $w->{used} < 1.1 && @{ $w->{good} } > RATE && $w->{rows} > 0
	    && $w->{longest} < 1 + LATENCY + SLACK * $slow;
}

subtest 'defect 7: 32 people and a sync at the limit' => sub {
	$s->get('/api/jobs', as => 'big');
	# Room for calls that are bunched up on their way; that they are no more than RATE is seen below.
	$partner->limit(user => 'big', rate => RATE, burst => RATE + 20, path => 'programs');
	my $sync = $s->sync_stream('big');
	$sync->until('progress');
	my @left = map { sleep 0.05; stock()->{left} } 1 .. 20;
	cmp_ok min(@left), '>=', RESERVE - 0.2, 'a sync alone leaves the reserve';
	ok wait_until(sub { stock()->{left} < RESERVE + 1 }, 20, 'the sync'), '... and nothing else';
	my @took = sort { $a <=> $b } map {
		my $began = time;
		is $s->get($list, as => 'big')->{status}, 200, 'a list page beside a running sync';
		time - $began;
	} 1 .. 9;
	# The two slowest may have met something that stood still.
	cmp_ok $took[6], '<', 1 + LATENCY + SLACK * $slow, '... waits at most a second';
	cmp_ok $took[0], '<', LATENCY + 0.2 * $slow, '... and mostly not at all';

	my $w;
	for (1 .. 4) {
		$w = four_seconds();
		is_deeply [keys %{ $w->{count}{by_path}{programs} }], [200], 'no 429' or diag explain $w->{count}{by_path};
		cmp_ok $w->{count}{calls}, '<=', RATE * $w->{lasted} + BURST + IN_FLIGHT, '... and no more calls than the limit allows';
		my @odd = grep { $_->[0] != 200 && !($_->[0] == 503 && $_->[3] && $_->[1] =~ /^(?:busy|partner_limited)$/) } @{ $w->{page} };
		is_deeply \@odd, [], 'who gets no page is told when to come back';
		note sprintf '%.1f %% used, %d pages, %d told to come back, %.1f s the longest, sync %d rows', 100 * $w->{used},
		    scalar @{ $w->{good} }, @{ $w->{page} } - @{ $w->{good} }, @$w{qw(longest rows)};
		last if is_undisturbed($w);
	}
	cmp_ok $w->{used}, '>', 0.95, 'over 95 % of the limit is used';
	cmp_ok $w->{used}, '<', 1.1, '... and no more than it, but for what is on its way';
	cmp_ok scalar @{ $w->{good} }, '>', RATE, 'people get their pages';
	cmp_ok $w->{longest}, '<', 1 + LATENCY + SLACK * $slow, '... within a second of waiting';
	cmp_ok $w->{rows}, '>', 0, 'the sync is not starved';
	$sync->close;
};

done_testing;
