#ifndef REGISTRY_H
#define REGISTRY_H

#include "core/compiler.h"

/*
 * Lists of programs from the registry alone: filtered, sorted by any column
 * shown, page by page or as CSV.
 */
struct json;
struct req;

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
