#ifndef EXPORT_H
#define EXPORT_H

#include <stddef.h>

#include "data/db.h"

struct req;

/*
 * Answers with all rows of registry_list.sql as CSV, written as they come
 * from the database: of one snapshot, in bounded memory, however many.  What
 * breaks on the way breaks the connection off.
 */
int	export_csv(struct req *, enum query, const struct db_arg *,
	    size_t nargs);

#endif
