#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/secret.h"

/*
 * How much may be asked of a partner: one budget for each (API, account,
 * method), a row in PostgreSQL that every process on every host takes from
 * before it calls (DESIGN, section 3).  A part of the burst is kept for people
 * who wait at a page.  To be called outside of transactions.
 */
struct arena;
struct db;

struct budget {
	const char	*api;
	const char	*method;
	unsigned char	 account[SECRET_HASH_SIZE];
	int64_t		 rate;		/* calls in per_ms; 0: no limit */
	int64_t		 per_ms;	/* 0: a second */
	int64_t		 burst;		/* calls at once, when full */
	int64_t		 reserve;	/* percent of it, not for jobs */
};

/* What is wanted. */
struct budget_wish {
	int64_t	 n;		/* calls at most */
	int64_t	 wait_max_ms;	/* they may start as late as this */
	bool	 urgent;	/* somebody waits: the reserve too */
};

/* What there is. */
struct budget_grant {
	int64_t	 n;		/* calls, 0 to those wanted */
	int64_t	 wait_ms;	/* before the last of them may start */
	int64_t	 next_ms;	/* n less than wanted: when to ask again */
};

/*
 * Takes calls out of the budget; what is granted is counted, whether it is
 * used or not.  Without a rate all are granted, unless the partner has named
 * a time.  -1: the database failed (logged).
 */
int	budget_take(struct db *, struct arena *, const struct budget *,
	    const struct budget_wish *, struct budget_grant *) MUST_CHECK;

/*
 * The partner has asked for silence: nobody is granted anything for that
 * long.  A shorter time than one already named changes nothing.  -1: the
 * database failed (logged).
 */
int	budget_block(struct db *, struct arena *, const struct budget *,
	    int64_t ms) MUST_CHECK;

/*
 * A call that was granted was made so much later: the next one is, too.  -1: the
 * database failed (logged).
 */
int	budget_postpone(struct db *, struct arena *, const struct budget *,
	    int64_t ms) MUST_CHECK;

/* Forgets budgets that are full again; failing is harmless (logged). */
void	budget_trim(struct db *);

/* Calls at once when the budget is full: all of the burst if urgent. */
int64_t	budget_share(const struct budget *, bool urgent);

#endif
