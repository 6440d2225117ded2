/* Ids of products, from JSON or CSV (contract, defect 14). */
#include "analytics/products.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/seller.h"
#include "core/arena.h"
#include "core/csv.h"
#include "core/json.h"
#include "core/log.h"
#include "core/utf8.h"
#include "data/column.h"
#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

#define SHOWN_MAX	100	/* of what was skipped */
#define CELL_MAX	64

struct list {
	struct req	*r;
	struct column	 ids;
	size_t		 good;
	size_t		 nrejected;
	struct json	*rejected;
	bool		 has_all;	/* the body says all, */
	bool		 all;		/* ... this */
};

static int
parse_id(const char *text, int64_t *id)
{
	char	*end;

	errno = 0;
	*id = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    errno == 0 && *id > 0 ? 0 : -1;
}

static void
accept(struct list *l, int64_t id)
{
	column_int(&l->ids, id);
	l->good++;
}

static void
reject(struct list *l, struct json *item, int64_t line)
{
	struct json	*why = json_new_obj(l->r->arena);

	if (++l->nrejected > SHOWN_MAX)
		return;
	json_put(why, "item", item);
	if (line > 0)
		json_put_int(why, "line", line);
	json_put_text(why, "code", "no_id");
	json_put_text(why, "detail", "A product's id is a whole number above "
	    "0.");
	json_push(l->rejected, why);
}

static void
take_json(struct list *l, const struct json *ids)
{
	int64_t	 id;

	for (size_t i = 0; i < json_count(ids); i++) {
		struct json	*item = json_at(ids, i);
		const char	*text = json_text(item);

		if ((text != NULL ? parse_id(text, &id) :
		    json_whole(item, &id)) == 0 && id > 0)
			accept(l, id);
		else
			reject(l, item, 0);
	}
}

/* What a cell holds, as it can be shown; a spreadsheet's code page cannot. */
static void
reject_cell(struct list *l, const struct csv_record *row)
{
	struct json	*holder = json_new_obj(l->r->arena);
	char		*text;
	size_t		 n = row->len < CELL_MAX ? row->len : CELL_MAX;

	if (n < row->len)
		while (n > 0 && (row->cell[n] & 0xc0) == 0x80)
			n--;
	text = arena_strndup(l->r->arena, row->cell, n);
	if (utf8_length(text, n) == -1)
		for (char *s = text; *s != '\0'; s++)
			*s = *s & 0x80 ? '?' : *s;
	json_put_text(holder, "cell", text);
	reject(l, json_get(holder, "cell"), row->line);
}

/*
 * A first line without a digit in front is a heading; anything else that is no
 * id is reported, so that no line is lost in silence.
 */
static int
take_rows(struct list *l, struct bytes text)
{
	struct csv_reader	 reader = { .at = text.p, .end = text.p + text.len };
	struct csv_record	 row;
	int64_t			 id;
	int			 rc;

	while ((rc = csv_read(&reader, &row)) == 1) {
		char	*cell = arena_strndup(l->r->arena, row.cell, row.len);

		if (row.empty)
			continue;
		if (parse_id(cell, &id) == 0)
			accept(l, id);
		else if (row.line > 1 || row.len == 0 ||
		    cell[strcspn(cell, "0123456789")] != '\0')
			reject_cell(l, &row);
	}
	return rc == 0 ? 0 : problem_body(l->r, "The quotes of the record that "
	    "begins on line %lld do not match.", (long long)row.line);
}

