#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "events/run.h"
#include "events/sse.h"

struct arena;
struct client;
struct db_rows;
struct follow;
struct link;

/*
 * A job that somebody watches.  Callers read the public half, keep clients
 * (their own list), and change nothing else.
 */
struct watch {
	struct client	*clients;	/* utlist, linked by the caller */
	char		 job[SSE_UUID_SIZE];
	int64_t		 account;	/* 0: a job of no account */

	bool		 known;		/* the database has answered */
	bool		 gone;		/* ... that it is not there */
	bool		 final;		/* it has ended */
	int64_t		 last;		/* number of its last event */
	int		 status;	/* final: HTTP status, 0 unknown */
	char		*answer;	/* final: body, or NULL */
	int64_t		 held_until_ms;	/* waiting: mono clock; else 0 */
	char		*body;		/* the job as JSON, or NULL */

	/* follow.c's own. */
	struct watch	*same;		/* same job, other account */
	struct watch	*prev, *next;	/* the queue of those to ask about */
	bool		 queued;
	bool		 body_wanted;
	size_t		 users;
	int64_t		 lag;		/* page wanted from here; -1: none */
	struct run	 ring;		/* the newest events */
	struct run	 page;		/* older ones, for this turn only */
};

/* None is watched at first; freed with every watch that is left. */
struct follow	*follow_new(void);
void		 follow_free(struct follow *);

/*
 * The watch of a job for one more client that has seen its events up to
 * after, and the end of that: the last one out frees the watch.
 */
struct watch	*follow_join(struct follow *, const char *job,
		    int64_t account, int64_t after);
void		 follow_leave(struct follow *, struct watch *);

/*
 * The event that follows number *n, or NULL when none is at hand.  *n moves
 * over numbers that have no event, never over one that has.
 */
const struct event *follow_next(const struct watch *, int64_t *n);

/*
 * For a client that stands at n: is what follows no longer in memory?  Then
 * it has been put down to be asked for.
 */
bool		 follow_lags(struct follow *, struct watch *, int64_t n);

/* Asks for watch->body, anew. */
void		 follow_want_body(struct follow *, struct watch *);

/* Something was announced for this job; everything is to be looked at. */
void		 follow_heard(struct follow *, const char *job);
void		 follow_all(struct follow *);

/*
 * Sends the next query if there is anything to ask; link is idle.  One query
 * covers up to FOLLOW_ASK_MAX positions, the rest comes after its answer.
 */
#define FOLLOW_ASK_MAX	256
void		 follow_ask(struct follow *, struct link *, struct arena *);

/*
 * Takes the answer in.  Then the caller serves the clients of each watch,
 * i < the number returned (NULL: left meanwhile), without leaving any, and
 * says follow_served(): that drops what need not be kept in memory.
 */
size_t		 follow_take(struct follow *, const struct db_rows *);
struct watch	*follow_asked(const struct follow *, size_t i);
void		 follow_served(struct follow *);

/* The answer will not come. */
void		 follow_lost(struct follow *);

#endif
