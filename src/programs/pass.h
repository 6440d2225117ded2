#ifndef PASS_H
#define PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/job.h"
#include "net/budget.h"
#include "net/pace.h"
#include "programs/digest.h"
#include "programs/pages.h"
#include "programs/partner.h"

/*
 * One reading of the partner's whole list: pages side by side, each tried
 * again, held back or given up by what the partner said (partner contract,
 * sections 6 and 7), and written as they come.  What a sync makes of it is
 * sync.c's.
 */
struct account;
struct arena;

#define PASS_FLIGHTS_MAX	64	/* partner.concurrency goes no higher */

/* One call under way. */
struct flight {
	struct upstream_call	 call;
	struct arena		*arena;		/* of its URL */
	size_t			 page;
	bool			 busy;
};

/* A page that has come, waiting to be written. */
struct arrival {
	size_t			 page;
	struct partner_page	 answer;
};

struct pass {
	struct job		*job;
	const char		*authorization;
	struct pages		 pages;
	struct pace		 pace;
	struct budget		 budget;
	struct arena		*asking;	/* for one taking from it */
	struct flight		 flights[PASS_FLIGHTS_MAX];
	struct arrival		 arrivals[PASS_FLIGHTS_MAX];
	size_t			 narrivals;
	struct arena		*batch;		/* what arrived, until written */
	struct digest		 digest;	/* of the pages read */

	int64_t			 number;	/* 1 for a job's first pass */
	int64_t			 unique;	/* ids seen in this pass */
	int64_t			 noted;		/* the same, some twice */
	int64_t			 doubted;	/* pass that missed many; 0 */
	int64_t			 doubted_unique; /* ids seen in it */
	int64_t			 total_db_before;
	bool			 quick;		/* stop after the first page */
	bool			 dry_run;	/* the registry stays as it is */
	bool			 wholesale;	/* all of the batch before was
						 * written, or none came yet */
	bool			 informed;	/* the info event is out */
	bool			 answered;	/* a page came in this job */
	int			 lost_in_row;	/* pages given up */
	int			 failed_in_row;	/* calls */
	int64_t			 holds;		/* since the last page came */
	int64_t			 hold_ms;	/* the partner said: wait */
	int64_t			 quiet_until_ms; /* no calls before */
	size_t			 booked;	/* calls, for that time */
	int64_t			 hungry_since_ms; /* no budget, 0: no need */
	bool			 no_budget;	/* its database failed */
	enum partner_says	 end;		/* what ended the job, or OK */
	enum partner_says	 lost;		/* why the last page was lost */
	const char		*why;		/* of that, in words */
};

/* What a pass came to. */
enum pass_end {
	PASS_AGREES,		/* as many programs as the partner named */
	PASS_DIFFERS,		/* the set moved: read it again */
	PASS_LOST_PAGES,	/* some pages never came */
	PASS_REFUSED,		/* the partner will not answer this login */
	PASS_FIRST_PAGE,	/* quick, and it is there, not yet written */
	PASS_HELD,		/* the partner said how long to wait */
	PASS_STOPPED,		/* the worker is to stop */
	PASS_JOB_LOST		/* lease or database gone */
};

/* Ready for pass_begin() or pass_resume(); pass_close() ends it. */
void		 pass_open(struct pass *, struct job *,
		    const struct account *);
void		 pass_close(struct pass *);

/*
 * Starts reading from the beginning.  expected: how many rows there will be
 * as far as anybody knows, so that all pages can start at once, or -1.
 */
void		 pass_begin(struct pass *, int64_t expected);

/*
 * Goes on where the job's checkpoint says, unless what the pass had seen is
 * gone; then it starts again.  -1: the database failed (logged).
 */
int		 pass_resume(struct pass *) MUST_CHECK;

/* How many programs this pass has seen; -1: the database failed (logged). */
int64_t		 pass_count_seen(struct pass *) MUST_CHECK;

/*
 * Is all that the pass has seen still noted, and all that the doubted one
 * before it had?  A crash of the database empties that table, also under a
 * worker that hardly notices.  -1: the database failed (logged).
 */
int		 pass_check_seen(struct pass *, bool *intact,
		    bool *doubt_intact) MUST_CHECK;

/* Reads until nothing is left to do, or it cannot go on. */
enum pass_end	 pass_run(struct pass *);

/*
 * Notes the total that the partner named in the job, and tells those who
 * watch, the first time that it is known.
 */
void		 pass_note_total(struct pass *);

/* Puts where it stands into the job's checkpoint, for the next save. */
void		 pass_checkpoint(struct pass *);

#endif
