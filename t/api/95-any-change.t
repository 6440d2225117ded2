#!/usr/bin/perl

# Whatever changes at the partner, however it answers, whoever dies: after a complete
# reading the registry is what the partner has, after any other nothing is lost, and
# after a rehearsal nothing has changed. Some hundred rounds of random changes, faults
# and deaths; the seed is printed. TEST_SEED repeats a run, TEST_ROUNDS makes it longer.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::MD5 qw(md5);
use JSON::PP    ();
use List::Util  qw(max min shuffle sum0);
use Lockstep::Mirror;
use Lockstep::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

use constant { PAGE => 40, SMALL => 30, LARGE => 300, BAD_MAX => 3 };

my $slow   = $ENV{TEST_SLOW} || 1;
my $seed   = $ENV{TEST_SEED} // (time ^ $$) % 1_000_000;
my $rounds = $ENV{TEST_ROUNDS} // ($ENV{ASAN_OPTIONS} ? 60 : 500);
my ($true, $false) = (JSON::PP::true(), JSON::PP::false());
my $json = JSON::PP->new->canonical->allow_nonref;
diag "TEST_SEED=$seed TEST_ROUNDS=$rounds";

my $s = Lockstep::Stack->start(seed => $seed, conf => {
	'partner.retry_base' => '1ms', 'partner.timeout' => 1000 * $slow . 'ms', 'partner.retries' => 3,
	'partner.body_max' => '128k', 'jobs.workers' => 2, 'programs.full_every' => '1h' });
my $partner = $s->partner;

# A sequence of its own for each round, whatever the rounds before have used.
sub seeded { my (@words) = @_; srand unpack 'N', md5(join ' ', $seed, @words); return }
sub one    { return $_[rand @_] }
sub chance { my ($percent) = @_; return rand 100 < $percent }
sub some   { my ($max) = @_; return 1 + int rand $max }

# Accounts.

my @mirror;
for my $size (30, 41, 80, 119, 160, 300) {
	my $user = "any$size";
	$s->account($user, programs => $size, journal => $true, variants => $size % 80 ? $false : $true);
	$s->get('/api/jobs', as => $user)->{status} == 200 or die 'login';
	my $m = Lockstep::Mirror->new($s, $user);
	$m->{names} = {};
	push @mirror, $m;
}

# Changes.

sub day { return sprintf '20%02d-%02d-%02d', 15 + int rand 60, some(12), some(28) }

sub money { return one(undef, 0, 31999, some(1_000_000)) }

# What a column may become. Every one that a sync keeps has to be here: see the end.
my %value = (
	program_type              => sub { program_type => one(qw(CPC LOGO HOLOGRAM), "Caf\x{e9}", undef) },
	program_status            => sub { program_status => one(qw(ACTIVE INACTIVE TERMINATED), undef) },
	program_pause_status      => sub { program_pause_status => one(qw(PAUSED NOT_PAUSED), undef) },
	start_date                => sub { start_date => one(day(), day(), undef, '2025-02-29') },
	end_date                  => sub { end_date => one(day(), day(), undef, '9999-12-31', 'soon') },
	ad_campaign_id            => sub { ad_campaign_id => one('campaign' . some(1000), undef) },
	budget                    => sub { metric(budget => money()) },
	max_bid                   => sub { metric(max_bid => money()) },
	ad_cost                   => sub { metric(ad_cost => money()) },
	billed_impressions        => sub { metric(billed_impressions => one(undef, 0, 2**33 + some(1000))) },
	billed_clicks             => sub { metric(billed_clicks => one(undef, 0, some(1000))) },
	currency                  => sub { metric(currency => one(qw(USD EUR CAD), undef)) },
	is_autobid                => sub { metric(is_autobid => one($true, $false, undef)) },
	fee_period                => sub { metric(fee_period => one('Calendar Month', 'Rolling Month', 'Not Billed', undef)) },
	page_upgrade_monthly_rate => sub { page_upgrade_info => { monthly_rate => one(undef, 30, 19.99, some(500)) } },
	page_upgrade_cost         => sub { page_upgrade_info => { cost => one(undef, 0, 8.24, some(500)) } },
	active_features           => sub { active_features => features() },
	available_features        => sub { available_features => features() },
	future_budget_changes     => sub { future_budget_changes => one([], undef,
		[{ old_budget => some(9000), new_budget => some(9000), start_date => day() }]) },
	ad_categories             => sub { ad_categories => one(undef, [], [one(qw(plumbing hvac)), 'roofing']) },
	businesses                => sub { businesses => [map { business() } 1 .. int rand 4] },
	yelp_business_id          => sub { businesses => [business()] },
	partner_business_id       => sub { businesses => [{ yelp_business_id => 'fixedBusinessAAAAAAAAA',
		partner_business_id => one(undef, 'own' . some(1000)) }] },
	'what nobody knows'       => sub { brand_new => { a => [some(9)] } },
);
my @group = qw(program_metrics page_upgrade_info active_features available_features future_budget_changes
    program_pause_status businesses);

