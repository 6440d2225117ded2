#!/usr/bin/perl

# What businesses are called (contract section 4 and defects 16 to 18), and how many of
# their programs have which status, which changes at midnight without a write.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use List::Util qw(max shuffle);
use POSIX      ();
use Test::More;

# One worker, so that its kept body is what answers the second time.
my $s = Lockstep::Stack->start(conf => { 'api.workers' => 1, 'live.workers' => 2, 'jobs.workers' => 2,
	'partner.retry_base' => '10ms', 'partner.retries' => 1,
	# Longer than the partner, or who asks it, may stand still.
	'partner.timeout' => 4500 * ($ENV{TEST_SLOW} || 1) . 'ms' },
	partner => { wide => { programs => 600, businesses => 450 },
		shop => { programs => 24, businesses => 6 }, twin => { programs => 3, businesses => 1 },
		closed => { programs => 12, businesses => 3, names => 0 } });
my $partner = $s->partner;

sub ids      { my ($user) = @_; return $s->get('/api/reseller/business-ids', as => $user)->{json} }
sub names    { my ($user) = @_; return { map { @$_{qw(business_id name)} } @{ ids($user)->{businesses} } } }
sub at_partner { my ($names) = @_; return { map { $_ => ($partner->business($_) // {})->{name} } keys %$names } }
sub asked    { my ($user) = @_; return ($partner->counters->{users}{$user} // {})->{names} // { calls => 0, ids => [] } }
sub stored   { my ($id) = @_; return $s->sql(q(SELECT name, absent, fetched_at IS NOT NULL AS fetched,
	round(extract(epoch FROM next_try_at - clock_timestamp()) / 60) AS minutes
	FROM business WHERE business_id = ?), $id)->[0] }
sub make_due { return $s->sql(q(UPDATE business SET next_try_at = '-infinity')) }

# As if these had never been asked for; nothing of ours takes a name away. No kept
# body hides what the table holds.
sub forget {
	$s->sql('DELETE FROM business WHERE business_id = ?', $_) for @_;
	return $s->sql('UPDATE account SET registry_version = registry_version + 1');
}
sub version  { my ($user) = @_; return $s->sql_value('SELECT registry_version FROM account WHERE user_name = ?', $user) }

# Names come with a full reading.
sub full {
	my ($user) = @_;
	my $answer = $s->post('/api/reseller/programs/sync?mode=full', as => $user, timeout => 60);
	is $answer->{status}, 200, 'a sync' or diag $answer->{body};
	return $answer->{json}{status};
}

subtest 'defect 16: names come with the first sync, 200 in a call' => sub {
	is full('wide'), 'synced', 'synced';
	is asked('wide')->{calls}, 3, '450 businesses take three calls';
	is @{ asked('wide')->{ids} }, 450, '... each asked for once';
	my $names = names('wide');
	is_deeply $names, at_partner($names), 'each has the partner\'s name';
	is scalar(grep { defined && length } values %$names), 450, '... all of them';
	my $job = $s->get('/api/jobs?limit=1', as => 'wide')->{json}{jobs}[0];
	cmp_ok $job->{timing_ms}{names}, '>', 0, 'the time is in timing_ms';
	is full('wide'), 'up_to_date', 'a second sync';
	is asked('wide')->{calls}, 3, '... asks for none';
};

subtest 'a name is one for all who have the business, and only for them' => sub {
	full('shop');
	my ($id) = sort keys %{ names('shop') };
	$partner->edit(user => 'twin', op => 'move', n => 3, to => $id);
	full('twin');
	is asked('twin')->{calls}, 0, 'nobody asks for what is known';
	is_deeply names('twin'), { $id => $partner->business($id)->{name} }, 'the other account shows it too';

	my %before = map { $_ => version($_) } qw(shop twin wide);
	$partner->rename($id, name => "Caf\x{e9} Neu");
	make_due();
	full('shop');
	is names('shop')->{$id}, "Caf\x{e9} Neu", 'a new name';
	is names('twin')->{$id}, "Caf\x{e9} Neu", '... for both, also out of a kept body';
	cmp_ok version($_), '>', $before{$_}, "$_: another version" for qw(shop twin);
	is version('wide'), $before{wide}, '... and none for who does not show it';
};

subtest 'defect 17: what fails erases nothing, and is not the same as absent' => sub {
	my $known = names('shop');
	my @id    = sort keys %$known;
	for my $fault ({ kind => '500' }, { kind => '503', retry_after => 1 }, { kind => 'html' }, { kind => 'truncated' },
		{ kind => 'array_missing' }, { kind => 'array_null' }, { kind => 'reset' }, { kind => 'hang' }, { kind => '429' }) {
		$partner->fault(path => 'names', user => 'shop', %$fault);
		make_due();
		$s->sql('DELETE FROM rate_bucket');
		is full('shop'), 'up_to_date', "$fault->{kind}: the sync is none the worse";
		forget();
		is_deeply names('shop'), $known, '... all names are there';
		my $row = stored($id[0]);
		is "$row->{absent} $row->{fetched} $row->{minutes}", '0 1 15', '... to be tried again in a while';
		$partner->heal;
	}
	$s->sql('DELETE FROM rate_bucket');
	$partner->rename($id[0], absent => 1);
	make_due();
	full('shop');
	is_deeply names('shop'), $known, 'a partner that has forgotten a business does not erase its name';
	my $row = stored($id[0]);
	is "$row->{absent} $row->{minutes}", '1 ' . 24 * 60, '... which is asked for again in a day';
};

subtest 'absent and try later, without a name before' => sub {
	my ($absent, $later, @id) = sort keys %{ names('shop') };
	forget($absent, $later);
	$partner->fault(path => 'names', kind => '500', ids => [$later]);
	make_due();
	full('shop');
	is_deeply stored($absent), { name => undef, absent => 1, fetched => 1, minutes => 24 * 60 }, 'absent: in a day';
	is_deeply stored($later), { name => undef, absent => 0, fetched => 0, minutes => 15 }, 'failed: in a while';
	my $names = names('shop');
	is_deeply [@$names{ $absent, $later }], [undef, undef], 'both are ids without a name';
	is_deeply [grep { !defined $names->{$_} || stored($_)->{minutes} != 24 * 60 } @id], [],
	    'the others of the same call have theirs';
	$partner->heal;
};

subtest 'defect 18: an id is never a name' => sub {
	my (undef, undef, $same, $empty, $other) = sort keys %{ names('shop') };
	forget($same, $empty, $other);
	$partner->rename($same,  name => $same);
	$partner->rename($empty, name => '');
	full('shop');
	my $names = names('shop');
	is_deeply [@$names{ $same, $empty }], [undef, undef], 'no name is null';
	is $names->{$other}, $partner->business($other)->{name}, '... and spoils no other\'s';
	is_deeply $s->sql('SELECT business_id FROM business WHERE name = business_id'), [], 'nor is one stored';
};

subtest 'an account without access has ids, and is not asked again for a day' => sub {
	is full('closed'), 'synced', 'synced';
	is asked('closed')->{calls}, 1, 'asked once';
	my $body = ids('closed');
	is $body->{total}, 3, 'the businesses are there';
	is_deeply [grep { defined $_->{name} } @{ $body->{businesses} }], [], '... without names';
	is full('closed'), 'up_to_date', 'another sync';
	is asked('closed')->{calls}, 1, '... does not ask';
	$partner->access(closed => 1);
	$partner->call(POST => '/_sim/accounts/access', { user => 'closed', names => JSON::PP::true() });
	$s->sql(q(UPDATE account SET names_after = names_after - interval '24 hours'));
	full('closed');
	is_deeply [grep { !defined } values %{ names('closed') }], [], 'a day later it may have them';
};

sub is_counted {
	my ($user, $name) = @_;
	my $body = ids($user);
	my %sum  = (CURRENT => 0, PAST => 0, FUTURE => 0, PAUSED => 0, INACTIVE => 0);
	my $want = $s->sim(GET => "/_sim/counts?user=$user");
	is_deeply $body->{statuses}, { %sum, %{ $want->{statuses} } }, "$name: as the partner counts";
	my @odd = grep { my $n = 0; $n += $_ for values %{ $_->{statuses} }; $n != $_->{program_count} } @{ $body->{businesses} };
	is_deeply \@odd, [], '... and each business adds up';
	return $body;
}

subtest 'counts by status' => sub {
	for my $user (qw(wide shop)) {
		is_counted($user, $user);
	}
	$s->account('many', programs => 48, businesses => 4, variants => 1);
	full('many');
	my $body = is_counted('many', 'every variant');
	cmp_ok max(map { $_->{program_count} } @{ $body->{businesses} }), '>', 0, 'programs in three businesses and in none';
};

# The day as PostgreSQL has it, for sessions from now on.
sub set_day {
	my ($day) = @_;
	$s->sql(defined $day ? "ALTER DATABASE lockstep SET lockstep.today = '$day'" : 'ALTER DATABASE lockstep RESET lockstep.today');
	$s->sql(q(SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'lockstep'));
	wait_until { $s->operator('/readyz')->{status} == 200 } 20, 'the api to connect again';
	return;
}

subtest 'defect 22: a status changes at midnight, without a write' => sub {
	my ($start, $id) = (0, 'midnightBusiness000001');
	my $program = sub {
		my ($from, $to, %more) = @_;
		return { program_id => sprintf('midnight%014d', ++$start), program_type => 'CPC', program_status => 'ACTIVE',
			program_pause_status => 'NOT_PAUSED', start_date => $from, end_date => $to,
			businesses => [{ yelp_business_id => $id, partner_business_id => undef }], %more };
	};
	$s->account('night');
	$partner->edit(user => 'night', op => 'set', programs => [
		$program->('2026-03-11', '9999-12-31'), $program->('2026-01-01', '2026-03-10'),
		$program->('2026-01-01', '2026-03-11'), $program->('2026-03-11', undef, program_pause_status => 'PAUSED') ]);
	full('night');
	my $rows    = q(SELECT md5(string_agg(p::text || xmin, ',' ORDER BY program_id)) FROM program p
		WHERE account_id = (SELECT id FROM account WHERE user_name = 'night'));
	my %counts  = (
		'2026-03-10' => { CURRENT => 2, PAST => 0, FUTURE => 1, PAUSED => 1, INACTIVE => 0 },
		'2026-03-11' => { CURRENT => 2, PAST => 1, FUTURE => 0, PAUSED => 1, INACTIVE => 0 },
		'2026-03-12' => { CURRENT => 1, PAST => 2, FUTURE => 0, PAUSED => 1, INACTIVE => 0 },
	);
	my ($before, $version) = ($s->sql_value($rows), version('night'));
	my ($worker) = $s->pids('api');
	for my $day (sort keys %counts) {
		set_day($day);
		for my $time ('', ' again, as it is kept') {
			my $body = ids('night');
			is_deeply $body->{businesses}[0]{statuses}, $counts{$day}, "$day$time: of the business";
			is_deeply $body->{statuses}, $counts{$day}, '... of all';
		}
	}
	is_deeply [$s->pids('api')], [$worker], 'by one and the same worker';
	is $s->sql_value($rows), $before, '... and no row was touched';
	is version('night'), $version, '... nor the version';
	set_day(undef);
	my ($now, $today) = @{ $s->sql(q(SELECT (now() AT TIME ZONE 'America/Los_Angeles')::date AS now, pacific_today() AS today))->[0] }{qw(now today)};
	is $today, $now, 'otherwise the day is California\'s';
};

subtest 'many accounts with the same businesses do not lock each other out' => sub {
	my $sql = do { local (@ARGV, $/) = ($s->root . '/sql/query/programs/names_save.sql'); <> };
	my @id  = sort keys %{ names('wide') };
	@id = @id[0 .. 199];
	$s->disconnect;
	my @child = map {
		my $n   = $_;
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			my $ok = eval {
				for my $round (1 .. 25) {
					my @mixed = shuffle(@id);
					$s->sql($sql, \@mixed, [map { "name $n $round" } @mixed], [@mixed],
						[('f') x @mixed], 86400000, 900000);
				}
				1;
			} or warn $@;
			POSIX::_exit($ok ? 0 : 1);
		}
		$pid;
	} 1 .. 6;
	my @failed = grep { waitpid $_, 0; $? } @child;
	is_deeply \@failed, [], 'all have written theirs, in whatever order they had them';
	my $names = names('wide');
	is scalar(grep { $names->{$_} =~ /^name \d 25$/ } @id), 200, 'who came last has named them';
};

done_testing;