/* A byte order mark tells UTF-16, as spreadsheets write it too. */
static int
take_csv(struct list *l, struct bytes csv)
{
	bool	 high = csv.len >= 2 && memcmp(csv.p, "\xfe\xff", 2) == 0;
	char	*text;
	long	 n;

	if (high || (csv.len >= 2 && memcmp(csv.p, "\xff\xfe", 2) == 0)) {
		text = arena_alloc(l->r->arena, csv.len * 3 / 2 + 1);
		n = utf8_from_16(csv.p + 2, csv.len - 2, high, text);
		if (n == -1)
			return problem_body(l->r, "The body begins as UTF-16 "
			    "but is not.");
		csv = (struct bytes){ text, (size_t)n };
	} else if (csv.len >= 3 && memcmp(csv.p, "\xef\xbb\xbf", 3) == 0)
		csv = (struct bytes){ csv.p + 3, csv.len - 3 };
	if (memchr(csv.p, '\0', csv.len) != NULL)
		return problem_body(l->r, "The body holds NUL bytes; CSV may be "
		    "UTF-8, or UTF-16 with its mark in front.");
	return take_rows(l, csv);
}

static int
take_body(struct list *l)
{
	struct req	*r = l->r;
	struct json	*body;
	struct bytes	 csv;
	int		 status;

	if (req_sends(r, "text/csv")) {
		return (status = req_body(r, &csv)) != 0 ? status :
		    take_csv(l, csv);
	}
	if ((status = req_json(r, &body)) != 0)
		return status;
	l->has_all = !json_is_nil(json_get(body, "all"));
	if (l->has_all && json_truth(json_get(body, "all"), &l->all) == -1)
		return problem_field(r, "all", "all must be true or false.");
	if (!json_is_arr(json_get(body, "nmIds")) &&
	    !(l->has_all && json_is_nil(json_get(body, "nmIds"))))
		return problem_field(r, "nmIds", "nmIds must be a list of "
		    "product ids.");
	take_json(l, json_get(body, "nmIds"));
	return 0;
}

static int
answer(struct list *l, struct json *body, int64_t total)
{
	json_put_int(body, "rejectedCount", (int64_t)l->nrejected);
	json_put(body, "rejected", l->rejected);
	json_put_int(body, "total", total);
	return resp_json(l->r, 200, body);
}

/* Reads the list that a request brings for the seller of its path, and acts. */
static int
with_list(struct req *r, int (*act)(struct list *, int64_t seller))
{
	struct list	 l = { .r = r, .rejected = json_new_arr(r->arena) };
	int64_t		 seller;
	int		 status;

	if ((status = seller_of_path(r, &seller)) != 0)
		return status;
	column_init(&l.ids, COLUMN_INT8);
	if ((status = take_body(&l)) == 0)
		status = act(&l, seller);
	column_free(&l.ids);
	return status;
}

static int
store(struct list *l, int64_t seller)
{
	struct req	*r = l->r;
	struct json	*body = json_new_obj(r->arena);
	struct db_rows	*rows;
	int64_t		 added;

	rows = db_query(r->db, r->arena, Q_ANALYTICS_PRODUCTS_ADD,
	    DB_ARGS(db_int(seller), column_arg(&l->ids), l->has_all ?
	    db_bool(l->all) : db_null()));
	if (rows == NULL)
		return problem_database(r);
	added = rows_int(rows, 0, "added");
	json_put_int(body, "added", added);
	json_put_int(body, "known", (int64_t)l->good - added);
	return answer(l, body, rows_int(rows, 0, "total"));
}

int
products_post(struct req *r)
{
	return with_list(r, store);
}

static int
drop(struct list *l, int64_t seller)
{
	struct req	*r = l->r;
	struct json	*body = json_new_obj(r->arena);
	struct db_rows	*rows;
	int64_t		 removed;

	if (l->has_all)
		return problem_field(r, "all", "Products are removed by their "
		    "ids.");
	rows = db_query(r->db, r->arena, Q_ANALYTICS_PRODUCTS_REMOVE,
	    DB_ARGS(db_int(seller), column_arg(&l->ids)));
	if (rows == NULL)
		return problem_database(r);
	removed = rows_int(rows, 0, "removed");
	log_info("seller: products removed", F_INT("products", removed));
	json_put_int(body, "removed", removed);
	json_put_int(body, "unknown", (int64_t)l->good - removed);
	return answer(l, body, rows_int(rows, 0, "total"));
}

int
products_delete(struct req *r)
{
	return with_list(r, drop);
}
