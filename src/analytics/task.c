/* Asking for a run. */
#include "analytics/task.h"

#include <string.h>

#include "analytics/run.h"
#include "analytics/seller.h"
#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "jobs/job.h"
#include "jobs/watch.h"

#define HOURS_MAX	87600

/* A whole number of the body's, or the default: 0, or the status of a 400. */
static int
read_number(struct req *r, const struct json *body, const char *field,
    int64_t dflt, int64_t max, int64_t *out)
{
	const struct json	*v = json_get(body, field);

	*out = dflt;
	if (json_is_nil(v))
		return 0;
	if (!json_is_int(v) || json_whole(v, out) == -1 || *out < 1 ||
	    *out > max)
		return problem_field(r, field, "%s must be a whole number "
		    "from 1 to %lld.", field, (long long)max);
	return 0;
}

/* 1 when nothing is older than that, 0 when something is, -1: database. */
static int
is_fresh(struct req *r, int64_t seller, int64_t hours)
{
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_FRESH,
			    DB_ARGS(db_int(seller), db_int(hours)));

	return rows == NULL ? -1 : rows_bool(rows, 0, "fresh");
}

static int
answer_fresh(struct req *r)
{
	struct json	*body = json_new_obj(r->arena);

	json_put_nil(body, "taskId");
	json_put_bool(body, "fresh", true);
	return resp_json(r, 200, body);
}

static struct db_arg
if_known(int64_t n)
{
	return n < 0 ? db_null() : db_int(n);
}

/*
 * The job, and what it will take, at once: whoever looks at it first knows.  1
 * when it is new, 0 when there was one, -1: database.
 */
static int
queue(struct req *r, const struct seller *s, const struct json *request,
    const struct run_outlook *outlook, char id[JOB_ID_SIZE])
{
	int	 is_new;

	db_begin(r->db);
	is_new = job_ask(r->db, r->arena, RUN_KIND, s->id,
	    json_dump(r->arena, request), RUN_START_EVENT,
	    JOB_PRIORITY_NORMAL, id);
	if (is_new == -1 || (is_new == 1 && db_query(r->db, r->arena,
	    Q_ANALYTICS_EXPECT, DB_ARGS(db_text(id),
	    if_known(outlook->products), if_known(outlook->calls),
	    if_known(outlook->eta_ms))) == NULL)) {
		db_rollback(r->db);
		return -1;
	}
	return db_commit(r->db) == -1 ? -1 : is_new;
}

/* One that somebody else has asked for takes its own time: -1, database. */
static int
put_joined(struct req *r, struct json *body, const char *id)
{
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_JOINED,
			    DB_ARGS(db_text(id)));

	if (rows == NULL)
		return -1;
	json_put_bool(body, "joined", true);
	if (rows_count(rows) == 0 || rows_null(rows, 0, "eta_s"))
		json_put_nil(body, "etaSeconds");
	else
		json_put_int(body, "etaSeconds", rows_int(rows, 0, "eta_s"));
	json_put_text(body, "state", rows_count(rows) == 0 ? NULL :
	    rows_text(rows, 0, "state"));
	return 0;
}

static void
put_new(struct json *body, const struct run_outlook *outlook)
{
	json_put_bool(body, "joined", false);
	if (outlook->eta_ms < 0)
		json_put_nil(body, "etaSeconds");
	else
		json_put_int(body, "etaSeconds", (outlook->eta_ms + 999) /
		    1000);
	json_put_text(body, "state", "queued");
}

static int
ask(struct req *r, const struct seller *s, int64_t batch)
{
	struct run_outlook	 outlook = run_outlook(r->conf, s, batch);
	struct json		*request = json_new_obj(r->arena);
	struct json		*body = json_new_obj(r->arena);
	char			 id[JOB_ID_SIZE];
	int			 is_new;

	json_put_bool(request, "all", true);
	json_put_int(request, "batch", batch);
	is_new = queue(r, s, request, &outlook, id);
	if (is_new == -1)
		return problem_database(r);
	log_info("analytics: asked for", F_STR("job", id),
	    F_STR("new", is_new ? "yes" : "no"));
	json_put_text(body, "taskId", arena_strdup(r->arena, id));
	if (is_new)
		put_new(body, &outlook);
	else if (put_joined(r, body, id) == -1)
		return problem_database(r);
	resp_json(r, 202, body);
	resp_header(r, "Location", watch_location(r, id));
	return r->status;
}

int
sync_background_post(struct req *r)
{
	struct seller	 s;
	struct json	*body;
	int64_t		 batch, wanted, hours, id;
	int		 status, fresh;

	if ((status = req_json_optional(r, &body)) != 0 ||
	    (status = read_number(r, body, "batchSize", RUN_BATCH,
	    RUN_BATCH_MAX, &batch)) != 0 ||
	    (status = read_number(r, body, "sellerId", -1, INT64_MAX,
	    &wanted)) != 0 ||
	    (status = read_number(r, body, "ifOlderThanHours", 0, HOURS_MAX,
	    &hours)) != 0 ||
	    (status = seller_choose(r, wanted, &id)) != 0)
		return status;
	if (seller_load(r->db, r->arena, r->conf, id, r->operator, &s) != 1)
		return problem_database(r);
	if (!s.is_active)
		return problem(r, PROBLEM_CONFLICT, "The API has refused the "
		    "seller's token; give another one first.");
	if (s.products == 0 && !s.all_products)
		return problem_unfit(r, "sellerId", "The seller has no "
		    "products yet; add some first.");
	fresh = hours > 0 ? is_fresh(r, id, hours) : 0;
	if (fresh == -1)
		return problem_database(r);
	return fresh ? answer_fresh(r) : ask(r, &s, batch);
}
