#ifndef REGISTRY_H
#define REGISTRY_H

#include <stddef.h>

#include "core/compiler.h"
#include "data/db.h"

/*
 * Lists of programs from the registry alone: filtered, sorted by any column
 * shown, page by page or as CSV.
 */
struct json;
struct req;

/* The columns of a row, in the order in which they are shown. */
enum registry_shape { REGISTRY_TEXT, REGISTRY_DATE, REGISTRY_INT,
	REGISTRY_BOOL, REGISTRY_LIST };

struct registry_column {
	const char		*name;
	enum registry_shape	 shape;
};
extern const struct registry_column	registry_columns[];
extern const size_t			registry_columns_count;

/*
 * GET /api/reseller/programs?source=registry: a page, or with Accept: text/csv
 * all that match.
 */
int	registry_get(struct req *);

/*
 * One program of the account as the list shows it.  1; 0 when there is none
 * or it is retired; -1: database (logged).
 */
int	registry_one(struct req *, const char *id, struct json **row)
	    MUST_CHECK;

#endif
