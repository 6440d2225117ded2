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

enum topic { TOPIC_JOB, TOPIC_ACCOUNT, TOPIC__MAX };

/*
 * A job, or an account's changes, that somebody watches.  Callers read the
 * public half, keep clients (their own list), and change nothing else.
 */
struct watch {
	struct client	*clients;	/* utlist, linked by the caller */
	enum topic	 topic;
	char		 key[SSE_UUID_SIZE];	/* the job's id, or digits */
	int64_t		 account;	/* 0: a job of no account */

	bool		 known;		/* the database has answered */
	bool		 gone;		/* it is not there, or disabled */
	int64_t		 last;		/* number of the last event */

	/* Of an account: numbers are good within the epoch, above trimmed. */
	char		 epoch[SSE_EPOCH_SIZE];
	int64_t		 trimmed;
	uint64_t	 answered;	/* see follow_look() */

	/* Of a job. */
	bool		 final;		/* it has ended */
	int		 status;	/* final: HTTP status, 0 unknown */
	char		*answer;	/* final: body, or NULL */
	int64_t		 held_until_ms;	/* waiting: mono clock; else 0 */
	char		*body;		/* the job as JSON, or NULL */

	/* follow.c's own. */
	uint64_t	 asked;		/* times, about this watch */
	struct watch	*same;		/* same key, other account */
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
 * The same for an account's changes.  A new watch knows only what comes from
 * now on; who has seen less lags, and is served a page.
 */
struct watch	*follow_join_account(struct follow *, int64_t account);

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

/*
 * Has the database asked anew, whatever is known.  What is known is of a time
 * after this call once watch->answered has reached the number returned.
 */
uint64_t	 follow_look(struct follow *, struct watch *);

/* Asks for watch->body, anew. */
void		 follow_want_body(struct follow *, struct watch *);

/* Something was announced for this key; everything is to be looked at. */
void		 follow_heard(struct follow *, const char *key);
void		 follow_all(struct follow *);

/*
 * Sends the next query if there is anything to ask; link is idle.  One query
 * covers up to FOLLOW_ASK_MAX positions of one topic, the rest comes after its
 * answer.
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
