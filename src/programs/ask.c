/* Asking for a sync: who asks twice joins the first. */
#include "programs/sync.h"

#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "jobs/watch.h"

#define START_EVENT \
	"{\"type\":\"start\",\"message\":\"Starting synchronization...\"}"

static int
ask(struct req *r, char id[JOB_ID_SIZE])
{
	return job_ask(r->db, r->arena, SYNC_KIND, r->account_id, "{}",
	    START_EVENT, id);
}

int
sync_post(struct req *r)
{
	char	 id[JOB_ID_SIZE];

	if (ask(r, id) == -1)
		return problem_database(r);
	return watch_job(r, id, false, 0);
}

int
sync_stream_post(struct req *r)
{
	char	 id[JOB_ID_SIZE];
	int64_t	 after = 0;
	int	 n;

	/*
	 * A client whose connection broke asks again with Last-Event-ID: it
	 * gets the rest of that job, not a new one.
	 */
	if ((n = watch_resume(r, id, &after)) == -1)
		return problem_database(r);
	if (n == 0) {
		after = 0;
		if (ask(r, id) == -1)
			return problem_database(r);
	}
	return watch_job(r, id, true, after);
}

int
sync_ask_first(struct req *r)
{
	return db_query(r->db, r->arena, Q_PROGRAMS_ASK_FIRST,
	    DB_ARGS(db_text(SYNC_KIND), db_int(r->account_id),
	    db_text(START_EVENT))) != NULL ? 0 : -1;
}
