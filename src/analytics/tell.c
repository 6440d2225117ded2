/* The words of a run. */
#include "analytics/tell.h"

#include <string.h>

#include "analytics/run.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"

static struct json *
new_event(struct run *r, const char *type)
{
	struct json	*e = json_new_obj(r->job->scratch);

	json_put_text(e, "type", type);
	return e;
}

static void
send_event(struct run *r, const struct json *event)
{
	job_event(r->job, json_dump(r->job->scratch, event));
}

/* "2 min 44 s", "8 h 8 min", "20 s". */
static const char *
how_long(struct run *r, int64_t ms)
{
	long long	 s = (long long)(ms + 999) / 1000;
	struct arena	*a = r->job->scratch;

	if (s >= 3600)
		return arena_printf(a, "%lld h %lld min", s / 3600,
		    s % 3600 / 60);
	return s >= 60 ? arena_printf(a, "%lld min %lld s", s / 60, s % 60) :
	    arena_printf(a, "%lld s", s);
}

static void
put_if(struct json *e, const char *name, bool known, int64_t n)
{
	if (known)
		json_put_int(e, name, n);
	else
		json_put_nil(e, name);
}

void
tell_info(struct run *r)
{
	struct job	*j = r->job;
	struct json	*e = new_event(r, "info");
	const struct plan *p = &r->plan;
	int64_t		 batches = plan_batches(p, p->total);
	int64_t		 calls = plan_calls(p, WB_FUNNEL) +
			    plan_calls(p, WB_TEXTS);
	bool		 known = plan_is_known(p);
	const char	*base = strcmp(r->seller.token_kind, "base") == 0 ?
			    ": the token is a base one, whose limits are far "
			    "lower" : "";

	put_if(e, "products", known, p->total);
	put_if(e, "batches", known, batches);
	put_if(e, "calls", known, calls);
	put_if(e, "etaSeconds", known, (j->eta_ms + 999) / 1000);
	json_put_text(e, "tokenKind", r->seller.token_kind);
	json_put_text(e, "message", known ? arena_printf(j->scratch,
	    "%lld products in %lld calls, about %s%s", (long long)p->total,
	    (long long)calls, how_long(r, j->eta_ms), base) :
	    arena_printf(j->scratch, "As many products as the API lists%s",
	    base));
	send_event(r, e);
}

void
tell_start(struct run *r)
{
	const struct plan *p = &r->plan;

	tell_info(r);
	log_info("analytics: start", F_STR("seller", r->seller.name),
	    F_INT("products", p->total),
	    F_INT("batches", plan_batches(p, p->total)),
	    F_INT("calls", plan_calls(p, WB_FUNNEL) +
	    plan_calls(p, WB_TEXTS)), F_STR("token", r->seller.token_kind),
	    F_STR("from", p->period.start), F_STR("to", p->period.end));
}

void
tell_outlook(struct run *r, const int64_t next_ms[])
{
	struct job	*j = r->job;
	bool		 known = plan_is_known(&r->plan);

	j->calls_left = known ? plan_calls(&r->plan, WB_FUNNEL) +
	    plan_calls(&r->plan, WB_TEXTS) : -1;
	j->eta_ms = known ? plan_eta_ms(&r->plan, next_ms, r->step_ms,
	    j->conf->analytics_batch_pause_ms) : -1;
}

static int64_t
percentage(int64_t done, int64_t total)
{
	int64_t	 p;

	if (done >= total)
		return 100;
	p = (200 * done + total) / (2 * total);
	return p < 99 ? p : 99;
}

/* Products that the other part still has to pass. */
static void
tell_part(struct run *r, enum wb_method method, int64_t m)
{
	const struct plan *p = &r->plan;
	const char	*part = method == WB_FUNNEL ? "figures" : "texts";
	int64_t		 saved = p->parts[method].n;
	int64_t		 batch = plan_batches(p, saved);
	int64_t		 batches = plan_batches(p, p->total);
	struct json	*e = new_event(r, "saved");

	json_put_text(e, "part", part);
	json_put_int(e, "batch", batch);
	json_put_int(e, "batches", batches);
	json_put_int(e, "saved", saved);
	json_put_int(e, "failed", r->job->failed);
	json_put_int(e, "total", p->total);
	send_event(r, e);
	log_info(arena_printf(r->job->scratch, "analytics: %s %lld/%lld",
	    part, (long long)batch, (long long)batches),
	    F_STR("seller", r->seller.name), F_INT("products", m),
	    F_INT("saved", saved), F_INT("failed", r->job->failed));
}

