#ifndef LIMITS_H
#define LIMITS_H

#include <stdint.h>

#include "analytics/wb.h"
#include "core/compiler.h"
#include "net/budget.h"

/*
 * The API's limits, as they show in its answers: they hold back the next calls
 * of all who share the seller's budget (contract, section 3).  -1: database.
 */
struct run;

/* The budget of the run's calls of that kind. */
struct budget	 limits_budget(const struct run *, enum wb_method);

/*
 * The API counts when a call arrives, not when it was granted (asked_ms, of
 * clock_mono_ms()): one that was long on its way holds back the next, or they
 * would be too close.
 */
int		 limits_postpone(struct run *, const struct budget *,
		    int64_t asked_ms, const struct upstream_call *) MUST_CHECK;

/*
 * What the API says it has left.  None, and nobody calls for an interval from
 * now; none where there was some before, and others call as well or the limit
 * is another than documented: the pace is slower until there is some again.
 */
int		 limits_heed(struct run *, enum wb_method,
		    const struct upstream_call *) MUST_CHECK;

/*
 * No answer that could be used: the next call waits as the API says, and it is
 * counted.  Saves where the run stands; -1 also when the lease is gone.
 */
int		 limits_hold_off(struct run *, enum wb_method,
		    const struct upstream_call *, const struct wb_answer *)
		    MUST_CHECK;

#endif