sub metric   { return program_metrics => {@_} }
sub features { return one(undef, [], [(shuffle(qw(AD_GOAL CALL_TRACKING LINK_TRACKING)))[0 .. int rand 3]]) }
sub business { return { yelp_business_id => 'business' . some(20), partner_business_id => one(undef, 'own' . some(99)) } }

my (%did, %column);

# An edit at the simulator as its control API takes it.
my %edit = (
	value   => sub { my $c = one(sort keys %value); $column{$c}++; return (op => 'change', n => some(20), values => { $value{$c}->() }) },
	unset   => sub { (op => 'change', n => some(5), unset => [one(@group)]) },
	change  => sub { (op => 'change', n => some(9)) },
	add     => sub { (op => 'add', n => some(15), status => one(qw(CURRENT PAST FUTURE PAUSED INACTIVE)),
		one([], [business => 'business' . some(20)])->@*) },
	remove  => sub { (op => 'remove', n => some(4)) },
	purge   => sub { (op => 'remove', n => some(120)) },
	restore => sub { (op => 'restore', n => some(20)) },
	move    => sub { (op => 'move', n => some(9), one([], [to => 'business' . some(20)])->@*) },
	reorder => sub { (op => 'reorder') },
);
my @edits = ((('value') x 8), qw(unset change add add remove remove purge restore restore move move reorder));

sub edit {
	my ($m, $what) = @_;
	my %how = $edit{$what}->();
	$how{pick} = one(qw(first last random)) if $how{op} ne 'reorder';
	$did{$what}++;
	my $done = $partner->edit(user => $m->user, %how);
	return ($json->encode(\%how), $done->{total});
}

# Some edits; the account stays within its bounds, but it may be empty for once.
sub edit_some {
	my ($m) = @_;
	my (@done, $text, $total);
	$total = @{ [$m->partner_list] };
	push @done, fit($m, $total);
	for (1 .. one(0, 1, 1, 2, 3, 5)) {
		($text, $total) = edit($m, one(@edits));
		push @done, $text;
	}
	if (chance(1)) {
		$partner->edit(user => $m->user, op => 'remove', n => 1000);
		push @done, 'all are removed';
		$did{'all gone'}++;
	}
	return @done;
}

sub fit {
	my ($m, $total) = @_;
	my %how = $total < SMALL ? (op => 'restore', n => some(60)) : $total > LARGE ? (op => 'remove', n => $total - LARGE + some(150), pick => 'random') : return;
	my $left = $partner->edit(user => $m->user, %how)->{total};
	$left = $partner->edit(user => $m->user, op => 'add', n => SMALL - $left)->{total} if $left < SMALL;
	return "to $left programs";
}

# A user's own names, which only the user may change.
sub rename_some {
	my ($m) = @_;
	my @live = sort keys %{ $m->{before}{live} } or return;
	for (1 .. some(2)) {
		my ($id, $name) = (one(@live), one('Ours ' . some(1000), "\x{41d}\x{430}\x{448}\x{430}", undef));
		my $answer = $s->post("/api/reseller/program/$id/custom-name", as => $m->user, json => { custom_name => $name });
		$answer->{status} == 200 or die "custom-name: $answer->{status} $answer->{body}";
		utf8::encode($name) if defined $name;
		$m->{names}{$id} = $name;
		delete $m->{names}{$id} if !defined $name;
	}
	return;
}

