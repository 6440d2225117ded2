/* Refused logins and tokens are remembered, for a minute or so. */
#include "http/refusal.h"

#include "core/conf.h"
#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

static struct db_arg
hash_arg(const unsigned char hash[SECRET_HASH_SIZE])
{
	return db_bytes((struct bytes){ (const char *)hash, SECRET_HASH_SIZE });
}

enum refusal
refusal_look(struct req *r, struct bytes user,
    const unsigned char pair[SECRET_HASH_SIZE])
{
	unsigned char	 name[SECRET_HASH_SIZE];
	struct db_rows	*rows;

	secret_hash("name", user, name);
	rows = db_query(r->db, r->arena, Q_ACCOUNT_REFUSALS,
	    DB_ARGS(hash_arg(pair), hash_arg(name),
	    db_text(r->address != NULL ? r->address : ""),
	    db_int(r->conf->auth_refusal_memory_ms)));
	if (rows == NULL)
		return REFUSAL_FAILED;
	if (rows_int(rows, 0, "of_pair") > 0)
		return REFUSAL_KNOWN;
	return rows_int(rows, 0, "of_name") >=
	    r->conf->auth_refusals_per_name ||
	    rows_int(rows, 0, "of_address") >=
	    r->conf->auth_refusals_per_address ? REFUSAL_OFTEN : REFUSAL_NONE;
}

int
refusal_often(struct req *r, const char *what)
{
	problem(r, PROBLEM_TOO_MANY_REFUSALS,
	    "Too many refused %s; wait a minute and try again.", what);
	resp_header(r, "Retry-After", "60");
	return r->status;
}

int
refusal_note(struct db *db, struct arena *a, struct bytes user,
    const unsigned char pair[SECRET_HASH_SIZE], const char *address)
{
	unsigned char	 name[SECRET_HASH_SIZE];

	secret_hash("name", user, name);
	return db_query(db, a, Q_ACCOUNT_REFUSE, DB_ARGS(db_bytes(user),
	    hash_arg(pair), hash_arg(name), db_text(address))) != NULL ? 0 : -1;
}
