#!/usr/bin/perl

# What the partner no longer lists is retired: only after a complete reading that agrees
# with its total, softly, and more than a tenth only when a second one misses the same,
# whoever dies in between.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Outcome;
use Lockstep::Registry;
use Lockstep::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use constant PAGE => 40;

my $s = Lockstep::Stack->start(conf => { 'partner.retry_base' => '10ms', 'jobs.workers' => 1 });
my $partner = $s->partner;

my @FULL = (query => 'mode=full');

sub pages { my ($n) = @_; return map { PAGE * $_ } 0 .. POSIX::floor($n / PAGE) }

sub synced { my ($size, %more) = @_; my $user = known($s, $size, %more); $s->sync($user); return $user }

sub offsets_are { my ($got, $want, $name) = @_; return is_deeply [sort { $a <=> $b } @{ $got->{offsets} }], [sort { $a <=> $b } @$want], $name }

sub programs_of { my ($user) = @_; return $partner->data($user)->{programs} }

sub gone { my ($user, @how) = @_; return sort @{ $partner->edit(user => $user, op => 'remove', @how)->{ids} } }

sub answer_has { my ($got, $want, $name) = @_; return is_deeply { map { $_ => $got->{answer}{json}{$_} } keys %$want }, $want, $name }

subtest 'defect 4: a few that are gone are retired after one reading, softly' => sub {
	my $user = synced(200);
	my $id   = account_id($s, $user);
	my $version = $s->sql_value('SELECT registry_version FROM account WHERE id = ?', $id);
	$s->sql(q(UPDATE program SET custom_name = 'Ours' WHERE account_id = ?), $id);
	my $kept = programs_of($user);
	my @gone = gone($user, n => 20, pick => 'random');
	my $got  = sync($s, $user);
	is_done($got);
	offsets_are($got, [pages(180)], 'a tenth exactly: one reading');
	answer_has($got, { added => 0, updated => 0, removed => 20, unchanged => 180, total_db_before => 200,
		total_db_after => 180, status => 'synced', message => 'Added 0 new programs. Now have 180/180, 20 removed' }, 'the answer');
	is_deeply { map { $_ => $got->{events}[-1]{$_} } qw(status added removed total_synced message) },
	    { status => 'synced', added => 0, removed => 20, total_synced => 180,
		message => 'Successfully synchronized 0 new programs. Total: 180, 20 removed' }, 'the stream';
	is $got->{job}{counts}{removed}, 20, 'the job';
	is_deeply retired($s, $user), \@gone, 'those twenty';
	is_deeply $s->counts($user), $partner->counts($user), 'business-ids does not count them';
	is $s->sql_value('SELECT count(*) FROM program_business JOIN program USING (account_id, program_id)
		WHERE account_id = ? AND retired_at IS NOT NULL', $id), 0, '... and no link leads to them';
	cmp_ok $s->sql_value('SELECT registry_version FROM account WHERE id = ?', $id), '>', $version, 'the version has moved';
	my ($line) = $s->log(qr/account=$id .*sync: complete.*status=synced.*added=0/, 1);
	is $s->fields($line)->{removed}, 20, 'the log says so';

	$partner->forget;
	is $s->sync($user)->{status}, 'up_to_date', 'then all is quiet: a quick check matches';
	is $partner->counters->{users}{$user}{calls}, 1, '... with one call';
	my $at = $s->sql('SELECT program_id, retired_at, xmin FROM program WHERE account_id = ? AND retired_at IS NOT NULL ORDER BY 1', $id);
	is sync($s, $user, @FULL)->{answer}{json}{status}, 'up_to_date', '... and a full reading';
	is_deeply $s->sql('SELECT program_id, retired_at, xmin FROM program WHERE account_id = ? AND retired_at IS NOT NULL ORDER BY 1', $id),
	    $at, 'they are not retired once more';

	$partner->edit(user => $user, op => 'set', programs => $kept);
	$got = sync($s, $user);
	is_done($got);
	answer_has($got, { added => 20, updated => 0, removed => 0, total_db_before => 180, total_db_after => 200 },
		'what reappears is added');
	is_deeply retired($s, $user), [], 'nothing is retired any more';
	is $s->sql_value(q(SELECT count(*) FROM program WHERE account_id = ? AND custom_name = 'Ours'), $id), 200,
	    '... with the names that people gave them';
	is_deeply $s->counts($user), $partner->counts($user), 'business-ids counts them again';
};

subtest 'one that reappears as another' => sub {
	my $user = synced(80);
	my $all  = programs_of($user);
	my ($id) = gone($user, n => 1);
	$s->sync($user);
	is_deeply retired($s, $user), [$id], 'retired';
	my ($it) = grep { $_->{program_id} eq $id } @$all;
	$it->{program_type} = 'HOLOGRAM';
	$it->{businesses}   = [{ yelp_business_id => 'somewhereElseAAAAAAAAA', partner_business_id => undef }];
	$partner->edit(user => $user, op => 'set', programs => $all);
	my $got = sync($s, $user);
	is_done($got);
	answer_has($got, { added => 1, updated => 0, removed => 0 }, 'is added as it is now');
};

subtest 'more than a tenth: a second reading follows at once' => sub {
	my $user = synced(200);
	my @gone = gone($user, n => 21, pick => 'random');
	my $got  = sync($s, $user);
	is_done($got);
	offsets_are($got, [(pages(179)) x 2], 'each page twice');
	answer_has($got, { added => 0, removed => 21, total_db_after => 179 }, 'then they are removed');
	is_deeply retired($s, $user), \@gone, '... these';
	is scalar @{ $s->sql('SELECT id FROM job WHERE account_id = ?', account_id($s, $user)) }, 2, 'by the same job';
	is scalar(grep { $_->{type} eq 'progress' && $_->{percentage} > 100 } @{ $got->{events} }), 0, 'progress keeps within bounds';
	is scalar $s->log(qr/account=${\ account_id($s, $user)} .*many programs are gone.*missing=21.*programs=200/, 1), 1, 'the log says why';
};

subtest 'those that are new do not outweigh those that are gone' => sub {
	my $user = synced(10);
	$partner->edit(user => $user, op => 'add', n => 60);
	my @gone = gone($user, n => 3, pick => 'last');
	my $got  = sync($s, $user);
	is_done($got);
	offsets_are($got, [(pages(67)) x 2], '3 of 10 is much, whatever has come: each page twice');
	answer_has($got, { added => 60, removed => 3 }, 'then it is believed');
};

subtest 'a total of 0 retires all, after two readings' => sub {
	my $user = synced(81);
	my @gone = gone($user, n => 1000);
	my $got  = sync($s, $user);
	is_done($got);
	offsets_are($got, [0, 0], 'the only page, twice');
	answer_has($got, { removed => 81, total_api => 0, total_db_after => 0, message => 'Added 0 new programs. Now have 0/0, 81 removed' }, 'all are removed');
	is_deeply retired($s, $user), \@gone, 'softly';
	is_deeply $s->counts($user), {}, 'no business is left';
	is sync($s, $user)->{answer}{json}{status}, 'up_to_date', 'and nothing is to be done';
};

# The second reading is held while the partner is changed.
sub in_second {
	my ($user, $n, $change, @how) = @_;
	my $pages = my @page = pages($n);
	$partner->hold(user => $user, call => [$pages + 1, 2 * $pages]);
	$partner->forget;
	my $ask = ask($s, $user, @how);
	ok wait_until { ($partner->counters->{users}{$user}{calls} // 0) > $pages } 20, 'in the second reading';
	$change->();
	$partner->heal;
	return outcome($ask);
}

subtest 'both readings must miss a program' => sub {
	my $user = synced(200);
	my $all  = programs_of($user);
	gone($user, n => 40, pick => 'last');
	my $got = in_second($user, 160, sub { $partner->edit(user => $user, op => 'set', programs => $all) });
	is_done($got, status => 'up_to_date');
	answer_has($got, { added => 0, removed => 0, total_db_after => 200 }, 'missing in the first, there in the second: it stays');
	is_deeply retired($s, $user), [], 'nothing is retired';

	# Which are gone changes in between: only what both miss goes.
	my @gone  = sort map { $_->{program_id} } @$all[0 .. 29];
	my @other = map { $_->{program_id} } @$all[30 .. 39];
	gone($user, ids => [@gone, map { $_->{program_id} } @$all[40 .. 49]]);
	my @later = grep { my $id = $_->{program_id}; !grep { $_ eq $id } @gone, @other } @$all;
	$got = in_second($user, 160, sub { $partner->edit(user => $user, op => 'set', programs => \@later) });
	is $got->{job}{state}, 'done', 'done';
	is_deeply retired($s, $user), \@gone, 'those that were gone both times';
	answer_has($got, { removed => 30, total_api => 160, total_db_after => 170 }, '... as the answer says');
	registry_counts_are($s, $user);
	$got = sync($s, $user);
	is_done($got);
	answer_has($got, { removed => 10, total_db_after => 160 }, 'the others the next time');
};

subtest 'a set that moves in the second reading' => sub {
	my $user = synced(200);
	my ($first, $last) = (programs_of($user)->[0]{program_id}, programs_of($user)->[199]{program_id});
	my @gone = gone($user, ids => [map { $_->{program_id} } @{ programs_of($user) }[100 .. 139]]);
	# In it a page comes once too many; in the third reading another one is missing,
	# which the first had seen.
	$partner->fault(user => $user, kind => 'duplicate', n => 5, offset => 80, attempt => 2);
	$partner->fault(user => $user, kind => 'drift_remove', n => 1, call => 10);
	my $got = sync($s, $user);
	$partner->heal;
	is $got->{job}{state}, 'done', 'a third one agrees';
	is_deeply retired($s, $user), \@gone, 'the first reading counts: what it saw stays';
	ok registry($s, $user)->{$first}, '... although it has gone since';
	is_done(sync($s, $user));
	is_deeply retired($s, $user), [sort @gone, $first], 'until the next sync';
};

subtest 'defect 1: a partial reading retires nothing' => sub {
	for my $fault ([kind => '404', offset => 80], [kind => 'empty_page', offset => 80],
		[kind => 'total_off', k => 3], [kind => 'total_off', k => -3], [kind => 'duplicate', n => 5, offset => 80],
		[kind => 'drift_add', n => 1], [kind => 'html', offset => 80], [kind => '403', after_calls => 3]) {
		my $user = synced(200);
		gone($user, n => 10, pick => 'random');
		$partner->fault(user => $user, @$fault);
		my $got = sync($s, $user, @FULL);
		$partner->heal;
		is $got->{job}{state}, 'partial', "@$fault: partial";
		is_deeply retired($s, $user), [], '... nothing is retired';
		answer_has($got, { removed => 0 }, '... or said to be');
		my $full = sync($s, $user, @FULL);
		is_done($full);
		is $full->{answer}{json}{removed}, 10, '... as it is by the next complete one';
	}
};

subtest 'a second reading that is partial retires nothing' => sub {
	my $user = synced(200);
	my $kept = registry($s, $user);
	gone($user, n => 40, pick => 'random');
	$partner->fault(user => $user, kind => '404', offset => 80, call => 2);
	my $got = sync($s, $user);
	$partner->heal;
	is_partial($got, why => qr/40 of 160 programs could not be read/, kept => $kept);
	is_deeply retired($s, $user), [], 'all are still there';
	$got = sync($s, $user);
	is_done($got);
	offsets_are($got, [(pages(160)) x 2], 'the next sync begins anew: two readings');
	is $got->{answer}{json}{removed}, 40, '... and removes them';
};

subtest 'a program that cannot be kept is not taken for gone' => sub {
	my $user = synced(80);
	my $all  = programs_of($user);
	$all->[50]{program_type} = 'x' x 300;
	$partner->edit(user => $user, op => 'set', programs => $all);
	is sync($s, $user, @FULL)->{job}{state}, 'partial', 'partial';
	is_deeply retired($s, $user), [], 'its row stays';
};

subtest 'one account\'s programs are not another\'s' => sub {
	my ($one, $two) = (synced(80), known($s, 1));
	$partner->edit(user => $two, op => 'set', programs => programs_of($one));
	$s->sync($two);
	gone($one, n => 5);
	is_done(sync($s, $one));
	is scalar @{ retired($s, $one) }, 5, 'retired here';
	is_deeply retired($s, $two), [], '... not there';
	registry_is($s, $two, '... where all is as it was');
};

# The one jobs worker dies, once that is true.
sub kill_when(&$) {
	my ($test, $what) = @_;
	ok wait_until { $test->() } 40, $what;
	return $s->kill(KILL => 'jobs');
}

sub checkpoint { my ($user, $key) = @_; return $s->sql_value('SELECT checkpoint->>? FROM job WHERE account_id = ?
	ORDER BY created_at DESC LIMIT 1', $key, account_id($s, $user)) // 0 }

subtest 'kill -9 in the middle of a full pass' => sub {
	my $user = synced(1200);
	my @gone = gone($user, n => 60, pick => 'random');
	$partner->edit(user => $user, op => 'change', field => 'dates', n => 500, pick => 'random');
	$partner->edit(user => $user, op => 'add', n => 7, pick => 'random');
	$partner->latency(base_ms => 150);
	my $ask = ask($s, $user, @FULL);
	kill_when { checkpoint($user, 'unique') > 200 } 'in the middle';
	$partner->latency(base_ms => 0);
	my $got = outcome($ask);
	is_done($got);
	answer_has($got, { added => 7, updated => 500, removed => 60, total_db_after => 1147 }, 'the counts are true');
	is_deeply retired($s, $user), \@gone, 'what was seen before counts';
};

subtest 'kill -9 in the second reading' => sub {
	my $user = synced(1200);
	my @gone = gone($user, n => 200, pick => 'random');
	$partner->latency(base_ms => 150);
	$partner->forget;
	my $ask = ask($s, $user);
	kill_when { checkpoint($user, 'pass') == 2 && checkpoint($user, 'unique') > 200 } 'in the middle of it';
	$partner->latency(base_ms => 0);
	my $got = outcome($ask);
	is_done($got);
	answer_has($got, { added => 0, updated => 0, removed => 200, total_db_after => 1000 }, 'the counts are true');
	is_deeply retired($s, $user), \@gone, 'what both missed is retired';
	for my $offset (pages(1000)) {
		next if asked($got, $offset) >= 2;
		fail "offset $offset was read once only";
	}
};

# The doubt is noted; the second reading has begun, and nothing of it has come. What is
# to happen meanwhile does so before the kill: a successor begins to read at once.
sub kill_in_between {
	my ($user, $meanwhile) = @_;
	$partner->fault(user => $user, kind => 'delay', ms => 20_000, after_calls => scalar(my @page = pages(160)), times => 5);
	$partner->forget;
	my $ask = ask($s, $user);
	kill_when { checkpoint($user, 'doubted') > 0 && ($meanwhile ? $meanwhile->() : 1) } 'the first reading has its doubt';
	return $ask;
}

subtest 'kill -9 between the two readings' => sub {
	my $user = synced(200);
	my $all  = programs_of($user);
	gone($user, n => 40, pick => 'last');
	my $ask = kill_in_between($user, sub { $partner->edit(user => $user, op => 'set', programs => $all); 1 });
	$partner->heal;
	my $got = outcome($ask);
	is_done($got, status => 'up_to_date');
	is_deeply retired($s, $user), [], 'one reading does not pass for two';

	my @gone = gone($user, n => 40, pick => 'random');
	$ask = kill_in_between($user);
	$partner->heal;
	$got = outcome($ask);
	is_done($got);
	is_deeply retired($s, $user), \@gone, 'with a second one they go';
	cmp_ok asked($got, 40), '>=', 2, '... which it did make';
};

# Which ids were seen is not kept through a crash of the database; a worker that was
# waiting for the partner meanwhile hardly notices it.
sub crash_postgres {
	my $checkpointer = sub {
		$s->disconnect;
		return $s->sql_value(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'));
	};
	my $pid = $checkpointer->();
	$s->log_mark;
	kill 'KILL', $pid;
	# Until the postmaster has noticed, the old one still answers.
	ok wait_until { (eval { $checkpointer->() } // $pid) != $pid } 20, 'the database has died and is back';
	return;
}

sub ends_by_itself {
	my ($user, $ask) = @_;
	ok wait_until { (newest($s, $user) // {})->{finished_at} } 60, 'the job ends';
	$ask->{post}->close;
	is newest($s, $user)->{state}, 'done', '... done';
	return [@{ $partner->counters->{users}{$user}{offsets} }];
}

subtest 'the database crashes between the two readings' => sub {
	my $user = synced(200);
	my $all  = programs_of($user);
	my @gone = gone($user, n => 40, pick => 'last');
	$partner->hold(user => $user, after_calls => scalar(my @page = pages(160)));
	$partner->forget;
	my $ask = ask($s, $user);
	ok wait_until { checkpoint($user, 'doubted') > 0 } 20, 'the first reading has its doubt';
	# The first reading had seen it; the second, and the one that follows it, have not.
	my ($seen) = gone($user, ids => [$all->[0]{program_id}]);
	crash_postgres();
	$partner->heal;
	my $offsets = ends_by_itself($user, $ask);
	ok +($s->log(qr/what was seen is gone/, 1))[0], 'what was seen had gone with the crash';
	is_deeply retired($s, $user), [sort @gone, $seen], 'all that is gone is retired';
	cmp_ok +(grep { $_ == 40 } @$offsets), '>=', 4, '... after two more readings';
	registry_is($s, $user, 'and the registry is the partner\'s list');
};

subtest 'the database crashes in the middle of a reading' => sub {
	my $user = synced(1200);
	my ($gone) = gone($user, n => 1, pick => 'last');
	# Two pages are there, less than a tenth; all others come later.
	$partner->hold(user => $user, offset => [80, 1200]);
	$partner->forget;
	my $ask = ask($s, $user);
	ok wait_until { checkpoint($user, 'unique') == 80 } 20, 'two pages are written';
	crash_postgres();
	$partner->heal;
	my $offsets = ends_by_itself($user, $ask);
	ok +($s->log(qr/what was seen is gone/, 1))[0], 'what was seen had gone with the crash';
	is_deeply retired($s, $user), [$gone], 'what had been seen before is not taken for gone';
	registry_is($s, $user, 'and the registry is the partner\'s list');
	is newest($s, $user)->{counts}{removed}, 1, '... as the job says';
};

subtest 'nothing was left behind' => sub {
	is $s->sql_value(q(SELECT count(*) FROM job WHERE finished_at IS NULL)), 0, 'no job is stuck';
	is $s->sql_value('SELECT count(*) FROM sync_seen'), 0, 'no trace of ended passes';
};

$s->stop;

# Nothing at all without a second reading; everything with one.
for my $case ([0, 2], [100, 1]) {
	my ($share, $readings) = @$case;
	$s = Lockstep::Stack->start(conf => { 'programs.retire_max_share' => $share });
	$partner = $s->partner;
	subtest "programs.retire_max_share = $share" => sub {
		my $user = synced(80);
		gone($user, n => $share ? 80 : 1);
		my $got = sync($s, $user);
		is_done($got);
		is asked($got, 0), $readings, "readings: $readings";
	};
	$s->stop;
}
done_testing;
