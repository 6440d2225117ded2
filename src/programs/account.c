/* Checking logins, remembering them, and refusing them. */
#include "programs/account.h"

#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "http/auth.h"
#include "http/place.h"
#include "http/refusal.h"
#include "http/req.h"
#include "http/resp.h"
#include "http/route.h"
#include "programs/sync.h"
#include "programs/turn.h"

#define REFUSED_TEXT \
	"The partner does not accept this user name and password."

static struct bytes
hash_bytes(const unsigned char hash[SECRET_HASH_SIZE])
{
	return (struct bytes){ (const char *)hash, SECRET_HASH_SIZE };
}

static int
read_login(struct req *r)
{
	struct login	*login = arena_alloc(r->arena, sizeof(*login));
	int		 status;

	status = auth_basic(r, &login->user, &login->password);
	if (status != 0)
		return status;
	secret_login_hash(login->user, login->password, login->hash);
	r->login = login;
	return 0;
}

/* Is this the stored login, and the account good (or disabled)? */
static bool
is_known(struct req *r, const struct db_rows *rows, const char *in_what_way)
{
	struct bytes	 stored;

	if (rows_count(rows) == 0 || !rows_bool(rows, 0, in_what_way))
		return false;
	stored = rows_bytes(rows, 0, "login_hash", r->arena);
	return stored.len == SECRET_HASH_SIZE &&
	    secret_equal(stored.p, r->login->hash, SECRET_HASH_SIZE);
}

static void
set_account(struct req *r, const struct db_rows *rows)
{
	r->account_id = rows_int(rows, 0, "id");
	r->registry_version = rows_int(rows, 0, "registry_version");
	r->today = rows_text(rows, 0, "today");
	r->login_left_ms = rows_int(rows, 0, "left_ms");
	log_set_account(r->account_id);
}

/* 0 when the partner may be asked about this pair. */
static int
check_refusals(struct req *r)
{
	switch (refusal_look(r, r->login->user, r->login->hash)) {
	case REFUSAL_NONE:
		return 0;
	case REFUSAL_KNOWN:
		return auth_refuse(r, PROBLEM_LOGIN_WRONG, REFUSED_TEXT);
	case REFUSAL_OFTEN:
		return refusal_often(r, "logins");
	default:
		return problem_database(r);
	}
}

void
account_call(struct req *r, struct upstream_call *call)
{
	struct budget	 budget = partner_budget(r->conf, r->login->user,
			    PARTNER_LIST);
	int64_t		 retry_ms;

	/* Nobody spends an account's budget with its name alone. */
	if (r->account_id == 0)
		secret_hash("unknown", r->login->user, budget.account);
	for (int tries = 0; tries < 2; tries++) {
		if (turn_take(r, &budget, 1, &retry_ms) == 0) {
			turn_refuse(call, retry_ms);
			return;
		}
		upstream_fanout(r->upstream, call, 1, 1);
		turn_heed(r, &budget, call);
		if (tries > 0 || clock_left_ms(call->deadline_ms) == 0 ||
		    (call->result != UPSTREAM_UNREACHABLE &&
		    !(call->result == UPSTREAM_OK && call->status >= 500 &&
		    call->status != 503)))
			return;
		buf_free(&call->body);
	}
}

int
account_partner_problem(struct req *r, enum partner_says says,
    const char *why, int64_t retry_after_ms)
{
	log_warn("partner: request failed", F_STR("why", why));
	switch (says) {
	case PARTNER_BAD_LOGIN:
		if (refusal_note(r->db, r->arena, r->login->user,
		    r->login->hash,
		    r->address != NULL ? r->address : "") == -1)
			return problem_database(r);
		return auth_refuse(r, PROBLEM_LOGIN_WRONG, REFUSED_TEXT);
	case PARTNER_NO_ACCESS:
		return problem(r, PROBLEM_NO_ACCESS, "The partner knows this "
		    "login but gives it no access to its programs.");
	default:
		problem(r, partner_problem(says), "The partner could not be "
		    "asked: %s.", why);
		if (retry_after_ms > 0)
			resp_header(r, "Retry-After", arena_printf(r->arena,
			    "%lld", (long long)(retry_after_ms + 999) / 1000));
		return r->status;
	}
}

