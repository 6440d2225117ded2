#ifndef END_H
#define END_H

#include "analytics/wb.h"
#include "core/compiler.h"
#include "jobs/job.h"

/*
 * The ends of a run.  Each writes what is left to be said of the seller and its
 * products, and ends the job, in one transaction: JOB_ENDED, or JOB_LOST when
 * the lease or the database is gone.
 */
struct run;

/* Before it has tried anything; detail: why, for people; copied. */
enum job_end	end_untried(struct run *, enum wb_says, const char *detail) MUST_CHECK;

/*
 * Without a result: what it was about was tried, and is as it was (contract,
 * section 4); detail as above.  A token that was refused is not used any more;
 * where the seller has another by now the run goes on with it.
 */
enum job_end	end_failed(struct run *, enum wb_says, const char *detail) MUST_CHECK;

/* Nothing had failed: nothing was asked for, and nothing is told of it. */
enum job_end	end_idle(struct run *) MUST_CHECK;

/* The plan is through. */
enum job_end	end_complete(struct run *) MUST_CHECK;

#endif
