#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"
#include "jobs/job.h"

/*
 * What people may do to a job: cancel, pause, resume, retry (DESIGN, section
 * 5).  The row changes at once, whoever works on it; the fence keeps that
 * worker from writing any more, and it stops at its next look.
 */
struct arena;
struct column;
struct db;
struct req;

enum control_verb { CONTROL_CANCEL, CONTROL_PAUSE, CONTROL_RESUME,
	CONTROL_RETRY, CONTROL_RETRY_FAILED, CONTROL__MAX };

enum control_end {
	CONTROL_DONE,		/* body is the job; a new one after retry */
	CONTROL_NO_JOB,		/* none of that id and account */
	CONTROL_FORBIDDEN,	/* by its state, or barred: nothing happened */
	CONTROL_FAILED		/* the database (logged) */
};

struct control {
	enum control_end	 end;
	const char		*was;	/* the state before; in the arena */
	bool			 barred;	/* ... would do, but not the login */
	const char		*body;	/* JSON, in the arena */
	char			 id[JOB_ID_SIZE];	/* of the job in body */
};

/*
 * Does it to the job of that id, which must be a UUID, if it belongs to one of
 * these accounts (a column of INT8; NULL: whoever's).  A retry never touches
 * the old job, whose events are numbered and whose streams have ended: it asks
 * for the same work anew and, as everybody who asks, joins the active job where
 * there is one.  RETRY_FAILED asks for what has failed alone, of kinds that can
 * tell.
 */
void	control_do(struct db *, struct arena *, enum control_verb,
	    const char *id, struct column *accounts, struct control *);

/* "The job has ended already (done)." and the like, in the arena. */
const char *control_why_not(struct arena *, enum control_verb,
	    const struct control *);

/*
 * POST /api/jobs/{id}/cancel, /pause, /resume: 200 and the job.  /retry: 202,
 * Location and the new job.  409 where its state forbids it.  Likewise an
 * operator's at /api/analytics/jobs, whose retry takes {"failedOnly":true}.
 */
int	job_cancel_post(struct req *);
int	job_pause_post(struct req *);
int	job_resume_post(struct req *);
int	job_retry_post(struct req *);

#endif