struct db_rows *
account_remember(struct req *r, int64_t total, bool enable)
{
	struct login	*login = r->login;
	struct bytes	 sealed = secret_seal(r->arena, login->password,
			    login->user);

	return db_query(r->db, r->arena, Q_ACCOUNT_VERIFIED,
	    DB_ARGS(db_bytes(login->user), db_bytes(hash_bytes(login->hash)),
	    db_bytes(sealed), db_int(total),
	    db_int(r->conf->auth_lifetime_ms), db_bool(enable)));
}

static int
disabled(struct req *r)
{
	return problem(r, PROBLEM_NO_ACCESS,
	    "This account has been disabled here; ask the operator.");
}

/* The partner said yes. */
static int
remember(struct req *r, int64_t total)
{
	struct db_rows	*rows = account_remember(r, total, false);

	if (rows == NULL)
		return problem_database(r);
	if (strcmp(rows_text(rows, 0, "state"), "disabled") == 0)
		return disabled(r);
	set_account(r, rows);
	return 0;
}

struct partner_page
account_probe(struct req *r, struct upstream_call *call)
{
	partner_list(call, r->arena, r->conf, r->login->authorization, 0, 1,
	    "ALL", r->deadline_ms);
	account_call(r, call);
	return partner_list_read(call, r->arena);
}

/* Asks the partner: 0 when it accepts, else the answer's status. */
static int
verify(struct req *r)
{
	struct upstream_call	 call = { 0 };
	struct partner_page	 page = account_probe(r, &call);

	if (page.says == PARTNER_OK)
		return remember(r, page.total);
	return account_partner_problem(r, page.says, page.why,
	    call.retry_after_ms);
}

int
account_login(struct req *r)
{
	struct db_rows	*rows;
	bool		 known;
	int		 status;

	if ((status = read_login(r)) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ACCOUNT_FIND,
	    DB_ARGS(db_bytes(r->login->user),
	    db_int(r->conf->auth_lifetime_ms)));
	if (rows == NULL)
		return problem_database(r);
	if (is_known(r, rows, "disabled"))
		return disabled(r);
	known = is_known(r, rows, "good");
	if (known)
		set_account(r, rows);
	else if ((status = check_refusals(r)) != 0)
		return status;

	if (r->upstream == NULL)
		return known && !(r->route->flags & ROUTE_VERIFY) ? 0 :
		    resp_handover(r, "@live");
	/* Unknown ones count as one: no name takes an account's places. */
	if ((status = known ? place_take(r, PLACE_ACCOUNT,
	    (uint64_t)r->account_id) : place_take(r, PLACE_LOGIN, 0)) != 0)
		return status;
	r->login->authorization = partner_authorization(r->arena,
	    r->login->user, r->login->password);
	return known && !(r->route->flags & ROUTE_VERIFY) ? 0 : verify(r);
}

int
validate_credentials_post(struct req *r)
{
	struct json	*body = json_new_obj(r->arena);

	if (sync_ask_first(r) == -1)
		return problem_database(r);
	json_put_bool(body, "valid", true);
	return resp_json(r, 200, body);
}

int
account_load(struct db *db, struct arena *a, int64_t id,
    int64_t full_every_ms, struct account *acc)
{
	struct db_rows	*rows;
	struct bytes	 hash, password;

	rows = db_query(db, a, Q_ACCOUNT_LOAD, DB_ARGS(db_int(id),
	    db_int(full_every_ms)));
	if (rows == NULL)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	acc->id = id;
	acc->user = rows_bytes(rows, 0, "user_name", a);
	hash = rows_bytes(rows, 0, "login_hash", a);
	memcpy(acc->hash, hash.p, sizeof(acc->hash));
	acc->is_refused = strcmp(rows_text(rows, 0, "state"), "active") != 0;
	acc->partner_total = rows_null(rows, 0, "partner_total") ? -1 :
	    rows_int(rows, 0, "partner_total");
	acc->was_full = rows_bool(rows, 0, "was_full");
	acc->full_due = rows_bool(rows, 0, "full_due");
	acc->pages = rows_bytes(rows, 0, "pages", a);
	acc->pages_programs = rows_int(rows, 0, "programs");
	if (secret_open(a, rows_bytes(rows, 0, "sealed_password", a),
	    acc->user, &password) == -1) {
		log_error("account: the seal does not open with this key");
		return 0;
	}
	acc->password = password;
	acc->authorization = partner_authorization(a, acc->user, password);
	return 1;
}
