/*
 * Every business of the account with its name and its number of programs, in
 * all and by status.  A status changes at midnight without a write, so those
 * counts are in no table: they are made for one version of the registry and
 * one Pacific date, and the finished body is kept for as long as both last.
 */
#include "programs/business_ids.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "data/db.h"
#include "http/cache.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

static struct json *
statuses(struct arena *a, const struct db_rows *rows, size_t i)
{
	struct json	*obj = json_new_obj(a);

	json_put_int(obj, "CURRENT", rows_int(rows, i, "current"));
	json_put_int(obj, "PAST", rows_int(rows, i, "past"));
	json_put_int(obj, "FUTURE", rows_int(rows, i, "future"));
	json_put_int(obj, "PAUSED", rows_int(rows, i, "paused"));
	json_put_int(obj, "INACTIVE", rows_int(rows, i, "inactive"));
	return obj;
}

static struct json *
business(struct arena *a, const struct db_rows *rows, size_t i)
{
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, "business_id", rows_text(rows, i, "business_id"));
	json_put_int(obj, "program_count", rows_int(rows, i, "program_count"));
	json_put_text(obj, "name", rows_null(rows, i, "name") ? NULL :
	    rows_text(rows, i, "name"));
	json_put(obj, "statuses", statuses(a, rows, i));
	return obj;
}

static const char *
make_body(struct req *r)
{
	struct db_rows	*rows;
	struct json	*body = json_new_obj(r->arena);
	struct json	*list = json_new_arr(r->arena);

	rows = db_query(r->db, r->arena, Q_PROGRAMS_BUSINESS_IDS,
	    DB_ARGS(db_int(r->account_id), db_text(r->today)));
	if (rows == NULL)
		return NULL;
	/* The first row is the sum of all programs. */
	for (size_t i = 1; i < rows_count(rows); i++)
		json_push(list, business(r->arena, rows, i));
	json_put_int(body, "total", (int64_t)rows_count(rows) - 1);
	json_put(body, "businesses", list);
	json_put_bool(body, "from_db", true);
	json_put(body, "statuses", statuses(r->arena, rows, 0));
	return json_dump(r->arena, body);
}

int
business_ids_get(struct req *r)
{
	const char	*what = arena_printf(r->arena, "business-ids %s",
			    r->today);
	const char	*body;
	size_t		 n;

	body = cache_get(r->cache, r->account_id, what,
	    r->registry_version, &n);
	if (body == NULL) {
		if ((body = make_body(r)) == NULL)
			return problem_database(r);
		n = strlen(body);
		/*
		 * The rows may be newer than the version that was read with
		 * the login; the next version will then replace the body.
		 */
		cache_put(r->cache, r->account_id, what,
		    r->registry_version, body, n);
	}
	return resp_bytes(r, 200, "application/json", body, n);
}
