/*
 * A sync: passes over the partner's list until one agrees with itself, and
 * how it ends.  Nothing is ever deleted here for not having been read.
 */
#include "programs/sync.h"

#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "http/refusal.h"
#include "programs/account.h"
#include "programs/names.h"
#include "programs/pass.h"
#include "programs/report.h"
#include "programs/store.h"

#define PASSES_MAX	3	/* a set that keeps moving ends as partial */

/* What to do after a reading that agrees with itself. */
enum retire { RETIRE_DONE, RETIRE_READ_AGAIN, RETIRE_FAILED };

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
 * A registry that was never filled will need every page, so the total that
 * the partner named with the login lets all of them start at once.
 */
static int
start_fresh(struct sync *s)
{
	int64_t	 programs = count_programs(s);

	if (programs == -1)
		return -1;
	s->pass.total_db_before = programs;
	/* Somebody has been at it by hand. */
	if (programs != s->account.pages_programs)
		digest_forget(&s->pass.digest);
	log_info("sync: start");
	log_info("sync: registry has", F_INT("programs", programs));
	pass_begin(&s->pass, programs == 0 && !s->account.was_full ?
	    s->account.partner_total : -1);
	return 0;
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
	if (job_begin(j) == -1)
		return JOB_LOST;
	if (says == PARTNER_BAD_LOGIN && refusal_note(j->db, j->scratch,
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

/* Passes from this one on must have missed a program for it to be gone. */
static int64_t
first_counted(const struct sync *s)
{
	return s->pass.doubted > 0 ? s->pass.doubted : s->pass.number;
}

static int
count_missing(struct sync *s, int64_t *programs, int64_t *missing)
{
	struct job	*j = s->job;
	struct db_rows	*rows;

	rows = db_query(j->db, j->scratch, Q_PROGRAMS_MISSING, DB_ARGS(
	    db_int(j->account_id), db_text(j->id), db_int(first_counted(s))));
	if (rows == NULL)
		return -1;
	*programs = rows_int(rows, 0, "programs");
	*missing = rows_int(rows, 0, "missing");
	return 0;
}

static int
retire_missing(struct sync *s)
{
	struct job	*j = s->job;
	struct db_rows	*rows;

	rows = db_query(j->db, j->scratch, Q_PROGRAMS_RETIRE, DB_ARGS(
	    db_int(j->account_id), db_text(j->id), db_int(first_counted(s))));
	if (rows == NULL)
		return -1;
	j->removed += rows_int(rows, 0, "retired");
	digest_forget(&s->pass.digest);
	return 0;
}

/*
 * Only a complete reading retires what it has not seen, and more than a set
 * share only after a second one that misses the same (contract, section 7).
 * Within the job's transaction.
 */
static enum retire
retire(struct sync *s)
{
	struct job	*j = s->job;
	int64_t		 programs, missing;
	bool		 intact, doubt_intact;

	if (count_missing(s, &programs, &missing) == -1)
		return RETIRE_FAILED;
	if (missing == 0)
		return RETIRE_DONE;
	if (pass_check_seen(&s->pass, &intact, &doubt_intact) == -1)
		return RETIRE_FAILED;
	if (!intact || !doubt_intact) {
		s->pass.doubted = s->pass.doubted_unique = 0;
		return RETIRE_READ_AGAIN;
	}
	if (s->pass.dry_run) {
		j->removed = missing;
		return RETIRE_DONE;
	}
	/* Of what was there before: what has just been added proves nothing. */
	if (s->pass.total_db_before > 0)
		programs -= j->added;
	if (missing * 100 > programs * j->conf->programs_retire_max_share &&
	    s->pass.doubted == 0) {
		log_warn("sync: many programs are gone, reading again to be "
		    "sure", F_INT("missing", missing),
		    F_INT("programs", programs));
		s->pass.doubted = s->pass.number;
		s->pass.doubted_unique = s->pass.unique;
		return RETIRE_READ_AGAIN;
	}
	return retire_missing(s) == 0 ? RETIRE_DONE : RETIRE_FAILED;
}

static int
finish_rows(struct sync *s, struct sync_result *res, bool full)
{
	struct job	*j = s->job;

	if ((res->total_db_after = count_programs(s)) == -1)
		return -1;
	if (res->outcome == SYNC_PARTIAL || s->pass.dry_run)
		return 0;
	if (full && digest_keep(&s->pass.digest, j->db, j->scratch,
	    j->account_id, res->total_db_after) == -1)
		return -1;
	return db_query(j->db, j->scratch, Q_PROGRAMS_SYNCED,
	    DB_ARGS(db_int(j->account_id), db_bool(full))) != NULL ? 0 : -1;
}

/* Writes the end of a job that has read something, and commits. */
static enum job_end
finish(struct sync *s, struct sync_result *res, bool full)
{
	struct job	*j = s->job;
	const char	*answer;

	if (finish_rows(s, res, full) == -1)
		return JOB_LOST;
	pass_checkpoint(&s->pass);
	answer = report_complete(j, res);
	return job_finish(j, res->outcome == SYNC_PARTIAL ? "partial" :
	    "done", 200, answer) == 0 ? JOB_ENDED : JOB_LOST;
}

/* Ends what was read; or *again when it must be read once more, to be sure. */
static enum job_end
end_read(struct sync *s, enum pass_end end, bool *again)
{
	struct job		*j = s->job;
	struct sync_result	 res = { .total_api = j->total,
		.total_db_before = s->pass.total_db_before,
		.dry_run = s->pass.dry_run };
	enum retire		 retired = RETIRE_DONE;

	*again = false;
	if (!s->pass.dry_run)
		names_fetch(j, &s->account);
	if (job_begin(j) == -1)
		return JOB_LOST;
	if (end == PASS_AGREES)
		retired = retire(s);
	if (retired == RETIRE_FAILED)
		return JOB_LOST;
	if (retired == RETIRE_READ_AGAIN) {
		*again = true;
		/* Begun before it is noted, lest one pass counts for two. */
		pass_begin(&s->pass, s->pass.pages.total);
		pass_checkpoint(&s->pass);
		return job_save(j) == 0 ? JOB_ENDED : JOB_LOST;
	}
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
	return finish(s, &res, true);
}

static bool
wants_full(const struct job *j)
{
	const char	*mode = json_text(json_get(j->request, "mode"));

	return mode != NULL && strcmp(mode, "full") == 0;
}

/*
 * The first page and the total match: nothing to do, unless somebody has
 * asked for a full reading meanwhile.  One that is due is left to a job of
 * its own that nobody waits for.
 */
static enum job_end
end_quick(struct sync *s, bool *go_on)
{
	struct job		*j = s->job;
	struct sync_result	 res = { .outcome = SYNC_UP_TO_DATE,
		.total_api = j->total,
		.total_db_before = s->pass.total_db_before };

	if (job_begin(j) == -1)
		return JOB_LOST;
	if ((*go_on = wants_full(j))) {
		db_rollback(j->db);
		return JOB_ENDED;
	}
	j->done = j->unchanged = j->total;
	if (s->account.full_due)
		job_follow_up(j, SYNC_FULL_REQUEST, SYNC_START_EVENT,
		    JOB_PRIORITY_LOW);
	return finish(s, &res, false);
}

/* Looks at the first page only; *go_on when that is not enough. */
static enum job_end
look_quickly(struct sync *s, enum pass_end *end, bool *go_on)
{
	bool	 matches;

	*go_on = false;
	s->pass.quick = true;
	*end = pass_run(&s->pass);
	s->pass.quick = false;
	if (*end != PASS_FIRST_PAGE)
		return JOB_ENDED;
	pass_note_total(&s->pass);
	if (store_matches(&s->pass, &matches) == -1)
		return JOB_LOST;
	log_info("sync: quick check", F_STR("registry",
	    matches ? "matches" : "differs"));
	if (matches)
		return end_quick(s, go_on);
	*go_on = true;
	return JOB_ENDED;
}

/* Reads until a pass agrees with itself, or there were enough. */
static enum pass_end
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
	return end;
}

static enum job_end
end_passes(struct sync *s, enum pass_end end, bool *again)
{
	*again = false;
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
		return s->pass.answered ? end_read(s, end, again) :
		    end_failed(s, s->pass.lost);
	}
}

static enum job_end
read_fully(struct sync *s)
{
	enum job_end	 end;
	bool		 again;

	end = end_passes(s, run_passes(s), &again);
	while (end == JOB_ENDED && again)
		end = end_passes(s, run_passes(s), &again);
	return end;
}

static enum job_end
read_list(struct sync *s)
{
	struct job	*j = s->job;
	bool		 resumed = json_get(j->checkpoint, "pass") != NULL;
	enum pass_end	 looked;
	enum job_end	 end;
	bool		 go_on, again;

	if ((resumed ? pass_resume(&s->pass) : start_fresh(s)) == -1)
		return JOB_LOST;
	/* One that was held back before its first page has not begun. */
	if (s->pass.answered || !s->account.was_full || wants_full(j) ||
	    s->pass.dry_run)
		return read_fully(s);
	end = look_quickly(s, &looked, &go_on);
	if (end == JOB_ENDED && go_on)
		return read_fully(s);
	return end == JOB_ENDED && looked != PASS_FIRST_PAGE ?
	    end_passes(s, looked, &again) : end;
}

/* Ends without a reading. */
static enum job_end
fail_at_once(struct sync *s, const char *detail)
{
	struct job	*j = s->job;

	if (job_begin(j) == -1)
		return JOB_LOST;
	return job_fail(j, PROBLEM_LOGIN_WRONG, detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

enum job_end
sync_run(struct job *j)
{
	struct sync	*s = arena_alloc(j->arena, sizeof(*s));
	enum job_end	 end;

	s->job = j;
	switch (account_load(j->db, j->arena, j->account_id,
	    j->conf->programs_full_every_ms, &s->account)) {
	case -1:
		return JOB_LOST;
	case 0:
		return fail_at_once(s, "The stored login cannot be opened "
		    "with this key; sign in again.");
	}
	if (s->account.is_refused)
		return fail_at_once(s, "The partner has refused the stored "
		    "login; sign in again.");
	pass_open(&s->pass, j, &s->account);
	s->pass.dry_run = strcmp(j->kind, SYNC_DRY_KIND) == 0;
	end = read_list(s);
	pass_close(&s->pass);
	return end;
}
