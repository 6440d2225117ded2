/* The list of the registry: what was asked, and the page. */
#include "programs/registry.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "http/export.h"
#include "http/paging.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/filters.h"

#define ARGS	(FILTERS_ARGS + PAGING_ARGS)

static const struct export_column columns[] = {
	{ "program_id", EXPORT_TEXT },
	{ "program_type", EXPORT_TEXT },
	{ "status", EXPORT_TEXT },
	{ "program_status", EXPORT_TEXT },
	{ "program_pause_status", EXPORT_TEXT },
	{ "custom_name", EXPORT_TEXT },
	{ "yelp_business_id", EXPORT_TEXT },
	{ "partner_business_id", EXPORT_TEXT },
	{ "business_name", EXPORT_TEXT },
	{ "businesses", EXPORT_LIST },
	{ "start_date", EXPORT_DATE },
	{ "end_date", EXPORT_DATE },
	{ "currency", EXPORT_TEXT },
	{ "budget", EXPORT_NUMBER },
	{ "is_autobid", EXPORT_BOOL },
	{ "max_bid", EXPORT_NUMBER },
	{ "billed_impressions", EXPORT_NUMBER },
	{ "billed_clicks", EXPORT_NUMBER },
	{ "ad_cost", EXPORT_NUMBER },
	{ "fee_period", EXPORT_TEXT },
	{ "page_upgrade_monthly_rate", EXPORT_NUMBER },
	{ "page_upgrade_cost", EXPORT_NUMBER },
	{ "future_budget_changes", EXPORT_LIST },
	{ "active_features", EXPORT_LIST },
	{ "available_features", EXPORT_LIST },
	{ "ad_categories", EXPORT_LIST },
	{ "ad_campaign_id", EXPORT_TEXT },
	{ "created_at", EXPORT_DATE },
	{ "updated_at", EXPORT_DATE },
};
static const struct export_list csv = {
	.file = "programs", .key = "program_id", .columns = columns,
	.ncolumns = nitems(columns),
};

/* What was asked for. */
struct asked {
	struct filters	 filters;
	struct paging	 paging;
};

static int
read_query(struct req *r, struct asked *q)
{
	static const char *const sources[] = { "registry", "live", NULL };
	const char	*source;
	int		 status;

	*q = (struct asked){ 0 };
	if ((status = req_word(r, "source", sources, NULL, &source)) != 0 ||
	    (status = paging_read(r, &csv, &q->paging)) != 0 ||
	    (status = filters_read(r, &q->filters)) != 0)
		return status;
	return paging_read_cursor(r, arena_printf(r->arena, "%lld%s",
	    (long long)r->account_id, filters_query(r->arena, &q->filters)),
	    &q->paging);
}

/* limit: -1 for all. */
static void
fill_args(const struct req *r, const struct asked *q, int64_t limit,
    struct db_arg args[ARGS])
{
	filters_args(r, &q->filters, args);
	paging_args(&q->paging, limit, args + FILTERS_ARGS);
}

static void
put_list(struct json *obj, struct arena *a, const char *name,
    const char *text)
{
	const char	*why;

	json_put(obj, name, text == NULL ? NULL :
	    json_parse(a, text, strlen(text), &why));
}

static struct json *
row(struct arena *a, const struct db_rows *rows, size_t i)
{
	struct json	*obj = json_new_obj(a);

	for (size_t k = 0; k < nitems(columns); k++) {
		const char	*name = columns[k].name;

		if (rows_null(rows, i, name)) {
			json_put_nil(obj, name);
			continue;
		}
		switch (columns[k].shape) {
		case EXPORT_NUMBER:
			json_put_int(obj, name, rows_int(rows, i, name));
			break;
		case EXPORT_BOOL:
			json_put_bool(obj, name, rows_bool(rows, i, name));
			break;
		case EXPORT_LIST:
			put_list(obj, a, name, rows_text(rows, i, name));
			break;
		default:
			json_put_text(obj, name, rows_text(rows, i, name));
		}
	}
	return obj;
}

static int
page(struct req *r, const struct asked *q)
{
	const struct paging	*p = &q->paging;
	struct json	*body = json_new_obj(r->arena);
	struct json	*programs = json_new_arr(r->arena);
	const char	*next = NULL;
	struct db_arg	 args[ARGS];
	struct db_rows	*rows;
	size_t		 n;

	/* One more than asked for tells whether there is a next page. */
	fill_args(r, q, p->limit + 1, args);
	rows = db_query(r->db, r->arena, Q_PROGRAMS_REGISTRY_LIST, args, ARGS);
	if (rows == NULL)
		return problem_database(r);
	n = rows_null(rows, 0, "program_id") ? 0 : rows_count(rows);
	if (n > (size_t)p->limit) {
		n = (size_t)p->limit;
		next = paging_after(r, p, rows, n - 1, "program_id");
	}
	for (size_t i = 0; i < n; i++)
		json_push(programs, row(r->arena, rows, i));
	json_put(body, "programs", programs);
	json_put_int(body, "total_count", rows_int(rows, 0, "total_count"));
	json_put_int(body, "offset", p->offset);
	json_put_int(body, "limit", p->limit);
	json_put_text(body, "program_status", q->filters.state != NULL ?
	    q->filters.state : "ALL");
	if (q->filters.business != NULL)
		json_put_text(body, "business_id", q->filters.business);
	json_put_text(body, "sort", arena_printf(r->arena, "%s%s",
	    p->from_end ? "-" : "", p->sort));
	json_put_text(body, "next_cursor", next);
	json_put_bool(body, "from_db", true);
	resp_json(r, 200, body);
	paging_link(r, p, arena_printf(r->arena, "source=registry%s",
	    filters_query(r->arena, &q->filters)), next);
	return r->status;
}

/* All that match: what belongs to a page does not count. */
static int
all_as_csv(struct req *r, struct asked *q)
{
	struct db_arg	 args[ARGS];

	paging_all(&q->paging);
	fill_args(r, q, -1, args);
	return export_csv(r, &csv, Q_PROGRAMS_REGISTRY_LIST, args, ARGS);
}

int
registry_get(struct req *r)
{
	struct asked	 q;
	int		 status;

	if ((status = read_query(r, &q)) != 0)
		return status;
	return req_prefers(r, "text/csv") ? all_as_csv(r, &q) : page(r, &q);
}

int
registry_one(struct req *r, const char *id, struct json **one)
{
	struct asked	 q = { .filters = { .id = id },
			    .paging = { .sort = "program_id" } };
	struct db_arg	 args[ARGS];
	struct db_rows	*rows;

	fill_args(r, &q, 1, args);
	rows = db_query(r->db, r->arena, Q_PROGRAMS_REGISTRY_LIST, args, ARGS);
	if (rows == NULL)
		return -1;
	if (rows_null(rows, 0, "program_id"))
		return 0;
	*one = row(r->arena, rows, 0);
	return 1;
}
