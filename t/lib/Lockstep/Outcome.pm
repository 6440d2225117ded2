package Lockstep::Outcome;

# One sync from asking to its end, with all that it told on the way, and what must
# hold of it however the partner behaved.

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use Lockstep::Registry;
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(ask asked is_done is_failed is_partial known newest outcome sound sync);

my $born = 0;

# An account of that size whose login is known, so that faults meet only its sync.
sub known {
	my ($s, $programs, %more) = @_;
	my $user = 'known' . ++$born;
	$s->account($user, programs => $programs, %more);
	$s->get('/api/jobs', as => $user)->{status} == 200 or die 'login';
	return $user;
}

sub newest { my ($s, $user) = @_; return $s->get('/api/jobs?limit=1', as => $user)->{json}{jobs}[0] }

# Every row, retired ones too: none is ever deleted.
sub all_rows {
	my ($s, $user) = @_;
	return $s->sql_value('SELECT count(*) FROM program WHERE account_id = ?', account_id($s, $user));
}

# Asks for a sync, without waiting for its answer; query: of its URL.
sub ask {
	my ($s, $user, %how) = @_;
	return { s => $s, user => $user, before => rows_of($s, $user), all => all_rows($s, $user), began => time,
		post => $s->sse('/api/reseller/programs/sync' . ($how{query} ? "?$how{query}" : ''),
			method => 'POST', as => $user, timeout => 30) };
}

# Waits for its end and gathers all that it told. The calls are those since the
# partner's counters were last forgotten.
sub outcome {
	my ($got) = @_;
	my ($s, $post) = ($got->{s}, delete $got->{post});
	$got->{answer} = { status => $post->status, headers => $post->headers, json => $post->json };
	$got->{took}   = time - $got->{began};
	my $row = $s->sql('SELECT id, job_json(j)::text AS json FROM job j WHERE account_id = ?
		ORDER BY created_at DESC LIMIT 1', account_id($s, $got->{user}))->[0];
	$got->{job}    = JSON::PP::decode_json($row->{json});
	$got->{events} = [map { JSON::PP::decode_json($_->{data}) } @{ $s->sql(
		'SELECT data FROM job_event WHERE job_id = ? ORDER BY n', $row->{id}) }];
	my $count = $s->partner->counters->{users}{ $got->{user} };
	$got->{calls}   = $count->{calls}   // 0;
	$got->{offsets} = $count->{offsets} // [];
	return $got;
}

# The whole of it; the counters are its own.
sub sync {
	my ($s, $user, %how) = @_;
	$s->partner->forget;
	return outcome(ask($s, $user, %how));
}

# How often the partner was asked for the page at this offset.
sub asked { my ($got, $offset) = @_; return scalar grep { $_ == $offset } @{ $got->{offsets} } }

# What holds after any sync. kept: {id => row}, what the partner once had. stale: rows
# of pages that did not come are as they were.
sub sound {
	my ($got, %how) = @_;
	my ($s, $user, $job) = @$got{qw(s user job)};
	my $rows = rows_of($s, $user);
	cmp_ok all_rows($s, $user), '>=', $got->{all}, 'nothing was deleted';
	is $job->{counts}{removed}, 0, '... nor retired by a pass that did not see it all'
	    if $job->{state} ne 'done';
	is $job->{counts}{added} - $job->{counts}{removed}, $rows - $got->{before},
	    'added and removed are what was added and retired';
	my ($now, $true) = (registry($s, $user), { %{ $how{kept} // {} }, %{ truth($s, $user) } });
	my @odd = Lockstep::Registry::differences($now, { map { $_ => $true->{$_} } keys %$now });
	is_deeply [splice @odd, 0, 3], [], 'what is there is as the partner has it' if !$how{stale};
	registry_counts_are($s, $user);
	my @type = map { $_->{type} } @{ $got->{events} };
	is scalar(grep { /^(?:complete|error)$/ } @type), 1, 'one complete or error';
	like $type[-1], qr/^(?:complete|error)$/, '... as the last event';
	return;
}

sub state_is {
	my ($got, $state) = @_;
	return is($got->{job}{state}, $state, $state) || diag explain @$got{qw(answer events)};
}

# Everything was read, whatever it took.
sub is_done {
	my ($got, %how) = @_;
	my $status = $how{status} // 'synced';
	state_is($got, 'done');
	is $got->{answer}{status}, 200, 'answered with 200';
	is $got->{answer}{json}{status}, $status, "... and $status";
	is_deeply $got->{job}{errors}, [], 'no errors';
	is $got->{job}{counts}{failed}, 0, 'nothing failed';
	is $got->{events}[-1]{type}, 'complete', 'complete';
	registry_is($got->{s}, $got->{user}, 'the registry is the partner\'s list', %how);
	sound($got, stale => 1);		# the rows have been looked at
	return;
}

# Pages were lost: why is everywhere, the rest is there.
sub is_partial {
	my ($got, %how) = @_;
	my ($answer, $job) = @$got{qw(answer job)};
	state_is($got, 'partial');
	is $answer->{status}, 200, 'answered with 200';
	is $answer->{json}{status}, 'partial', '... and partial';
	like $answer->{json}{message}, $how{why}, 'the message says why';
	is $got->{events}[-1]{status}, 'partial', 'complete says partial';
	like $got->{events}[-1]{message}, $how{why}, '... and why';
	is $answer->{json}{total_db_after}, rows_of($got->{s}, $got->{user}), 'total_db_after is a recount';
	is $answer->{json}{added}, $job->{counts}{added}, 'added is the same everywhere';
	errors_are($job, @how{qw(items detail)}) if $how{items};
	is rows_of($got->{s}, $got->{user}), $how{rows}, "$how{rows} rows are there" if defined $how{rows};
	sound($got, %how);
	return;
}

sub errors_are {
	my ($job, $items, $detail) = @_;
	my @error = @{ $job->{errors} };
	is_deeply [map { $_->{item} } @error], $items, 'the errors name the pages';
	is $job->{counts}{failed}, $job->{progress}{total} - $job->{progress}{done}, '... all programs that are missing are counted';
	is_deeply [grep { $_->{detail} !~ $detail || $_->{code} !~ /^[a-z_]+$/ } @error], [], '... and say why';
	return;
}

# Over without a result: a problem, with the same words in the stream.
sub is_failed {
	my ($got, $status, $code, $why, %how) = @_;
	my ($answer, $last) = ($got->{answer}, $got->{events}[-1]);
	state_is($got, 'failed');
	is $answer->{status}, $status, "answered with $status";
	is $answer->{json}{code}, $code, "... $code";
	like $answer->{json}{detail}, $why, '... and a readable detail';
	like $answer->{headers}{'content-type'}, qr{^application/problem\+json}, '... as a problem';
	ok length($answer->{json}{instance} // ''), '... with the request id';
	is "$last->{type} $last->{code}", "error $code", 'the stream ends in error';
	like $last->{message}, $why, '... with the same words';
	sound($got, %how);
	return;
}

1;
