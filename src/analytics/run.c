/*
 * A run: how it begins, which call is due, and when there is none.  At most one
 * call is under way, so that a kill repeats no more.
 */
#include "analytics/run.h"

#include "analytics/answer.h"
#include "analytics/end.h"
#include "analytics/keep.h"
#include "analytics/limits.h"
#include "analytics/tell.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "events/outbox.h"
#include "net/budget.h"
#include "proc/worker.h"

#define LATE_MS		1000	/* a turn is not taken later than this */
#define STOP_MS		10000	/* for the call in hand when told to stop */
#define UNSAVED_MAX	20	/* calls of which nothing could be kept */

/* What came of looking for a call to make. */
enum step {
	STEP_CALLED,	/* one was made, and dealt with */
	STEP_NONE,	/* not its turn; next_ms says when */
	STEP_OVER,	/* the part needs no more */
	STEP_ENDED,	/* the run is: see end */
};

/* A turn of the loop. */
struct turn {
	struct run	*run;
	enum job_end	 end;
	int64_t		 next_ms[WB_METHOD__MAX];
	bool		 saved;
	bool		 resting;	/* nothing is done before the rest */
};

/* Runs the call: 0, 1 when the worker is to stop, -1 when the lease is gone. */
static int
run_call(struct run *r, struct upstream_call *call)
{
	struct job	*j = r->job;
	int64_t		 stop_ms = 0;

	upstream_start(j->upstream, call);
	while (upstream_next(j->upstream, 500) == NULL) {
		if (worker_stopping() && stop_ms == 0)
			stop_ms = clock_mono_ms() + STOP_MS;
		if (stop_ms != 0 && clock_left_ms(stop_ms) == 0)
			return 1;
		if (job_beat(j) == -1)
			return -1;
	}
	j->partner_ms += call->took_ms;
	return 0;
}

/*
 * What the next call of a part is about: so many ids.  Products may have been
 * added or removed since the run began: as long as figures are read these are
 * counted anew; later ones are for the next run, as texts without figures are of
 * no use.  -1: database.
 */
static int
next_chunk(struct run *r, enum wb_method method, int64_t **ids, size_t *n)
{
	const struct plan_part	*part = &r->plan.parts[method];
	struct job		*j = r->job;
	struct db_rows		*rows;
	bool			 figures = r->plan.parts[WB_FUNNEL].done;
	bool			 counts = method == WB_FUNNEL &&
				    part->nbounds == 0;

	rows = db_query(j->db, j->arena, Q_ANALYTICS_CHUNK,
	    DB_ARGS(db_int(j->account_id), db_int(part->after),
	    part->nbounds > 0 ? db_int(part->bounds[0]) : db_null(),
	    db_bool(r->plan.failed), db_int(plan_chunk(method)),
	    method == WB_FUNNEL && part->listed ? db_text(r->plan.began) :
	    db_null(), db_text(r->plan.since), method == WB_TEXTS && figures ?
	    db_text(r->plan.began) : db_null(), db_bool(counts)));
	if (rows == NULL)
		return -1;
	*n = rows_count(rows);
	if (counts)
		j->total = r->plan.total = part->n +
		    (*n > 0 ? rows_int(rows, 0, "remaining") : 0);
	*ids = arena_alloc(j->arena, (*n + 1) * sizeof(**ids));
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = rows_int(rows, i, "nm_id");
	return 0;
}

static void
prepare(struct run *r, enum wb_method method, struct upstream_call *call,
    const int64_t *ids, size_t n)
{
	struct wb_period texts = plan_texts_period(&r->plan);
	struct job	*j = r->job;

	if (method == WB_TEXTS)
		wb_texts(call, j->arena, j->conf, r->seller.token,
		    &texts, ids, n);
	else
		wb_funnel(call, j->arena, j->conf, r->seller.token,
		    &r->plan.period, ids, n, n > 0 ? (int64_t)n :
		    WB_FUNNEL_MAX, r->plan.parts[method].offset);
}

static enum step
end_with(struct turn *t, enum job_end end)
{
	t->end = end;
	return STEP_ENDED;
}

/*
 * A turn that was taken long ago, because this process stood still, is not
 * used: somebody else may have called since.
 */
