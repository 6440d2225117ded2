/* Lists of programs that need the partner within the request. */
#include "programs/list.h"

#include "core/arena.h"
#include "core/compiler.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/account.h"
#include "programs/details.h"
#include "programs/partner.h"

#define BUSINESS_LIMIT_MAX	100

/* What was asked for. */
struct asked {
	const char	*business;	/* NULL and no ids: the partner's list */
	const char	**ids;
	size_t		 nids;
	const char	*status;
	int64_t		 offset;
	int64_t		 limit;
};

/* The details of one page and what became of them. */
struct fan {
	struct details		 details;
	size_t			 answered;
	size_t			 stale;
	enum partner_says	 failed_as;	/* the last, or a bad login */
	const char		*why;
};

/* Not to be passed over: the answer would look filtered. */
static int
refuse_registry_only(struct req *r)
{
	static const char *const names[] = { "program_type", "pause", "q",
		"start_from", "start_to", "end_from", "end_to", "sort",
		"cursor" };

	for (size_t i = 0; i < nitems(names); i++)
		if (req_has(r, names[i]))
			return problem_field(r, names[i], "%s is for "
			    "source=registry.", names[i]);
	return 0;
}

/* Programs by their ids are what they are: there is nothing to narrow. */
static int
read_ids(struct req *r, struct asked *q)
{
	static const char *const names[] = { "business_id", "program_status",
		"offset", "limit" };
	int	 status = req_ids(r, "program_id", BUSINESS_LIMIT_MAX,
		    &q->ids, &q->nids);

	for (size_t i = 0; status == 0 && q->nids > 0 && i < nitems(names);
	    i++)
		if (req_has(r, names[i]))
			status = problem_field(r, names[i], "%s does not go "
			    "with program_id.", names[i]);
	return status;
}

static int
read_query(struct req *r, struct asked *q)
{
	/* The partner's filters; a registry row may also be INACTIVE. */
	static const char *const live[] = { "ALL", "CURRENT", "PAST",
		"FUTURE", "PAUSED", NULL };
	static const char *const derived[] = { "ALL", "CURRENT", "PAST",
		"FUTURE", "PAUSED", "INACTIVE", NULL };
	/* A route of its own answers from the registry. */
	static const char *const sources[] = { "live", "registry", NULL };
	const char	*source;
	int		 status;

	if ((status = req_word(r, "source", sources, "live", &source)) != 0 ||
	    (status = refuse_registry_only(r)) != 0 ||
	    (status = read_ids(r, q)) != 0 ||
	    (status = req_id(r, "business_id", &q->business)) != 0 ||
	    (status = req_int(r, "offset", 0, 0, 100000000, &q->offset)) != 0)
		return status;
	status = req_int(r, "limit", 20, 1, q->business != NULL ?
	    BUSINESS_LIMIT_MAX : PARTNER_PAGE_MAX, &q->limit);
	if (status != 0)
		return status;
	return req_word(r, "program_status", q->business != NULL ? derived :
	    live, "ALL", &q->status);
}

static void
put_place(struct json *body, const struct asked *q, int64_t total)
{
	json_put_int(body, "total_count", total);
	json_put_int(body, "offset", q->offset);
	json_put_int(body, "limit", q->limit);
	json_put_text(body, "program_status", q->status);
}

static int
live_list(struct req *r, const struct asked *q)
{
	struct upstream_call	 call = { 0 };
	struct partner_page	 page;
	struct json		*body = json_new_obj(r->arena);

	partner_list(&call, r->arena, r->conf, r->login->authorization,
	    q->offset, q->limit, q->status, r->deadline_ms);
	account_call(r, &call);
	page = partner_list_read(&call, r->arena);
	if (page.says != PARTNER_OK)
		return account_partner_problem(r, page.says, page.why,
		    call.retry_after_ms);
	json_put(body, "programs", page.programs);
	put_place(body, q, page.total);
	json_put_bool(body, "from_db", false);
	return resp_json(r, 200, body);
}

