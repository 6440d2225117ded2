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
#include "core/log.h"
#include "data/db.h"

#define LIMITED_MAX	30	/* refusals in a row, then the chunk is lost */
#define LOST_MAX	2	/* chunks in a row, then no more texts */
#define REFUSED_MAX	16	/* likewise; a thousand are halved ten times */
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

/* No answer for this chunk: another try, half of it, or none any more. */
static int
take_trouble(struct run *r, enum wb_method method,
    const struct upstream_call *call, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];
	int64_t			 most = answer->says == WB_LIMITED ?
				    LIMITED_MAX : r->job->conf->
				    analytics_retries;

	if (method == WB_TEXTS && answer->says == WB_BROKEN) {
		if (n > 1 && plan_split(part, ids, n) == 0) {
			log_info("analytics: chunk halved",
			    F_INT("products", n));
			return keep_place(r);
		}
		return lose(r, method, answer, ids, n);
	}
	if ((answer->says == WB_LIMITED ? part->limited : part->failed) < most)
		return limits_hold_off(r, method, call, answer);
	/* A list of all cannot go on without this page. */
	return n == 0 ? end_unread(r, answer) :
	    lose(r, method, answer, ids, n);
}

/*
 * The API does not take the call.  That may be for one of its products: by
 * halves the others are had (contract, section 3: shrink).  When nothing was
 * ever taken it is for something else.
 */
static int
take_refusal(struct run *r, enum wb_method method,
    const struct wb_answer *answer, const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[method];
	bool			 hopeless = ++part->refused > REFUSED_MAX;

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
	if (hopeless || n == 1)
		return lose(r, method, answer, ids, n);
	part->splits = 0;	/* bounded by those in a row */
	if (plan_split(part, ids, n) == -1)
		return lose(r, method, answer, ids, n);
	log_info("analytics: chunk halved", F_INT("products", n),
	    F_STR("why", answer->why));
	return keep_place(r);
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
	switch (answer->says) {
	case WB_OK:
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
