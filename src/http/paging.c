/* Pages of sorted lists: what was asked, and the way on. */
#include "http/paging.h"

#include <string.h>

#include "core/arena.h"
#include "data/db.h"
#include "http/export.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

#define LIMIT		20	/* unless asked otherwise */
#define LIMIT_MAX	200
#define OFFSET_MAX	100000000
#define SORT_MAX	64
#define CURSOR_MAX	4096

static int
read_sort(struct req *r, const struct export_list *list, struct paging *p)
{
	const char	*text;
	int		 status;

	if ((status = req_text(r, "sort", SORT_MAX, &text)) != 0)
		return status;
	if (text == NULL)
		text = list->key;
	p->from_end = *text == '-';
	for (size_t i = 0; i < list->ncolumns; i++)
		if (strcmp(list->columns[i].name, text + p->from_end) == 0)
			p->sort = list->columns[i].name;
	return p->sort != NULL ? 0 : problem_field(r, "sort", "sort must be "
	    "the name of a column, with '-' in front to start from its end.");
}

int
paging_read(struct req *r, const struct export_list *list, struct paging *p)
{
	int	 status;

	*p = (struct paging){ 0 };
	if ((status = req_int(r, "limit", LIMIT, 1, LIMIT_MAX,
	    &p->limit)) != 0 ||
	    (status = req_int(r, "offset", 0, 0, OFFSET_MAX,
	    &p->offset)) != 0)
		return status;
	return read_sort(r, list, p);
}

int
paging_read_cursor(struct req *r, const char *scope, struct paging *p)
{
	const char	*text;
	int		 status;

	p->scope = arena_printf(r->arena, "%s%s %s", p->from_end ? "-" : "",
	    p->sort, scope);
	if ((status = req_text(r, "cursor", CURSOR_MAX, &text)) != 0 ||
	    text == NULL)
		return status;
	p->has_place = true;
	if (cursor_read(r->arena, p->scope, text, &p->place) == -1)
		return problem_field(r, "cursor", "cursor is not one of this "
		    "list, with this sort and these filters.");
	if (p->offset > 0)
		return problem_field(r, "offset", "offset and cursor are two "
		    "ways on; give one of them.");
	return 0;
}

void
paging_all(struct paging *p)
{
	p->has_place = false;
	p->place = (struct cursor){ 0 };
	p->offset = 0;
}

void
paging_args(const struct paging *p, int64_t limit,
    struct db_arg *args)
{
	size_t	 n = 0;

	args[n++] = db_text(p->sort);
	args[n++] = db_bool(p->from_end);
	args[n++] = db_bool(p->has_place);
	args[n++] = p->place.has_number ? db_int(p->place.number) : db_null();
	args[n++] = db_text(p->place.words);
	args[n++] = db_text(p->place.id);
	args[n++] = limit == -1 ? db_null() : db_int(limit);
	args[n++] = db_int(p->offset);
}

const char *
paging_after(struct req *r, const struct paging *p,
    const struct db_rows *rows, size_t i, const char *key)
{
	struct cursor	 place = {
		.has_number = !rows_null(rows, i, "key_number"),
		.number = rows_int(rows, i, "key_number"),
		.words = rows_text(rows, i, "key_words"),
		.id = rows_text(rows, i, key),
	};

	return cursor_make(r->arena, p->scope, &place);
}

void
paging_link(struct req *r, const struct paging *p, const char *query,
    const char *next)
{
	char	*list = arena_printf(r->arena, "<%s?%s&sort=%s%s&limit=%lld",
		    r->path, query, p->from_end ? "-" : "", p->sort,
		    (long long)p->limit);
	char	*link = arena_printf(r->arena, "%s>; rel=\"first\"", list);

	if (next != NULL)
		link = arena_printf(r->arena,
		    "%s, %s&cursor=%s>; rel=\"next\"", link, list, next);
	resp_header(r, "Link", link);
}
