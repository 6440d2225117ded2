#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * Saving what a call has brought, batch by batch, each in one transaction with
 * the checkpoint, under the job's fence.  Rows are matched by nmId.  All: -1
 * when the lease or the database is gone.
 */
struct json;
struct run;
struct wb_answer;

/* Figures for the n products asked about (ids ascending). */
int	keep_figures(struct run *, const struct wb_answer *, const int64_t *ids,
	    size_t n) MUST_CHECK;

/* One page of a list of all products; is_last: no more follow. */
int	keep_page(struct run *, const struct wb_answer *, bool *is_last)
	    MUST_CHECK;

/* Search texts for the n products asked about. */
int	keep_texts(struct run *, const struct wb_answer *, const int64_t *ids,
	    size_t n) MUST_CHECK;

/* No figures, or no texts, for these products, and why. */
int	keep_no_figures(struct run *, const int64_t *ids, size_t n,
	    const char *code, const char *why) MUST_CHECK;
int	keep_no_texts(struct run *, const int64_t *ids, size_t n,
	    const char *code, const char *why) MUST_CHECK;

#endif
