#!/usr/bin/perl

# Schedules: rows that become jobs by the clock, each at most once however many
# workers look, in its own time zone, with the pauses and the exceptions it should have.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

# No clock strikes by itself while this runs: the default a quarter of an hour from now
# and from the last time, with ten minutes of jitter; the others half a day or half an
# hour away.
my ($minute, $hour) = (gmtime)[1, 2];
my $usual  = join(',', sort { $a <=> $b } map { ($minute + $_) % 60 } 15, 45) . ' * * * *';
my $daily  = '0 ' . ($hour + 12) % 24 . ' * * *';
my $hourly = ($minute + 30) % 60 . ' * * * *';

my $s = Lockstep::Stack->start(conf => { 'schedule.sync' => $usual,
	'schedule.jitter' => '10min', 'jobs.workers' => 4 });
my $born = 0;

# Made like this so that nobody has asked for a job of it.
sub account {
	my $user = 'u' . ++$born;
	$s->account($user, programs => 3);
	$s->get('/api/jobs', as => $user)->{status} == 200 or die 'login';
	return $s->sql_value(q(SELECT id FROM account WHERE user_name = convert_to(?, 'UTF8')), $user);
}

# A schedule with what is said of it; and when it has its plan.
sub schedule {
	my ($account, %what) = @_;
	$what{cron} //= $daily;
	my @name = sort keys %what;
	my ($names, $marks) = (join(', ', @name), join(', ', ('?') x @name));
	my $set = join ', ', map { "$_ = excluded.$_" } @name;
	# The workers give each account the default one sooner or later.
	return $s->sql_value("INSERT INTO schedule (kind, account_id, $names) VALUES ('programs.sync', ?, $marks)
		ON CONFLICT (kind, account_id) DO UPDATE SET next_at = '-infinity', planned_by = NULL, $set
		RETURNING id", $account, @what{@name});
}

sub planned {
	my (@id) = @_;
	wait_until { !$s->sql_value('SELECT count(*) FROM schedule WHERE id = ANY (?) AND planned_by IS NULL', \@id) } 20,
	    'the plan';
	return wantarray ? @id : $id[0];
}

sub row { my ($id) = @_; return $s->sql(q(SELECT *, next_at > clock_timestamp() AS ahead FROM schedule WHERE id = ?), $id)->[0] }
sub jobs { my ($account) = @_; return @{ $s->sql('SELECT * FROM job WHERE account_id = ? ORDER BY created_at', $account) } }
sub due { my ($id, $late) = @_; return $s->sql('UPDATE schedule SET next_at = clock_timestamp() - ?::interval WHERE id = ?', $late // '0s', $id) }
sub moved { my ($id) = @_; return wait_until { row($id)->{ahead} } 20, 'the next time' }

subtest 'what is due becomes a job, once, and is told in one line' => sub {
	my @account  = map { account() } 1 .. 12;
	my %schedule = map { $_ => schedule($_) } @account;
	planned(values %schedule);
	is scalar(map { jobs($_) } @account), 0, 'a new schedule only makes its plan';
	$s->log_mark;
	$s->sql('UPDATE schedule SET next_at = clock_timestamp() WHERE account_id = ANY (?)', \@account);
	moved($_) for values %schedule;
	sleep 1.1;
	is_deeply [map { scalar jobs($_) } @account], [(1) x 12], 'one job each, with four workers looking';
	for my $account (@account[0, 11]) {
		my ($job) = jobs($account);
		is $job->{kind}, 'programs.sync', 'a sync';
		is $job->{priority}, -1, '... behind those that people wait for';
		ok wait_until { (jobs($account))[0]{state} eq 'done' } 20, '... which is done';
		my $row = row($schedule{$account});
		is $row->{job_id}, $job->{id}, 'the schedule knows it';
		ok $row->{fired_at}, '... and when';
		my @line = $s->log(qr/account=$account\b.*"schedule:/, 1);
		is scalar @line, 1, 'one line';
		like $line[0], qr/job=$job->{id} .*"schedule: fired" schedule=$row->{id} kind=programs.sync/, '... that says which';
		is $s->sql_value('SELECT count(*) FROM job_event WHERE job_id = ?::uuid AND n = 1
			AND data LIKE ?', $job->{id}, '%"start"%'), 1, 'its stream begins as any other';
	}
};

subtest 'the next time is the clock\'s, and the account\'s own delay later' => sub {
	my @account = map { account() } 1 .. 6;
	my $id = schedule(account(), cron => '0 3 * * *', time_zone => 'America/New_York', jitter => '0s');
	my $before = $s->sql_value('SELECT extract(epoch FROM clock_timestamp()) * 1000');
	my @id = map { schedule($_, cron => '*/30 * * * *') } @account;
	planned($id, @id);
	my @delay;
	for my $id (@id) {
		my $got = $s->sql(q(SELECT schedule_delay_ms(s, 600000) AS delay, extract(epoch FROM next_at) * 1000
			- schedule_delay_ms(s, 600000) AS planned, extract(epoch FROM clock_timestamp()) * 1000 AS now
			FROM schedule s WHERE id = ?), $id)->[0];
		push @delay, $got->{delay};
		is $got->{planned} % 1_800_000, 0, 'on the half hour';
		cmp_ok $got->{planned} + $got->{delay} - $got->{now}, '<=', 1_800_000, '... the next one';
		# It may have come since.
		cmp_ok $got->{planned} + $got->{delay}, '>', $before, '... to come';
	}
	my %different = map { $_ => 1 } @delay;
	is scalar(keys %different), 6, 'each has its own';
	is scalar(grep { $_ < 0 || $_ > 600_000 } @delay), 0, '... within the jitter';
	is $s->sql_value(q(SELECT (next_at AT TIME ZONE 'America/New_York')::time FROM schedule WHERE id = ?), $id),
	    '03:00:00', 'three o\'clock there';
	cmp_ok $s->sql_value('SELECT extract(epoch FROM next_at - clock_timestamp()) FROM schedule WHERE id = ?', $id),
	    '<=', 25 * 3600, '... the next time it is';
	ok !eval { $s->sql(q(UPDATE schedule SET time_zone = 'Mars/Olympus' WHERE id = ?), $id) }, 'no such place';
};

subtest 'hours that clocks skip or show twice are PostgreSQL\'s to judge' => sub {
	open my $in, '<', "${\ $s->root}/sql/query/jobs/schedule_moment.sql" or die;
	my $query = join '', <$in>;
	my $moment = sub {
		my ($shown, $base, $elapsed) = @_;
		my $row = $s->db->prepare($query);
		$row->execute($shown, $base, 'America/New_York', $elapsed ? 't' : 'f');
		my $got = $row->fetchrow_hashref;
		return ($s->sql_value(q(SELECT to_char(?::timestamptz AT TIME ZONE 'UTC', 'MM-DD HH24:MI')), $got->{at}), $got->{ahead});
	};
	is_deeply [$moment->('2026-03-08 02:30', '2026-03-08 00:00-05')], ['03-08 07:30', 1], 'skipped: as much later';
	is_deeply [$moment->('2026-03-09 02:30', '2026-03-08 03:30-04')], ['03-09 06:30', 1], '... and the next day at its time';
	is_deeply [$moment->('2026-11-01 01:30', '2026-11-01 00:00-04')], ['11-01 06:30', 1], 'twice: the second';
	is_deeply [$moment->('2026-11-01 01:30', '2026-11-01 01:40-05')], ['11-01 06:30', 0], '... once that has passed, no more';
	is_deeply [$moment->('2026-11-01 02:00', '2026-11-01 01:30-04', 1)], ['11-01 06:00', 1], 'every half hour: through both';
	is_deeply [$moment->('2026-11-01 01:30', '2026-11-01 01:00-05', 1)], ['11-01 06:30', 1], '... of them';
	is_deeply [$moment->('2026-03-08 02:00', '2026-03-08 01:30-05', 1)], ['03-08 07:00', 1], '... and over the gap';
};

subtest 'what was missed runs once, or not at all' => sub {
	my ($once, $skip) = map { account() } 1 .. 2;
	my $id_once = schedule($once, missed => 'once', cron => $hourly, jitter => '0s');
	my $id_skip = schedule($skip, missed => 'skip');
	planned($id_once, $id_skip);
	$s->log_mark;
	due($id_once, '5h');
	due($id_skip, '5h');
	moved($_) for $id_once, $id_skip;
	is scalar jobs($once), 1, 'once for all that were missed';
	is scalar jobs($skip), 0, 'skipped';
	ok scalar($s->log(qr/account=$skip\b.*"schedule: missed, skipped"/, 1)), '... and told';
	due($id_skip, '10s');
	moved($id_skip);
	is scalar jobs($skip), 1, 'a little late is not missed';
	$s->sql('DELETE FROM schedule WHERE id = ?', $id_once);
};

subtest 'an account that the partner refuses rests until its login is good' => sub {
	my %account = map { $_ => account() } qw(refused disabled off good);
	my %id = map { $_ => schedule($account{$_}) } sort keys %account;
	planned(values %id);
	$s->sql('UPDATE account SET state = ? WHERE id = ?', $_, $account{$_}) for qw(refused disabled);
	$s->sql('UPDATE schedule SET enabled = false WHERE id = ?', $id{off});
	due($id{$_}, '2h') for qw(refused disabled off);
	due($id{good}, '1h');
	ok moved($id{good}), 'a later one has had its turn';
	for my $state (qw(refused disabled off)) {
		is scalar jobs($account{$state}), 0, "$state: nothing runs";
		ok !row($id{$state})->{ahead}, '... and the time stands still';
	}
	$s->sql(q(UPDATE account SET state = 'active' WHERE id = ?), $account{refused});
	moved($id{refused});
	is scalar jobs($account{refused}), 1, 'then it does';
};

subtest 'a job under way is joined, in silence' => sub {
	my $account = account();
	my $id = planned(schedule($account));
	my $job = $s->sql_value(q(INSERT INTO job (kind, account_id, state, waiting_reason)
		VALUES ('programs.sync', ?, 'paused', 'by_hand') RETURNING id), $account);
	$s->log_mark;
	due($id);
	moved($id);
	is scalar jobs($account), 1, 'no second one';
	is row($id)->{job_id}, $job, '... but this';
	is scalar($s->log(qr/account=$account\b.*"schedule:/)), 0, 'nothing to tell';
};

subtest 'an expression that is none stops that schedule alone, until it is one' => sub {
	my $account = account();
	my $id = schedule($account, cron => '61 * * * *');
	my ($never, $other) = (schedule(account(), cron => '0 0 30 2 *'), schedule(account()));
	planned($id, $never, $other);
	is row($id)->{next_at}, 'infinity', 'never';
	ok scalar($s->log(qr/"schedule: no cron expression" schedule=$id why="bad minute"/, 1)), '... and told';
	is row($never)->{next_at}, 'infinity', 'a day that never comes';
	due($other);
	ok moved($other), 'others go on';
	$s->sql('UPDATE schedule SET cron = ? WHERE id = ?', $daily, $id);
	$s->kill('HUP', 'master');
	ok wait_until { row($id)->{next_at} ne 'infinity' } 20, 'mended: a new plan';
	is scalar jobs($account), 0, '... which is not a run';
};

subtest 'a time zone that is no more stops that schedule alone' => sub {
	my ($id, $other) = (schedule(account()), schedule(account()));
	planned($id, $other);
	ok !eval { $s->sql("UPDATE schedule SET time_zone = 'Europe/Nowhere' WHERE id = ?", $id); 1 }, 'nobody can ask for one';
	# As when an update of the system has taken it away.
	$s->sql('ALTER TABLE schedule DISABLE TRIGGER schedule_check_zone');
	$s->sql("UPDATE schedule SET time_zone = 'Europe/Nowhere' WHERE id = ?", $id);
	$s->sql('ALTER TABLE schedule ENABLE TRIGGER schedule_check_zone');
	due($id);
	ok wait_until { row($id)->{ahead} } 20, 'not now';
	is $s->sql_value("SELECT next_at > clock_timestamp() + interval '23 hours' FROM schedule WHERE id = ?", $id), 1, '... but to be looked at tomorrow';
	is scalar(() = jobs(row($id)->{account_id})), 0, '... without a run';
	ok scalar($s->log(qr/"schedule: no such time zone" schedule=$id time_zone=Europe\/Nowhere/, 1)), '... and told';
	due($other);
	ok moved($other), 'others go on';
	$s->sql("UPDATE schedule SET time_zone = 'UTC' WHERE id = ?", $id);
};

subtest 'a run that is due is not lost to new settings' => sub {
	my $account = account();
	my $id = schedule($account);
	planned($id);
	$s->sql("UPDATE schedule SET next_at = clock_timestamp() - interval '1 s', cron = ? WHERE id = ?", $daily =~ s/^0/10/r, $id);
	ok wait_until { jobs($account) } 20, 'it ran';
	ok wait_until { my $r = row($id); $r->{planned_by} =~ /^10 / } 20, '... and what follows is by the new ones';
};

subtest 'every account has one of the default' => sub {
	my $account = account();
	$s->kill('HUP', 'master');
	my $row;
	ok wait_until { $row = $s->sql('SELECT *, next_at > clock_timestamp() AS ahead FROM schedule WHERE account_id = ?',
		$account)->[0]; $row && $row->{ahead} } 20, 'made and planned';
	is $row->{kind}, 'programs.sync', 'a sync';
	is $row->{cron}, undef, '... as configured';
	like $row->{planned_by}, qr{\A\Q$usual\E\|UTC\|\d+\z}, '... every half hour';
	is scalar jobs($account), 0, '... but not now';
	is $s->sql_value('SELECT count(*) FROM (SELECT FROM schedule GROUP BY kind, account_id HAVING count(*) > 1) d'),
	    0, 'nobody has two';
	$s->conf_edit(sub { s/^sync = .*$/sync = 0 3 * * */m });
	$s->kill('HUP', 'master');
	ok wait_until { $s->sql_value('SELECT planned_by FROM schedule WHERE account_id = ?', $account) =~ /\A0 3/ } 20,
	    'another default: another plan';
};

subtest 'a bad default is found before it does harm' => sub {
	$s->conf_edit(sub { s/^sync = .*$/sync = 0 25 * * */m });
	my $ran = $s->lockstep('check');
	is $ran->{exit}, 1, 'check says no';
	like $ran->{err}, qr/schedule\.sync: bad hour/, '... and why';
	is $s->lockstep('serve')->{exit}, 1, 'serve does not start';
};

$s->stop;
done_testing;
