#ifndef DETAILS_H
#define DETAILS_H

#include <stddef.h>
#include <stdint.h>

#include "programs/partner.h"

/*
 * What the partner says of some programs now, by fan-out: a call for each,
 * side by side; in groups, when the budget has fewer calls left than there
 * are programs.
 */
struct req;

struct details {
	/* The caller's: what is asked for, each a valid id. */
	size_t			  n;
	const char		**ids;
	int64_t			  deadline_ms;	/* on clock_mono_ms() */

	/* By details_fetch(), in the order of the ids. */
	struct partner_detail	 *found;
	int64_t			  retry_after_ms; /* the partner's, -1: none */
};

/* Asks, and returns when all has come or the time is over. */
void	details_fetch(struct req *, struct details *);

#endif