# Faults.

sub bool { return $_[0] ? $true : $false }

# Errors, of which a few may be got over by trying again. 401 is another matter: it
# ends the login, see 83-sync-refused.t.
my @error = (
	(map { [kind => "$_"] } 500, 500, 429, 429, 503, 502, 403, 404),
	[kind => 'hang'], [kind => 'reset_before'], [kind => 'reset_before', rst => $true], [kind => 'reset'],
	[kind => 'html'], [kind => 'truncated'], [kind => 'array_missing'], [kind => 'array_null'],
	[kind => 'content_type'], [kind => 'bad_utf8'], [kind => 'deep_json', depth => 3000],
	[kind => 'huge_body', bytes => 200_000], [kind => 'delay', ms => 60],
	[kind => 'drip', interval_ms => 1, bytes => 4000], [kind => 'empty_page'], [kind => 'no_echo'],
);
my @twist = ((map { [kind => 'total_off', k => $_] } -41, -3, -1, 1, 2, 40), (map { [kind => 'duplicate', n => $_] } 1, 7, 40),
	[kind => 'unstable_order'], [kind => 'clamp', to => 7], [kind => 'clamp', to => 25]);

# Which calls, of about so many.
sub which {
	my ($calls) = @_;
	return one([times => 1], [times => some(3)], [call => some($calls)], [offset => PAGE * int rand $calls],
		[offset => PAGE * int rand $calls, times => some(4)], [probability => 0.3], [after_calls => some($calls)]);
}

# All of them in turn, and the first time so that they surely come about.
my %turn;
sub in_turn {
	my ($theme, $calls, @kind) = @_;
	my $n = $turn{$theme}++;
	return [@{ $kind[$n % @kind] }, $n < @kind ? $theme eq 'twist' ? () : (times => 1) : @{ which($calls) }];
}

# A few times: a list that grows faster than it can be read has no end.
sub drift {
	my ($calls) = @_;
	my $way  = one(qw(drift_add drift_remove));
	my @more = one([], [[kind => $way, n => some(3)]], [[kind => one(qw(drift_change drift_move drift_reorder))]])->@*;
	return map { [@$_, one([times => some(3)], [call => some($calls)], [probability => 0.4, times => 4])->@*] }
	    [kind => $way, n => one(1, 1, some(45))], @more;
}

