#!/usr/bin/perl

# The schema and the statements by themselves: migrations from empty, every
# statement against a fresh schema, and what the functions and the kept counts say.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../../tools/lib";
use DBI;
use Lockstep::Sim::Status qw(pacific_today);
use Lockstep::Stack;
use Test::More;

my $s    = Lockstep::Stack->start(conf => { 'jobs.workers' => 2, 'partner.retry_base' => '20ms' });
my $root = Lockstep::Stack->root;

# Databases beside the stack's.

my @url = qw(LOCKSTEP_DB_URL LOCKSTEP_DB_DIRECT_URL);

sub url_of { my ($name) = @_; return $s->{DATABASE_URL} =~ s{/lockstep$}{/$name}r }

sub connect_to {
	my ($name) = @_;
	my ($host, $port) = $s->{DATABASE_URL} =~ m{\@([^:]+):(\d+)/} or die;
	$host =~ s/%([0-9A-F]{2})/chr hex $1/ge;
	return DBI->connect("dbi:Pg:dbname=$name;host=$host;port=$port", 'lockstep', '',
		{ RaiseError => 1, PrintError => 0 });
}

sub create { my ($name) = @_; $s->sql("CREATE DATABASE $name OWNER lockstep"); return }

sub migrate_command { return ($s->{BIN}, '-c', $s->{CONF}, 'migrate') }

sub migrate {
	my ($name) = @_;
	return Lockstep::Stack->run({ env => { map { $_ => url_of($name) } @url } }, migrate_command());
}

