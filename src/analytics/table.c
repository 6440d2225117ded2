/* The table of products: what was asked, the page, and one of them. */
#include "analytics/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/seller.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "data/db.h"
#include "http/etag.h"
#include "http/export.h"
#include "http/paging.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

#define WORDS_MAX	255
#define BODY_MAX	(16u << 20)
#define HISTORY		90	/* periods unless asked otherwise */
#define HISTORY_MAX	1000
#define ARGS		(5 + PAGING_ARGS)

static const struct export_column columns[] = {
	{ "nmId", EXPORT_NUMBER },
	{ "title", EXPORT_TEXT },
	{ "vendorCode", EXPORT_TEXT },
	{ "brand", EXPORT_TEXT },
	{ "subject", EXPORT_TEXT },
	{ "views", EXPORT_NUMBER },
	{ "addToCart", EXPORT_NUMBER },
	{ "orders", EXPORT_NUMBER },
	{ "ctr", EXPORT_NUMBER },
	{ "conversionRate", EXPORT_NUMBER },
	{ "revenue", EXPORT_NUMBER },
	{ "units", EXPORT_NUMBER },
	{ "avgOrderValue", EXPORT_NUMBER },
	{ "buyouts", EXPORT_NUMBER },
	{ "buyoutSum", EXPORT_NUMBER },
	{ "cancels", EXPORT_NUMBER },
	{ "cancelSum", EXPORT_NUMBER },
	{ "avgPrice", EXPORT_NUMBER },
	{ "addToWishlist", EXPORT_NUMBER },
	{ "currency", EXPORT_TEXT },
	{ "totalQueries", EXPORT_NUMBER },
	{ "textsPeriodStart", EXPORT_DATE },
	{ "textsPeriodEnd", EXPORT_DATE },
	{ "periodStart", EXPORT_DATE },
	{ "periodEnd", EXPORT_DATE },
	{ "syncStatus", EXPORT_TEXT },
	{ "lastSyncAt", EXPORT_DATE },
	{ "lastAttemptAt", EXPORT_DATE },
};
static const struct export_list csv = {
	.file = "analytics", .key = "nmId", .columns = columns,
	.ncolumns = nitems(columns),
};

/* What was asked for. */
struct asked {
	int64_t		 seller;
	const char	*words;
	const char	*status;
	struct paging	 paging;
};

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static int
read_query(struct req *r, struct asked *q)
{
	static const char *const statuses[] = { "success", "partial", "error",
		"none", NULL };
	int	 status;

	*q = (struct asked){ 0 };
	if ((status = req_text(r, "search", WORDS_MAX, &q->words)) != 0 ||
	    (status = req_word(r, "status", statuses, NULL,
	    &q->status)) != 0 ||
	    (status = paging_read(r, &csv, &q->paging)) != 0 ||
	    (status = seller_asked(r, &q->seller)) != 0)
		return status;
	return paging_read_cursor(r, arena_printf(r->arena,
	    "analytics %lld %s %s", (long long)q->seller, or_empty(q->status),
	    or_empty(q->words)), &q->paging);
}

/* limit: -1 for all; id: 0 for any. */
static void
fill_args(const struct asked *q, int64_t id, int64_t limit, bool all_texts,
    struct db_arg args[ARGS])
{
	size_t	 n = 0;

	args[n++] = db_int(q->seller);
	args[n++] = id == 0 ? db_null() : db_int(id);
	args[n++] = db_text(q->words);
	args[n++] = db_text(q->status);
	paging_args(&q->paging, limit, args + n);
	args[n + PAGING_ARGS] = db_bool(all_texts);
}

/*
 * The tag of an answer about a seller: 0 to go on, the status when it is not
 * modified, or the database has failed.
 */
static int
tag(struct req *r, int64_t seller)
{
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_VERSION,
			    DB_ARGS(db_int(seller)));

	if (rows == NULL || rows_count(rows) == 0)
		return problem_database(r);
	r->account_id = seller;
	r->registry_version = rows_int(rows, 0, "registry_version");
	r->today = rows_text(rows, 0, "today");
	return etag_check(r) ? resp_not_modified(r) : 0;
}

/* Percent-encodes all but the unreserved: RFC 3986, section 2.3. */
static char *
encode(struct arena *a, const char *s)
{
	char	*out = arena_alloc(a, 3 * strlen(s) + 1), *w = out;

	for (; *s != '\0'; s++) {
		unsigned char	 c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || strchr("-._~", c) != NULL) {
			*w++ = *s;
			continue;
		}
		*w++ = '%';
		*w++ = "0123456789ABCDEF"[c >> 4];
		*w++ = "0123456789ABCDEF"[c & 15];
	}
	return out;
}

/* What the list was asked for with, besides its order. */
static const char *
query_of(struct req *r, const struct asked *q)
{
	const char	*text = arena_printf(r->arena, "sellerId=%lld",
			    (long long)q->seller);

	if (q->words != NULL)
		text = arena_printf(r->arena, "%s&search=%s", text,
		    encode(r->arena, q->words));
	if (q->status != NULL)
		text = arena_printf(r->arena, "%s&status=%s", text,
		    q->status);
	return text;
}

