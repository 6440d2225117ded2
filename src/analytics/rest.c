/* What is left of an answer, as JSON. */
#include "analytics/rest.h"

#include "core/arena.h"
#include "core/json.h"

struct json *
rest_of(struct arena *a, const struct wb_answer *answer, const int64_t *ids,
    size_t n)
{
	struct json	*kept = json_new_obj(a), *list = json_new_arr(a);

	for (size_t i = 0; i < n; i++)
		json_push_int(list, ids[i]);
	json_put(kept, "ids", list);
	json_put(kept, "rows", answer->rows);
	json_put_text(kept, "currency", answer->currency);
	return kept;
}

size_t
rest_read(struct arena *a, struct json *rest, struct wb_answer *answer,
    int64_t **ids)
{
	struct json		*holder = json_new_obj(a);
	const struct json	*list = json_get(rest, "ids");
	size_t			 n = json_count(list);

	/* The checkpoint, whose part it is, is written anew while it is read. */
	json_put(holder, "kept", rest);
	*answer = (struct wb_answer){ .says = WB_OK,
		.rows = json_get(rest, "rows"),
		.currency = json_text(json_get(rest, "currency")) };
	*ids = arena_alloc(a, (n + 1) * sizeof(**ids));
	for (size_t i = 0; i < n; i++)
		if (json_whole(json_at(list, i), &(*ids)[i]) == -1)
			(*ids)[i] = 0;
	return n;
}
