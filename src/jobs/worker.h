#ifndef JOBS_WORKER_H
#define JOBS_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "jobs/job.h"

struct worker;

/* A kind of job and what runs it. */
struct job_kind {
	const char	*name;		/* "programs.sync" */
	enum job_end	 (*run)(struct job *);
	const char	*first_event;	/* of its stream, when by schedule */
	const char	*api;		/* whose accounts all have a schedule
					 * of it; NULL: none */
	size_t		 cron;		/* when: of struct conf, a text */
	const char	*request;	/* when by schedule */
};

/*
 * The life of a jobs worker: frees what its predecessor held, then claims and
 * runs one job after the other until it is told to stop.  Returns the exit
 * status.
 */
int	jobs_work(struct worker *, const struct job_kind *, size_t nkinds);

#endif
