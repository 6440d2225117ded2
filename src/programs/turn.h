#ifndef TURN_H
#define TURN_H

#include <stdint.h>

#include "core/compiler.h"

/*
 * A request's turn in the budget of its account: people who wait at a page
 * come before jobs, but nobody waits for long.
 */
struct budget;
struct req;
struct upstream_call;

/*
 * Takes n calls, or as many as there are; when there is none, waits for one,
 * a second at most.  Returns how many may be made now; 0 when that would take
 * longer, with *retry_ms set to when to come back.
 */
int64_t	turn_take(struct req *, const struct budget *, int64_t n,
	    int64_t *retry_ms) MUST_CHECK;

#define TURN_REFUSED_WHY \
	"this login's limit of calls is used up for the moment"

/* Marks a call as not made for want of budget: its reader says so. */
void	turn_refuse(struct upstream_call *, int64_t retry_ms);

/*
 * After a call: when the partner has said how long it wants to be left alone,
 * everybody leaves it alone.
 */
void	turn_heed(struct req *, const struct budget *,
	    const struct upstream_call *);

#endif
