#ifndef INDEX_H
#define INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"

/*
 * The rows of an answer in the order of their products, and of one product in
 * that of the answer.  The API sends them in any, and one twice at times.
 */
struct arena;
struct index;
struct json;

/*
 * Of a good answer, whose rows it goes on using; in the arena.  Rows that name
 * no product are left out, and logged.
 */
struct index	*index_new(struct arena *, const struct wb_answer *,
		    enum wb_method);

/* How many rows there are; the product of row i < index_count(), and itself. */
size_t		 index_count(const struct index *);
int64_t		 index_id(const struct index *, size_t i);
const struct json *index_row(const struct index *, size_t i);

/* The first row of that product, or index_count() when it has none. */
size_t		 index_find(const struct index *, int64_t id);

/* The rows about these n products, as they came, as an array in the arena. */
struct json	*index_rows(const struct index *, struct arena *,
		    const int64_t *ids, size_t n);

#endif
