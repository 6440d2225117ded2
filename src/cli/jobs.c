/* `lockstep jobs` and `lockstep job`: looking at jobs and steering them. */
#include "cli/jobs.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/open.h"
#include "data/db.h"
#include "events/sse.h"
#include "jobs/control.h"

#define JOBS_DEFAULT	20
#define JOBS_MAX	1000

static void
print_row(struct cli *cli, const struct db_rows *rows, size_t i)
{
	const char	*percentage = rows_text(rows, i, "percentage");

	printf("%s  %-9s %4s%s  %.19s  %-21s %s\n", rows_text(rows, i, "id"),
	    rows_text(rows, i, "state"), percentage != NULL ? percentage : "-",
	    percentage != NULL ? "%" : " ", rows_text(rows, i, "created_at"),
	    rows_text(rows, i, "kind"), rows_null(rows, i, "user_name") ? "" :
	    cli_show_user(cli, rows_bytes(rows, i, "user_name", cli->arena)));
}

static int
list(struct cli *cli, const char *name, const char *seller, int64_t limit)
{
	struct cli_account	 acc;
	struct db_rows		*rows;
	int			 status;

	if ((name != NULL &&
	    (status = cli_find_account(cli, name, &acc)) != 0) ||
	    (seller != NULL &&
	    (status = cli_find_seller(cli, seller, &acc)) != 0))
		return status;
	rows = db_query(cli->db, cli->arena, Q_CLI_JOBS,
	    DB_ARGS(name != NULL || seller != NULL ? db_int(acc.id) : db_null(),
	    db_int(limit)));
	if (rows == NULL)
		return cli_fail_database();
	for (size_t i = 0; i < rows_count(rows); i++) {
		if (cli->tty)
			print_row(cli, rows, i);
		else
			puts(rows_text(rows, i, "body"));
	}
	return CLI_OK;
}

static int64_t
parse_limit(const char *text)
{
	char	*end;
	long	 n = strtol(text, &end, 10);

	return *text != '\0' && *end == '\0' && n >= 1 && n <= JOBS_MAX ? n :
	    -1;
}

int
cli_jobs(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	const char	*account = NULL, *seller = NULL;
	int64_t		 limit = JOBS_DEFAULT;
	int		 c, status;

	optind = 0;		/* glibc: scan these arguments from the start */
	while ((c = getopt(argc, argv, "+a:n:s:")) != -1) {
		if (c == 'a')
			account = optarg;
		else if (c == 's')
			seller = optarg;
		else if (c != 'n' || (limit = parse_limit(optarg)) == -1)
			return CLI_USAGE;
	}
	if (optind != argc || (account != NULL && seller != NULL))
		return CLI_USAGE;
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = list(&cli, account, seller, limit);
	cli_close(&cli);
	return status;
}

static int
show(struct cli *cli, const char *id)
{
	struct db_rows	*rows = db_query(cli->db, cli->arena, Q_JOBS_LOOK,
			    DB_ARGS(db_text(id), db_null()));

	if (rows == NULL)
		return cli_fail_database();
	if (rows_count(rows) == 0)
		return cli_fail(CLI_NOT_FOUND, "no such job");
	puts(rows_text(rows, 0, "body"));
	return CLI_OK;
}

static int
steer(struct cli *cli, enum control_verb verb, const char *id)
{
	struct control	 c;

	control_do(cli->db, cli->arena, verb, id, NULL, &c);
	switch (c.end) {
	case CONTROL_NO_JOB:
		return cli_fail(CLI_NOT_FOUND, "no such job");
	case CONTROL_FORBIDDEN:
		return cli_fail(CLI_REFUSED, "%s",
		    control_why_not(cli->arena, verb, &c));
	case CONTROL_FAILED:
		return cli_fail_database();
	default:
		puts(c.body);
		return CLI_OK;
	}
}

/* CONTROL__MAX: to be shown; -1: no such word. */
static int
verb_of(const char *word)
{
	static const char *const	 words[] = {
		[CONTROL_CANCEL] = "cancel", [CONTROL_PAUSE] = "pause",
		[CONTROL_RESUME] = "resume", [CONTROL_RETRY] = "retry",
		[CONTROL_RETRY_FAILED] = "retry-failed",
		[CONTROL__MAX] = "show",
	};

	for (size_t i = 0; i < nitems(words); i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

int
cli_job(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	char		 id[JOB_ID_SIZE];
	int		 verb, status;

	if (argc != 3 || (verb = verb_of(argv[1])) == -1)
		return CLI_USAGE;
	if (sse_uuid(argv[2], strlen(argv[2]), id) == -1)
		return cli_fail(CLI_NOT_FOUND, "no such job");
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = verb == CONTROL__MAX ? show(&cli, id) :
	    steer(&cli, (enum control_verb)verb, id);
	cli_close(&cli);
	return status;
}
