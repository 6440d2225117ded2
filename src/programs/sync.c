/*
 * A sync: passes over the partner's list until one agrees with itself, and
 * how it ends.  Nothing is ever deleted here for not having been read.
 */
#include "programs/sync.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "programs/account.h"
#include "programs/pass.h"
#include "programs/report.h"

#define PASSES_MAX	3	/* a set that keeps moving ends as partial */

struct sync {
	struct job	*job;
	struct account	 account;
	struct pass	 pass;
};

/* How many programs the registry holds; -1: database. */
static int64_t
count_programs(struct sync *s)
{
	struct job	*j = s->job;
	struct db_rows	*rows = db_query(j->db, j->arena, Q_PROGRAMS_COUNT,
			    DB_ARGS(db_int(j->account_id)));

	return rows != NULL ? rows_int(rows, 0, "programs") : -1;
}

/*
 * A registry that is still empty will need every page, so the total that the
 * partner named with the login lets all of them start at once.
 */
static int
start_fresh(struct sync *s)
{
	int64_t	 programs = count_programs(s);

	if (programs == -1)
		return -1;
	s->pass.total_db_before = programs;
	log_info("sync: start");
	log_info("sync: registry has", F_INT("programs", programs));
	pass_begin(&s->pass, programs == 0 ? s->account.partner_total : -1);
	return 0;
}

/* What the passes saw is of no use once the job has ended. */
static int
forget_seen(struct sync *s)
{
	struct job	*j = s->job;

	return db_query(j->db, j->scratch, Q_PROGRAMS_SEEN_CLEAR,
	    DB_ARGS(db_text(j->id))) != NULL ? 0 : -1;
}

static enum job_end
end_held(struct sync *s)
{
	struct job	*j = s->job;
	const char	*message;
	char		 until[CLOCK_ISO_SIZE];

	clock_iso(clock_wall_ms() + s->pass.hold_ms, until);
	message = arena_printf(j->arena, "Waiting until %.16s UTC, partner "
	    "limit", until);
	if (job_begin(j) == -1)
		return JOB_LOST;
	report_waiting(j, s->pass.hold_ms, "partner_limited", message);
	pass_checkpoint(&s->pass);
	return job_wait(j, s->pass.hold_ms, "partner_limited") == 0 ?
	    JOB_ENDED : JOB_LOST;
}

/*
 * Over without anything to show for it, or because the partner will not have
 * it.  A refused login is noted under the same fence: a late worker must not
 * refuse one that has been verified again.
 */
static enum job_end
end_failed(struct sync *s, enum partner_says says)
{
	struct job	*j = s->job;
	const char	*detail;

	detail = arena_printf(j->arena, "The partner could not be read: %s.",
	    s->pass.why != NULL ? s->pass.why : "nothing came");
	if (job_begin(j) == -1 || forget_seen(s) == -1)
		return JOB_LOST;
	if (says == PARTNER_BAD_LOGIN && account_refused(j->db, j->scratch,
	    s->account.user, s->account.hash, "") == -1)
		return JOB_LOST;
	pass_checkpoint(&s->pass);
	report_end(j, "failed");
	return job_fail(j, partner_problem(says), detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

static const char *
partial_reason(struct sync *s, enum pass_end end)
{
	struct job	*j = s->job;
	int64_t		 lost = pages_lost_rows(&s->pass.pages);

	if (end == PASS_DIFFERS)
		return arena_printf(j->arena, "the partner named %lld programs "
		    "but listed %lld, in %lld readings", (long long)
		    s->pass.pages.total, (long long)s->pass.unique,
		    (long long)s->pass.number);
	return arena_printf(j->arena, "%lld of %lld programs could not be "
	    "read (%s)", (long long)(lost > 0 ? lost : j->failed),
	    (long long)j->total, s->pass.why);
}

static int
finish_rows(struct sync *s, struct sync_result *res)
{
	struct job	*j = s->job;

	if ((res->total_db_after = count_programs(s)) == -1 ||
	    forget_seen(s) == -1)
		return -1;
	if (res->outcome == SYNC_PARTIAL)
		return 0;
	return db_query(j->db, j->scratch, Q_PROGRAMS_SYNCED,
	    DB_ARGS(db_int(j->account_id))) != NULL ? 0 : -1;
}

static enum job_end
end_read(struct sync *s, enum pass_end end)
{
	struct job		*j = s->job;
	struct sync_result	 res = { .total_api = j->total,
		.total_db_before = s->pass.total_db_before };
	const char		*answer;

	res.outcome = end != PASS_AGREES ? SYNC_PARTIAL :
	    j->added + j->updated + j->removed > 0 ? SYNC_SYNCED :
	    SYNC_UP_TO_DATE;
	if (res.outcome == SYNC_PARTIAL) {
		res.reason = partial_reason(s, end);
		j->failed += pages_lost_rows(&s->pass.pages);
		/* Pages that were given up one by one are noted already. */
		if (end == PASS_DIFFERS || s->pass.end != PARTNER_OK)
			job_error(j, "list", "incomplete", res.reason);
	}
	if (job_begin(j) == -1 || finish_rows(s, &res) == -1)
		return JOB_LOST;
	pass_checkpoint(&s->pass);
	answer = report_complete(j, &res);
	return job_finish(j, res.outcome == SYNC_PARTIAL ? "partial" : "done",
	    200, answer) == 0 ? JOB_ENDED : JOB_LOST;
}

static enum job_end
run_passes(struct sync *s)
{
	enum pass_end	 end = pass_run(&s->pass);

	while (end == PASS_DIFFERS && s->pass.number < PASSES_MAX) {
		log_info("sync: the set moved, reading again",
		    F_INT("unique", s->pass.unique),
		    F_INT("total", s->pass.pages.total));
		pass_begin(&s->pass, s->pass.pages.total);
		end = pass_run(&s->pass);
	}
	switch (end) {
	case PASS_STOPPED:
		return JOB_STOPPED;
	case PASS_JOB_LOST:
		return JOB_LOST;
	case PASS_HELD:
		return end_held(s);
	case PASS_REFUSED:
		return end_failed(s, s->pass.end);
	default:
		return s->pass.answered ? end_read(s, end) :
		    end_failed(s, s->pass.lost);
	}
}

static enum job_end
read_list(struct sync *s)
{
	int	 n;

	pass_open(&s->pass, s->job, s->account.authorization);
	n = json_get(s->job->checkpoint, "pass") != NULL ?
	    pass_resume(&s->pass) : start_fresh(s);
	return n == 0 ? run_passes(s) : JOB_LOST;
}

enum job_end
sync_run(struct job *j)
{
	struct sync	*s = arena_alloc(j->arena, sizeof(*s));
	enum job_end	 end;

	s->job = j;
	switch (account_load(j->db, j->arena, j->account_id, &s->account)) {
	case -1:
		return JOB_LOST;
	case 0:
		return job_begin(j) == 0 && job_fail(j, PROBLEM_LOGIN_WRONG,
		    "The stored login cannot be opened with this key; sign "
		    "in again.") == 0 ? JOB_ENDED : JOB_LOST;
	}
	if (s->account.is_refused)
		return job_begin(j) == 0 && job_fail(j, PROBLEM_LOGIN_WRONG,
		    "The partner has refused the stored login; sign in "
		    "again.") == 0 ? JOB_ENDED : JOB_LOST;
	end = read_list(s);
	pass_close(&s->pass);
	return end;
}
