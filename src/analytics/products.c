/* Ids of products, from JSON or CSV (contract, defect 14). */
#include "analytics/products.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/seller.h"
#include "core/arena.h"
#include "core/json.h"
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

/* The first cell of a line, without quotes and blanks. */
static char *
first_cell(struct arena *a, const char *line, size_t n)
{
	size_t	 len = 0;

	while (len < n && strchr(",;\t", line[len]) == NULL)
		len++;
	while (len > 0 && strchr(" \"", *line) != NULL) {
		line++;
		len--;
	}
	while (len > 0 && strchr(" \"\r", line[len - 1]) != NULL)
		len--;
	return arena_strndup(a, line, len < CELL_MAX ? len : CELL_MAX);
}

/* A first line without a number in front is a heading. */
static void
take_csv(struct list *l, const char *text)
{
	int64_t	 id, line = 0;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (*text != '\0') {
		size_t	 n = strcspn(text, "\n");
		char	*cell = first_cell(l->r->arena, text, n);

		line++;
		if (parse_id(cell, &id) == 0) {
			accept(l, id);
		} else if (*cell != '\0' && line > 1) {
			struct json	*holder = json_new_obj(l->r->arena);

			json_put_text(holder, "cell", cell);
			reject(l, json_get(holder, "cell"), line);
		}
		text += n + (text[n] == '\n');
	}
}

static int
take_body(struct list *l, bool *has_all, bool *all)
{
	struct req	*r = l->r;
	struct json	*body;
	struct bytes	 csv;
	int		 status;

	*has_all = false;
	if (req_sends(r, "text/csv")) {
		if ((status = req_body(r, &csv)) == 0)
			take_csv(l, csv.p);
		return status;
	}
	if ((status = req_json(r, &body)) != 0)
		return status;
	*has_all = !json_is_nil(json_get(body, "all"));
	if (*has_all && json_truth(json_get(body, "all"), all) == -1)
		return problem_field(r, "all", "all must be true or false.");
	if (!json_is_arr(json_get(body, "nmIds")) &&
	    !(*has_all && json_is_nil(json_get(body, "nmIds"))))
		return problem_field(r, "nmIds", "nmIds must be a list of "
		    "product ids.");
	take_json(l, json_get(body, "nmIds"));
	return 0;
}

static int
store(struct list *l, int64_t seller, struct db_arg all)
{
	struct req	*r = l->r;
	struct json	*body = json_new_obj(r->arena);
	struct db_rows	*rows;
	int64_t		 added;

	rows = db_query(r->db, r->arena, Q_ANALYTICS_PRODUCTS_ADD,
	    DB_ARGS(db_int(seller), column_arg(&l->ids), all));
	if (rows == NULL)
		return problem_database(r);
	added = rows_int(rows, 0, "added");
	json_put_int(body, "added", added);
	json_put_int(body, "known", (int64_t)l->good - added);
	json_put_int(body, "rejectedCount", (int64_t)l->nrejected);
	json_put(body, "rejected", l->rejected);
	json_put_int(body, "total", rows_int(rows, 0, "total"));
	return resp_json(r, 200, body);
}

int
products_post(struct req *r)
{
	struct list	 l = { .r = r, .rejected = json_new_arr(r->arena) };
	int64_t		 seller;
	bool		 has_all, all = false;
	int		 status;

	if ((status = seller_of_path(r, &seller)) != 0)
		return status;
	column_init(&l.ids, COLUMN_INT8);
	if ((status = take_body(&l, &has_all, &all)) == 0)
		status = store(&l, seller, has_all ? db_bool(all) :
		    db_null());
	column_free(&l.ids);
	return status;
}
