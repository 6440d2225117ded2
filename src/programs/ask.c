/* Asking for a sync: who asks twice joins the first. */
#include "programs/sync.h"

#include <string.h>

#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "jobs/watch.h"

/* What the query asks for: mode=quick|full, dry_run=0|1. */
struct wish {
	const char	*kind;
	const char	*request;
};

static int
read_wish(struct req *r, struct wish *wish)
{
	static const char *const modes[] = { "quick", "full", NULL };
	const char	*mode;
	int64_t		 dry_run;
	int		 status;

	if ((status = req_word(r, "mode", modes, "quick", &mode)) != 0 ||
	    (status = req_int(r, "dry_run", 0, 0, 1, &dry_run)) != 0)
		return status;
	wish->kind = dry_run ? SYNC_DRY_KIND : SYNC_KIND;
	wish->request = strcmp(mode, "full") == 0 ? SYNC_FULL_REQUEST : "{}";
	return 0;
}

static int
ask(struct req *r, const struct wish *wish, char id[JOB_ID_SIZE])
{
	return job_ask(r->db, r->arena, wish->kind, r->account_id,
	    wish->request, SYNC_START_EVENT, JOB_PRIORITY_NORMAL, id);
}

int
sync_post(struct req *r)
{
	struct wish	 wish;
	char		 id[JOB_ID_SIZE];
	int		 status;

	if ((status = read_wish(r, &wish)) != 0)
		return status;
	if (ask(r, &wish, id) == -1)
		return problem_database(r);
	return watch_job(r, id, false, 0);
}

int
sync_stream_post(struct req *r)
{
	struct wish	 wish;
	char		 id[JOB_ID_SIZE];
	int64_t		 after = 0;
	int		 n, status;

	if ((status = read_wish(r, &wish)) != 0)
		return status;
	/*
	 * A client whose connection broke asks again with Last-Event-ID: it
	 * gets the rest of that job, not a new one.
	 */
	if ((n = watch_resume(r, id, &after)) == -1)
		return problem_database(r);
	if (n == 0) {
		after = 0;
		if (ask(r, &wish, id) == -1)
			return problem_database(r);
	}
	return watch_job(r, id, true, after);
}

int
sync_ask_first(struct req *r)
{
	return db_query(r->db, r->arena, Q_PROGRAMS_ASK_FIRST,
	    DB_ARGS(db_text(SYNC_KIND), db_int(r->account_id),
	    db_text(SYNC_START_EVENT))) != NULL ? 0 : -1;
}