/* The bodies of n rows, with commas between them. */
static int
add_bodies(struct buf *b, const struct db_rows *rows, size_t n)
{
	int	 rc = 0;

	for (size_t i = 0; i < n; i++) {
		rc |= buf_addstr(b, i > 0 ? "," : "");
		rc |= buf_addstr(b, rows_text(rows, i, "body"));
	}
	return rc;
}

static int
page(struct req *r, const struct asked *q)
{
	const struct paging	*p = &q->paging;
	const char	*next = NULL;
	struct db_arg	 args[ARGS];
	struct db_rows	*rows;
	struct buf	 b;
	size_t		 n;
	int		 rc = 0;

	/* One more than asked for tells whether there is a next page. */
	fill_args(q, 0, p->limit + 1, false, args);
	rows = db_query(r->db, r->arena, Q_ANALYTICS_PRODUCTS, args, ARGS);
	if (rows == NULL)
		return problem_database(r);
	n = rows_null(rows, 0, "nmId") ? 0 : rows_count(rows);
	if (n > (size_t)p->limit) {
		n = (size_t)p->limit;
		next = paging_after(r, p, rows, n - 1, "nmId");
	}
	buf_init(&b, BODY_MAX);
	rc |= buf_addstr(&b, "{\"products\":[");
	rc |= add_bodies(&b, rows, n);
	rc |= buf_printf(&b, "],\"total_count\":%" PRId64 ",\"totals\":%s,"
	    "\"sellerId\":%" PRId64 ",\"offset\":%" PRId64 ",\"limit\":%" PRId64
	    ",\"sort\":\"%s%s\",\"next_cursor\":%s%s%s}",
	    rows_int(rows, 0, "total_count"), rows_text(rows, 0, "totals"),
	    q->seller, p->offset, p->limit, p->from_end ? "-" : "", p->sort,
	    next != NULL ? "\"" : "", next != NULL ? next : "null",
	    next != NULL ? "\"" : "");
	if (rc == 0)
		resp_bytes(r, 200, "application/json", b.data, b.len);
	buf_free(&b);
	if (rc != 0)
		return problem(r, PROBLEM_INTERNAL, "The list is too long.");
	paging_link(r, p, query_of(r, q), next);
	return r->status;
}

/* All that match: what belongs to a page does not count. */
static int
all_as_csv(struct req *r, struct asked *q)
{
	struct db_arg	 args[ARGS];

	paging_all(&q->paging);
	fill_args(q, 0, -1, false, args);
	return export_csv(r, &csv, Q_ANALYTICS_PRODUCTS, args, ARGS);
}

int
table_get(struct req *r)
{
	struct asked	 q;
	int		 status;

	if ((status = read_query(r, &q)) != 0 ||
	    (status = tag(r, q.seller)) != 0)
		return status;
	return req_prefers(r, "text/csv") ? all_as_csv(r, &q) : page(r, &q);
}

/* The product's object with one member more: its past. */
static int
answer_one(struct req *r, const char *body, const struct db_rows *past)
{
	struct buf	 b;
	int		 rc = 0;

	buf_init(&b, BODY_MAX);
	rc |= buf_add(&b, body, strlen(body) - 1);
	rc |= buf_addstr(&b, ",\"history\":[");
	rc |= add_bodies(&b, past, rows_count(past));
	rc |= buf_addstr(&b, "]}");
	rc = rc == 0 ? resp_bytes(r, 200, "application/json", b.data, b.len) :
	    problem(r, PROBLEM_INTERNAL, "The history is too long.");
	buf_free(&b);
	return rc;
}

int
product_get(struct req *r)
{
	struct asked	 q = { .paging = { .sort = "nmId" } };
	struct db_arg	 args[ARGS];
	struct db_rows	*rows, *past;
	int64_t		 periods, id;
	char		*end;
	int		 status;

	if ((status = req_int(r, "periods", HISTORY, 1, HISTORY_MAX,
	    &periods)) != 0 || (status = seller_asked(r, &q.seller)) != 0)
		return status;
	errno = 0;
	id = strtoll(r->path_id, &end, 10);
	if (*end != '\0' || errno != 0 || id <= 0)
		return problem(r, PROBLEM_NOT_FOUND, "The seller has no such "
		    "product.");
	if ((status = tag(r, q.seller)) != 0)
		return status;
	fill_args(&q, id, 1, true, args);
	rows = db_query(r->db, r->arena, Q_ANALYTICS_PRODUCTS, args, ARGS);
	past = db_query(r->db, r->arena, Q_ANALYTICS_HISTORY,
	    DB_ARGS(db_int(q.seller), db_int(id), db_int(periods)));
	if (rows == NULL || past == NULL)
		return problem_database(r);
	if (rows_null(rows, 0, "nmId"))
		return problem(r, PROBLEM_NOT_FOUND, "The seller has no such "
		    "product.");
	return answer_one(r, rows_text(rows, 0, "body"), past);
}
