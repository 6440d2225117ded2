#!/usr/bin/perl

# A sync beside people who take all of the budget: it leaves them what is theirs, says
# what it waits for, and ends all the same.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Outcome qw(newest);
use Lockstep::Registry;
use Lockstep::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

# A sync may take ten calls, then two a second, as long as nobody else does.
use constant { RATE => 2, BURST => 20, RESERVE => 50, PROGRAMS => 120, PAGE => 40, PEOPLE => 3 };

my $s = Lockstep::Stack->start(conf => { 'partner.rate' => RATE, 'partner.burst' => BURST, 'partner.reserve' => RESERVE,
	'jobs.workers' => 2, 'live.workers' => 8 });
my $partner = $s->partner;
my $slow    = $ENV{TEST_SLOW} || 1;
my $calls   = int(PROGRAMS / PAGE) + 1;

$s->account('shop', programs => PROGRAMS, businesses => 9);
$s->get('/api/jobs', as => 'shop')->{status} == 200 or die 'login';

# People who turn pages without a pause, until they are told to stop.
sub hurry {
	my @pid;
	for (1 .. PEOPLE) {
		my $pid = fork // die "fork: $!";
		if ($pid) { push @pid, $pid; next }
		local $SIG{TERM} = sub { POSIX::_exit(0) };
		while (1) { sleep 0.2 if $s->get('/api/reseller/programs?limit=1', as => 'shop')->{status} != 200 }
	}
	return @pid;
}

# Calls that a job would be given now.
sub left_for_jobs {
	return $s->sql_value(q(SELECT ? - ? * greatest(0, extract(epoch FROM tat - clock_timestamp())) FROM rate_bucket
		WHERE method = 'programs' ORDER BY taken_at DESC LIMIT 1), BURST * (1 - RESERVE / 100), RATE);
}

# People first: however late it begins, nothing is left for it then.
my @people = hurry();
ok wait_until(sub { left_for_jobs() < 1 }, 20, 'the people'), 'people have taken all that there is for jobs';
my $stream = $s->sync_stream('shop', timeout => 60);
is $stream->status, 200, 'a sync is asked for';

my (%state, %reason, %hungry, @left, $done_at);
my $end = time + 100 * $slow;
my $job;
while (time < $end) {
	$job = newest($s, 'shop');
	$state{ $job->{state} }++;
	$reason{ $job->{waiting_reason} }++ if $job->{state} eq 'waiting';
	ok $job->{waiting_until}, 'it says until when' if $job->{state} eq 'waiting' && $state{waiting} == 1;
	my $hungry = $s->sql_value(q(SELECT checkpoint->>'hungry' FROM job WHERE id = ?), $job->{id});
	$hungry{$hungry}++ if defined $hungry;
	last if $job->{finished_at};
	push @left, left_for_jobs() if $state{waiting};
	sleep 0.1;
}
my $count = $partner->counters->{users}{shop};
kill 'TERM', @people;
waitpid $_, 0 for @people;

is $job->{state}, 'done', 'it ends while people go on' or diag explain $job;
registry_is($s, 'shop', 'the registry is the partner\'s list');
ok $state{waiting}, 'it had to wait';
is_deeply [keys %reason], ['partner_limited'], '... for the partner\'s limit, and said so';
my @event = map { $_->{json} } $stream->rest;
my @waiting = grep { $_->{type} eq 'waiting' } @event;
cmp_ok scalar @waiting, '>', 1, 'those who watch are told, each time';
is_deeply [grep { $_->{message} !~ /^Waiting until \d{4}-\d\d-\d\dT\d\d:\d\d UTC, partner limit$/ } @waiting], [], '... in words';
is $event[-1]{type}, 'complete', '... and of the end';
ok $hungry{true}, 'what it went without is remembered by the next worker';
my $free = grep { $_ >= 1 } @left;
cmp_ok $free, '<', @left / 10, "nothing was left for a job: $free of " . @left . ' times';
my $lists = @{ $count->{offsets} } - $calls;
cmp_ok $lists, '>', 2 * $calls, "people had more pages than the sync: $lists";
is_deeply [keys %{ $count->{by_path}{programs} }], [200], 'nobody was refused by the partner';

$s->stop;
done_testing;
