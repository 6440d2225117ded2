/* Whose sellers they are, and which one is meant. */
#include "analytics/seller.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "events/feed.h"
#include "http/operator.h"
#include "http/problem.h"
#include "http/req.h"

int
seller_login(struct req *r)
{
	struct db_rows	*rows;
	int64_t		*ids;
	int		 status;

	if ((status = operator_check(r)) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ANALYTICS_OWN,
	    DB_ARGS(db_text(r->operator)));
	if (rows == NULL)
		return problem_database(r);
	r->naccounts = rows_count(rows);
	ids = arena_alloc(r->arena, (r->naccounts + 1) * sizeof(*ids));
	for (size_t i = 0; i < r->naccounts; i++)
		ids[i] = rows_int(rows, i, "id");
	r->accounts = ids;
	return 0;
}

int
seller_load(struct db *db, struct arena *a, const struct conf *conf,
    int64_t id, const char *operator, struct seller *s)
{
	struct db_rows	*rows;
	struct bytes	 hash, token;

	rows = db_query(db, a, Q_ANALYTICS_LOAD, DB_ARGS(db_int(id),
	    db_text(operator), db_int(conf->analytics_token_warning_ms)));
	if (rows == NULL)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	*s = (struct seller){ .id = id,
		.user = rows_bytes(rows, 0, "user_name", a),
		.limit_key = rows_bytes(rows, 0, "limit_key", a),
		.name = rows_text(rows, 0, "name"),
		.token_kind = rows_text(rows, 0, "token_kind"),
		.expires_at = rows_text(rows, 0, "expires_at"),
		.trouble = rows_text(rows, 0, "trouble"),
		.trouble_told = (int)rows_int(rows, 0, "trouble_told"),
		.is_active = strcmp(rows_text(rows, 0, "state"),
		    "active") == 0,
		.all_products = rows_bool(rows, 0, "all_products"),
		.no_jam = rows_bool(rows, 0, "no_jam"),
		.to_warn = rows_bool(rows, 0, "expires_soon") &&
		    !rows_bool(rows, 0, "token_warned"),
		.products = rows_int(rows, 0, "products") };
	hash = rows_bytes(rows, 0, "login_hash", a);
	memcpy(s->hash, hash.p, hash.len < sizeof(s->hash) ? hash.len :
	    sizeof(s->hash));
	if (secret_open(a, rows_bytes(rows, 0, "sealed_password", a), s->user,
	    &token) == 0)
		s->token = token.p;
	else
		log_error("seller: the seal does not open with this key");
	return 1;
}

static struct db_arg
known(const bool *yes)
{
	return yes != NULL ? db_bool(*yes) : db_null();
}

int
seller_learn(struct db *db, struct arena *a, int64_t id,
    const struct seller_news *n)
{
	return db_query(db, a, Q_ANALYTICS_NOTE, DB_ARGS(db_int(id),
	    db_text(n->token_kind), known(n->token_warned), known(n->jam),
	    db_text(n->trouble), db_int(n->trouble_told))) != NULL ? 0 : -1;
}

/* What could be named instead. */
static struct json *
choices(struct req *r)
{
	struct json	*list = json_new_arr(r->arena), *one;
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_OWN,
			    DB_ARGS(db_text(r->operator)));

	for (size_t i = 0; rows != NULL && i < rows_count(rows); i++) {
		one = json_new_obj(r->arena);
		json_put_int(one, "id", rows_int(rows, i, "id"));
		json_put_text(one, "name", rows_text(rows, i, "name"));
		json_push(list, one);
	}
	return list;
}

int
seller_choose(struct req *r, int64_t wanted, int64_t *id)
{
	for (size_t i = 0; i < r->naccounts; i++)
		if (r->accounts[i] == wanted || (wanted == -1 &&
		    r->naccounts == 1)) {
			*id = r->accounts[i];
			log_set_account(*id);
			return 0;
		}
	if (wanted != -1)
		return problem_choose(r, "sellerId", choices(r),
		    "sellerId is not one of your sellers.");
	return problem_choose(r, "sellerId", choices(r), r->naccounts == 0 ?
	    "There is no seller yet; add one first." :
	    "There are several sellers; say by sellerId which one is meant.");
}

int
seller_asked(struct req *r, int64_t *id)
{
	int64_t	 wanted;
	int	 status;

	if ((status = req_int(r, "sellerId", -1, 1, INT64_MAX,
	    &wanted)) != 0)
		return status;
	return seller_choose(r, wanted, id);
}

int
seller_of_path(struct req *r, int64_t *id)
{
	char	*end;

	*id = strtoll(r->path_id, &end, 10);
	for (size_t i = 0; i < r->naccounts && *end == '\0'; i++)
		if (r->accounts[i] == *id) {
			log_set_account(*id);
			return 0;
		}
	return problem(r, PROBLEM_NOT_FOUND, "You have no such seller.");
}

int
seller_events_get(struct req *r)
{
	int	 status;

	if ((status = seller_of_path(r, &r->account_id)) != 0)
		return status;
	return feed_get(r);
}
