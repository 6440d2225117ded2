/*
 * What an answer means for the rest of its run: what it brings is kept, what it
 * refuses is asked for otherwise, or given up.
 */
#include "analytics/answer.h"

#include <string.h>

#include "analytics/end.h"
#include "analytics/keep.h"
#include "analytics/limits.h"
#include "analytics/listing.h"
#include "analytics/rest.h"
#include "analytics/run.h"
#include "analytics/tell.h"
#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"

#define LIMITED_MAX	30	/* refusals in a row, then the chunk is lost */
#define LOST_MAX	2	/* chunks in a row, then no more texts */
/*
 * Chunks and halves in a row, then it is not for one product: a thousand are
 * halved ten times until it is found.  An API that has not answered once yet and
 * does not say what it minds is more likely down.
 */
#define REFUSED_MAX	16
#define SILENT_MAX	5
#define WEEK		7	/* days, as in analytics/begin */

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
	if (job_begin(j) == -1 || seller_learn(j->db, j->scratch,
	    j->account_id, &(struct seller_news){ .jam = strcmp(code,
	    "no_jam") == 0 ? &(bool){ false } : NULL }) == -1)
		return -1;
	tell_progress(r, WB_TEXTS, 0);
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

/* As answer_take(): 1, or -1. */
static int
end_unread(struct run *r, const struct wb_answer *answer)
{
	return end_failed(r, answer->says, arena_printf(r->job->arena,
	    "The API could not be read: %s.", answer->why)) == JOB_ENDED ?
	    1 : -1;
}

/* Whether it cannot be for one product any more. */
static bool
is_hopeless(const struct plan_part *part, enum wb_method method,
    enum wb_says says)
{
	bool	 says_why = says == WB_BAD_REQUEST ||
		     (method == WB_TEXTS && says == WB_BROKEN);

	return part->refused > (part->good || says_why ? REFUSED_MAX :
	    SILENT_MAX);
}

/*
 * It may be for one product, without which the others are to be had: the chunk
 * is asked for in halves (contract, section 3: shrink, bisect).  When that is
 * hopeless one more call is for all that is left of it.
 */
static int
shrink(struct run *r, enum wb_method method, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];

	if (is_hopeless(part, method, answer->says)) {
		if (part->nbounds == 0)
			return lose(r, method, answer, ids, n);
		plan_rejoin(part);
		return keep_place(r);
	}
	if (n == 1 || plan_split(part, ids, n) == -1)
		return lose(r, method, answer, ids, n);
	log_info("analytics: chunk halved", F_INT("products", n),
	    F_STR("why", answer->why));
	return keep_place(r);
}

/*
 * Whether an answer that could not be used may have been for what was asked: the
 * API did answer, and the figures of fewer products are a smaller answer.
 */
static bool
may_be_for_one(enum wb_method method, const struct upstream_call *call,
    enum wb_says says)
{
	if (says == WB_AWAY)
		return method == WB_TEXTS && call->result == UPSTREAM_OK;
	return says != WB_LIMITED;
}

/*
 * Whether the same is worth another call.  Texts that are answered with 500 are
 * not (contract, section 2.3), nor are halves: all of their chunk was tried often
 * enough.
 */
static bool
may_try_again(const struct run *r, enum wb_method method, enum wb_says says,
    size_t n)
{
	const struct plan_part	*part = &r->plan.parts[method];
	bool			 halved = part->nbounds > 0;

	if (says == WB_LIMITED)
		return part->limited < LIMITED_MAX;
	if (part->failed >= r->job->conf->analytics_retries ||
	    part->refused > REFUSED_MAX)
		return false;
	return method == WB_TEXTS && says == WB_BROKEN ? n == 1 && !halved :
	    n == 1 || !halved;
}

/* No answer for this chunk: another try, half of it, or none any more. */
static int
take_trouble(struct run *r, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];

	if (may_try_again(r, method, answer->says, n))
		return limits_hold_off(r, method, call, answer);
	/* A list of all cannot go on without this page. */
	if (n == 0)
		return end_unread(r, answer);
	if (!may_be_for_one(method, call, answer->says))
		return lose(r, method, answer, ids, n);
	part->refused++;
	if (method == WB_TEXTS && !part->good &&
	    is_hopeless(part, method, answer->says))
		return leave_texts(r, "texts_failed", answer->why);
	return shrink(r, method, answer, ids, n);
}

/*
 * The API does not take the call, for one of its products maybe.  When nothing
 * was ever taken it is for something else.
 */
static int
take_refusal(struct run *r, enum wb_method method,
    const struct wb_answer *answer, const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];
	bool			 hopeless;

	part->refused++;
	hopeless = is_hopeless(part, method, answer->says);
	if (method == WB_TEXTS && !wb_names_jam(answer) &&
	    plan_narrow(&r->plan, (int64_t)n)) {
		log_info("analytics: texts by the week",
		    F_STR("seller", r->seller.name), F_STR("why",
		    answer->why));
		return keep_place(r);
	}
	if (n == 0 || (hopeless && !part->good && method == WB_FUNNEL))
		return end_unread(r, answer);
	if (method == WB_TEXTS && !part->good &&
	    (hopeless || wb_names_jam(answer)))
		return leave_texts(r, "texts_refused", answer->why);
	return shrink(r, method, answer, ids, n);
}

static int
take_figures(struct run *r, const struct wb_answer *answer, const int64_t *ids,
    size_t n)
{
	return n == 0 ? listing_keep(r, answer) :
	    keep_figures(r, answer, ids, n);
}

/* Texts; what they show of the days that the API gives is remembered. */
static int
take_texts(struct run *r, const struct wb_answer *answer, const int64_t *ids,
    size_t n)
{
	struct job	*j = r->job;
	int64_t		 after = r->plan.parts[WB_TEXTS].after;

	if (keep_texts(r, answer, ids, n) == -1)
		return -1;
	if (!plan_narrow_shown(&r->plan, after, (int64_t)n))
		return 0;
	log_info("analytics: texts are given by the week alone",
	    F_STR("seller", r->seller.name));
	return db_query(j->db, j->scratch, Q_ANALYTICS_NARROW,
	    DB_ARGS(db_int(j->account_id), db_int(WEEK))) != NULL ? 0 : -1;
}

int
answer_take(struct run *r, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];

	switch (answer->says) {
	case WB_OK:
		part->answered = part->n + (int64_t)(n > 0 ? n :
		    json_count(answer->rows));
		if (method == WB_TEXTS)
			return take_texts(r, answer, ids, n);
		return take_figures(r, answer, ids, n);
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
		return take_refusal(r, method, answer, ids, n);
	default:
		return take_trouble(r, method, call, answer, ids, n);
	}
	return end_unread(r, answer);
}

int
answer_take_rest(struct run *r, enum wb_method method)
{
	struct wb_answer	 answer;
	int64_t			*ids;
	size_t			 n = rest_read(r->job->arena,
				    r->plan.parts[method].kept, &answer, &ids);

	return method == WB_TEXTS ? keep_texts(r, &answer, ids, n) :
	    take_figures(r, &answer, ids, n);
}
