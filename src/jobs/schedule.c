/* Firing schedules: what is due, what follows, and what is told of it. */
#include "jobs/schedule.h"

#include <stdbool.h>
#include <string.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"
#include "jobs/cron.h"
#include "jobs/job.h"
#include "jobs/worker.h"

#define FIRE_MAX	100	/* at one look */
#define LATE_MS		60000	/* later than this it was missed */
#define MOMENTS_MAX	200	/* tried, when clocks are put back */

/* One that is due, in hand. */
struct due {
	const struct conf	*conf;
	struct db		*db;
	struct arena		*arena;
	const struct db_rows	*row;
	const struct job_kind	*kind;
	const char		*moment;	/* next, before the delay */
	char			 job[JOB_ID_SIZE];	/* "": none asked */
	bool			 is_new;		/* ... nor joined */
};

int
schedule_check(const struct conf *conf, const char **name, const char **why)
{
	struct cron	 c;

	*name = "schedule.sync";
	if (conf->schedule_sync[0] != '\0' &&
	    cron_parse(&c, conf->schedule_sync, why) == -1)
		return -1;
	*name = "analytics.schedule";
	return conf->analytics_schedule[0] == '\0' ? 0 :
	    cron_parse(&c, conf->analytics_schedule, why);
}

/* When jobs of that kind run unless their schedule says otherwise. */
static const char *
usual_cron(const struct conf *conf, const struct job_kind *kind)
{
	return kind->api == NULL ? "" :
	    *(const char *const *)((const char *)conf + kind->cron);
}

void
schedule_tend(const struct conf *conf, struct db *db,
    const struct job_kind *kinds, size_t n)
{
	struct arena	*a = arena_new();
	struct column	 names, apis, crons;
	struct db_rows	*rows;

	column_init(&names, COLUMN_TEXT);
	column_init(&apis, COLUMN_TEXT);
	column_init(&crons, COLUMN_TEXT);
	for (size_t i = 0; i < n; i++) {
		column_text(&names, kinds[i].name);
		column_text(&apis, kinds[i].api);
		column_text(&crons, usual_cron(conf, &kinds[i]));
	}
	rows = db_query(db, a, Q_JOBS_SCHEDULE_TEND,
	    DB_ARGS(column_arg(&names), column_arg(&apis), column_arg(&crons),
	    db_int(conf->schedule_jitter_ms)));
	if (rows != NULL && rows_int(rows, 0, "made") > 0)
		log_info("schedule: made", F_INT("schedules",
		    rows_int(rows, 0, "made")));
	column_free(&names);
	column_free(&apis);
	column_free(&crons);
	arena_free(a);
}

/* The one that has waited longest: 1, 0 when none is due, -1: database. */
static int
find_due(struct due *d, const struct job_kind *kinds, size_t n)
{
	struct column	 names, crons;

	column_init(&names, COLUMN_TEXT);
	column_init(&crons, COLUMN_TEXT);
	for (size_t i = 0; i < n; i++) {
		column_text(&names, kinds[i].name);
		column_text(&crons, usual_cron(d->conf, &kinds[i]));
	}
	d->row = db_query(d->db, d->arena, Q_JOBS_SCHEDULE_DUE,
	    DB_ARGS(column_arg(&names), column_arg(&crons),
	    db_int(d->conf->schedule_jitter_ms), db_int(LATE_MS)));
	column_free(&names);
	column_free(&crons);
	if (d->row == NULL)
		return -1;
	if (rows_count(d->row) == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(kinds[i].name, rows_text(d->row, 0, "kind")) == 0)
			d->kind = &kinds[i];
	return 1;
}

static struct cron_time
time_shown(const struct db_rows *row)
{
	return (struct cron_time){
		.year = (int)rows_int(row, 0, "year"),
		.month = (int)rows_int(row, 0, "month"),
		.day = (int)rows_int(row, 0, "day"),
		.hour = (int)rows_int(row, 0, "hour"),
		.minute = (int)rows_int(row, 0, "minute"),
	};
}

/*
 * Which moment is meant by t: 1 with d->moment set, 0 when it has passed (the
 * second of two hours of the same name), -1: database.
 */
