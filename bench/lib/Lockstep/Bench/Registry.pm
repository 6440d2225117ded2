package Lockstep::Bench::Registry;

# Accounts by the thousand, as after their first sync and with logins that count as
# checked: the rows go straight into the database, hashed and sealed with the
# stack's own key (bench/logins), so that a real Lockstep takes them for its own.

use strict;
use warnings;
use Exporter 'import';
use MIME::Base64 ();
use Lockstep::Bench;

our @EXPORT = qw(registry_age registry_change registry_load registry_logins);

use constant { PREFIX => 'bench-', BUSINESSES => 37 };

# The Authorization values of these accounts, in a file, one a line.
sub registry_logins {
	my ($s, @number) = @_;
	my $file = "$s->{dir}/bench-logins-$number[0]-$number[-1]";
	open my $out, '>', $file or die "$file: $!\n";
	for my $i (@number) {
		my $user = PREFIX . $i;
		print $out 'Basic ', MIME::Base64::encode_base64("$user:$user-password", ''), "\n";
	}
	close $out or die "$file: $!\n";
	return $file;
}

sub copy_logins {
	my ($s, $n) = @_;
	my $db = $s->db;
	$db->do('SET LOCAL client_min_messages = warning');
	$db->do('DROP TABLE IF EXISTS pg_temp.login, pg_temp.fresh');
	$db->do('CREATE TEMP TABLE login (user_name bytea, login_hash bytea, sealed bytea)');
	open my $in, '-|', built('logins'), "$s->{DIR}/etc/key", PREFIX, $n or die "logins: $!\n";
	$db->do('COPY login FROM STDIN');
	$db->pg_putcopydata($_) while defined($_ = <$in>);
	$db->pg_putcopyend;
	close $in or die "bench/logins failed\n";
}

# accounts with programs each over 37 businesses of very different sizes; those that
# are there already stay as they are.
sub registry_load {
	my ($s, $accounts, $programs) = @_;
	my $db = $s->db;
	progress("loading $accounts accounts of $programs programs");
	$db->begin_work;
	copy_logins($s, $accounts);
	$db->do(<<'SQL', undef, $programs);
INSERT INTO account (user_name, login_hash, sealed_password, verified_at,
       partner_total, synced_at, registry_version)
SELECT user_name, login_hash, sealed, clock_timestamp(), $1::bigint, clock_timestamp(), 1
  FROM login
 WHERE NOT EXISTS (SELECT FROM account a WHERE a.user_name = login.user_name)
SQL
	$db->do(<<'SQL', undef, $programs, BUSINESSES);
CREATE TEMP TABLE fresh AS
SELECT a.id AS account_id, i,
       substr(md5('p' || i || '/' || a.id), 1, 22) AS program_id,
       substr(md5('b' || floor($2::int * (i / $1::float8) ^ 2) || '/' || a.id), 1, 22)
           AS business_id
  FROM account a
  JOIN login USING (user_name), generate_series(0, $1::int - 1) i
 WHERE NOT EXISTS (SELECT FROM business_count c WHERE c.account_id = a.id)
 ORDER BY a.id, 3
SQL
	$db->do(<<'SQL');
INSERT INTO program (account_id, program_id, yelp_business_id, program_type,
       program_status, program_pause_status, start_date, end_date, row_hash, budget,
       currency, is_autobid, max_bid, billed_impressions, billed_clicks, ad_cost,
       fee_period, active_features, available_features, businesses)
SELECT account_id, program_id, business_id, (ARRAY['CPC', 'BP', 'EP', 'SLIDESHOW'])[1 + i % 4],
       CASE WHEN i % 10 = 9 THEN 'INACTIVE' ELSE 'ACTIVE' END,
       CASE WHEN i % 10 = 8 THEN 'PAUSED' ELSE 'NOT_PAUSED' END,
       CASE WHEN i % 10 = 7 THEN date '2090-01-01' ELSE '2023-01-01' END,
       CASE WHEN i % 10 = 6 THEN date '2023-06-30' ELSE '9999-12-31' END,
       substr(sha256(program_id::bytea), 1, 16), 2500 + n, 'USD', n % 5 > 0,
       CASE WHEN n % 5 = 0 THEN 50 + n % 3000 END, n * 37, n, n * 250, 'Calendar Month',
       '["LINK_TRACKING"]', '["CALL_TRACKING", "CUSTOM_AD_TEXT", "LINK_TRACKING"]',
       json_build_array(json_build_object('yelp_business_id', business_id))::jsonb
  FROM (SELECT *, i * 7919 % 1000 AS n FROM fresh) AS fresh
SQL
	$db->do(<<'SQL');
INSERT INTO program_business (account_id, business_id, program_id)
SELECT account_id, business_id, program_id FROM fresh ORDER BY 1, 2, 3
SQL
	$db->do(<<'SQL');
INSERT INTO business_count (account_id, business_id, program_count)
SELECT account_id, business_id, count(*) FROM fresh GROUP BY 1, 2
SQL
	$db->commit;
	$db->do('VACUUM ANALYZE account, program, program_business, business_count');
	return;
}

# What a sync leaves that has changed every row of account $number: each row written,
# nothing vacuumed, and a new version, so that nothing cached is good.
sub registry_change {
	my ($s, $number) = @_;
	my $db = $s->db;
	my ($id) = $db->selectrow_array('SELECT id FROM account WHERE user_name = $1::text::bytea',
		undef, PREFIX . $number);
	$db->begin_work;
	$db->do("UPDATE $_", undef, $id) for
	    'program SET updated_at = clock_timestamp() WHERE account_id = $1',
	    'business_count SET program_count = program_count WHERE account_id = $1',
	    'account SET registry_version = registry_version + 1 WHERE id = $1';
	$db->commit;
	return;
}

# A new version of every account at once: no worker has a body that is good.
sub registry_age {
	my ($s) = @_;
	$s->sql('UPDATE account SET registry_version = registry_version + 1');
	return;
}

1;