# How many at the end of the list are more than a reading may retire; 0: they cannot be.
sub hidden {
	my ($m, @list) = @_;
	my $n    = int(@list * (0.2 + rand 0.5));
	my $live = $m->{before}{live};
	my $had  = grep { exists $live->{ $_->[0] } } @list[$#list - $n + 1 .. $#list];
	return $had > 0.1 * keys %$live ? $n : 0;
}

# Growing and shrinking at once cannot be told from standing still by any reader, and
# a partner that is wrong about its total in step with what it hides likewise: such
# rules do not meet in one round.
my %theme = (
	calm   => sub { () },
	errors => sub { my ($calls) = @_; (in_turn(errors => $calls, @error), map { [@{ one(@error) }, @{ which($calls) }] } 1 .. int rand 3) },
	broken => sub { my ($calls) = @_; [@{ one(@error) }, @{ one([], [after_calls => some($calls)]) }] },
	twist  => sub { my ($calls) = @_; in_turn(twist => $calls, @twist) },
	drift  => \&drift,
	# Once, for a whole reading; a sync reads again before it believes that.
	hide   => sub { my (undef, $m, @list) = @_; my $n = hidden($m, @list);
		$n ? [kind => 'hide', n => $n, call => [1, 1 + int((@list - $n) / PAGE)]] : () },
	named  => sub { [kind => '429', retry_after => 1, times => 1] },
);
my @themes = ((('calm') x 38), (('errors') x 27), (('broken') x 8), (('twist') x 10), (('drift') x 13), (('hide') x 4), 'named');

sub newest_job {
	my ($m, $columns) = @_;
	return $s->db->selectrow_array("SELECT $columns FROM job WHERE account_id = ? ORDER BY created_at DESC LIMIT 1", {}, $m->id);
}

# A worker dies once the partner has had so many calls: then the sync is under way.
sub kill_worker {
	my ($m, $calls, $last) = @_;
	my $end = time + 10 * $slow;
	while (time < $end) {
		my ($id, $state, $holder) = newest_job($m, 'id, state, holder');
		next if ($id // $last) eq $last;
		return 0 if $state =~ /done|partial|failed|waiting/;
		if ($state eq 'running' && ($partner->counters->{users}{ $m->user }{calls} // 0) >= $calls) {
			my ($index) = $holder =~ m{/(\d+)\z} or die "holder: $holder";
			my $pid = $s->pid('jobs', $index);
			return CORE::kill('KILL', $pid) if $pid;
		}
	} continue {
		sleep 0.002;
	}
	return 0;
}

# Judging.

my @wrong;

sub wrong { push @wrong, @_; return }

# Something is wrong with these programs, if there are any.
sub wrong_of {
	my ($what, @id) = @_;
	wrong("$what: @id[0 .. min($#id, 2)]" . (@id > 3 ? ' and ' . (@id - 3) . ' more' : '')) if @id;
	return;
}

sub lacking { my ($one, $other) = @_; return grep { !exists $other->{$_} } sort keys %$one }

sub rows_are {
	my ($have, $want, $what) = @_;
	my @bad = grep { ($have->{$_} // '') ne ($want->{$_} // '') } sort keys %{ { %$have, %$want } };
	wrong_of($what, @bad);
	push @wrong, map { "    $_: " . Lockstep::Mirror::difference($have->{$_}, $want->{$_}) } @bad[0 .. min($#bad, 2)];
	return;
}

# What holds after anything.
sub nothing_lost {
	my ($r) = @_;
	my ($before, $after) = @$r{qw(before after)};
	my %had = map { $_ => 1 } keys %{ $before->{live} }, keys %{ $before->{retired} };
	wrong_of('rows are gone', lacking(\%had, { %{ $after->{live} }, %{ $after->{retired} } }));
	rows_are($after->{names}, $r->{names}, 'custom names');
	my @odd = grep { ($before->{live}{$_} // '') ne $after->{live}{$_} && !$r->{sent}{"$_ $after->{live}{$_}"} }
	    sort keys %{ $after->{live} };
	wrong_of('values that the partner never sent', @odd);
	push @wrong, map { "    $_: " . Lockstep::Mirror::difference($after->{live}{$_}, $r->{start}{$_}) } @odd[0 .. min($#odd, 2)];
	wrong_of('links of retired programs', grep { length $after->{retired}{$_} } sort keys %{ $after->{retired} });
	wrong_of('links of no program', @{ $after->{stray} });
	wrong(map { "kept counts: $_" } $r->{m}->counts_wrong_now);
	my @end = grep { /^(?:complete|error)$/ } @{ $r->{events} };
	wrong("ends with @{ $r->{events} }") if @end != 1 || $r->{events}[-1] ne $end[0];
	return;
}

sub is_complete {
	my ($r) = @_;
	my ($live, $start, $end) = ($r->{after}{live}, @$r{qw(start end)});
	return rows_are($live, $end, 'not what the partner has') if $r->{theme} ne 'drift';
	# What moved meanwhile may have been read before or after.
	wrong_of('is not there', grep { exists $start->{$_} && !exists $live->{$_} } sort keys %$end);
	wrong_of('never was there', grep { !exists $start->{$_} && !$r->{shown}{$_} } sort keys %$live);
	rows_are({ map { $_ => $live->{$_} } grep { exists $live->{$_} } keys %$start },
		{ map { $_ => $r->{sent}{"$_ $live->{$_}"} ? $live->{$_} : $start->{$_} } grep { exists $live->{$_} } keys %$start },
		'is as the partner had it');
	return;
}

# The counts of a sync at which nothing else happened are the difference.
sub is_counted {
	my ($r) = @_;
	my ($had, $end) = ($r->{before}{live}, $r->{end});
	my %want = (added => scalar lacking($end, $had), removed => scalar lacking($had, $end),
		updated => scalar grep { exists $end->{$_} && $end->{$_} ne $had->{$_} } keys %$had);
	$r->{job}{$_} == $want{$_} or wrong("$_: counts $r->{job}{$_} instead of $want{$_}") for sort keys %want;
	return;
}

# A quick look has seen no difference: then it has changed nothing, and there was none
# where it looked.
sub is_quick {
	my ($r) = @_;
	rows_are($r->{after}{live}, $r->{before}{live}, 'changed by a quick look');
	return if $r->{theme} ne 'calm';
	my @first = grep { defined } @{ $r->{order} }[0 .. PAGE - 1];
	wrong('another total') if keys %{ $r->{end} } != keys %{ $r->{before}{live} };
	wrong_of('the first page differs', grep { ($r->{before}{live}{$_} // '') ne $r->{end}{$_} } @first);
	return;
}

sub judge {
	my ($r) = @_;
	nothing_lost($r);
	my ($state, $calm) = ($r->{job}{state}, $r->{theme} eq 'calm');
	if ($r->{mode} eq 'dry_run') {
		wrong('a rehearsal has changed something') if $r->{version}[0] ne $r->{version}[1];
		is_counted($r) if $calm;
	} elsif ($state eq 'done' && $r->{full}) {
		is_complete($r);
		is_counted($r) if $calm;
	} elsif ($state eq 'done') {
		wrong('a full reading was asked for') if $r->{mode} eq 'full';
		is_quick($r);
	} else {
		wrong_of('retired by a reading that is not complete', lacking($r->{before}{live}, $r->{after}{live}));
		wrong("removed: $r->{job}{removed}") if $r->{job}{removed};
		rows_are($r->{after}{live}, $r->{before}{live}, 'changed by a sync that failed')
		    if $state eq 'failed' && !grep { $_ eq 'progress' } @{ $r->{events} };
	}
	wrong("ends as $state although nothing was wrong") if $calm && $state ne 'done';
	return;
}

# Rounds.

sub full_at { my ($m) = @_; return $s->sql_value('SELECT full_at::text FROM account WHERE id = ?', $m->id) // '' }

sub run_sync {
	my ($r) = @_;
	my $m = $r->{m};
	my ($last) = newest_job($m, 'id');
	my %query = (full => '?mode=full', quick => '', dry_run => '?dry_run=1');
	my $post = $s->sse("/api/reseller/programs/sync$query{ $r->{mode} }", method => 'POST', as => $m->user, timeout => 40);
	if (defined $r->{kill}) {
		$r->{killed} = kill_worker($m, $r->{kill}, $last // '');
		$partner->latency(base_ms => 0);
	}
	my $status = $post->status;
	wrong('no answer, or ' . ($status // 'none')) if !defined $status || $status == 202;
	my $job = $s->sql('SELECT * FROM job WHERE account_id = ? ORDER BY created_at DESC LIMIT 1', $m->id)->[0];
	$r->{job} = $job;
	$r->{events} = [map { $_->{type} } @{ $s->sql(q(SELECT data::json->>'type' AS type FROM job_event WHERE job_id = ? ORDER BY n), $job->{id}) }];
	wrong("has not ended: $job->{state}") if !$job->{finished_at};
	return;
}

# One round: changes, a sync with whatever befalls it, and the verdict.
sub round {
	my ($n) = @_;
	seeded('round', $n);
	my $m = one(@mirror);
	my $r = { m => $m, theme => one(@themes), mode => one(qw(full full full full full quick quick dry_run)) };
	$m->{before} //= $m->registry;
	# A quick look that finds nothing is a case of its own.
	$r->{edits} = [$r->{mode} eq 'quick' && chance(40) ? () : edit_some($m)];
	rename_some($m) if chance(20);
	$r->{names}  = $m->{names};
	$m->{before} = $r->{before} = $m->registry;
	$m->partner_journal;
	my @start = $m->partner_list;
	my $calls = max(1, 1 + int @start / PAGE);
	$r->{rules} = [$theme{ $r->{theme} }->($calls, $m, @start)];
	$partner->fault(user => $m->user, path => 'programs', @$_) for @{ $r->{rules} };
	if ($r->{theme} !~ /named|hide/ && chance(9)) {
		$r->{kill} = 1 + int rand $calls;
		$partner->forget;
		$partner->latency(base_ms => 50);
	}
	my $full = full_at($m);
	$r->{version}[0] = $m->version if $r->{mode} eq 'dry_run';

	@wrong = ();
	run_sync($r);
	$r->{full} = full_at($m) ne $full;
	$r->{hits} = [map { [$_->{kind}, $_->{hits}] } @{ $partner->faults->{faults} }];
	$partner->heal;
	$r->{version}[1] = $m->version if $r->{mode} eq 'dry_run';
	my @end = $m->partner_list;
	my @shown = $m->partner_journal;
	$r->{start} = { map { @$_ } @start };
	$r->{end}   = { map { @$_ } @end };
	$r->{order} = [map { $_->[0] } @end];
	$r->{shown} = { map { $_->[0] => 1 } @shown };
	$r->{sent}  = { map { ("@$_" => 1) } @start, @shown };
	$m->{before} = $r->{after} = $m->registry;
	judge($r);
	return $r;
}

sub told {
	my ($r) = @_;
	return join ', ', $r->{mode}, $r->{theme}, keys(%{ $r->{start} }) . ' programs',
	    (defined $r->{kill} ? $r->{killed} ? "killed after $r->{kill} calls" : 'not killed in time' : ()),
	    "$r->{job}{state}" . ($r->{job}{state} eq 'done' && !$r->{full} && $r->{mode} eq 'quick' ? ' at a glance' : '');
}

my (%came, %hit);
my ($bad, $began) = (0, time);
for my $n (1 .. $rounds) {
	my $r = round($n);
	$came{"$r->{mode} $r->{job}{state}" . ($r->{full} ? ' in full' : '')}++;
	$came{ $r->{theme} }++;
	$came{killed}++ if $r->{killed};
	$came{'a second reading'}++ if $r->{job}{removed} > 0.1 * keys %{ $r->{before}{live} } && $r->{mode} ne 'dry_run';
	$hit{ $_->[0] } += $_->[1] for @{ $r->{hits} };
	next if ok !@wrong, "round $n: " . told($r);
	diag "TEST_SEED=$seed, round $n, account " . $r->{m}->user . ' (' . $r->{m}->id . ')';
	diag join "\n", @wrong;
	diag 'edits: ' . join "\n    ", @{ $r->{edits} };
	diag 'faults: ' . $json->encode([map { $json->encode({@$_}) } @{ $r->{rules} }]);
	if (++$bad >= BAD_MAX) { diag 'enough of them'; last }
}
note sprintf '%d rounds in %.0f s', $rounds, time - $began;
note join ', ', map { "$_: $came{$_}" } sort keys %came;
note join ', ', map { "$_: $hit{$_}" } sort keys %hit;

# What has not happened was not tested.
subtest 'all of it happened' => sub {
	cmp_ok $came{$_} // 0, '>=', 10, "$_: " . ($came{$_} // 0) for 'full done in full', 'quick done in full', 'quick done',
	    'full partial', 'dry_run done', 'killed', 'a second reading';
	my %kind = map { my %rule = @$_; ($rule{kind} => 1) } @error, @twist, map { [kind => $_] } 'hide',
	    map { "drift_$_" } qw(add remove change move reorder);
	ok $hit{$_}, "fault $_" for sort keys %kind;
	ok $did{$_}, "edit $_" for sort keys %edit;
	is_deeply [grep { !$column{$_} } sort keys %value], [], 'every column has changed';
	is_deeply [grep { !$value{$_} } Lockstep::Registry::COLUMNS()], [], '... of those that there are';
} if $rounds >= 500 && $bad < BAD_MAX;

$s->stop;
done_testing;
