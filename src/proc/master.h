#ifndef MASTER_H
#define MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct worker;

/*
 * Slots of the scoreboard that each row has for itself, and so the most
 * workers of a kind: slot row * MASTER_KIND_SLOTS + i is always worker i.
 */
#define MASTER_KIND_SLOTS	256

/*
 * A kind of process is a row.  run() is the whole life of a child: it returns
 * when worker_stopping() or worker_worn_out() say so, with the exit status
 * (0 for a planned end).
 */
struct worker_kind {
	const char	*name;			/* "api" */
	const char	*socket;		/* file in run_dir, or NULL */
	int		 backlog;
	size_t		 workers_offset;	/* in struct conf, int64_t */
	/*
	 * After how long the worker is taken for stuck and killed: from
	 * slot_busy() to slot_idle() or, where beats is set (a kind without
	 * short requests) and between two requests, without a slot_beat().
	 */
	bool		 beats;
	int64_t		 (*stuck_ms)(const struct conf *);
	int		 (*run)(struct worker *);
};

/*
 * Serves until TERM or INT: opens the sockets, forks, watches, respawns,
 * reloads from conf_path on HUP.  Takes over conf.  Returns the process's exit
 * status; what is wrong at start is fatal.
 */
int	master_run(const struct worker_kind *kinds, size_t nkinds,
	    struct conf *conf, const char *conf_path);

/* The name of a row, for status pages; "?" when there is none. */
const char	*master_kind_name(int kind);

#endif
