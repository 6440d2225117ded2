/*
 * A run: which call is due, what its answer means for the rest, and how it
 * ends.  At most one call is under way, so that a kill repeats no more.
 */
#include "analytics/run.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/keep.h"
#include "analytics/tell.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"
#include "events/outbox.h"
#include "net/budget.h"
#include "proc/worker.h"

#define LIMITED_MAX	30	/* refusals in a row, then the chunk is lost */
#define LOST_MAX	2	/* chunks in a row, then no more texts */
#define LATE_MS		1000	/* a turn is not taken later than this */
#define STOP_MS		10000	/* for the call in hand when told to stop */
#define SLOW_FACTOR	4	/* a wait so much longer is another limit */

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
	const char	*reason[WB_METHOD__MAX];
	bool		 saved;
};

static struct budget
budget_of(const struct run *r, enum wb_method method)
{
	return wb_budget(r->job->conf, method, r->seller.token_kind,
	    r->seller.limit_key);
}

/* -1: database. */
static int
note(struct run *r, const char *kind, struct db_arg warned,
    struct db_arg jam, const char *trouble)
{
	struct job	*j = r->job;

	return db_query(j->db, j->scratch, Q_ANALYTICS_NOTE,
	    DB_ARGS(db_int(j->account_id), db_text(kind), warned, jam,
	    db_text(trouble))) != NULL ? 0 : -1;
}

/*
 * When a run turns bad, or good again, somebody is told, once.  Within the
 * transaction that ends the job.
 */
static int
tell_trouble(struct run *r, const char *code)
{
	struct job	*j = r->job;
	struct json	*data = json_new_obj(j->scratch);

	if ((code != NULL) == (r->seller.trouble != NULL))
		return 0;
	json_put_int(data, "sellerId", j->account_id);
	json_put_text(data, "seller", r->seller.name);
	json_put_text(data, "code", code != NULL ? code : r->seller.trouble);
	json_put_text(data, "job", j->id);
	if (code != NULL)
		log_warn("analytics: in trouble", F_STR("seller",
		    r->seller.name), F_STR("code", code));
	else
		log_info("analytics: out of trouble", F_STR("seller",
		    r->seller.name));
	if (outbox_append(j->db, j->scratch, j->account_id, code != NULL ?
	    "analytics.trouble" : "analytics.recovered", data) == -1)
		return -1;
	return note(r, NULL, db_null(), db_null(), code != NULL ? code : "");
}

/* Ends the run without a result. */
static enum job_end
end_failed(struct run *r, enum wb_says says, const char *detail)
{
	struct job	*j = r->job;

	if (job_begin(j) == -1)
		return JOB_LOST;
	if (says == WB_BAD_TOKEN && db_query(j->db, j->scratch,
	    Q_ACCOUNT_REFUSE, DB_ARGS(db_bytes(r->seller.user),
	    db_bytes((struct bytes){ (const char *)r->seller.hash,
	    sizeof(r->seller.hash) }),
	    db_bytes((struct bytes){ (const char *)r->seller.hash,
	    sizeof(r->seller.hash) }), db_text(""))) == NULL)
		return JOB_LOST;
	if (tell_trouble(r, wb_code(says)) == -1)
		return JOB_LOST;
	j->calls_left = 0;
	if (r->plan.began != NULL)
		plan_write(&r->plan, j->arena, j->checkpoint);
	return job_fail(j, wb_problem(says), detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

/* How the job ends. */
static const char *
end_state(int64_t ok, int64_t partial, int64_t failed)
{
	if (failed == 0 && partial == 0)
		return "done";
	return ok + partial == 0 ? "failed" : "partial";
}

static int
announce(struct run *r, int64_t ok, int64_t partial, int64_t failed)
{
	struct job	*j = r->job;
	struct json	*data = json_new_obj(j->scratch);

	json_put_int(data, "sellerId", j->account_id);
	json_put_int(data, "ok", ok);
	json_put_int(data, "partial", partial);
	json_put_int(data, "failed", failed);
	json_put_text(data, "job", j->id);
	return outbox_append(j->db, j->scratch, j->account_id,
	    "analytics.synced", data);
}

static bool
asks_for(const struct json *request, const char *key)
{
	bool	 yes;

	return json_truth(json_get(request, key), &yes) == 0 && yes;
}

static enum job_end
finish(struct run *r)
{
	struct plan_part	*texts = &r->plan.parts[WB_TEXTS];
	struct job		*j = r->job;
	struct db_rows		*rows;
	const char		*state;
	int64_t			 ok, partial, failed;

	if (job_begin(j) == -1)
		return JOB_LOST;
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_SETTLE,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.began),
	    db_text(texts->off != NULL ? texts->off : "texts_failed"),
	    db_text(texts->off != NULL ? texts->why :
	    "The search texts could not be read")));
	if (rows == NULL)
		return JOB_LOST;
	ok = rows_int(rows, 0, "ok");
	partial = rows_int(rows, 0, "partial");
	failed = rows_int(rows, 0, "failed");
	state = end_state(ok, partial, failed);
	j->done = j->total = r->plan.total;
	j->updated = ok + partial;
	j->failed = failed;
	j->calls_left = 0;
	if (texts->off != NULL)
		job_error(j, "texts", texts->off, texts->why);
	if (texts->good && texts->off == NULL &&
	    note(r, NULL, db_null(), db_bool(true), NULL) == -1)
		return JOB_LOST;
	plan_write(&r->plan, j->arena, j->checkpoint);
	/* Who has joined a run of what had failed may have wanted all. */
	if (r->plan.failed && asks_for(j->request, "all"))
		job_follow_up(j, RUN_REQUEST, RUN_START_EVENT,
		    JOB_PRIORITY_NORMAL);
	if (announce(r, ok, partial, failed) == -1 ||
	    tell_trouble(r, failed > 0 ? "products_failed" :
	    texts->off != NULL && strcmp(texts->off, "no_jam") != 0 ?
	    texts->off : NULL) == -1)
		return JOB_LOST;
	return job_finish(j, state, 200, tell_complete(r, state, ok, partial,
	    failed)) == 0 ? JOB_ENDED : JOB_LOST;
}

