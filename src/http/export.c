/* Rows as CSV cells, chunk by chunk. */
#include "http/export.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/csv.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

#define CHUNK		32768		/* bytes gathered before a write */
#define LINE_MAX	(4u << 20)	/* a row at its largest, and a chunk */

struct export {
	struct req	*r;
	const struct export_list *list;
	struct buf	 b;
	bool		 counted;
};

static int
add_header(struct export *e)
{
	const struct export_list	*list = e->list;
	int				 rc = 0;

	for (size_t i = 0; i < list->ncolumns; i++)
		rc |= csv_plain(&e->b, list->columns[i].name,
		    i + 1 == list->ncolumns);
	return rc;
}

static int
add_cell(struct export *e, const struct db_rows *rows, size_t i)
{
	const struct export_column	*c = &e->list->columns[i];
	const char			*text = rows_text(rows, 0, c->name);
	int				 last = i + 1 == e->list->ncolumns;

	if (c->shape == EXPORT_TEXT)
		return csv_text(&e->b, text, last);
	if (c->shape == EXPORT_BOOL && text != NULL)
		text = *text == 't' ? "true" : "false";
	return csv_plain(&e->b, text, last);
}

static int
flush(struct export *e)
{
	int	 rc = resp_write(e->r, e->b.data, e->b.len);

	buf_reset(&e->b);
	return rc;
}

/* One row; the only one of an empty list has no key. */
static int
add_row(void *arg, const struct db_rows *rows)
{
	struct export	*e = arg;
	int		 rc = 0;

	/* By this a reader can tell that a file was cut off on its way. */
	if (!e->counted) {
		e->counted = true;
		resp_header(e->r, "X-Total-Count",
		    arena_strdup(e->r->arena,
		    rows_text(rows, 0, "total_count")));
	}
	if (rows_null(rows, 0, e->list->key))
		return 0;
	for (size_t i = 0; i < e->list->ncolumns; i++)
		rc |= add_cell(e, rows, i);
	if (rc == 0 && e->b.len >= CHUNK)
		rc = flush(e);
	return rc;
}

int
export_csv(struct req *r, const struct export_list *list, enum query q,
    const struct db_arg *args, size_t nargs)
{
	struct export	 e = { .r = r, .list = list };
	int		 rc;

	resp_open(r, 200, "text/csv; charset=utf-8; header=present");
	resp_header(r, "Content-Disposition", arena_printf(r->arena,
	    "attachment; filename=\"%s-%s.csv\"", list->file, r->today));
	if (strcmp(r->method_name, "HEAD") == 0)
		return r->status;
	buf_init(&e.b, LINE_MAX);
	rc = add_header(&e);
	if (rc == 0)
		rc = db_each(r->db, r->conf->request_timeout_ms / 2, q,
		    args, nargs, add_row, &e);
	if (rc == 0)
		rc = flush(&e);
	buf_free(&e.b);
	if (rc == 0)
		return r->status;
	if (!r->head_sent)
		return problem_database(r);
	resp_cut(r);
	return r->status;
}
