#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "data/column.h"
#include "http/problem.h"

/*
 * A job: long work as a row that anyone can read.  Whoever holds its lease
 * under the newest fencing number may write for it; all writing goes through
 * job_begin(), which proves that and locks the row until the transaction
 * ends, so that a late worker writes nothing (DESIGN, section 3).
 */
struct arena;
struct conf;
struct db;
struct json;
struct slot;
struct upstream;

#define JOB_ID_SIZE	37

/* Higher goes first. */
enum { JOB_PRIORITY_LOW = -1, JOB_PRIORITY_NORMAL = 0 };

struct job {
	/* For the life of the worker. */
	const struct conf	*conf;
	struct db		*db;
	struct upstream		*upstream;
	struct slot		*slot;

	struct arena		*arena;		/* for this claim */
	struct arena		*scratch;	/* until the next commit */
	char			 id[JOB_ID_SIZE];
	const char		*kind;
	int64_t			 account_id;	/* 0: none */
	int64_t			 fence;
	const char		*crash_mark;	/* of the database, at the claim */
	int64_t			 claims;	/* in a row, nothing saved */
	const char		*request_text;
	struct json		*request;	/* as of the last job_begin() */
	struct json		*checkpoint;	/* as last saved; never NULL */
	int64_t			 elapsed_ms;	/* before this claim */
	int64_t			 claimed_ms;	/* on clock_mono_ms() */

	/* What job_save() writes: the handler sets them as it goes. */
	int64_t			 done;
	int64_t			 total;		/* -1: not known */
	int64_t			 added;
	int64_t			 updated;
	int64_t			 removed;
	int64_t			 unchanged;
	int64_t			 failed;
	int64_t			 partner_ms;
	int64_t			 database_ms;	/* -1: not measured */
	int64_t			 names_ms;	/* -1: not measured */
	int64_t			 calls_made;	/* -1: not counted */
	int64_t			 calls_left;	/* -1: not known */
	int64_t			 eta_ms;	/* until its end; -1: by done */

	int64_t			 beat_ms;	/* when the lease was renewed */
	const char		*follow_up;	/* request, with the next save */
	const char		*follow_up_event;
	int			 follow_up_priority;
	bool			 forget_errors;	/* with the next save */
	struct column		 events;	/* to go out with the next save */
	struct column		 error_items;
	struct column		 error_codes;
	struct column		 error_details;
};

/* How a run of a handler ended. */
enum job_end {
	JOB_ENDED,	/* job_finish() or job_wait() has written it */
	JOB_STOPPED,	/* the worker is to stop: put it back in the queue */
	JOB_LOST,	/* lease or database gone: leave it to whoever has it */
};

/*
 * Asks for a job of this kind for this account.  While one is active the
 * caller joins it: its request gains the members of this one, its priority
 * rises to this one.  first_event is what its stream begins with (JSON).  Its
 * id goes to id.  1: it is new, 0: joined, -1: the database failed (logged).
 */
int	job_ask(struct db *, struct arena *, const char *kind,
	    int64_t account_id, const char *request, const char *first_event,
	    int priority, char id[JOB_ID_SIZE]) MUST_CHECK;

/*
 * Claims the next due job of one of the kinds for this holder.  1 with *job
 * filled, 0 when nothing is due, -1 when the database failed (logged).
 */
int	job_claim(struct job *, const char *holder,
	    struct column *kinds) MUST_CHECK;

/* Frees what job_claim() made. */
void	job_close(struct job *);

/*
 * Opens a transaction in which this job may be written for.  -1 when the
 * lease is no longer ours, or the database is gone or has crashed since the
 * claim (logged): end with JOB_LOST.
 */
int	job_begin(struct job *) MUST_CHECK;

/*
 * The same; meanwhile(arg) is called once, whatever comes back, while the server
 * proves it (db_query_while()).
 */
int	job_begin_while(struct job *, void (*meanwhile)(void *), void *)
	    MUST_CHECK;

/*
 * Writes counts, checkpoint, events and errors into the transaction opened
 * by job_begin() and commits it; streams hear of it.  The lease is renewed.
 * -1 (logged): nothing was committed as far as anybody knows.
 */
int	job_save(struct job *) MUST_CHECK;

/* Notes an event (JSON text, copied) to go out with the next save. */
void	job_event(struct job *, const char *json);

/* Notes what could not be done, likewise; the last word on an item wins. */
void	job_error(struct job *, const char *item, const char *code,
	    const char *detail);

/*
 * Queues another job of the same kind and account once this one has ended, in
 * the same transaction as job_finish().  The texts must live until then.
 */
void	job_follow_up(struct job *, const char *request,
	    const char *first_event, int priority);

/*
 * Drops all errors that were noted before, with the next save: what they are
 * about is tried again.
 */
void	job_forget_errors(struct job *);

/*
 * Renews the lease when jobs.heartbeat has passed since it was last renewed.
 * -1 when it is no longer ours.
 */
int	job_beat(struct job *) MUST_CHECK;

/*
 * Ends the job within a transaction opened by job_begin(), and commits, with
 * all that job_save() writes.  state is done, partial, failed or cancelled;
 * status and answer are what a waiting POST is answered with.
 */
int	job_finish(struct job *, const char *state, int status,
	    const char *answer) MUST_CHECK;

/* Likewise, but the job goes on at a later time, for a reason people read. */
int	job_wait(struct job *, int64_t delay_ms, const char *reason)
	    MUST_CHECK;

/* Puts the job back into the queue, for the next worker to go on with. */
void	job_release(struct job *);

/*
 * Ends a job as failed with this problem: the error event {"type":"error",
 * "code","message"} and the problem as its answer.
 */
int	job_fail(struct job *, enum problem, const char *detail) MUST_CHECK;

#endif
