#ifndef KEEP_H
#define KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"
#include "core/compiler.h"

/*
 * Saving what a call has brought, batch by batch, each in one transaction with
 * the checkpoint, under the job's fence.  Rows are matched by nmId.  All: -1
 * when the lease or the database is gone.
 */
struct index;
struct run;

/* In words what no_data means as a code. */
#define KEEP_NO_DATA_TEXT	"The API has no row for this product"

/*
 * The end of a transaction in which the part has come m products further: where
 * the run stands.
 */
int	keep_progress(struct run *, enum wb_method, int64_t m) MUST_CHECK;

/* The same as a transaction of its own, without having moved. */
int	keep_place(struct run *) MUST_CHECK;

/*
 * Likewise, when a call is about to be made: it is counted as made before it is,
 * since whoever dies in the middle of it has made it.
 */
int	keep_call(struct run *) MUST_CHECK;

/*
 * With analytics.batch_pause one batch of the answer alone; the others are kept
 * in the checkpoint, for answer_take_rest() in a later turn.
 *
 * Figures for the n products asked about (ids ascending).
 */
int	keep_figures(struct run *, const struct wb_answer *, const int64_t *ids,
	    size_t n) MUST_CHECK;

/*
 * The same for n products of a page of a list, by its index; the checkpoint
 * keeps the whole page.  When a rest follows before all are saved, the part's
 * `kept` is what is left, else NULL.
 */
int	keep_listed(struct run *, const struct wb_answer *,
	    const struct index *, const int64_t *ids, size_t n) MUST_CHECK;

/* Search texts for the n products asked about. */
int	keep_texts(struct run *, const struct wb_answer *, const int64_t *ids,
	    size_t n) MUST_CHECK;

/* No figures, or no texts, for these products, and why. */
int	keep_no_figures(struct run *, const int64_t *ids, size_t n,
	    const char *code, const char *why) MUST_CHECK;
int	keep_no_texts(struct run *, const int64_t *ids, size_t n,
	    const char *code, const char *why) MUST_CHECK;

#endif
