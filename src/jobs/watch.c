/*
 * Looking at jobs.  What belongs to another account looks exactly like what
 * does not exist.
 */
#include "jobs/watch.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "data/column.h"
#include "data/db.h"
#include "events/handover.h"
#include "events/sse.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "jobs/job.h"

void
watch_accounts(const struct req *r, struct column *c)
{
	column_init(c, COLUMN_INT8);
	if (r->operator == NULL)
		column_int(c, r->account_id);
	for (size_t i = 0; i < r->naccounts; i++)
		column_int(c, r->accounts[i]);
}

const char *
watch_location(struct req *r, const char *id)
{
	return arena_printf(r->arena, "/api/%sjobs/%s",
	    r->operator != NULL ? "analytics/" : "", id);
}

/* A job of the request's own accounts; NULL: database. */
static struct db_rows *
find_own(struct req *r, const char *id)
{
	struct column	 accounts;
	struct db_rows	*rows;

	watch_accounts(r, &accounts);
	rows = db_query(r->db, r->arena, Q_JOBS_ONE,
	    DB_ARGS(db_text(id), column_arg(&accounts)));
	column_free(&accounts);
	return rows;
}

int
watch_no_job(struct req *r)
{
	return problem(r, PROBLEM_NOT_FOUND,
	    "There is no such job of this account.");
}

int
jobs_get(struct req *r)
{
	struct column	 accounts;
	struct db_rows	*rows;
	int64_t		 limit, offset;
	char		*body;
	struct buf	 out;
	int		 status, failed = 0;

	if ((status = req_int(r, "limit", 20, 1, 100, &limit)) != 0 ||
	    (status = req_int(r, "offset", 0, 0, 1000000, &offset)) != 0)
		return status;
	watch_accounts(r, &accounts);
	rows = db_query(r->db, r->arena, Q_JOBS_LIST,
	    DB_ARGS(column_arg(&accounts), db_int(limit), db_int(offset)));
	column_free(&accounts);
	if (rows == NULL)
		return problem_database(r);

	buf_init(&out, 8u << 20);
	failed |= buf_addstr(&out, "{\"jobs\":[");
	for (size_t i = 0; i < rows_count(rows); i++) {
		failed |= buf_addstr(&out, i > 0 ? "," : "");
		failed |= buf_addstr(&out, rows_text(rows, i, "body"));
	}
	failed |= buf_addstr(&out, "]}");
	body = arena_strndup(r->arena, out.data, out.len);
	buf_free(&out);
	if (failed)
		return problem(r, PROBLEM_INTERNAL, "The list is too long.");
	return resp_bytes(r, 200, "application/json", body, strlen(body));
}

/* The id that was asked for and its row as JSON, NULL when there is none. */
static int
find_job(struct req *r, char id[JOB_ID_SIZE], const char **body)
{
	struct db_rows	*rows;

	*body = NULL;
	if (sse_uuid(r->path_id, strlen(r->path_id), id) == -1)
		return 0;
	if ((rows = find_own(r, id)) == NULL)
		return -1;
	if (rows_count(rows) == 1) {
		*body = rows_text(rows, 0, "body");
		/* An operator's stream is of the seller's account. */
		r->account_id = rows_int(rows, 0, "account_id");
	}
	return 0;
}

int
job_get(struct req *r)
{
	const char	*body;
	char		 id[JOB_ID_SIZE];

	if (find_job(r, id, &body) == -1)
		return problem_database(r);
	if (body == NULL)
		return watch_no_job(r);
	return resp_bytes(r, 200, "application/json", body, strlen(body));
}

int
job_events_get(struct req *r)
{
	const char	*body;
	char		 id[JOB_ID_SIZE], last[JOB_ID_SIZE];
	int64_t		 after = 0;
	int		 n;

	if (find_job(r, id, &body) == -1 ||
	    (n = watch_resume(r, last, &after)) == -1)
		return problem_database(r);
	if (body == NULL)
		return watch_no_job(r);
	if (n == 0 || strcmp(id, last) != 0)
		after = 0;
	return watch_job(r, id, true, after);
}

int
watch_resume(struct req *r, char id[JOB_ID_SIZE], int64_t *after)
{
	const char	*text = req_param(r, "HTTP_LAST_EVENT_ID");
	struct sse_id	 last;
	struct db_rows	*rows;

	if (text == NULL || sse_id_parse(text, &last) == -1)
		return 0;
	if ((rows = find_own(r, last.job)) == NULL)
		return -1;
	strcpy(id, last.job);
	if (rows_count(rows) == 0)
		return 0;
	/* From beyond its end nothing would ever come. */
	*after = rows_int(rows, 0, "n");
	if (last.n < *after)
		*after = last.n;
	return 1;
}

int
watch_job(struct req *r, const char *id, bool sse, int64_t after)
{
	struct handover	 h = { .as = sse ? HANDOVER_SSE : HANDOVER_ANSWER,
		.after = after };

	snprintf(h.job, sizeof(h.job), "%s", id);
	return handover_request(r, &h);
}