static enum step
call(struct turn *t, enum wb_method method, const int64_t *ids, size_t n)
{
	struct run		*r = t->run;
	struct job		*j = r->job;
	struct budget		 budget = limits_budget(r, method);
	struct budget_wish	 wish = { .n = 1 };
	struct budget_grant	 grant;
	struct upstream_call	 c = { 0 };
	struct wb_answer	 answer;
	int64_t			 asked_ms = clock_mono_ms();
	int			 rc;

	if (t->resting) {
		t->next_ms[method] = 0;
		return STEP_NONE;
	}
	if (r->plan.unsaved >= UNSAVED_MAX)
		return end_with(t, end_failed(r, WB_GARBLED, "What the API "
		    "sends cannot be saved."));
	if (budget_take(j->db, j->scratch, &budget, &wish, &grant) == -1 ||
	    job_beat(j) == -1)
		return end_with(t, JOB_LOST);
	t->next_ms[method] = grant.next_ms;
	if (grant.n == 0)
		return STEP_NONE;
	if (keep_call(r) == -1)
		return end_with(t, JOB_LOST);
	if (clock_mono_ms() - asked_ms > LATE_MS) {
		j->calls_made--;
		r->plan.unsaved--;
		return STEP_NONE;
	}
	prepare(r, method, &c, ids, n);
	if ((rc = run_call(r, &c)) != 0) {
		upstream_cancel(j->upstream);
		buf_free(&c.body);
		return end_with(t, rc == 1 ? JOB_STOPPED : JOB_LOST);
	}
	if (limits_postpone(r, &budget, asked_ms, &c) == -1) {
		buf_free(&c.body);
		return end_with(t, JOB_LOST);
	}
	answer = wb_read(&c, method, j->arena);
	if (limits_heed(r, method, &c) == -1)
		return end_with(t, JOB_LOST);
	t->saved |= answer.says == WB_OK;
	/* As far as it comes to be saved, which says so as well. */
	r->plan.unsaved = 0;
	rc = answer_take(r, method, &c, &answer, ids, n);
	return rc == 0 ? STEP_CALLED : end_with(t, rc == 1 ? JOB_ENDED :
	    JOB_LOST);
}

/* An answer that was saved in part needs no call. */
static enum step
save_rest(struct turn *t, enum wb_method method)
{
	t->next_ms[method] = 0;
	if (t->resting)
		return STEP_NONE;
	if (answer_take_rest(t->run, method) == -1)
		return end_with(t, JOB_LOST);
	t->saved = true;
	return STEP_CALLED;
}

/* The next call of a part, if it is its turn. */
static enum step
step(struct turn *t, enum wb_method method)
{
	struct run		*r = t->run;
	struct plan_part	*part = &r->plan.parts[method];
	int64_t			*ids = NULL;
	size_t			 n = 0;

	if (part->done || part->off != NULL)
		return STEP_OVER;
	if (part->kept != NULL)
		return save_rest(t, method);
	if (method == WB_FUNNEL && r->plan.all && !part->listed)
		return call(t, method, NULL, 0);
	/* Whose texts they are the list of all has to tell first. */
	if (method == WB_TEXTS && r->plan.all &&
	    !r->plan.parts[WB_FUNNEL].done)
		return STEP_OVER;
	/* What is left of a half may have been removed meanwhile. */
	do
		if (next_chunk(r, method, &ids, &n) == -1)
			return end_with(t, JOB_LOST);
	while (n == 0 && plan_leave_half(part));
	if (n > 0)
		return call(t, method, ids, n);
	/* As long as figures are read there may be more to ask texts for. */
	part->done = method == WB_FUNNEL || r->plan.parts[WB_FUNNEL].done;
	return STEP_OVER;
}

/* Why the next call of a part has to wait, whoever saw the reason arise. */
static const char *
wait_reason(const struct plan_part *part)
{
	return part->limited > 0 ? "api_limited" : part->failed > 0 ?
	    "api_retry" : "api_pace";
}

/* Nothing can be done now: the job goes back to its row. */
static enum job_end
hold(struct turn *t, const enum step steps[])
{
	struct run	*r = t->run;
	struct job	*j = r->job;
	int64_t		 pause_ms = t->saved ?
			    j->conf->analytics_batch_pause_ms : 0;
	int64_t		 ms = INT64_MAX;
	const char	*reason = "api_pace";

	for (int i = 0; i < WB_METHOD__MAX; i++)
		if (steps[i] != STEP_OVER && t->next_ms[i] < ms) {
			ms = t->next_ms[i];
			reason = wait_reason(&r->plan.parts[i]);
		}
	if (ms < pause_ms) {
		ms = pause_ms;
		reason = "batch_pause";
	}
	if (job_begin(j) == -1)
		return JOB_LOST;
	tell_outlook(r, t->next_ms);
	plan_write(&r->plan, j->arena, j->checkpoint);
	tell_waiting(r, ms, reason);
	return job_wait(j, ms, reason) == 0 ? JOB_ENDED : JOB_LOST;
}

static bool
is_over(const struct run *r, const enum step steps[])
{
	return steps[WB_FUNNEL] == STEP_OVER && steps[WB_TEXTS] == STEP_OVER &&
	    r->plan.parts[WB_FUNNEL].done;
}

static enum job_end
go(struct run *r)
{
	struct turn	 t = { .run = r };
	enum step	 steps[WB_METHOD__MAX];

	for (;;) {
		bool	 called = false;

		for (int i = 0; i < WB_METHOD__MAX; i++) {
			if (worker_stopping())
				return JOB_STOPPED;
			steps[i] = step(&t, (enum wb_method)i);
			if (steps[i] == STEP_ENDED)
				return t.end;
			called |= steps[i] == STEP_CALLED;
			t.resting = t.saved && r->job->conf->
			    analytics_batch_pause_ms > 0;
			if (called && t.resting)
				break;
		}
		/* Once more: is there anything left to rest for? */
		if (called)
			continue;
		if (!is_over(r, steps))
			return hold(&t, steps);
		return r->plan.failed && r->plan.total == 0 ? end_idle(r) :
		    end_complete(r);
	}
}

