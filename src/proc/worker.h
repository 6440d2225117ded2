#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/compiler.h"

struct conf;
struct slot;
struct worker_kind;

/* What a child process knows of itself.  Lives as long as the process. */
struct worker {
	const struct conf	*conf;
	struct slot		*slot;
	const char		*name;		/* "jobs/2" */
	/*
	 * The same name made unique among hosts and installations, and stable
	 * over restarts: a new worker knows by it what its predecessor held.
	 */
	const char		*holder;	/* "box1:/run/x jobs/2" */
	int			 listen_fd;	/* -1: kind without socket */
};

/*
 * True once TERM has come: finish what is in hand, then return from run().
 * Also reopens the log when USR1 has come, hence to be asked once a turn.
 */
bool	worker_stopping(void);

/*
 * True when the worker has served max_requests and should return from run()
 * to be replaced.
 */
bool	worker_worn_out(const struct worker *);

/*
 * The whole life of a child: to be called with signals held (proc/signals.h)
 * right after the fork, with conf, slot and listen_fd set.  Dies with master,
 * the process that forked it.
 */
void	worker_live(const struct worker_kind *, struct worker *,
	    pid_t master) NORETURN;

#endif