/* The search texts are left out from now on; the figures stay. */
static int
leave_texts(struct run *r, const char *code, const char *why)
{
	struct plan_part	*texts = &r->plan.parts[WB_TEXTS];
	struct job		*j = r->job;

	texts->off = code;
	texts->why = arena_strdup(j->arena, why);
	log_warn("analytics: no search texts", F_STR("seller",
	    r->seller.name), F_STR("code", code), F_STR("why", why));
	if (job_begin(j) == -1 || note(r, NULL, db_null(),
	    strcmp(code, "no_jam") == 0 ? db_bool(false) : db_null(),
	    NULL) == -1)
		return -1;
	tell_progress(r, 0);
	j->calls_left = plan_calls(&r->plan, WB_FUNNEL);
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
}

/* The chunk cannot be had. */
static int
lose(struct run *r, enum wb_method method, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];

	log_warn("analytics: given up", F_STR("part", method == WB_FUNNEL ?
	    "figures" : "texts"), F_INT("products", n),
	    F_STR("why", answer->why));
	if (method == WB_FUNNEL)
		return keep_no_figures(r, ids, n, wb_code(answer->says),
		    answer->why);
	if (n > 1 && ++part->lost >= LOST_MAX)
		return leave_texts(r, "texts_failed", answer->why);
	return keep_no_texts(r, ids, n, wb_code(answer->says), answer->why);
}

/* Saves where it stands without having moved. */
static int
save_place(struct run *r)
{
	struct job	*j = r->job;

	if (job_begin(j) == -1)
		return -1;
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
}

/* A token of unknown kind shows by its limits what it is. */
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
	return note(r, "base", db_null(), db_null(), NULL);
}

/* No answer that could be used: wait as the API says, and count. */
static int
hold_off(struct turn *t, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer)
{
	struct run		*r = t->run;
	struct plan_part	*part = &r->plan.parts[method];
	struct budget		 budget = budget_of(r, method);
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
	t->reason[method] = answer->says == WB_LIMITED ? "api_limited" :
	    "api_retry";
	return learn(r, call, budget.per_ms) == -1 ? -1 : save_place(r);
}

