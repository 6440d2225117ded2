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
	$db->do('CREATE TEMP TABLE login (user_name bytea, login_hash bytea, sealed bytea)');
	open my $in, '-|', built('logins'), "$s->{DIR}/etc/key", PREFIX, $n or die "logins: $!\n";
	$db->do('COPY login FROM STDIN');
	$db->pg_putcopydata($_) while defined($_ = <$in>);
	$db->pg_putcopyend;
	close $in or die "bench/logins failed\n";
}

# accounts with programs each over 37 businesses of very different sizes.
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
SQL
	$db->do(<<'SQL', undef, $programs, BUSINESSES);
CREATE TEMP TABLE fresh AS
SELECT a.id AS account_id,
       substr(md5('p' || i || '/' || a.id), 1, 22) AS program_id,
       substr(md5('b' || floor($2::int * (i / $1::float8) ^ 2) || '/' || a.id), 1, 22)
           AS business_id
  FROM account a
  JOIN login USING (user_name), generate_series(0, $1::int - 1) i
 ORDER BY a.id, 2
SQL
	$db->do(<<'SQL');
INSERT INTO program (account_id, program_id, yelp_business_id, program_type,
       program_status, program_pause_status, start_date, end_date, row_hash)
SELECT account_id, program_id, business_id, 'CPC', 'ACTIVE', 'NOT_PAUSED',
       '2023-01-01', '9999-12-31', sha256(program_id::bytea)
  FROM fresh
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
