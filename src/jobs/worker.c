/*
 * Claims jobs and runs them.  Woken by NOTIFY; a look each second besides
 * finds what nobody announces: leases that ran out, waits that are over and
 * schedules that are due.
 */
#include "jobs/worker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/db.h"
#include "events/outbox.h"
#include "net/budget.h"
#include "jobs/schedule.h"
#include "net/upstream.h"
#include "proc/scoreboard.h"
#include "proc/worker.h"

#define LOOK_MS		1000
#define TEND_EVERY_MS	600000
#define PLAN_EVERY_MS	15000
#define RECONNECT_MS	200
#define CLAIMS_MAX	20	/* in a row, without anything saved */

/*
 * Whatever this name still holds was held by a dead process: our predecessor
 * in the slot, or ourselves before the database went away.
 */
static int
free_leases(struct db *db, const char *holder)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;
	int		 n = -1;

	rows = db_query(db, a, Q_JOBS_FREE, DB_ARGS(db_text(holder)));
	if (rows != NULL) {
		n = (int)rows_count(rows);
		for (int i = 0; i < n; i++)
			log_info("job: lease freed", F_STR("of",
			    rows_text(rows, (size_t)i, "id")));
	}
	arena_free(a);
	return n;
}

static void
trim_history(const struct conf *conf, struct db *db)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;

	rows = db_query(db, a, Q_JOBS_TRIM,
	    DB_ARGS(db_int(conf->jobs_keep_ms)));
	if (rows != NULL && rows_int(rows, 0, "trimmed") > 0)
		log_info("job: history trimmed", F_INT("jobs",
		    rows_int(rows, 0, "trimmed")));
	arena_free(a);
}

/* When to do next what somebody has to do now and then. */
struct chores {
	int64_t	 tend_ms;
	int64_t	 plan_ms;
	int64_t	 fire_ms;
};

static void
keep_house(const struct conf *conf, struct db *db)
{
	trim_history(conf, db);
	budget_trim(db);
	outbox_tend(conf, db);
}

/* Schedules, also when there is always a job to run next. */
static void
look_at_clock(struct chores *c, const struct conf *conf, struct db *db,
    const struct job_kind *kinds, size_t nkinds)
{
	if (clock_mono_ms() >= c->plan_ms) {
		schedule_tend(conf, db, kinds, nkinds);
		c->plan_ms = clock_mono_ms() + PLAN_EVERY_MS;
	}
	if (clock_mono_ms() >= c->fire_ms) {
		schedule_fire(conf, db, kinds, nkinds);
		c->fire_ms = clock_mono_ms() + LOOK_MS;
	}
}

static const struct job_kind *
kind_of(const struct job *j, const struct job_kind *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(kinds[i].name, j->kind) == 0)
			return &kinds[i];
	return NULL;
}

/* A job that never gets as far as its first save would be tried for ever. */
static enum job_end
give_up(struct job *j)
{
	if (job_begin(j) == -1 || job_fail(j, PROBLEM_INTERNAL,
	    "The job was started many times and never got anywhere.") == -1)
		return JOB_LOST;
	return JOB_ENDED;
}

/* Runs the job in hand.  True when the database must be looked at first. */
static bool
run_one(struct worker *w, struct job *j, const struct job_kind *kinds,
    size_t nkinds)
{
	char		 what[SCOREBOARD_WHAT_SIZE];
	enum job_end	 end;

	log_set_job(j->id);
	log_set_account(j->account_id);
	snprintf(what, sizeof(what), "%s %s", j->kind, j->id);
	slot_busy(w->slot, what, "");
	end = j->claims > CLAIMS_MAX ? give_up(j) :
	    kind_of(j, kinds, nkinds)->run(j);
	if (end != JOB_ENDED)
		db_rollback(j->db);
	if (end == JOB_STOPPED)
		job_release(j);
	upstream_cancel(j->upstream);
	slot_idle(w->slot);
	log_set_job(NULL);
	log_set_account(0);
	return end == JOB_LOST;
}

static void
pause_ms(int ms)
{
	struct timespec	 ts = { .tv_nsec = ms * 1000000L };

	nanosleep(&ts, NULL);
}

/* A wait that is over is not found a second late. */
static int
next_ms(struct db *db, struct column *names)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;
	int64_t		 ms = LOOK_MS;

	rows = db_query(db, a, Q_JOBS_NEXT,
	    DB_ARGS(column_arg(names), db_int(LOOK_MS)));
	if (rows != NULL && rows_count(rows) == 1)
		ms = rows_int(rows, 0, "ms");
	arena_free(a);
	/* Due, but in somebody else's hands: not for long. */
	return ms > 0 ? (int)ms : 20;
}

int
jobs_work(struct worker *w, const struct job_kind *kinds, size_t nkinds)
{
	struct job	 life = { .conf = w->conf, .slot = w->slot };
	struct column	 names;
	struct chores	 chores = { 0 };
	bool		 unsure = true;		/* may hold leases unknown */

	life.db = db_new(w->conf, w->conf->db_job_timeout_ms);
	life.upstream = upstream_new(w->conf);
	column_init(&names, COLUMN_TEXT);
	for (size_t i = 0; i < nkinds; i++)
		column_text(&names, kinds[i].name);
	/* With the database down it listens as soon as it is connected. */
	if (db_listen(life.db, "job_due") == -1)
		log_warn("job: not listening yet");
	slot_idle(w->slot);

	while (!worker_stopping() && !worker_worn_out(w)) {
		struct job	 j = life;
		int		 n;

		slot_beat(w->slot);
		if (unsure) {
			if (free_leases(life.db, w->holder) == -1) {
				pause_ms(RECONNECT_MS);
				continue;
			}
			unsure = false;
		}
		look_at_clock(&chores, w->conf, life.db, kinds, nkinds);
		n = job_claim(&j, w->holder, &names);
		if (n == 1) {
			unsure = run_one(w, &j, kinds, nkinds);
			job_close(&j);
			continue;
		}
		unsure = n == -1;
		if (n == 0 && clock_mono_ms() >= chores.tend_ms) {
			keep_house(w->conf, life.db);
			chores.tend_ms = clock_mono_ms() + TEND_EVERY_MS;
		}
		if (n == 0)
			db_wait(life.db, next_ms(life.db, &names));
	}
	column_free(&names);
	return 0;
}
