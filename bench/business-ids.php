<?php
// The same job in PHP, or less: the login by its keyed hash, then the kept counts, as
// JSON; without the names and the counts by status that Lockstep's answer has besides.

function login_hash(string $user, string $password): string
{
	$key = sodium_crypto_kdf_derive_from_key(32, 1, "login\0\0\0",
		sodium_hex2bin($_SERVER['LOCKSTEP_KEY']));
	return sodium_crypto_generichash(pack('P', strlen($user)) . $user
		. pack('P', strlen($password)) . $password, $key, 32);
}

// The connection outlives the request. Where STATEMENTS is "kept", so does what was
// prepared on it: nobody writes PHP so, but it is the most that php-fpm can do.
function query($db, string $name, string $sql, array $values)
{
	if ($_SERVER['STATEMENTS'] !== 'kept')
		return pg_query_params($db, $sql, $values);
	$result = @pg_execute($db, $name, $values);
	if ($result === false) {
		pg_prepare($db, $name, $sql);
		$result = pg_execute($db, $name, $values);
	}
	return $result;
}

$db = pg_pconnect($_SERVER['DATABASE']);
$account = pg_fetch_assoc(query($db, 'find', <<<'SQL'
	SELECT id, login_hash,
	       state = 'active' AND verified_at > clock_timestamp() - interval '1 h' AS good
	  FROM account
	 WHERE user_name = $1
	SQL, [pg_escape_bytea($db, $_SERVER['PHP_AUTH_USER'])]));
if (!$account || $account['good'] !== 't'
    || !hash_equals(pg_unescape_bytea($account['login_hash']),
	login_hash($_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW']))) {
	http_response_code(401);
	exit;
}

$businesses = [];
$rows = query($db, 'counts', <<<'SQL'
	SELECT business_id, program_count
	  FROM business_count
	 WHERE account_id = $1::bigint
	   AND program_count > 0
	 ORDER BY program_count DESC, business_id
	SQL, [$account['id']]);
while ($row = pg_fetch_row($rows))
	$businesses[] = ['business_id' => $row[0], 'program_count' => (int) $row[1]];
header('Content-Type: application/json');
echo json_encode(['total' => count($businesses), 'businesses' => $businesses,
	'from_db' => true]);