/* No answer for this chunk: another try, half of it, or none any more. */
static int
take_trouble(struct turn *t, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct run		*r = t->run;
	struct plan_part	*part = &r->plan.parts[method];
	int64_t			 most = answer->says == WB_LIMITED ?
				    LIMITED_MAX : r->job->conf->
				    analytics_retries;

	if (method == WB_TEXTS && answer->says == WB_BROKEN) {
		if (n > 1 && plan_split(part, ids, n) == 0) {
			log_info("analytics: chunk halved",
			    F_INT("products", n));
			return save_place(r);
		}
		return lose(r, method, answer, ids, n);
	}
	if ((answer->says == WB_LIMITED ? part->limited : part->failed) < most)
		return hold_off(t, method, call, answer);
	/* A list of all cannot go on without this page. */
	if (n == 0) {
		t->end = end_failed(r, answer->says, arena_printf(
		    r->job->arena, "The API could not be read: %s.",
		    answer->why));
		return 1;
	}
	return lose(r, method, answer, ids, n);
}

/* 0 to go on, 1 when the run has ended, -1 when job or database is gone. */
static int
take_answer(struct turn *t, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct run	*r = t->run;
	bool		 is_last;

	switch (answer->says) {
	case WB_OK:
		t->saved = true;
		if (method == WB_TEXTS)
			return keep_texts(r, answer, ids, n);
		return n == 0 ? keep_page(r, answer, &is_last) :
		    keep_figures(r, answer, ids, n);
	case WB_BAD_TOKEN:
		break;
	case WB_NO_ACCESS:
		if (method == WB_TEXTS)
			return leave_texts(r, "no_jam", answer->why);
		break;
	case WB_RETIRED:
		if (method == WB_TEXTS)
			return leave_texts(r, "texts_refused", answer->why);
		break;
	case WB_BAD_REQUEST:
		if (method == WB_TEXTS && !r->plan.parts[method].good)
			return leave_texts(r, "texts_refused", answer->why);
		if (n > 0)
			return lose(r, method, answer, ids, n);
		break;
	default:
		return take_trouble(t, method, call, answer, ids, n);
	}
	t->end = end_failed(r, answer->says, arena_printf(r->job->arena,
	    "The API could not be read: %s.", answer->why));
	return 1;
}

