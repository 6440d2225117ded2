#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/*
 * Calls to partner APIs, many at a time, over libcurl, which is named in
 * upstream.c alone.  HTTP/1.1 with connections kept alive: several of them
 * beat one multiplexed (partner contract, section 7).  GET, or POST of JSON.
 */
struct conf;
struct upstream;

enum upstream_result {
	UPSTREAM_PENDING,
	UPSTREAM_OK,		/* an answer came whole, whatever its status */
	UPSTREAM_TIMEOUT,
	UPSTREAM_UNREACHABLE,	/* not connected, reset, cut short */
	UPSTREAM_TOO_BIG,
	UPSTREAM_HELD,		/* not made: the budget has none for it */
};

/* What the X-Ratelimit headers say; -1 where there is none. */
struct upstream_limit {
	int64_t	 remaining;	/* calls, at once */
	int64_t	 retry_ms;	/* until the next try */
	int64_t	 reset_ms;	/* until the burst is full again */
	int64_t	 burst;		/* calls, when it is full */
};

/*
 * One call.  The caller fills in the first part, keeps it in place until it
 * is answered, and frees body with buf_free() whatever came.
 */
struct upstream_call {
	const char		*url;
	const char		*authorization;	/* header's value, or NULL */
	const char		*post;		/* JSON to be sent; NULL: GET */
	int64_t			 deadline_ms;	/* on clock_mono_ms() */
	size_t			 body_max;
	void			*data;		/* the caller's own */

	enum upstream_result	 result;
	long			 status;	/* HTTP's, with UPSTREAM_OK */
	int64_t			 retry_after_ms; /* -1 when not said */
	struct upstream_limit	 limit;
	struct buf		 body;
	int64_t			 sent_ms;	/* when, on clock_mono_ms() */
	int64_t			 took_ms;
	char			 why[128];	/* in words, when not OK */
	void			*handle;	/* upstream.c's own */
};

/* For the life of a worker; connections are kept between calls. */
struct upstream	*upstream_new(const struct conf *);
void		 upstream_free(struct upstream *);

/*
 * Starts a call at once, without queueing: libcurl would count waiting
 * against the call's own time, so whoever limits concurrency starts a call
 * when its turn comes.
 */
void		 upstream_start(struct upstream *, struct upstream_call *);

/*
 * A call that has ended, or NULL when none did within timeout_ms, signals or
 * not.  With 0 it only looks.
 */
struct upstream_call *upstream_next(struct upstream *, int timeout_ms);

/* How many calls are under way. */
size_t		 upstream_pending(const struct upstream *);

/* Gives up on all that is under way; their results stay UPSTREAM_PENDING. */
void		 upstream_cancel(struct upstream *);

/*
 * Runs n calls, at most width at a time, each under its own deadline, and
 * returns when all have ended.  A hanging call does not hold the others.
 */
void		 upstream_fanout(struct upstream *, struct upstream_call *,
		    size_t n, size_t width);

#endif
