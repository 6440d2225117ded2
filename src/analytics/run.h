#ifndef ANALYTICS_RUN_H
#define ANALYTICS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "analytics/plan.h"
#include "analytics/seller.h"
#include "analytics/wb.h"
#include "jobs/job.h"

/*
 * The run that refreshes a seller's products: a job that makes the calls that
 * are due, saves what they bring, and is then a row that waits for the next
 * ones; no process sleeps for it (contract, section 5).
 */
#define RUN_KIND	"analytics.sync"
#define RUN_START_EVENT \
	"{\"type\":\"start\",\"message\":\"Starting synchronization...\"}"
#define RUN_REQUEST	"{\"all\":true}"

#define RUN_BATCH	10
#define RUN_BATCH_MAX	1000

/* A run in hand, for those who work at it. */
struct run {
	struct job	*job;
	struct seller	 seller;
	struct plan	 plan;
	int64_t		 step_ms[WB_METHOD__MAX];	/* between calls */
	int64_t		 told;		/* products done, as last said */
};

/* How far apart its calls are, by the kind of its seller's token. */
void		run_set_pace(struct run *);

/* Runs the job. */
enum job_end	run_run(struct job *);

/*
 * What a run of all of a seller's products, batch at a time, will take; -1: nobody
 * knows yet.
 */
struct run_outlook {
	int64_t	 products;
	int64_t	 calls;
	int64_t	 eta_ms;
};
struct run_outlook run_outlook(const struct conf *, const struct seller *,
		    int64_t batch);

#endif
