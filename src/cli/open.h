#ifndef OPEN_H
#define OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/json.h"
#include "core/secret.h"

/*
 * What the commands for people and cron have in common: the configuration,
 * the database (directly, no server needed) and how they end.
 */
struct arena;
struct conf;
struct db;

/* Exit statuses, as lockstep(1) promises them. */
enum cli_exit {
	CLI_OK		= 0,
	CLI_FAILED	= 1,
	CLI_USAGE	= 2,
	CLI_PARTIAL	= 3,	/* done in part */
	CLI_NOT_FOUND	= 4,	/* no such account or job */
	CLI_REFUSED	= 5	/* the login, or the state, forbids it */
};

struct cli {
	struct conf	*conf;
	struct db	*db;
	struct arena	*arena;		/* for the whole command */
	bool		 tty;		/* somebody reads it: not JSON */
};

/* 0, or the exit status with the reason said.  cli_close() ends it. */
int	cli_open(struct cli *, const char *conf_path) MUST_CHECK;
void	cli_close(struct cli *);

/* "lockstep: …" to the standard error; returns the status. */
int	cli_fail(enum cli_exit, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The database failed, which the log has said on the standard error. */
int	cli_fail_database(void);

/* An account as the command line names it. */
struct cli_account {
	int64_t		 id;
	struct bytes	 user;
	const char	*state;
};

/*
 * Finds one by user name, or by number as id:7.  0, or the exit status with
 * the reason said.
 */
int	cli_find_account(struct cli *, const char *name, struct cli_account *)
	    MUST_CHECK;

/*
 * The same for a seller, by its name or as id:7.  A name that several operators
 * use is not enough.
 */
int	cli_find_seller(struct cli *, const char *name, struct cli_account *)
	    MUST_CHECK;

/* A user name to be shown: what could upset a terminal as '?'. */
const char *cli_show_user(struct cli *, struct bytes);

/* The same as a member of an object: null when it is not UTF-8. */
void	cli_put_user(struct json *, const char *key, struct cli *,
	    struct bytes);

/* Prints a value as one line. */
void	cli_print(struct cli *, const struct json *);

#endif