/* Runs the call: 0, 1 when the worker is to stop, -1 when the lease is gone. */
static int
run_call(struct run *r, struct upstream_call *call)
{
	struct job	*j = r->job;
	int64_t		 stop_ms = 0;

	j->calls_made++;
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

/* What the next call of a part is about: so many ids, -1: database. */
static int
next_chunk(struct run *r, enum wb_method method, int64_t **ids, size_t *n)
{
	const struct plan_part	*part = &r->plan.parts[method];
	struct job		*j = r->job;
	struct db_rows		*rows;

	rows = db_query(j->db, j->arena, Q_ANALYTICS_CHUNK,
	    DB_ARGS(db_int(j->account_id), db_int(part->after),
	    part->nbounds > 0 ? db_int(part->bounds[0]) : db_null(),
	    db_bool(r->plan.failed), db_int(plan_chunk(method))));
	if (rows == NULL)
		return -1;
	*n = rows_count(rows);
	*ids = arena_alloc(j->arena, (*n + 1) * sizeof(**ids));
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = rows_int(rows, i, "nm_id");
	return 0;
}

static void
prepare(struct run *r, enum wb_method method, struct upstream_call *call,
    const int64_t *ids, size_t n)
{
	struct job	*j = r->job;

	if (method == WB_TEXTS)
		wb_texts(call, j->arena, j->conf, r->seller.token,
		    &r->plan.period, ids, n);
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
	struct budget		 budget = budget_of(r, method);
	struct budget_wish	 wish = { .n = 1 };
	struct budget_grant	 grant;
	struct upstream_call	 c = { 0 };
	struct wb_answer	 answer;
	int64_t			 asked_ms = clock_mono_ms();
	int			 rc;

	if (budget_take(j->db, j->scratch, &budget, &wish, &grant) == -1 ||
	    job_beat(j) == -1)
		return end_with(t, JOB_LOST);
	t->next_ms[method] = grant.next_ms;
	if (grant.n == 0)
		return STEP_NONE;
	t->reason[method] = NULL;
	if (clock_mono_ms() - asked_ms > LATE_MS)
		return STEP_NONE;
	prepare(r, method, &c, ids, n);
	if ((rc = run_call(r, &c)) != 0) {
		upstream_cancel(j->upstream);
		buf_free(&c.body);
		return end_with(t, rc == 1 ? JOB_STOPPED : JOB_LOST);
	}
	answer = wb_read(&c, method, j->arena);
	rc = take_answer(t, method, &c, &answer, ids, n);
	return rc == 0 ? STEP_CALLED : rc == 1 ? STEP_ENDED :
	    end_with(t, JOB_LOST);
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
	if (method == WB_FUNNEL && r->plan.all)
		return call(t, method, NULL, 0);
	/* Whose texts they are the list of all has to tell first. */
	if (r->plan.all && !r->plan.parts[WB_FUNNEL].done)
		return STEP_OVER;
	if (next_chunk(r, method, &ids, &n) == -1)
		return end_with(t, JOB_LOST);
	if (n == 0) {
		part->done = true;
		return STEP_OVER;
	}
	return call(t, method, ids, n);
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
			reason = t->reason[i] != NULL ? t->reason[i] :
			    "api_pace";
		}
	if (ms < pause_ms) {
		ms = pause_ms;
		reason = "batch_pause";
	}
	if (job_begin(j) == -1)
		return JOB_LOST;
	j->calls_left = plan_calls(&r->plan, WB_FUNNEL) +
	    plan_calls(&r->plan, WB_TEXTS);
	j->eta_ms = plan_eta_ms(&r->plan, t->next_ms, r->step_ms);
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
			if (called && r->job->conf->
			    analytics_batch_pause_ms > 0)
				break;
		}
		if (called && t.saved &&
		    r->job->conf->analytics_batch_pause_ms > 0) {
			steps[WB_FUNNEL] = steps[WB_TEXTS] = STEP_NONE;
			t.next_ms[WB_FUNNEL] = t.next_ms[WB_TEXTS] = 0;
			return hold(&t, steps);
		}
		if (called)
			continue;
		return is_over(r, steps) ? finish(r) : hold(&t, steps);
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
	return note(r, NULL, db_bool(true), db_null(), NULL);
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
		.failed = asks_for(j->request, "failed") &&
		    !asks_for(j->request, "all") };
	p->all = r->seller.all_products && !p->failed;
	rows = db_query(j->db, j->arena, Q_ANALYTICS_BEGIN,
	    DB_ARGS(db_int(j->account_id), db_bool(p->failed)));
	if (rows == NULL)
		return -1;
	p->began = rows_text(rows, 0, "began");
	p->period.start = rows_text(rows, 0, "period_start");
	p->period.end = rows_text(rows, 0, "period_end");
	p->total = rows_int(rows, 0, "products");
	j->total = p->total;
	j->calls_made = 0;
	j->calls_left = plan_calls(p, WB_FUNNEL) + plan_calls(p, WB_TEXTS);
	j->eta_ms = plan_eta_ms(p, now, r->step_ms);
	plan_write(p, j->arena, j->checkpoint);
	tell_info(r);
	return warn_of_token(r) == -1 ? -1 : job_save(j);
}

enum job_end
run_run(struct job *j)
{
	struct run	*r = arena_alloc(j->arena, sizeof(*r));

	r->job = j;
	switch (seller_load(j->db, j->arena, j->conf, j->account_id, NULL,
	    &r->seller)) {
	case -1:
		return JOB_LOST;
	case 0:
		r->seller.name = "";
		return end_failed(r, WB_BAD_REQUEST, "The seller is gone.");
	}
	if (!r->seller.is_active)
		return end_failed(r, WB_NO_ACCESS, "The seller's token was "
		    "refused; give another one.");
	if (r->seller.token == NULL)
		return end_failed(r, WB_NO_ACCESS, "The stored token cannot "
		    "be opened with this key; give it again.");
	for (int i = 0; i < WB_METHOD__MAX; i++)
		r->step_ms[i] = budget_of(r, (enum wb_method)i).per_ms;
	if (plan_read(&r->plan, j->arena, j->checkpoint) == -1 &&
	    begin(r) == -1)
		return JOB_LOST;
	r->told = plan_done(&r->plan);
	return go(r);
}

int64_t
run_eta_ms(const struct conf *conf, const char *token_kind, int64_t products)
{
	const struct plan	 p = { .total = products };
	const int64_t		 now[WB_METHOD__MAX] = { 0 };
	const struct bytes	 nobody = { "", 0 };
	int64_t			 step_ms[WB_METHOD__MAX];

	for (int i = 0; i < WB_METHOD__MAX; i++)
		step_ms[i] = wb_budget(conf, (enum wb_method)i, token_kind,
		    nobody).per_ms;
	return plan_eta_ms(&p, now, step_ms);
}
