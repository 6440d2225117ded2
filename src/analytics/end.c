/* How a run ends, and what is left to be said of it then. */
#include "analytics/end.h"

#include <string.h>

#include "analytics/run.h"
#include "analytics/tell.h"
#include "analytics/trouble.h"
#include "core/json.h"
#include "core/secret.h"
#include "data/db.h"
#include "events/outbox.h"

#define AGAIN_MS	1000	/* before another token is used */

/* What the run was about was tried, and is as it was (contract, section 4). */
static int
mark_tried(struct run *r, const char *code, const char *detail)
{
	struct job	*j = r->job;
	struct db_rows	*rows = db_query(j->db, j->scratch,
			    Q_ANALYTICS_GIVE_UP, DB_ARGS(
			    db_int(j->account_id), db_text(r->plan.began),
			    db_bool(r->plan.failed), db_text(code),
			    db_text(detail), db_text(r->plan.since)));

	if (rows == NULL)
		return -1;
	j->failed += rows_int(rows, 0, "failed");
	return 0;
}

enum job_end
end_untried(struct run *r, enum wb_says says, const char *detail)
{
	if (job_begin(r->job) == -1)
		return JOB_LOST;
	r->job->calls_left = 0;
	return job_fail(r->job, wb_problem(says), detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

/* Who has joined a run of what had failed may have wanted all. */
static void
follow_up(struct run *r)
{
	struct job	*j = r->job;
	struct json	*request;

	if (!r->plan.failed || !json_flag(j->request, "all"))
		return;
	request = json_new_obj(j->arena);
	json_put_bool(request, "all", true);
	if (!json_is_nil(json_get(j->request, "batch")))
		json_put(request, "batch", json_get(j->request, "batch"));
	job_follow_up(j, json_dump(j->arena, request), RUN_START_EVENT,
	    JOB_PRIORITY_NORMAL);
}

/* 1 when the seller has got another token since the run took it, -1: database. */
static int
is_replaced(struct run *r)
{
	struct job	*j = r->job;
	struct seller	 now;

	switch (seller_load(j->db, j->scratch, j->conf, j->account_id, NULL,
	    &now)) {
	case -1:
		return -1;
	case 0:
		return 0;
	}
	return now.is_active && memcmp(now.hash, r->seller.hash,
	    sizeof(now.hash)) != 0;
}

/* A token that was replaced while the API refused it is nobody's trouble. */
static enum job_end
go_on(struct run *r)
{
	struct job	*j = r->job;

	tell_outlook(r, r->step_ms);
	plan_write(&r->plan, j->arena, j->checkpoint);
	tell_waiting(r, AGAIN_MS, "api_retry");
	return job_wait(j, AGAIN_MS, "api_retry") == 0 ? JOB_ENDED : JOB_LOST;
}

enum job_end
end_failed(struct run *r, enum wb_says says, const char *detail)
{
	struct job	*j = r->job;
	int		 replaced;

	if (job_begin(j) == -1)
		return JOB_LOST;
	replaced = says == WB_BAD_TOKEN ? is_replaced(r) : 0;
	if (replaced != 0)
		return replaced == 1 ? go_on(r) : JOB_LOST;
	if (mark_tried(r, wb_code(says), detail) == -1)
		return JOB_LOST;
	if (says == WB_BAD_TOKEN && db_query(j->db, j->scratch,
	    Q_ACCOUNT_REFUSE, DB_ARGS(db_bytes(r->seller.user),
	    db_bytes((struct bytes){ (const char *)r->seller.hash,
	    sizeof(r->seller.hash) }),
	    db_bytes((struct bytes){ (const char *)r->seller.hash,
	    sizeof(r->seller.hash) }), db_text(""))) == NULL)
		return JOB_LOST;
	if (trouble_tell(r, wb_code(says)) == -1)
		return JOB_LOST;
	j->calls_left = 0;
	if (r->plan.began != NULL)
		plan_write(&r->plan, j->arena, j->checkpoint);
	if (says != WB_BAD_TOKEN && says != WB_NO_ACCESS)
		follow_up(r);
	return job_fail(j, wb_problem(says), detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

/* How the job ends. */
static const char *
state_of(int64_t ok, int64_t partial, int64_t failed)
{
	if (failed == 0 && partial == 0)
		return "done";
	return ok + partial == 0 ? "failed" : "partial";
}

static int
announce(struct run *r, int64_t ok, int64_t partial, int64_t failed)
{
	struct job	*j = r->job;
	struct json	*data = json_new_obj(j->scratch);

	json_put_int(data, "sellerId", j->account_id);
	json_put_int(data, "ok", ok);
	json_put_int(data, "partial", partial);
	json_put_int(data, "failed", failed);
	json_put_text(data, "job", j->id);
	return outbox_append(j->db, j->scratch, j->account_id,
	    "analytics.synced", data);
}

enum job_end
end_idle(struct run *r)
{
	struct job	*j = r->job;

	if (job_begin(j) == -1)
		return JOB_LOST;
	j->done = j->total = 0;
	j->calls_left = 0;
	plan_write(&r->plan, j->arena, j->checkpoint);
	follow_up(r);
	return job_finish(j, "done", 200, tell_idle(r)) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

enum job_end
end_complete(struct run *r)
{
	struct plan_part	*texts = &r->plan.parts[WB_TEXTS];
	struct job		*j = r->job;
	struct db_rows		*rows;
	const char		*state;
	int64_t			 ok, partial, failed;

	if (job_begin(j) == -1)
		return JOB_LOST;
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_SETTLE,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.began),
	    db_text(texts->off != NULL ? texts->off : "texts_failed"),
	    db_text(texts->off != NULL ? texts->why :
	    "The search texts could not be read")));
	if (rows == NULL)
		return JOB_LOST;
	ok = rows_int(rows, 0, "ok");
	partial = rows_int(rows, 0, "partial");
	failed = rows_int(rows, 0, "failed");
	state = state_of(ok, partial, failed);
	j->done = j->total = r->plan.total;
	j->updated = ok + partial;
	j->failed = failed;
	j->calls_left = 0;
	if (texts->off != NULL)
		job_error(j, "texts", texts->off, texts->why);
	if (r->plan.parts[WB_FUNNEL].moved) {
		job_error(j, "products", "list_moving", "The API's list kept "
		    "moving while it was read; some products may be missing");
		state = strcmp(state, "done") == 0 ? "partial" : state;
	}
	if (r->plan.all && db_query(j->db, j->scratch, Q_ANALYTICS_LISTED,
	    DB_ARGS(db_int(j->account_id), db_int(r->plan.total))) == NULL)
		return JOB_LOST;
	if (texts->good && texts->off == NULL &&
	    seller_learn(j->db, j->scratch, j->account_id,
	    &(struct seller_news){ .jam = &(bool){ true } }) == -1)
		return JOB_LOST;
	plan_write(&r->plan, j->arena, j->checkpoint);
	follow_up(r);
	if (announce(r, ok, partial, failed) == -1 ||
	    trouble_tell(r, trouble_of(r, rows)) == -1)
		return JOB_LOST;
	return job_finish(j, state, 200, tell_complete(r, state, ok, partial,
	    failed)) == 0 ? JOB_ENDED : JOB_LOST;
}
