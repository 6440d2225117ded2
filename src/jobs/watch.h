#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs/job.h"

struct column;
struct req;

/* Whose jobs the request may see, as a column for the caller to free. */
void	watch_accounts(const struct req *, struct column *);

/* Where such a request finds the job of that id, in the arena. */
const char *watch_location(struct req *, const char *id);

/* GET /api/jobs: the account's jobs, newest first. */
int	jobs_get(struct req *);

/* GET /api/jobs/{id} */
int	job_get(struct req *);

/* GET /api/jobs/{id}/events: hands over to stream. */
int	job_events_get(struct req *);

/*
 * Hands the connection to stream: as events (sse), beginning after the n-th,
 * or as one answer when the job has ended.
 */
int	watch_job(struct req *, const char *id, bool sse, int64_t after);

/*
 * What Last-Event-ID names, when it is one of this account's jobs: 1 with its
 * id and number, 0 when there is none.  -1: the database failed.
 */
int	watch_resume(struct req *, char id[JOB_ID_SIZE], int64_t *after);

/* 404: what belongs to another account looks like what does not exist. */
int	watch_no_job(struct req *);

#endif
