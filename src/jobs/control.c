/* What people do to jobs, over HTTP and from the command line. */
#include "jobs/control.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "data/column.h"
#include "data/db.h"
#include "events/sse.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "jobs/watch.h"

#define CANCELLED_TEXT	"The job was cancelled."

/* As job_fail() has it: how streams of a cancelled job end. */
static const char cancelled_event[] = "{\"type\":\"error\","
    "\"code\":\"cancelled\",\"message\":\"" CANCELLED_TEXT "\"}";
static const char paused_event[] = "{\"type\":\"waiting\",\"until\":null,"
    "\"reason\":\"by_hand\",\"message\":\"Paused until it is resumed\"}";

static struct db_arg
accounts_arg(struct column *accounts)
{
	return accounts == NULL ? db_null() : column_arg(accounts);
}

/* What a POST that waits for the job is answered with. */
static const char *
cancelled_answer(struct arena *a)
{
	struct json	*body = json_new_obj(a);

	json_put_text(body, "type", "about:blank");
	json_put_text(body, "title", problem_title(PROBLEM_CANCELLED));
	json_put_int(body, "status", problem_status(PROBLEM_CANCELLED));
	json_put_text(body, "code", problem_code(PROBLEM_CANCELLED));
	json_put_text(body, "detail", CANCELLED_TEXT);
	return json_dump(a, body);
}

static struct db_rows *
change(struct db *db, struct arena *a, enum control_verb verb, const char *id,
    struct column *accounts)
{
	struct db_arg	 account = accounts_arg(accounts);

	switch (verb) {
	case CONTROL_CANCEL:
		return db_query(db, a, Q_JOBS_CANCEL, DB_ARGS(db_text(id),
		    account, db_int(problem_status(PROBLEM_CANCELLED)),
		    db_text(cancelled_answer(a)), db_text(cancelled_event)));
	case CONTROL_PAUSE:
		return db_query(db, a, Q_JOBS_PAUSE, DB_ARGS(db_text(id),
		    account, db_text(paused_event)));
	default:
		return db_query(db, a, Q_JOBS_RESUME, DB_ARGS(db_text(id),
		    account));
	}
}

static enum control_end
change_job(struct db *db, struct arena *a, enum control_verb verb,
    const char *id, struct column *accounts, struct control *c)
{
	struct db_rows	*rows = change(db, a, verb, id, accounts);

	if (rows == NULL)
		return CONTROL_FAILED;
	if (rows_count(rows) == 0)
		return CONTROL_NO_JOB;
	c->was = rows_text(rows, 0, "was");
	c->body = rows_text(rows, 0, "body");
	return c->body != NULL ? CONTROL_DONE : CONTROL_FORBIDDEN;
}

/*
 * The same request, or less: what failed, and what the job did not come to.
 * Without "all", not with all false, which would take it from a job that is
 * joined and was asked for all.
 */
static const char *
request_again(struct arena *a, const struct db_rows *old, bool failed_only)
{
	const char	*text = rows_text(old, 0, "request");
	const char	*why;
	struct json	*request = json_parse(a, text, strlen(text), &why);
	struct json	*less;

	if (request == NULL || !failed_only || rows_bool(old, 0, "unknown"))
		return text;
	less = json_new_obj(a);
	if (!json_is_nil(json_get(request, "batch")))
		json_put(less, "batch", json_get(request, "batch"));
	json_put_bool(less, "failed", true);
	json_put_text(less, "since", rows_text(old, 0, "since"));
	return json_dump(a, less);
}

static int
ask_again(struct db *db, struct arena *a, const struct db_rows *old,
    bool failed_only, struct control *c)
{
	const char	*first = rows_text(old, 0, "first_event");
	struct db_rows	*rows;

	if (job_ask(db, a, rows_text(old, 0, "kind"),
	    rows_int(old, 0, "account_id"), request_again(a, old,
	    failed_only),
	    first != NULL ? first : "{\"type\":\"start\"}",
	    JOB_PRIORITY_NORMAL, c->id) == -1)
		return -1;
	rows = db_query(db, a, Q_JOBS_LOOK,
	    DB_ARGS(db_text(c->id), db_null()));
	if (rows == NULL || rows_count(rows) == 0)
		return -1;
	c->body = rows_text(rows, 0, "body");
	return 0;
}