# Everything that a schema consists of, as text.
sub schema {
	my ($db) = @_;
	my @query = (
		q(SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
		    || coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'),
		q(SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'),
		q(SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
		    WHERE connamespace = 'public'::regnamespace),
		q(SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
		q(SELECT name || ' ' || applied_at FROM schema_migration),
	);
	return join "\n", map { sort @{ $db->selectcol_arrayref($_) } } @query;
}

# The statements as they are built in: name and text.
sub statements {
	my ($text) = map { $_->{out} } Lockstep::Stack->run({}, "$root/tools/embed-sql", 'source', "$root/sql");
	my %sql;
	while ($text =~ /^\t\[Q_\w+\] = \{ "([^"]+)",\n(.*?)^\t\},/gms) {
		my ($name, $lines) = ($1, $2);
		my $sql = join '', map { "$_\n" } $lines =~ /^\t    "(.*)\\n"$/gm;
		$sql =~ s/\\t/\t/g;
		$sql =~ s/\\(["\\])/$1/g;
		$sql{$name} = $sql;
	}
	return \%sql;
}

my @file = map { s{.*/|\.sql$}{}gr } sort glob "$root/sql/migrate/*.sql";

subtest 'migrations apply to an empty database, once' => sub {
	create('fresh');
	my $first = migrate('fresh');
	is $first->{exit}, 0, 'applied' or diag $first->{err};
	is $first->{out}, 'migrations applied: ' . @file . "\n", '... all of them';
	is_deeply [grep { !/^ts=\S+ level=info / } split /\n/, $first->{err}], [], '... with log lines and nothing else';
	my $db = connect_to('fresh');
	is_deeply $db->selectcol_arrayref('SELECT name FROM schema_migration ORDER BY applied_at'), \@file, '... in order';
	my $schema = schema($db);
	my $second = migrate('fresh');
	is $second->{exit}, 0, 'a second run';
	is $second->{out}, "database is up to date\n", '... finds nothing to do';
	is schema($db), $schema, '... and does nothing';
	is_deeply [grep { !/^\d{4}_[a-z_]+$/ } @file], [], 'files have a number and a name';
	my $n = 0;
	is_deeply [map { /^(\d+)/ } @file], [map { sprintf '%04d', ++$n } @file], '... without gaps';
	$db->disconnect;
};

subtest 'two that migrate at a time do not meet' => sub {
	create('shared');
	local @ENV{@url} = (url_of('shared')) x @url;
	my $command = join ' ', map { "'$_'" } migrate_command();
	my $both = Lockstep::Stack->run({}, 'sh', '-c', "$command & $command & wait %1 && wait %2");
	is $both->{exit}, 0, 'both end well' or diag $both->{err};
	my $db = connect_to('shared');
	is_deeply $db->selectcol_arrayref('SELECT name FROM schema_migration ORDER BY applied_at'), \@file,
	    'each migration was applied once';
	$db->disconnect;
};

subtest 'a database that is behind is brought on' => sub {
	create('behind');
	my $db = connect_to('behind');
	$db->do('CREATE TABLE schema_migration (name text PRIMARY KEY,
	    applied_at timestamptz NOT NULL DEFAULT clock_timestamp())');
	$db->do(Lockstep::Stack::slurp("$root/sql/migrate/$file[0].sql"));
	$db->do('INSERT INTO schema_migration (name) VALUES (?)', undef, $file[0]);
	my $ran = migrate('behind');
	is $ran->{out}, 'migrations applied: ' . (@file - 1) . "\n", 'by what is missing' or diag $ran->{err};
	$db->disconnect;
};

subtest 'a migration that fails leaves nothing behind' => sub {
	create('broken');
	my $db = connect_to('broken');
	$db->do('CREATE TABLE program (its_own int)');
	my $ran = migrate('broken');
	is $ran->{exit}, 1, 'told';
	like $ran->{err}, qr/relation \\"program\\" already exists/, '... with the reason';
	is_deeply $db->selectcol_arrayref('SELECT name FROM schema_migration ORDER BY name'), [@file[0, 1]],
	    'those before it stand';
	is_deeply $db->selectcol_arrayref(q(SELECT column_name FROM information_schema.columns
	    WHERE table_name = 'program')), ['its_own'], 'the failed one has changed nothing';
	is $db->selectrow_array(q(SELECT to_regclass('program_business') IS NULL)), 1, '... nor made anything';
	$db->do('DROP TABLE program');
	is migrate('broken')->{exit}, 0, 'and goes on once that is mended';
	$db->disconnect;
};

my $sql = statements();

subtest 'every statement prepares and has a plan' => sub {
	my @query = map { s{^\Q$root\E/sql/query/|\.sql$}{}gr } glob "$root/sql/query/*/*.sql";
	is_deeply [sort keys %$sql], [sort @query], 'each file is built in';
	my $db = connect_to('fresh');
	$db->do('SET plan_cache_mode = force_generic_plan');
	for my $name (sort keys %$sql) {
		my $quoted = $db->quote_identifier($name);
		my $good = eval {
			$db->begin_work;
			$db->do("PREPARE $quoted AS $sql->{$name}");
			my ($n, $untyped) = $db->selectrow_array(q(SELECT cardinality(parameter_types),
			    array_to_string(parameter_types, ' ') ~ 'unknown' FROM pg_prepared_statements
			    WHERE name = ?), undef, $name);
			die "a parameter without a type\n" if $untyped;
			my $null = $n ? '(' . join(', ', ('NULL') x $n) . ')' : '';
			$db->do("EXPLAIN EXECUTE $quoted$null");
			1;
		};
		ok $good, $name or diag $@;
		$db->rollback;
	}
	$db->disconnect;
};

# With sequential scans out of the question, one that is still planned has no index.
subtest 'what requests and workers wait for has an index' => sub {
	my @hot = qw(account/find account/load account/refusals account/refuse account/verified events/follow
	    events/job jobs/ask jobs/beat jobs/claim jobs/fence jobs/finish jobs/list jobs/one jobs/release
	    jobs/save jobs/trim jobs/wait programs/ask_first programs/business_ids programs/count programs/of_business
	    programs/add programs/change programs/seen_count);
	my $db = connect_to('fresh');
	$db->do('SET plan_cache_mode = force_generic_plan');
	$db->do('SET enable_seqscan = off');
	for my $name (@hot) {
		my $n = (sort { $b <=> $a } $sql->{$name} =~ /\$(\d+)\b/g)[0] // 0;
		$db->do("PREPARE hot AS $sql->{$name}");
		my @plan = @{ $db->selectcol_arrayref('EXPLAIN EXECUTE hot(' . join(', ', ('NULL') x $n) . ')') };
		$db->do('DEALLOCATE hot');
		ok !(grep { /Seq Scan on (?!pg_)/ } @plan), $name or diag join "\n", @plan;
	}
	$db->disconnect;
};

subtest 'every statement about somebody\'s rows says whose' => sub {
	my %by = (map({ $_ => qr/account_id = \$\d/ } grep { m{^programs/} } keys %$sql),
		'programs/seen_count' => qr/job_id = \$1/, 'programs/seen' => qr/VALUES \(\$1::uuid/, 'programs/digest' => qr/WHERE id = \$1/,
		'programs/synced' => qr/WHERE id = \$1/, 'programs/names_refused' => qr/WHERE id = \$1/,
		# A name is everybody's; what it touches of accounts is their version alone.
		'programs/names_save' => qr/UPDATE account\s+SET registry_version = registry_version \+ 1\s+FROM shown/, 'programs/ask_first' => qr/WHERE id = \$2/,
		'programs/add' => qr/SELECT \$1::bigint,/,
		'programs/change' => qr/p\.account_id = \$1.*b\.account_id = \$1/s,
		'jobs/one' => qr/account_id = ANY \(\$2/, 'jobs/list' => qr/unnest\(\$1::bigint\[\]\) AS a .*account_id = a\.id/s,
		(map { ("jobs/$_" => qr/\$2::bigint\[\] IS NULL OR (?:j\.)?account_id = ANY \(\$2/) } qw(look again cancel pause resume)),
		(map { $_ => qr/(?:account_id|operator|a?\.?id) = \$1|product_current\(\$1/ } grep { m{^analytics/} && $_ ne 'analytics/add' } keys %$sql),
		'events/follow' => qr/account_id IS NOT DISTINCT FROM nullif\(w\.account, 0\)/,
		'events/job' => qr/account_id IS NOT DISTINCT FROM nullif\(w\.account, 0\)/);
	like $sql->{$_}, $by{$_}, $_ for sort keys %by;
};

sub value { my ($expression, @bind) = @_; return $s->sql_value("SELECT $expression", @bind) }

# Partner contract, section 5: paused, start after today, end before today and not
# the sentinel, active within its dates, else inactive.  A null end is open.
subtest 'defect 23: program_state() is the contract\'s' => sub {
	my @case = (
		# pause, status, start, end, wanted, on 2025-06-15
		['PAUSED',     'ACTIVE',     '2025-01-01', '9999-12-31', 'PAUSED'],
		['PAUSED',     'INACTIVE',   '2024-01-01', '2024-02-01', 'PAUSED'],
		['PAUSED',     undef,        undef,        undef,        'PAUSED'],
		['PAUSED',     'ACTIVE',     '2030-01-01', undef,        'PAUSED'],
		['NOT_PAUSED', 'ACTIVE',     '2025-06-16', '2025-12-31', 'FUTURE'],
		['NOT_PAUSED', 'INACTIVE',   '2025-06-16', '2025-12-31', 'FUTURE'],
		['NOT_PAUSED', 'ACTIVE',     '2025-06-16', '9999-12-31', 'FUTURE'],
		['NOT_PAUSED', 'ACTIVE',     '2025-06-16', undef,        'FUTURE'],
		[undef,        undef,        '2025-06-16', undef,        'FUTURE'],
		['NOT_PAUSED', 'ACTIVE',     '2025-07-01', '2025-05-01', 'FUTURE'],
		['NOT_PAUSED', 'ACTIVE',     '2025-01-01', '2025-06-14', 'PAST'],
		['NOT_PAUSED', 'INACTIVE',   '2025-01-01', '2025-06-14', 'PAST'],
		['NOT_PAUSED', 'TERMINATED', '2025-01-01', '2025-06-14', 'PAST'],
		['NOT_PAUSED', 'ACTIVE',     undef,        '2025-06-14', 'PAST'],
		[undef,        'ACTIVE',     '2025-01-01', '2025-06-14', 'PAST'],
		['NOT_PAUSED', 'ACTIVE',     '2025-06-15', '2025-06-15', 'CURRENT'],
		['NOT_PAUSED', 'ACTIVE',     '2025-01-01', '2025-06-15', 'CURRENT'],
		['NOT_PAUSED', 'ACTIVE',     '2025-06-15', '9999-12-31', 'CURRENT'],
		['NOT_PAUSED', 'ACTIVE',     '2025-01-01', undef,        'CURRENT'],
		[undef,        'ACTIVE',     '2025-01-01', '2025-12-31', 'CURRENT'],
		['',           'ACTIVE',     '2025-01-01', '2025-12-31', 'CURRENT'],
		['paused',     'ACTIVE',     '2025-01-01', '2025-12-31', 'CURRENT'],
		['NOT_PAUSED', 'INACTIVE',   '2025-01-01', '2025-12-31', 'INACTIVE'],
		['NOT_PAUSED', 'INACTIVE',   '2025-01-01', '9999-12-31', 'INACTIVE'],
		['NOT_PAUSED', 'INACTIVE',   '2025-01-01', undef,        'INACTIVE'],
		['NOT_PAUSED', 'TERMINATED', '2025-01-01', '2025-12-31', 'INACTIVE'],
		['NOT_PAUSED', 'EXPIRED',    '2025-01-01', undef,        'INACTIVE'],
		['NOT_PAUSED', undef,        '2025-01-01', undef,        'INACTIVE'],
		['NOT_PAUSED', 'ACTIVE',     undef,        undef,        'INACTIVE'],
		['NOT_PAUSED', 'ACTIVE',     undef,        '2025-12-31', 'INACTIVE'],
		['NOT_PAUSED', 'ACTIVE',     undef,        '9999-12-31', 'INACTIVE'],
		[undef,        undef,        undef,        undef,        'INACTIVE'],
	);
	for (@case) {
		my ($pause, $status, $start, $end, $want) = @$_;
		is value('program_state(?, ?, ?::date, ?::date, ?)', $pause, $status, $start, $end, '2025-06-15'), $want,
		    join ' ', map { $_ // 'null' } $pause, $status, $start, $end;
	}
	is value(q(program_state('', 'INACTIVE', '2025-01-01', '9999-12-31', '9999-12-31'))), 'INACTIVE',
	    'the sentinel never ends';
};

subtest 'defect 22: today is California\'s' => sub {
	my ($before, $today, $after) = (pacific_today(), value('pacific_today()'), pacific_today());
	ok $today eq $before || $today eq $after, $today;
	$s->sql("SET timezone = 'Pacific/Kiritimati'");
	my $elsewhere = value('pacific_today()');
	ok $elsewhere eq $today || $elsewhere eq pacific_today(), 'wherever the connection is';
	$s->sql("SET timezone = 'UTC'");
};

subtest 'percentage() is rounded, and 100 only at the end' => sub {
	my @case = ([0, undef, undef], [5, undef, undef], [0, 0, 100], [0, 10, 0], [1, 3, 33], [2, 3, 67], [1, 2, 50],
		[1, 200, 1], [1, 201, 0], [199, 200, 99], [2670, 2671, 99], [2671, 2671, 100], [2700, 2671, 100],
		[4_000_000_000_000_000, 8_000_000_000_000_000, 50]);
	for (@case) {
		my ($done, $total, $want) = @$_;
		is value('percentage(?::bigint, ?::bigint)', $done, $total), $want, "$done of " . ($total // 'null');
	}
	# What progress events say, src/programs/report.c.
	is value('count(*) FROM generate_series(1, 250) t, generate_series(0, t - 1) d
	    WHERE percentage(d, t) <> least(99, (200 * d + t) / (2 * t))'), 0, 'the same as in the events';
};

subtest 'a job is shown in the words of the contract' => sub {
	my $id = value(q(id FROM (SELECT gen_random_uuid() AS id) x));
	$s->sql("INSERT INTO job (id, kind, state, total, done, run_at) VALUES (?, 'test', 'waiting', 8, 2,
	    '2031-02-03 04:05:06.789+00')", $id);
	my $text = value('job_json(j) FROM job j WHERE id = ?', $id);
	my $job = JSON::PP::decode_json($text);
	is_deeply [sort keys %$job], [sort qw(id kind state created_at started_at finished_at progress counts eta_at
	    waiting_until waiting_reason errors timing_ms calls batches seller)], 'its members';
	is_deeply $job->{progress}, { done => 2, total => 8, percentage => 25 }, 'progress';
	is_deeply $job->{counts}, { map { $_ => 0 } qw(added updated removed unchanged failed) }, 'counts';
	is_deeply $job->{timing_ms}, { partner => 0, database => 0, names => 0, total => undef }, 'timing';
	is_deeply $job->{errors}, [], 'errors';
	is_deeply [@$job{qw(calls batches seller)}], [undef, undef, undef], 'neither calls nor batches nor a seller';
	$s->sql('UPDATE job SET calls_made = 3, calls_left = 7 WHERE id = ?', $id);
	is_deeply JSON::PP::decode_json(value('job_json(j) FROM job j WHERE id = ?', $id))->{calls}, { made => 3, left => 7 }, 'calls';
	is $job->{waiting_until}, '2031-02-03T04:05:06.789Z', 'times are ISO, in UTC';
	is $job->{$_}, undef, "$_ is unknown, hence null" for qw(started_at finished_at eta_at waiting_reason);
	$s->sql("INSERT INTO job_error (job_id, item, code, detail) SELECT ?, 'page ' || i, 'c', 'd'
	    FROM generate_series(1, 150) i", $id);
	is value('json_array_length(job_json(j)->\'errors\') FROM job j WHERE id = ?', $id), 100, 'a hundred errors at most';
	$s->sql('DELETE FROM job WHERE id = ?', $id);
};

# What the kept counts ought to be, beside what they are.
sub miscounted {
	return [map { join ' ', map { $_ // 'null' } @$_{qw(account_id business_id kept counted)} } @{ $s->sql(q(
	    SELECT account_id, business_id, k.program_count AS kept, c.n AS counted
	      FROM (SELECT * FROM business_count WHERE program_count <> 0) k
	      FULL JOIN (SELECT account_id, business_id, count(*) AS n
	                   FROM program_business JOIN program USING (account_id, program_id)
	                  WHERE retired_at IS NULL
	                  GROUP BY account_id, business_id) c USING (account_id, business_id)
	     WHERE k.program_count IS DISTINCT FROM c.n)) }];
}

# Links to programs that are not there, and first businesses without a link.
sub unlinked {
	return [map { $_->{program_id} } @{ $s->sql(q(
	    SELECT program_id FROM program_business b
	     WHERE NOT EXISTS (SELECT FROM program p
	                        WHERE (p.account_id, p.program_id) = (b.account_id, b.program_id))
	     UNION ALL
	    SELECT program_id FROM program p
	     WHERE yelp_business_id IS NOT NULL
	       AND NOT EXISTS (SELECT FROM program_business b
	                        WHERE (b.account_id, b.program_id, b.business_id)
	                            = (p.account_id, p.program_id, p.yelp_business_id)))) }];
}

subtest 'kept counts are what a recount gives, after any sync' => sub {
	my $partner = $s->partner;
	my $odd = "odd\$&#\\\xc3\xb1ame";
	my %login = (as => 'p80');
	my $step = sub {
		my ($user, $name) = @_;
		my $answer = $s->post('/api/reseller/programs/sync', $user eq $odd
		    ? (login => [$odd, 'p@ss:w$&#\\']) : (as => $user));
		is $answer->{status}, 200, $name;
		is_deeply miscounted(), [], '... counts';
		is_deeply unlinked(), [], '... links';
	};
	$step->($_, 'first sync') for 'p0', 'p1', 'p80', $odd;
	$step->('p80', 'nothing new');
	my @edit = (
		['a program moves', op => 'move', n => 1],
		['many move at once', op => 'move', n => 30, pick => 'random', to => 'theBigOne'],
		['all move back and forth', op => 'move', n => 200, to => 'theOther'],
		['a new business', op => 'add', n => 5, business => 'brandNew'],
		['three businesses', op => 'change', n => 10, values => { businesses => [map { { yelp_business_id => $_,
			partner_business_id => undef } } qw(one two three)] }],
		['two of them', op => 'change', n => 10, values => { businesses => [map { { yelp_business_id => $_,
			partner_business_id => undef } } qw(three two)] }],
		['the same twice', op => 'change', n => 10, values => { businesses => [map { { yelp_business_id => $_,
			partner_business_id => undef } } qw(two two)] }],
		['no business any more', op => 'change', n => 10, values => { businesses => [] }],
		['one again', op => 'change', n => 5, values => { businesses => [{ yelp_business_id => 'one' }] }],
		['another status', op => 'change', n => 20, field => 'status'],
	);
	for (@edit) {
		my ($name, @edit) = @$_;
		$partner->edit(user => 'p80', @edit);
		$step->('p80', $name);
		is_deeply $s->counts('p80'), $partner->counts('p80'), '... the partner\'s';
	}
	is value('count(*) FROM business_count WHERE program_count < 0'), 0, 'none below zero';
	is value('count(*) FROM sync_seen'), 0, 'and no sync leaves behind what it saw';
};

$s->stop;
done_testing;
