/*
 * `lockstep sync`: the job runs in the jobs workers, wherever they are; this
 * only asks and watches.  Ending it does not end the job.
 */
#include "cli/sync.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/open.h"
#include "cli/progress.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "data/db.h"
#include "programs/sync.h"

#define LOOK_MS		1000
#define OUTAGES_MAX	30	/* looks in a row without a database */
#define PATIENCE_MS	10000	/* until nobody seems to be at work */

/* A job being watched. */
struct watching {
	struct cli	*cli;
	struct arena	*arena;		/* of one look */
	char		 id[JOB_ID_SIZE];
	int64_t		 n;		/* the last event shown */
	int64_t		 began_ms;
	bool		 wondered;
	int		 status;	/* exit status, -1 while it runs */
};

static int64_t
number(const struct json *event, const char *key)
{
	int64_t	 n;

	return json_whole(json_get(event, key), &n) == 0 ? n : 0;
}

static bool
is_text(const struct json *event, const char *key, const char *text)
{
	const char	*is = json_text(json_get(event, key));

	return is != NULL && strcmp(is, text) == 0;
}

static enum cli_exit
status_of(const struct json *event)
{
	if (is_text(event, "type", "complete") &&
	    is_text(event, "status", "failed"))
		return CLI_FAILED;
	if (is_text(event, "type", "complete"))
		return is_text(event, "status", "partial") ? CLI_PARTIAL :
		    CLI_OK;
	return is_text(event, "code", "login_wrong") ||
	    is_text(event, "code", "no_access") ? CLI_REFUSED : CLI_FAILED;
}

/* For people: a bar, and words where there are any. */
static void
show(const struct json *event)
{
	const char	*message = json_text(json_get(event, "message"));

	if (is_text(event, "type", "progress")) {
		progress_show(number(event, json_get(event, "synced") != NULL ?
		    "synced" : "done"), number(event, "total"),
		    number(event, "added"));
		return;
	}
	if (message == NULL)
		return;
	progress_clear();
	puts(message);
	fflush(stdout);
}

static void
take_event(struct watching *w, const char *data)
{
	const char	*why;
	struct json	*event = json_parse(w->arena, data, strlen(data),
			    &why);

	if (!w->cli->tty) {
		puts(data);
		fflush(stdout);
	} else {
		show(event);
	}
	if (is_text(event, "type", "complete") ||
	    is_text(event, "type", "error"))
		w->status = (int)status_of(event);
}

/* Shows what is new.  -1: the database did not answer. */
static int
look(struct watching *w)
{
	struct db_rows	*rows = db_query(w->cli->db, w->arena, Q_CLI_WATCH,
			    DB_ARGS(db_text(w->id), db_int(w->n)));

	if (rows == NULL)
		return -1;
	if (rows_count(rows) == 0) {
		w->status = cli_fail(CLI_FAILED, "the job is gone");
		return 0;
	}
	for (size_t i = 0; i < rows_count(rows); i++) {
		if (rows_null(rows, i, "n"))
			continue;
		w->n = rows_int(rows, i, "n");
		take_event(w, rows_text(rows, i, "data"));
	}
	/* Its last event is always the word on how it ended. */
	if (w->status == -1 && rows_bool(rows, 0, "final") &&
	    w->n >= rows_int(rows, 0, "last"))
		w->status = cli_fail(CLI_FAILED,
		    "the job ended without a word");
	if (w->status == -1 && rows_bool(rows, 0, "paused"))
		w->status = cli_fail(CLI_FAILED, "the job is paused; "
		    "lockstep job resume %s", w->id);
	return 0;
}

static void
wonder(struct watching *w)
{
	if (w->wondered || w->n > 1 ||
	    clock_mono_ms() - w->began_ms < PATIENCE_MS)
		return;
	w->wondered = true;
	fputs("lockstep: no worker has begun with it yet; is lockstep serve "
	    "running?\n", stderr);
}

/* Until the job has ended: the exit status. */
static int
watch(struct watching *w)
{
	struct timespec	 second = { .tv_sec = 1 };
	int		 outages = 0;

	w->arena = arena_new();
	while (w->status == -1) {
		outages = look(w) == -1 ? outages + 1 : 0;
		arena_reset(w->arena);
		if (outages > OUTAGES_MAX)
			w->status = cli_fail_database();
		if (w->status != -1)
			break;
		wonder(w);
		if (db_wait(w->cli->db, LOOK_MS) == -1)
			nanosleep(&second, NULL);
	}
	arena_free(w->arena);
	return w->status;
}

int
cli_watch(struct cli *cli, const struct cli_wish *wish)
{
	struct watching	 w = { .cli = cli, .status = -1,
		.began_ms = clock_mono_ms() };

	/* Listening first, so that nothing is announced in between. */
	if (db_listen(cli->db, "job") == -1 ||
	    job_ask(cli->db, cli->arena, wish->kind, wish->account_id,
	    wish->request, wish->first_event, JOB_PRIORITY_NORMAL,
	    w.id) == -1)
		return cli_fail_database();
	if (wish->wait)
		return watch(&w);
	puts(w.id);
	return CLI_OK;
}

static int
sync_account(struct cli *cli, const char *name, bool full, bool wait)
{
	struct cli_wish		 wish = { .kind = SYNC_KIND,
		.request = full ? SYNC_FULL_REQUEST : "{}",
		.first_event = SYNC_START_EVENT, .wait = wait };
	struct cli_account	 acc;
	int			 status;

	if ((status = cli_find_account(cli, name, &acc)) != 0)
		return status;
	if (strcmp(acc.state, "active") != 0)
		return cli_fail(CLI_REFUSED, "the account is %s", acc.state);
	wish.account_id = acc.id;
	return cli_watch(cli, &wish);
}

int
cli_sync(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	bool		 full = false, wait = true;
	int		 c, status;

	optind = 0;		/* glibc: scan these arguments from the start */
	while ((c = getopt(argc, argv, "+fn")) != -1) {
		if (c == 'f')
			full = true;
		else if (c == 'n')
			wait = false;
		else
			return CLI_USAGE;
	}
	if (optind != argc - 1)
		return CLI_USAGE;
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = sync_account(&cli, argv[optind], full, wait);
	cli_close(&cli);
	return status;
}
