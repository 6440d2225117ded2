#ifndef CLI_SYNC_H
#define CLI_SYNC_H

#include <stdbool.h>
#include <stdint.h>

struct cli;

/*
 * `lockstep sync [-fn] ACCOUNT`: asks for a sync as a client would and shows
 * how it goes: a progress bar on a terminal, elsewhere its events as JSON
 * lines.  Returns the exit status.
 */
int	cli_sync(const char *conf_path, int argc, char **argv);

/* A job to be asked for, and whether its end is waited for. */
struct cli_wish {
	const char	*kind;
	int64_t		 account_id;
	const char	*request;
	const char	*first_event;
	bool		 wait;
};

/* Asks for it and shows how it goes, likewise; or prints its id. */
int	cli_watch(struct cli *, const struct cli_wish *);

#endif