static int64_t
wanted(const struct json *request, const char *key, int64_t dflt)
{
	int64_t	 n;

	return json_whole(json_get(request, key), &n) == 0 ? n : dflt;
}

/* A token that ends soon is warned about, once. */
static int
warn_of_token(struct run *r)
{
	struct job	*j = r->job;
	struct json	*data;

	if (!r->seller.to_warn)
		return 0;
	log_warn("analytics: token expires soon", F_STR("seller",
	    r->seller.name), F_STR("at", r->seller.expires_at));
	data = json_new_obj(j->scratch);
	json_put_int(data, "sellerId", j->account_id);
	json_put_text(data, "seller", r->seller.name);
	json_put_text(data, "expiresAt", r->seller.expires_at);
	if (outbox_append(j->db, j->scratch, j->account_id,
	    "analytics.token_expires", data) == -1)
		return -1;
	return seller_learn(j->db, j->scratch, j->account_id,
	    &(struct seller_news){ .token_warned =
	    &(bool){ true } });
}

/* The window, once and for the whole run. */
static int
begin(struct run *r)
{
	struct job	*j = r->job;
	struct plan	*p = &r->plan;
	const int64_t	 now[WB_METHOD__MAX] = { 0 };
	struct db_rows	*rows;

	if (job_begin(j) == -1)
		return -1;
	*p = (struct plan){ .batch = wanted(j->request, "batch", RUN_BATCH),
		.failed = json_flag(j->request, "failed") &&
		    !json_flag(j->request, "all") };
	if (p->failed && json_text(json_get(j->request, "since")) != NULL)
		p->since = arena_strdup(j->arena, json_text(json_get(
		    j->request, "since")));
	p->all = r->seller.all_products && !p->failed;
	p->no_jam = r->seller.no_jam;
	rows = db_query(j->db, j->arena, Q_ANALYTICS_BEGIN,
	    DB_ARGS(db_int(j->account_id), db_bool(p->failed),
	    db_bool(p->all), db_text(p->since)));
	if (rows == NULL)
		return -1;
	p->began = rows_text(rows, 0, "began");
	p->period.start = rows_text(rows, 0, "period_start");
	p->period.end = rows_text(rows, 0, "period_end");
	p->week = rows_text(rows, 0, "week_start");
	p->narrow = p->narrow_known = rows_bool(rows, 0, "only_week");
	p->total = rows_int(rows, 0, "products");
	j->total = plan_is_known(p) ? p->total : -1;
	j->calls_made = 0;
	tell_outlook(r, now);
	plan_write(p, j->arena, j->checkpoint);
	tell_start(r);
	return warn_of_token(r) == -1 ? -1 : job_save(j);
}

void
run_set_pace(struct run *r)
{
	for (int i = 0; i < WB_METHOD__MAX; i++)
		r->step_ms[i] = limits_budget(r, (enum wb_method)i).per_ms;
}

enum job_end
run_run(struct job *j)
{
	struct run	*r = arena_alloc(j->arena, sizeof(*r));
	bool		 begun;

	r->job = j;
	j->database_ms = j->names_ms = -1;
	begun = plan_read(&r->plan, j->arena, j->checkpoint) == 0;
	switch (seller_load(j->db, j->arena, j->conf, j->account_id, NULL,
	    &r->seller)) {
	case -1:
		return JOB_LOST;
	case 0:
		return end_untried(r, WB_BAD_REQUEST, "The seller is gone.");
	}
	if (!r->seller.is_active)
		return end_untried(r, WB_NO_ACCESS, "The seller's token was "
		    "refused; give another one.");
	if (r->seller.token == NULL)
		return end_failed(r, WB_NO_ACCESS, "The stored token cannot "
		    "be opened with this key; give it again.");
	run_set_pace(r);
	if (!begun && begin(r) == -1)
		return JOB_LOST;
	r->told = plan_done(&r->plan);
	return go(r);
}

struct run_outlook
run_outlook(const struct conf *conf, const struct seller *seller,
    int64_t batch)
{
	const struct plan	 p = { .total = seller->products,
		.all = seller->all_products, .no_jam = seller->no_jam,
		.batch = batch };
	const int64_t		 now[WB_METHOD__MAX] = { 0 };
	const struct bytes	 nobody = { "", 0 };
	int64_t			 step_ms[WB_METHOD__MAX];

	if (!plan_is_known(&p))
		return (struct run_outlook){ -1, -1, -1 };
	for (int i = 0; i < WB_METHOD__MAX; i++)
		step_ms[i] = wb_budget(conf, (enum wb_method)i,
		    seller->token_kind, nobody).per_ms;
	return (struct run_outlook){ p.total, plan_calls(&p, WB_FUNNEL) +
	    plan_calls(&p, WB_TEXTS), plan_eta_ms(&p, now, step_ms,
	    conf->analytics_batch_pause_ms) };
}