static void
fan_out(struct req *r, struct details *d, const struct db_rows *rows)
{
	d->deadline_ms = r->deadline_ms;
	d->n = rows_null(rows, 0, "program_id") ? 0 : rows_count(rows);
	d->ids = arena_alloc(r->arena, (d->n + 1) * sizeof(*d->ids));
	for (size_t i = 0; i < d->n; i++)
		d->ids[i] = rows_text(rows, i, "program_id");
	details_fetch(r, d);
}

static struct json *
failed_item(struct arena *a, const char *id,
    const struct partner_detail *detail)
{
	struct json	*item = json_new_obj(a);
	struct json	*error = json_new_obj(a);

	json_put_text(error, "code",
	    problem_code(partner_problem(detail->says)));
	json_put_text(error, "detail", detail->why);
	json_put_text(item, "program_id", id);
	json_put(item, "error", error);
	return item;
}

/* The answers in the order of the ids; what failed keeps its place. */
static struct json *
gather(struct req *r, struct fan *fan)
{
	struct json		*programs = json_new_arr(r->arena);
	const struct details	*d = &fan->details;

	for (size_t i = 0; i < d->n; i++) {
		const struct partner_detail	*detail = &d->found[i];

		if (detail->says == PARTNER_OK) {
			fan->answered++;
			json_push(programs, detail->program);
		} else if (detail->says == PARTNER_UNKNOWN_ID)
			fan->stale++;
		else {
			/* A bad login outweighs whatever else went wrong. */
			if (fan->failed_as != PARTNER_BAD_LOGIN) {
				fan->failed_as = detail->says;
				fan->why = detail->why;
			}
			json_push(programs, failed_item(r->arena,
			    d->ids[i], detail));
		}
	}
	return programs;
}

static int
answer_details(struct req *r, const struct asked *q, const struct fan *fan,
    struct json *programs, int64_t total)
{
	struct json	*body = json_new_obj(r->arena);

	json_put(body, "programs", programs);
	put_place(body, q, total);
	if (q->business != NULL)
		json_put_text(body, "business_id", q->business);
	json_put_bool(body, "from_db", true);
	json_put_int(body, "stale_count", (int64_t)fan->stale);
	if (fan->stale > 0)
		json_put_text(body, "warning", arena_printf(r->arena,
		    "%zu of these programs are no longer known to the "
		    "partner and are left out; sync again.", fan->stale));
	return resp_json(r, 200, body);
}

/* The details of programs that the registry has, live. */
static int
details_list(struct req *r, const struct asked *q, const struct db_rows *rows)
{
	struct fan	 fan = { 0 };
	struct json	*programs;

	if (rows == NULL)
		return problem_database(r);
	fan_out(r, &fan.details, rows);
	programs = gather(r, &fan);
	/* Nothing but failures is a failure, not a list. */
	if (fan.failed_as == PARTNER_BAD_LOGIN || (fan.failed_as != PARTNER_OK &&
	    fan.answered == 0 && fan.stale == 0))
		return account_partner_problem(r, fan.failed_as, fan.why,
		    fan.details.retry_after_ms);
	return answer_details(r, q, &fan, programs,
	    rows_int(rows, 0, "total_count"));
}

static int
of_business(struct req *r, const struct asked *q)
{
	return details_list(r, q, db_query(r->db, r->arena,
	    Q_PROGRAMS_OF_BUSINESS, DB_ARGS(db_int(r->account_id),
	    db_text(q->business), db_text(q->status), db_int(q->limit),
	    db_int(q->offset))));
}

static int
by_ids(struct req *r, struct asked *q)
{
	struct column	 ids;
	struct db_rows	*rows;

	column_init(&ids, COLUMN_TEXT);
	for (size_t i = 0; i < q->nids; i++)
		column_text(&ids, q->ids[i]);
	rows = db_query(r->db, r->arena, Q_PROGRAMS_BY_IDS,
	    DB_ARGS(db_int(r->account_id), column_arg(&ids)));
	column_free(&ids);
	q->limit = (int64_t)q->nids;
	return details_list(r, q, rows);
}

int
programs_get(struct req *r)
{
	struct asked	 q = { 0 };
	int		 status;

	if ((status = read_query(r, &q)) != 0)
		return status;
	if (q.nids > 0)
		return by_ids(r, &q);
	return q.business != NULL ? of_business(r, &q) : live_list(r, &q);
}
