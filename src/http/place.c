/* Who may hold how many of the live workers at once. */
#include "http/place.h"

#include <stdatomic.h>

#include "core/conf.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "proc/scoreboard.h"
#include "proc/worker.h"

/* What a slot says of its tenant: the kind of place on top, below it who. */
#define KIND_SHIFT	62
#define KIND_MASK	(UINT64_C(3) << KIND_SHIFT)

/*
 * Two that come at once may each see the other and both go: one too few, never
 * one too many.
 */
int
place_take(struct req *r, enum place place, uint64_t who)
{
	struct slot	*slot = r->worker->slot;
	int		 kind = atomic_load(&slot->kind);
	uint64_t	 tenant = (uint64_t)place << KIND_SHIFT |
			    (who & ~KIND_MASK);
	size_t		 half = (size_t)(r->conf->live_workers + 1) / 2;
	size_t		 own = place == PLACE_TOKEN ? (half + 1) / 2 : half;

	atomic_store(&slot->tenant, tenant);
	if (scoreboard_busy_for(kind, tenant, UINT64_MAX) <= own &&
	    (place == PLACE_ACCOUNT ||
	    scoreboard_busy_for(kind, tenant, KIND_MASK) <= half))
		return 0;
	problem(r, PROBLEM_BUSY, "Too many such requests wait for the other "
	    "side; try again in a moment.");
	resp_header(r, "Retry-After", "1");
	return r->status;
}

void
place_leave(struct req *r)
{
	atomic_store(&r->worker->slot->tenant, 0);
}
