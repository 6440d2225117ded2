/* `lockstep events`: reading the outbox, for support and for scripts. */
#include "cli/events.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/open.h"
#include "core/arena.h"
#include "core/json.h"
#include "data/db.h"
#include "events/sse.h"

#define LOOK_MS		1000

struct reading {
	struct cli	*cli;
	int64_t		 account_id;	/* 0: all */
	int64_t		 after;		/* -1: whatever is there */
	bool		 to_come;	/* only what follows */
	char		 epoch[SSE_EPOCH_SIZE];	/* "": not known yet */
};

/* After a restore or a failover the numbers are others: begin anew. */
static bool
epoch_changed(struct reading *r, const char *epoch)
{
	bool	 changed = r->epoch[0] != '\0' && strcmp(r->epoch, epoch) != 0;

	if (changed) {
		fputs("lockstep: the database is another one; what it keeps "
		    "follows from its beginning\n", stderr);
		r->after = -1;
	}
	snprintf(r->epoch, sizeof(r->epoch), "%s", epoch);
	return changed;
}

static void
print_event(struct reading *r, struct arena *a, const struct db_rows *rows,
    size_t i)
{
	const char	*data = rows_text(rows, i, "data"), *why;
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, "id", arena_printf(a, "%s.%lld",
	    rows_text(rows, i, "epoch"), (long long)r->after));
	json_put_text(obj, "at", rows_text(rows, i, "at"));
	json_put_int(obj, "account", rows_int(rows, i, "account_id"));
	json_put(obj, "event", json_parse(a, data, strlen(data), &why));
	puts(json_dump(a, obj));
}

/* Prints one batch: 1 when there may be more, 0 when not, -1: database. */
static int
read_some(struct reading *r)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;
	int		 more = -1;

	rows = db_query(r->cli->db, a, Q_CLI_EVENTS,
	    DB_ARGS(db_int(r->after), r->account_id != 0 ?
	    db_int(r->account_id) : db_null()));
	if (rows != NULL && epoch_changed(r, rows_text(rows, 0, "epoch"))) {
		more = 1;	/* asked with a number of before: ask again */
	} else if (rows != NULL) {
		more = 0;
		if (r->to_come)
			r->after = rows_int(rows, 0, "last");
		for (size_t i = 0; i < rows_count(rows) && !r->to_come; i++) {
			if (rows_null(rows, i, "seq"))
				break;
			r->after = rows_int(rows, i, "seq");
			print_event(r, a, rows, i);
			more = 1;
		}
		r->to_come = false;
		fflush(stdout);
	}
	arena_free(a);
	return more;
}

static int
read_all(struct reading *r)
{
	int	 more;

	while ((more = read_some(r)) == 1)
		;
	return more == -1 ? cli_fail_database() : CLI_OK;
}

/* Until it is killed, or nobody reads what it prints. */
static int
follow(struct reading *r)
{
	struct timespec	 second = { .tv_sec = 1 };

	if (db_listen(r->cli->db, "event") == -1)
		return cli_fail_database();
	r->to_come = true;
	while (!ferror(stdout)) {
		while (read_some(r) == 1)
			;
		if (db_wait(r->cli->db, LOOK_MS) == -1)
			nanosleep(&second, NULL);
	}
	return CLI_FAILED;
}

static int
events(struct cli *cli, const char *name, bool follows)
{
	struct reading		 r = { .cli = cli, .after = -1 };
	struct cli_account	 acc;
	int			 status;

	if (name != NULL) {
		if ((status = cli_find_account(cli, name, &acc)) != 0)
			return status;
		r.account_id = acc.id;
	}
	return follows ? follow(&r) : read_all(&r);
}

int
cli_events(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	bool		 follows = false;
	int		 c, status;

	optind = 0;		/* glibc: scan these arguments from the start */
	while ((c = getopt(argc, argv, "+f")) != -1) {
		if (c != 'f')
			return CLI_USAGE;
		follows = true;
	}
	if (argc - optind > 1)
		return CLI_USAGE;
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = events(&cli, optind < argc ? argv[optind] : NULL, follows);
	cli_close(&cli);
	return status;
}
