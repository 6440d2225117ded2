#ifndef REST_H
#define REST_H

#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"

/*
 * What is left of an answer when a rest follows the batch that was saved of it:
 * kept in the checkpoint, and an answer again in a later turn.  Pure.
 */
struct arena;
struct json;

/*
 * The rows of an answer and the n products that are still to be saved, none for
 * a page of a list.  In the arena, sharing the rows.
 */
struct json	*rest_of(struct arena *, const struct wb_answer *,
		    const int64_t *ids, size_t n);

/*
 * The answer and the ids of such a rest, in the arena, which keeps it alive
 * when the checkpoint is written anew.  Returns how many ids.
 */
size_t		 rest_read(struct arena *, struct json *rest,
		    struct wb_answer *, int64_t **ids);

#endif