static enum control_end
retry_job(struct db *db, struct arena *a, const char *id,
    struct column *accounts, bool failed_only, struct control *c)
{
	struct db_rows	*rows = db_query(db, a, Q_JOBS_AGAIN,
			    DB_ARGS(db_text(id), accounts_arg(accounts)));

	if (rows == NULL)
		return CONTROL_FAILED;
	if (rows_count(rows) == 0)
		return CONTROL_NO_JOB;
	c->was = rows_text(rows, 0, "was");
	if (!rows_bool(rows, 0, "retryable"))
		return CONTROL_FORBIDDEN;
	if ((c->barred = rows_bool(rows, 0, "barred")))
		return CONTROL_FORBIDDEN;
	return ask_again(db, a, rows, failed_only, c) == 0 ? CONTROL_DONE :
	    CONTROL_FAILED;
}

void
control_do(struct db *db, struct arena *a, enum control_verb verb,
    const char *id, struct column *accounts, struct control *c)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->id, sizeof(c->id), "%s", id);
	c->end = verb >= CONTROL_RETRY ? retry_job(db, a, id, accounts,
	    verb == CONTROL_RETRY_FAILED, c) :
	    change_job(db, a, verb, id, accounts, c);
}

const char *
control_why_not(struct arena *a, enum control_verb verb,
    const struct control *c)
{
	static const char *const	 rules[CONTROL__MAX] = {
		[CONTROL_CANCEL] = "only a job that has not ended can be "
		    "cancelled",
		[CONTROL_PAUSE] = "only a job that is queued, waiting or "
		    "running can be paused",
		[CONTROL_RESUME] = "only a paused job whose login is good "
		    "can be resumed",
		[CONTROL_RETRY] = "only a job that ended partial, failed or "
		    "cancelled can be tried again",
		[CONTROL_RETRY_FAILED] = "only a job that ended partial, "
		    "failed or cancelled can be tried again",
	};

	if (c->barred)
		return "The login or token was refused, or the account is "
		    "disabled; give a good one first.";
	return arena_printf(a, "The job is %s; %s.", c->was, rules[verb]);
}

static int
answer(struct req *r, enum control_verb verb)
{
	struct control	 c = { .end = CONTROL_NO_JOB };
	struct column	 accounts;
	char		 id[JOB_ID_SIZE];

	if (sse_uuid(r->path_id, strlen(r->path_id), id) == 0) {
		watch_accounts(r, &accounts);
		control_do(r->db, r->arena, verb, id, &accounts, &c);
		column_free(&accounts);
	}
	switch (c.end) {
	case CONTROL_NO_JOB:
		return watch_no_job(r);
	case CONTROL_FORBIDDEN:
		return problem(r, PROBLEM_CONFLICT, "%s",
		    control_why_not(r->arena, verb, &c));
	case CONTROL_FAILED:
		return problem_database(r);
	default:
		break;
	}
	resp_bytes(r, verb >= CONTROL_RETRY ? 202 : 200, "application/json",
	    c.body, strlen(c.body));
	if (verb >= CONTROL_RETRY)
		resp_header(r, "Location", watch_location(r, c.id));
	return r->status;
}

int
job_cancel_post(struct req *r)
{
	return answer(r, CONTROL_CANCEL);
}

int
job_pause_post(struct req *r)
{
	return answer(r, CONTROL_PAUSE);
}

int
job_resume_post(struct req *r)
{
	return answer(r, CONTROL_RESUME);
}

/* Whether only what failed is wanted: 0, or the status of a 400. */
static int
read_failed_only(struct req *r, bool *failed_only)
{
	struct json	*body;
	int64_t		 n;
	int		 status;

	if ((status = req_int(r, "failed", 0, 0, 1, &n)) != 0 ||
	    (status = req_json_optional(r, &body)) != 0)
		return status;
	*failed_only = n == 1;
	if (!json_is_nil(json_get(body, "failedOnly")) &&
	    json_truth(json_get(body, "failedOnly"), failed_only) == -1)
		return problem_field(r, "failedOnly", "failedOnly must be "
		    "true or false.");
	return 0;
}

int
job_retry_post(struct req *r)
{
	bool	 failed_only = false;
	int	 status;

	/* A partner's sync is always of the whole list. */
	if (r->operator != NULL &&
	    (status = read_failed_only(r, &failed_only)) != 0)
		return status;
	return answer(r, failed_only ? CONTROL_RETRY_FAILED : CONTROL_RETRY);
}
