/* Which rows of an answer are about which product. */
#include "analytics/index.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"

/* A row of an answer and the product that it is about. */
struct found {
	int64_t			 id;
	size_t			 at;	/* in the answer */
	struct json	*row;
};

struct index {
	struct found	*found;
	size_t		 n;
};

static int
compare(const void *a, const void *b)
{
	const struct found	*x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

struct index *
index_new(struct arena *a, const struct wb_answer *answer,
    enum wb_method method)
{
	size_t		 n = json_count(answer->rows);
	struct index	*x = arena_alloc(a, sizeof(*x));

	x->found = arena_alloc(a, (n + 1) * sizeof(*x->found));
	x->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct found	*f = &x->found[x->n];

		f->row = json_at(answer->rows, i);
		f->at = i;
		if (wb_row_id(f->row, method, &f->id) == 0)
			x->n++;
	}
	if (x->n > 0)
		qsort(x->found, x->n, sizeof(*x->found), compare);
	if (x->n < n)
		log_warn("analytics: rows that name no product",
		    F_INT("rows", n - x->n));
	return x;
}

size_t
index_count(const struct index *x)
{
	return x->n;
}

int64_t
index_id(const struct index *x, size_t i)
{
	return x->found[i].id;
}

const struct json *
index_row(const struct index *x, size_t i)
{
	return x->found[i].row;
}

size_t
index_find(const struct index *x, int64_t id)
{
	size_t	 low = 0, high = x->n;

	while (low < high) {
		size_t	 mid = low + (high - low) / 2;

		if (x->found[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < x->n && x->found[low].id == id ? low : x->n;
}

struct json *
index_rows(const struct index *x, struct arena *a, const int64_t *ids,
    size_t n)
{
	struct json	*rows = json_new_arr(a);

	for (size_t i = 0; i < n; i++)
		for (size_t k = index_find(x, ids[i]); k < x->n &&
		    x->found[k].id == ids[i]; k++)
			json_push(rows, x->found[k].row);
	return rows;
}
