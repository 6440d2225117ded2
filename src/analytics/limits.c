/* How the limits of the API shape a run's pace. */
#include "analytics/limits.h"

#include <string.h>

#include "analytics/keep.h"
#include "analytics/run.h"
#include "analytics/tell.h"
#include "core/log.h"
#include "data/db.h"
#include "net/upstream.h"

#define SLOW_FACTOR	4	/* a wait so much longer is another limit */
#define SPENT_STEPS	2	/* intervals, for the API's bucket to fill */

struct budget
limits_budget(const struct run *r, enum wb_method method)
{
	return wb_budget(r->job->conf, method, r->seller.token_kind,
	    r->seller.limit_key);
}

int
limits_postpone(struct run *r, const struct budget *budget, int64_t asked_ms,
    const struct upstream_call *call)
{
	int64_t	 late_ms = wb_late_ms(budget, asked_ms, call);

	return late_ms <= 0 ? 0 : budget_postpone(r->job->db,
	    r->job->scratch, budget, late_ms);
}

int
limits_heed(struct run *r, enum wb_method method,
    const struct upstream_call *call)
{
	struct plan_part	*part = &r->plan.parts[method];
	struct budget		 budget = limits_budget(r, method);

	if (call->result != UPSTREAM_OK || call->status == 429)
		return 0;
	if (call->limit.remaining > 0)
		part->spare = true;
	if (call->limit.remaining != 0)
		return 0;
	budget.burst = 0;
	return budget_block(r->job->db, r->job->scratch, &budget,
	    budget.per_ms * (part->spare ? SPENT_STEPS : 1));
}

/*
 * A token of unknown kind shows by its limits what it is: what the run will take
 * is told anew.
 */
static int
learn(struct run *r, const struct upstream_call *call, int64_t step_ms)
{
	if (strcmp(r->seller.token_kind, "unknown") != 0 ||
	    call->limit.burst != 1 ||
	    call->limit.retry_ms < SLOW_FACTOR * step_ms)
		return 0;
	log_info("analytics: by its limits the token is a base one",
	    F_STR("seller", r->seller.name));
	r->seller.token_kind = "base";
	run_set_pace(r);
	tell_outlook(r, r->step_ms);
	tell_info(r);
	return seller_learn(r->job->db, r->job->scratch, r->job->account_id,
	    &(struct seller_news){ .token_kind = "base" });
}

int
limits_hold_off(struct run *r, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer)
{
	struct plan_part	*part = &r->plan.parts[method];
	struct budget		 budget = limits_budget(r, method);
	int64_t			 ms, n;

	n = answer->says == WB_LIMITED ? ++part->limited : ++part->failed;
	ms = wb_silence_ms(call, answer->says, (int)n, budget.per_ms);
	log_warn("analytics: call failed", F_STR("part", budget.method),
	    F_STR("why", answer->why), F_INT("retry_ms", ms));
	/* Exactly then, and not an interval later. */
	budget.burst = 0;
	if (ms > 0 && budget_block(r->job->db, r->job->scratch, &budget,
	    ms) == -1)
		return -1;
	return learn(r, call, budget.per_ms) == -1 ? -1 : keep_place(r);
}
