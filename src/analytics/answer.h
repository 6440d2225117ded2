#ifndef ANSWER_H
#define ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"
#include "core/compiler.h"

/* The answers that a run gets: good, bad and none (contract, section 3). */
struct run;
struct upstream_call;

/*
 * Takes the answer to a call about n products (ids ascending), or about a page
 * of all (n is 0), and saves what has come of it.  0 to go on, 1 when the run
 * has ended, -1 when the lease or the database is gone.
 */
int	answer_take(struct run *, enum wb_method, const struct upstream_call *,
	    const struct wb_answer *, const int64_t *ids, size_t n) MUST_CHECK;

/*
 * Saves the next batch of an answer of that part that is not all saved yet.  -1
 * when the lease or the database is gone.
 */
int	answer_take_rest(struct run *, enum wb_method) MUST_CHECK;

#endif
