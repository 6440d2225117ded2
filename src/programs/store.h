#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "core/compiler.h"

struct pass;

/*
 * Writes the pages that have arrived into the registry, with checkpoint and
 * events, in one transaction under the job's fence; nothing to do is fine.
 * -1 (logged): nothing was committed; the job is somebody else's or the
 * database is away.
 */
int	store_arrivals(struct pass *) MUST_CHECK;

/*
 * Compares the first page, which has arrived, and the total with the
 * registry; writes nothing.  -1: the database failed (logged).
 */
int	store_matches(struct pass *, bool *matches) MUST_CHECK;

#endif
