#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs/job.h"

/*
 * What a sync tells those who watch it: events and the final answer, in the
 * words of the public contract (DESIGN, section 5), and the story in the log.
 */
enum sync_outcome { SYNC_SYNCED, SYNC_UP_TO_DATE, SYNC_PARTIAL };

/* The figures at the end of a sync. */
struct sync_result {
	enum sync_outcome	 outcome;
	int64_t			 total_api;
	int64_t			 total_db_before;
	int64_t			 total_db_after;
	const char		*reason;	/* of a partial one */
	bool			 dry_run;	/* what would change, did not */
};

/* Note the event of that name, to go out with the next save. */
void	report_info(struct job *, int64_t total_api, int64_t total_db);
void	report_progress(struct job *, int64_t synced, int64_t total,
	    int64_t added, bool all);
void	report_waiting(struct job *, int64_t delay_ms, const char *reason,
	    const char *message);

/* Logs the end of a sync, however it ended, with where the time went. */
void	report_end(const struct job *, const char *status);

/*
 * Notes `complete`, logs the end with where the time went, and returns the
 * body for a plain POST, in the job's arena.
 */
const char	*report_complete(struct job *, const struct sync_result *);

#endif