static int
find_moment(struct due *d, const struct cron *c, const struct cron_time *t)
{
	const char	*text = arena_printf(d->arena,
			    "%04d-%02d-%02d %02d:%02d", t->year, t->month,
			    t->day, t->hour, t->minute);
	struct db_rows	*rows;

	rows = db_query(d->db, d->arena, Q_JOBS_SCHEDULE_MOMENT,
	    DB_ARGS(db_text(text), db_text(rows_text(d->row, 0, "base")),
	    db_text(rows_text(d->row, 0, "time_zone")),
	    db_bool(c->every_hour)));
	if (rows == NULL)
		return -1;
	d->moment = rows_text(rows, 0, "at");
	return rows_bool(rows, 0, "ahead");
}

/* Sets d->moment, to NULL when there is none: never again.  -1: database. */
static int
plan(struct due *d)
{
	struct cron_time	 t = time_shown(d->row);	/* 0: nowhere */
	struct cron		 c;
	const char		*why;
	int			 found = 0;

	/* Looked at again tomorrow: the zone may come back. */
	if (rows_bool(d->row, 0, "nowhere")) {
		d->moment = rows_text(d->row, 0, "tomorrow");
		log_warn("schedule: no such time zone", F_INT("schedule",
		    rows_int(d->row, 0, "id")), F_STR("time_zone",
		    rows_text(d->row, 0, "time_zone")));
		return 0;
	}
	if (cron_parse(&c, rows_text(d->row, 0, "cron"), &why) == -1) {
		log_warn("schedule: no cron expression", F_INT("schedule",
		    rows_int(d->row, 0, "id")), F_STR("why", why));
		return 0;
	}
	for (int i = 0; i < MOMENTS_MAX && found == 0; i++) {
		if (cron_next(&c, t, &t) == -1)
			break;
		found = find_moment(d, &c, &t);
	}
	if (found == 0)
		d->moment = NULL;
	return found == -1 ? -1 : 0;
}

/* Whoever waits at a page goes first; a job under way is joined. */
static int
ask(struct due *d)
{
	const char	*request = rows_text(d->row, 0, "request");
	int		 rc;

	if (strcmp(request, "{}") == 0 && d->kind->request != NULL)
		request = d->kind->request;
	if (rows_bool(d->row, 0, "unplanned") ||
	    rows_bool(d->row, 0, "skipped") ||
	    rows_bool(d->row, 0, "nowhere"))
		return 0;
	rc = job_ask(d->db, d->arena, d->kind->name,
	    rows_int(d->row, 0, "account_id"),
	    request, d->kind->first_event,
	    JOB_PRIORITY_LOW, d->job);
	d->is_new = rc == 1;
	return rc == -1 ? -1 : 0;
}

static int
move(struct due *d)
{
	return db_query(d->db, d->arena, Q_JOBS_SCHEDULE_MOVE,
	    DB_ARGS(db_int(rows_int(d->row, 0, "id")), db_text(d->moment),
	    db_text(usual_cron(d->conf, d->kind)),
	    db_int(d->conf->schedule_jitter_ms),
	    db_text(d->job[0] != '\0' ? d->job : NULL))) != NULL ? 0 : -1;
}

/* One line for what made a difference, and none for the rest. */
static void
tell(const struct due *d)
{
	log_set_account(rows_int(d->row, 0, "account_id"));
	if (d->is_new) {
		log_set_job(d->job);
		log_info("schedule: fired", F_INT("schedule",
		    rows_int(d->row, 0, "id")), F_STR("kind", d->kind->name));
		log_set_job(NULL);
	} else if (rows_bool(d->row, 0, "skipped")) {
		log_info("schedule: missed, skipped", F_INT("schedule",
		    rows_int(d->row, 0, "id")), F_STR("kind", d->kind->name));
	}
	log_set_account(0);
}

/* Fires one: 1, 0 when none is due, -1: database. */
static int
fire(struct due *d, const struct job_kind *kinds, size_t n)
{
	int	 found;

	db_begin(d->db);
	found = find_due(d, kinds, n);
	if (found < 1 || plan(d) == -1 || ask(d) == -1 || move(d) == -1) {
		db_rollback(d->db);
		return found == 0 ? 0 : -1;
	}
	if (db_commit(d->db) == -1)
		return -1;
	tell(d);
	return 1;
}

void
schedule_fire(const struct conf *conf, struct db *db,
    const struct job_kind *kinds, size_t n)
{
	struct arena	*a = arena_new();
	int		 fired = 1;

	for (int i = 0; i < FIRE_MAX && fired == 1; i++) {
		struct due	 d = { .conf = conf, .db = db, .arena = a };

		fired = fire(&d, kinds, n);
		arena_reset(a);
	}
	arena_free(a);
}
