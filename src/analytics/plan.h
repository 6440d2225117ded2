#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"
#include "core/compiler.h"

/*
 * Where a run stands: its window, and how far each of its two parts, figures
 * and search texts, has come.  Both go through the seller's products by id, so
 * that a place is an id; all of it is the job's checkpoint.  Pure.
 */
struct arena;
struct json;

#define PLAN_BOUNDS_MAX	16	/* halves of halves of a chunk */

struct plan_part {
	int64_t		 after;		/* products up to this one are over */
	int64_t		 n;		/* ... so many */
	int64_t		 offset;	/* of the page, in a list of all */
	int64_t		 bounds[PLAN_BOUNDS_MAX];	/* chunks end here */
	size_t		 nbounds;
	int64_t		 failed;	/* calls in a row, without an answer */
	int64_t		 limited;	/* the same, refused for their number */
	int64_t		 splits;	/* of the chunk in hand */
	int64_t		 lost;		/* chunks given up, in a row */
	bool		 good;		/* the API has answered once */
	bool		 done;
	const char	*off;		/* why it is left out, as a code */
	const char	*why;		/* ... in words */
};

struct plan {
	const char		*began;		/* by the database's clock */
	struct wb_period	 period;
	int64_t			 batch;		/* products saved at a time */
	int64_t			 total;
	bool			 all;		/* whatever the API lists */
	bool			 failed;	/* only what has failed */
	struct plan_part	 parts[WB_METHOD__MAX];
};

/* -1 when the checkpoint holds none: the run has not begun. */
int	plan_read(struct plan *, struct arena *, const struct json *checkpoint)
	    MUST_CHECK;
void	plan_write(const struct plan *, struct arena *,
	    struct json *checkpoint);

/* Products of one call of that part. */
int64_t	plan_chunk(enum wb_method);

/* Products with which the run is through. */
int64_t	plan_done(const struct plan *);

/* Batches of that many products. */
int64_t	plan_batches(const struct plan *, int64_t products);

/* Calls that the part still needs, when nothing goes wrong. */
int64_t	plan_calls(const struct plan *, enum wb_method);

/*
 * Moves a part past m products, the last of which is that one.  The next
 * chunk's end goes with it when it is reached.
 */
void	plan_advance(struct plan_part *, int64_t last, int64_t m);

/*
 * The chunk of n ids (n > 1) is to be asked for in two halves.  -1 when it was
 * halved too often.
 */
int	plan_split(struct plan_part *, const int64_t *ids, size_t n)
	    MUST_CHECK;

/*
 * Until the last call has begun, when the next call of each part may begin
 * after next_ms[] and the others follow every step_ms[].
 */
int64_t	plan_eta_ms(const struct plan *, const int64_t next_ms[],
	    const int64_t step_ms[]);

#endif
