/* Waiting for budget within a request. */
#include "programs/turn.h"

#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "http/req.h"
#include "net/budget.h"
#include "net/upstream.h"
#include "programs/partner.h"

#define WAIT_MAX_MS	1000
#define NO_DATABASE_MS	1000	/* when to come back then */

/* A signal must not cut it short. */
static void
sleep_ms(int64_t ms)
{
	int64_t	 until_ms = clock_mono_ms() + ms;
	int	 left_ms;

	while ((left_ms = clock_left_ms(until_ms)) > 0) {
		struct timespec	 ts = { .tv_sec = left_ms / 1000,
			.tv_nsec = left_ms % 1000 * 1000000L };

		nanosleep(&ts, NULL);
	}
}

static int64_t
ask(struct req *r, const struct budget *b, int64_t n, int64_t wait_max_ms,
    int64_t *retry_ms)
{
	struct budget_wish	 wish = { .n = n, .wait_max_ms = wait_max_ms,
		.urgent = true };
	struct budget_grant	 grant;

	if (budget_take(r->db, r->arena, b, &wish, &grant) == -1) {
		*retry_ms = NO_DATABASE_MS;
		return 0;
	}
	*retry_ms = grant.next_ms;
	if (grant.n > 0 && grant.wait_ms > 0)
		sleep_ms(grant.wait_ms);
	return grant.n;
}

int64_t
turn_take(struct req *r, const struct budget *b, int64_t n,
    int64_t *retry_ms)
{
	int64_t	 granted = n > 1 ? ask(r, b, n, 0, retry_ms) : 0;

	if (granted == 0)
		granted = ask(r, b, 1, WAIT_MAX_MS, retry_ms);
	if (granted == 0)
		log_info("budget: none left for a request",
		    F_STR("method", b->method), F_INT("next_ms", *retry_ms));
	return granted;
}

void
turn_refuse(struct upstream_call *call, int64_t retry_ms)
{
	call->result = UPSTREAM_HELD;
	call->retry_after_ms = retry_ms;
	snprintf(call->why, sizeof(call->why), "%s", TURN_REFUSED_WHY);
}

void
turn_heed(struct req *r, const struct budget *b,
    const struct upstream_call *call)
{
	int64_t	 ms = partner_silence_ms(r->conf, call);

	/* Should it not be noted, the next one to ask is told as well. */
	if (ms > 0 && budget_block(r->db, r->arena, b, ms) == -1)
		log_warn("budget: the partner's wish is lost");
}