void
tell_progress(struct run *r, enum wb_method method, int64_t m)
{
	struct job	*j = r->job;
	const struct plan *p = &r->plan;
	int64_t		 done = plan_done(p);
	int64_t		 batch = plan_batches(p, done);
	int64_t		 batches = plan_batches(p, p->total);
	struct json	*e;

	j->done = done;
	j->total = p->total;
	if (done <= r->told) {
		if (m > 0)
			tell_part(r, method, m);
		return;
	}
	r->told = done;
	e = new_event(r, "progress");
	json_put_int(e, "batch", batch);
	json_put_int(e, "batches", batches);
	json_put_int(e, "done", done);
	json_put_int(e, "failed", j->failed);
	json_put_int(e, "total", p->total);
	json_put_int(e, "percentage", percentage(done, p->total));
	send_event(r, e);
	log_info(arena_printf(j->scratch, "analytics: batch %lld/%lld",
	    (long long)batch, (long long)batches),
	    F_STR("seller", r->seller.name), F_INT("products", m),
	    F_INT("done", done), F_INT("failed", j->failed));
}

void
tell_missing(struct run *r, const int64_t *ids, size_t n, const char *code,
    const char *why)
{
	for (size_t i = 0; i < n; i++)
		job_error(r->job, arena_printf(r->job->scratch, "%lld",
		    (long long)ids[i]), code, why);
}

static const struct {
	const char	*reason;
	const char	*words;
} reasons[] = {
	{ "api_pace", "until the API's limit leaves room for the next call" },
	{ "api_limited", "because the API has said so" },
	{ "api_retry", "before a call that failed is tried again" },
	{ "batch_pause", "for the rest between batches that is set" },
};

void
tell_waiting(struct run *r, int64_t delay_ms, const char *reason)
{
	struct json	*e = new_event(r, "waiting");
	char		 until[CLOCK_ISO_SIZE];
	const char	*words = "";

	for (size_t i = 0; i < nitems(reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			words = reasons[i].words;
	clock_iso(clock_wall_ms() + delay_ms, until);
	json_put_text(e, "until", until);
	json_put_text(e, "reason", reason);
	json_put_text(e, "message", arena_printf(r->job->scratch,
	    "Waiting %s (%s), %s", how_long(r, delay_ms), until, words));
	send_event(r, e);
	log_info("analytics: waiting", F_STR("seller", r->seller.name),
	    F_STR("until", until), F_STR("reason", reason));
}

const char *
tell_complete(struct run *r, const char *state, int64_t ok, int64_t partial,
    int64_t failed)
{
	struct job	*j = r->job;
	struct json	*e = new_event(r, "complete");
	const char	*status = strcmp(state, "done") == 0 ? "synced" : state;

	json_put_text(e, "status", status);
	json_put_int(e, "done", j->done);
	json_put_int(e, "ok", ok);
	json_put_int(e, "partial", partial);
	json_put_int(e, "failed", failed);
	json_put_int(e, "total", r->plan.total);
	json_put_text(e, "message", arena_printf(j->scratch,
	    "%lld products refreshed, %lld in part, %lld failed",
	    (long long)ok, (long long)partial, (long long)failed));
	send_event(r, e);
	log_info(arena_printf(j->scratch, "analytics: done ok=%lld failed=%lld",
	    (long long)ok, (long long)failed),
	    F_STR("seller", r->seller.name), F_STR("status", status),
	    F_INT("partial", partial), F_INT("calls", j->calls_made),
	    F_SEC("total_s", (double)(j->elapsed_ms + clock_mono_ms() -
	    j->claimed_ms) / 1000));
	return arena_strdup(j->arena, json_dump(j->scratch, e));
}

const char *
tell_idle(struct run *r)
{
	struct json	*e = new_event(r, "complete");

	json_put_text(e, "status", "up_to_date");
	json_put_int(e, "done", 0);
	json_put_int(e, "ok", 0);
	json_put_int(e, "partial", 0);
	json_put_int(e, "failed", 0);
	json_put_int(e, "total", 0);
	json_put_text(e, "message", "Nothing had failed; nothing was asked "
	    "for");
	send_event(r, e);
	log_info("analytics: nothing to do", F_STR("seller", r->seller.name));
	return arena_strdup(r->job->arena, json_dump(r->job->scratch, e));
}
