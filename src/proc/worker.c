/*
 * From fork to exit, seen by the child: what it drops of the master, what it
 * is called, and how it learns that it should end.
 */
#include "proc/worker.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/log.h"
#include "proc/master.h"
#include "proc/scoreboard.h"
#include "proc/signals.h"

bool
worker_stopping(void)
{
	if (signals_reopen())
		log_reopen();
	return signals_stop();
}

bool
worker_worn_out(const struct worker *w)
{
	return w->slot->requests >= (uint64_t)w->conf->max_requests;
}

/*
 * Before anything that takes time, so that no worker outlives its master.
 * prctl(2): the signal is not sent when the parent was gone already.
 */
static void
die_with(pid_t master)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		fatal("worker: prctl", F_ERRNO);
	if (getppid() != master)
		_exit(0);
}

static void
name_worker(const struct worker_kind *kind, struct worker *w)
{
	static char	name[32];
	static char	holder[HOST_NAME_MAX + PATH_MAX + sizeof(name) + 3];
	char		host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(name, sizeof(name), "%s/%d", kind->name, (int)w->slot->index);
	snprintf(holder, sizeof(holder), "%s:%s %s", host, w->conf->run_dir,
	    name);
	w->name = name;
	w->holder = holder;
}

void
worker_live(const struct worker_kind *kind, struct worker *w, pid_t master)
{
	int status;

	signals_worker();
	die_with(master);
	signals_release();
	name_worker(kind, w);
	log_set_worker(w->name);
	log_debug("worker: started");
	status = kind->run(w);
	w->slot->state = SLOT_STOPPING;
	/* Not exit(): what atexit has is the master's. */
	fflush(NULL);
	_exit(status);
}
