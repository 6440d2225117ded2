/* The list of the registry: what was asked, the page, and the way on. */
#include "programs/registry.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "http/cursor.h"
#include "http/export.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/filters.h"

#define LIMIT_MAX	200
#define OFFSET_MAX	100000000
#define ARGS		(FILTERS_ARGS + 8)

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
	const char	*sort;		/* the name of a column */
	bool		 from_end;
	int64_t		 limit;
	int64_t		 offset;
	bool		 has_place;
	struct cursor	 place;		/* where the page before ended */
	const char	*scope;		/* what a cursor is bound to */
};

static const struct export_column *
column(const char *name)
{
	for (size_t i = 0; i < nitems(columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

static int
read_sort(struct req *r, struct asked *q)
{
	const struct export_column	*c;
	const char			*text;
	int				 status;

	if ((status = req_text(r, "sort", 64, &text)) != 0)
		return status;
	if (text == NULL)
		text = "program_id";
	q->from_end = *text == '-';
	if ((c = column(text + q->from_end)) == NULL)
		return problem_field(r, "sort", "sort must be the name of a "
		    "column, with '-' in front to start from its end.");
	q->sort = c->name;
	return 0;
}

static int
read_cursor(struct req *r, struct asked *q)
{
	const char	*text;
	int		 status;

	q->scope = arena_printf(r->arena, "%lld %s%s%s",
	    (long long)r->account_id, q->from_end ? "-" : "", q->sort,
	    filters_query(r->arena, &q->filters));
	if ((status = req_text(r, "cursor", 4096, &text)) != 0 || text == NULL)
		return status;
	q->has_place = true;
	if (cursor_read(r->arena, q->scope, text, &q->place) == -1)
		return problem_field(r, "cursor", "cursor is not one of this "
		    "list, with this sort and these filters.");
	if (q->offset > 0)
		return problem_field(r, "offset", "offset and cursor are two "
		    "ways on; give one of them.");
	return 0;
}

static int
read_query(struct req *r, struct asked *q)
{
	static const char *const sources[] = { "registry", "live", NULL };
	const char	*source;
	int		 status;

	*q = (struct asked){ 0 };
	if ((status = req_word(r, "source", sources, NULL, &source)) != 0 ||
	    (status = req_int(r, "limit", 20, 1, LIMIT_MAX, &q->limit)) != 0 ||
	    (status = req_int(r, "offset", 0, 0, OFFSET_MAX,
	    &q->offset)) != 0 ||
	    (status = filters_read(r, &q->filters)) != 0 ||
	    (status = read_sort(r, q)) != 0)
		return status;
	return read_cursor(r, q);
}

/* limit: -1 for all. */
static void
fill_args(const struct req *r, const struct asked *q, int64_t limit,
    struct db_arg args[ARGS])
{
	size_t	 n = FILTERS_ARGS;

	filters_args(r, &q->filters, args);
	args[n++] = db_text(q->sort);
	args[n++] = db_bool(q->from_end);
	args[n++] = db_bool(q->has_place);
	args[n++] = q->place.has_number ? db_int(q->place.number) : db_null();
	args[n++] = db_text(q->place.words);
	args[n++] = db_text(q->place.id);
	args[n++] = limit == -1 ? db_null() : db_int(limit);
	args[n++] = db_int(q->offset);
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

/* The cursor after the i-th row. */
static const char *
cursor_after(struct req *r, const struct asked *q, const struct db_rows *rows,
    size_t i)
{
	struct cursor	 place = {
		.has_number = !rows_null(rows, i, "key_number"),
		.number = rows_int(rows, i, "key_number"),
		.words = rows_text(rows, i, "key_words"),
		.id = rows_text(rows, i, "program_id"),
	};

	return cursor_make(r->arena, q->scope, &place);
}

/* RFC 8288: the same list, from its start or from the cursor on. */
static void
add_link(struct req *r, const struct asked *q, const char *next)
{
	char	*list = arena_printf(r->arena, "<%s?source=registry%s&sort=%s%s"
		    "&limit=%lld", r->path,
		    filters_query(r->arena, &q->filters),
		    q->from_end ? "-" : "", q->sort, (long long)q->limit);
	char	*link = arena_printf(r->arena, "%s>; rel=\"first\"", list);

	if (next != NULL)
		link = arena_printf(r->arena,
		    "%s, %s&cursor=%s>; rel=\"next\"", link, list, next);
	resp_header(r, "Link", link);
}

static int
page(struct req *r, const struct asked *q)
{
	struct json	*body = json_new_obj(r->arena);
	struct json	*programs = json_new_arr(r->arena);
	const char	*next = NULL;
	struct db_arg	 args[ARGS];
	struct db_rows	*rows;
	size_t		 n;

	/* One more than asked for tells whether there is a next page. */
	fill_args(r, q, q->limit + 1, args);
	rows = db_query(r->db, r->arena, Q_PROGRAMS_REGISTRY_LIST, args, ARGS);
	if (rows == NULL)
		return problem_database(r);
	n = rows_null(rows, 0, "program_id") ? 0 : rows_count(rows);
	if (n > (size_t)q->limit) {
		n = (size_t)q->limit;
		next = cursor_after(r, q, rows, n - 1);
	}
	for (size_t i = 0; i < n; i++)
		json_push(programs, row(r->arena, rows, i));
	json_put(body, "programs", programs);
	json_put_int(body, "total_count", rows_int(rows, 0, "total_count"));
	json_put_int(body, "offset", q->offset);
	json_put_int(body, "limit", q->limit);
	json_put_text(body, "program_status", q->filters.state != NULL ?
	    q->filters.state : "ALL");
	if (q->filters.business != NULL)
		json_put_text(body, "business_id", q->filters.business);
	json_put_text(body, "sort", arena_printf(r->arena, "%s%s",
	    q->from_end ? "-" : "", q->sort));
	json_put_text(body, "next_cursor", next);
	json_put_bool(body, "from_db", true);
	resp_json(r, 200, body);
	add_link(r, q, next);
	return r->status;
}

/* All that match: what belongs to a page does not count. */
static int
all_as_csv(struct req *r, struct asked *q)
{
	struct db_arg	 args[ARGS];

	q->has_place = false;
	q->place = (struct cursor){ 0 };
	q->offset = 0;
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
	struct asked	 q = { .filters = { .id = id }, .sort = "program_id" };
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
