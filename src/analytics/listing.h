#ifndef LISTING_H
#define LISTING_H

#include "analytics/wb.h"
#include "core/compiler.h"

/*
 * Which products a seller has, when that is for the API to tell.  A list that
 * has moved between two of its pages is read again; what it never shows is to
 * be asked for by id.
 */
struct run;

/*
 * Saves one page: products that are new, and the figures of those that are new
 * in this run.  The part of figures then stands at the next page, or is over.
 * As with keep_figures(), but all of the page comes again when it was saved in
 * part.  -1 when the lease or the database is gone.
 */
int	listing_keep(struct run *, const struct wb_answer *) MUST_CHECK;

#endif
