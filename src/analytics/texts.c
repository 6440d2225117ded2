/* The search texts of a product, each once, most looked at first. */
#include "analytics/texts.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/index.h"
#include "analytics/wb.h"
#include "core/arena.h"
#include "core/json.h"

struct ranked {
	struct json	*text;
	const char	*query;
	double		 opens;
	size_t		 at;
};

static int
compare_queries(const void *a, const void *b)
{
	const struct ranked	*x = a, *y = b;
	int			 order = strcmp(x->query, y->query);

	return order != 0 ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* A row that was sent twice is one text: the first, as with figures. */
static size_t
drop_doubles(struct ranked *ranked, size_t n)
{
	size_t	 m = 0;

	if (n > 0)
		qsort(ranked, n, sizeof(*ranked), compare_queries);
	for (size_t i = 0; i < n; i++)
		if (m == 0 || strcmp(ranked[m - 1].query,
		    ranked[i].query) != 0)
			ranked[m++] = ranked[i];
	return m;
}

static int
compare_opens(const void *a, const void *b)
{
	const struct ranked	*x = a, *y = b;

	if (x->opens != y->opens)
		return x->opens > y->opens ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

const char *
texts_of(struct arena *a, const struct index *x, int64_t id)
{
	struct json	*list = json_new_arr(a);
	size_t		 first = index_find(x, id), n = 0, end = first;
	struct ranked	*ranked;

	while (end < index_count(x) && index_id(x, end) == id)
		end++;
	ranked = arena_alloc(a, (end - first + 1) * sizeof(*ranked));
	for (size_t i = first; i < end; i++) {
		struct ranked	*k = &ranked[n];

		k->text = wb_text_read(a, index_row(x, i));
		k->at = i;
		if (k->text == NULL)
			continue;
		k->query = json_text(json_get(k->text, "query"));
		if (json_number(json_get(k->text, "openCard"), &k->opens) ==
		    -1)
			k->opens = -1;
		n++;
	}
	n = drop_doubles(ranked, n);
	if (n > 0)
		qsort(ranked, n, sizeof(*ranked), compare_opens);
	for (size_t i = 0; i < n; i++)
		json_push(list, ranked[i].text);
	return json_dump(a, list);
}
