/*
 * Every business of the account with its number of programs, from the kept
 * counts; the finished body is kept for as long as the registry stays as it
 * is.
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

#define CACHE_NAME	"business-ids"

static struct json *
business(struct arena *a, const struct db_rows *rows, size_t i)
{
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, "business_id", rows_text(rows, i, "business_id"));
	json_put_int(obj, "program_count", rows_int(rows, i, "program_count"));
	return obj;
}

static const char *
make_body(struct req *r)
{
	struct db_rows	*rows;
	struct json	*body = json_new_obj(r->arena);
	struct json	*list = json_new_arr(r->arena);

	rows = db_query(r->db, r->arena, Q_PROGRAMS_BUSINESS_IDS,
	    DB_ARGS(db_int(r->account_id)));
	if (rows == NULL)
		return NULL;
	for (size_t i = 0; i < rows_count(rows); i++)
		json_push(list, business(r->arena, rows, i));
	json_put_int(body, "total", (int64_t)rows_count(rows));
	json_put(body, "businesses", list);
	json_put_bool(body, "from_db", true);
	return json_dump(r->arena, body);
}

int
business_ids_get(struct req *r)
{
	const char	*body;
	size_t		 n;

	body = cache_get(r->cache, r->account_id, CACHE_NAME,
	    r->registry_version, &n);
	if (body == NULL) {
		if ((body = make_body(r)) == NULL)
			return problem_database(r);
		n = strlen(body);
		/*
		 * The rows may be newer than the version that was read with
		 * the login; the next version will then replace the body.
		 */
		cache_put(r->cache, r->account_id, CACHE_NAME,
		    r->registry_version, body, n);
	}
	return resp_bytes(r, 200, "application/json", body, n);
}
