/* The registry as CSV, for spreadsheets. */
#include "programs/export.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/csv.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/registry.h"

#define CHUNK		32768		/* bytes gathered before a write */
#define LINE_MAX	(4u << 20)	/* a row at its largest, and a chunk */

struct export {
	struct req	*r;
	struct buf	 b;
	bool		 counted;
};

static int
add_header(struct buf *b)
{
	int	 rc = 0;

	for (size_t i = 0; i < registry_columns_count; i++)
		rc |= csv_plain(b, registry_columns[i].name,
		    i + 1 == registry_columns_count);
	return rc;
}

static int
add_cell(struct buf *b, const struct db_rows *rows, size_t i)
{
	const struct registry_column	*c = &registry_columns[i];
	const char			*text = rows_text(rows, 0, c->name);
	int				 last = i + 1 == registry_columns_count;

	if (c->shape == REGISTRY_TEXT)
		return csv_text(b, text, last);
	if (c->shape == REGISTRY_BOOL && text != NULL)
		text = *text == 't' ? "true" : "false";
	return csv_plain(b, text, last);
}

static int
flush(struct export *e)
{
	int	 rc = resp_write(e->r, e->b.data, e->b.len);

	buf_reset(&e->b);
	return rc;
}

/* One row; the only one of an empty list has no program. */
static int
add_row(void *arg, const struct db_rows *rows)
{
	struct export	*e = arg;
	int		 rc = 0;

	/* By this a reader can tell that a file was cut off on its way. */
	if (!e->counted) {
		e->counted = true;
		resp_header(e->r, "X-Total-Count", arena_strdup(e->r->arena,
		    rows_text(rows, 0, "total_count")));
	}
	if (rows_null(rows, 0, "program_id"))
		return 0;
	for (size_t i = 0; i < registry_columns_count; i++)
		rc |= add_cell(&e->b, rows, i);
	if (rc == 0 && e->b.len >= CHUNK)
		rc = flush(e);
	return rc;
}

int
export_csv(struct req *r, enum query q, const struct db_arg *args,
    size_t nargs)
{
	struct export	 e = { .r = r };
	int		 rc;

	resp_open(r, 200, "text/csv; charset=utf-8; header=present");
	resp_header(r, "Content-Disposition", arena_printf(r->arena,
	    "attachment; filename=\"programs-%s.csv\"", r->today));
	if (strcmp(r->method_name, "HEAD") == 0)
		return r->status;
	buf_init(&e.b, LINE_MAX);
	rc = add_header(&e.b);
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
