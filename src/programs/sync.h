#ifndef SYNC_H
#define SYNC_H

#include "jobs/job.h"

/*
 * The sync of an account's programs: a job that reads the partner's whole
 * list and brings the registry in step with it (DESIGN, sections 3 and 5;
 * partner contract, section 7).
 */
struct req;

#define SYNC_KIND	"programs.sync"
#define SYNC_DRY_KIND	"programs.sync_dry_run"	/* changes nothing */

#define SYNC_START_EVENT \
	"{\"type\":\"start\",\"message\":\"Starting synchronization...\"}"

#define SYNC_FULL_REQUEST	"{\"mode\":\"full\"}"

/* POST /api/reseller/programs/sync: one answer when the job has ended. */
int		sync_post(struct req *);

/* POST /api/reseller/programs/sync-stream: its events as they come. */
int		sync_stream_post(struct req *);

/*
 * Queues the first sync of an account that never had one.  -1: the database
 * failed (logged).
 */
int		sync_ask_first(struct req *) MUST_CHECK;

/* Runs the job. */
enum job_end	sync_run(struct job *);

#endif
