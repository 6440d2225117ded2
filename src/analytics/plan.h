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
	int64_t		 answered;	/* ... with those of the last answer */
	int64_t		 offset;	/* of the page, in a list of all */
	int64_t		 edge;		/* ... its first row, as far as known */
	int64_t		 again;		/* ... read anew so many times */
	bool		 moved;		/* ... has moved while it was read */
	bool		 listed;	/* ... is over; the rest goes by id */
	int64_t		 bounds[PLAN_BOUNDS_MAX];	/* chunks end here */
	size_t		 nbounds;
	int64_t		 failed;	/* calls in a row, without an answer */
	int64_t		 limited;	/* the same, refused for their number */
	int64_t		 refused;	/* the same, maybe for what they ask for */
	int64_t		 lost;		/* chunks given up, in a row */
	bool		 good;		/* the API has answered once */
	bool		 spare;		/* ... and had calls left, at once */
	bool		 done;
	const char	*off;		/* why it is left out, as a code */
	const char	*why;		/* ... in words */
	struct json	*kept;		/* an answer that is not all saved yet */
};

struct plan {
	const char		*began;		/* by the database's clock */
	struct wb_period	 period;
	const char		*week;		/* its last seven days begin */
	bool			 narrow;	/* texts are asked for these */
	bool			 narrow_known;	/* ... the API takes no more */
	bool			 wide_good;	/* ... or has taken all */
	int64_t			 narrow_after;	/* ... refused: the chunk */
	int64_t			 narrow_n;	/* ... of so many */
	bool			 no_jam;	/* ... as far as is known, not at all */
	int64_t			 batch;		/* products saved at a time */
	int64_t			 unsaved;	/* calls in a row, nothing kept */
	int64_t			 total;
	bool			 all;		/* whatever the API lists */
	bool			 failed;	/* only what has failed, */
	const char		*since;		/* ... or was not tried since */
	struct plan_part	 parts[WB_METHOD__MAX];
};

/* -1 when the checkpoint holds none: the run has not begun. */
int	plan_read(struct plan *, struct arena *, const struct json *checkpoint)
	    MUST_CHECK;
void	plan_write(const struct plan *, struct arena *,
	    struct json *checkpoint);

/* The days that search texts are asked for. */
struct wb_period plan_texts_period(const struct plan *);

/*
 * The API has refused this chunk of n search texts: whether it is worth asking
 * for them by the week, which is done from now on.
 */
bool	plan_narrow(struct plan *, int64_t n);

/*
 * The API has given a chunk of n search texts, asked for after that product:
 * true when that shows that it gives them by the week alone, which is news.
 */
bool	plan_narrow_shown(struct plan *, int64_t after, int64_t n);

/* Products of one call of that part. */
int64_t	plan_chunk(enum wb_method);

/* Products with which the run is through. */
int64_t	plan_done(const struct plan *);

/* Whether it is known how much there is to do, or the API's list is to tell. */
bool	plan_is_known(const struct plan *);

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
 * Nothing is left up to the end of the half in hand: the other halves are next.
 * False when there are none.
 */
bool	plan_leave_half(struct plan_part *) MUST_CHECK;

/* What is left of a chunk that was halved is asked for as a whole again. */
void	plan_rejoin(struct plan_part *);

/*
 * The chunk of n ids (n > 1) is to be asked for in two halves.  -1 when it was
 * halved too often already.
 */
int	plan_split(struct plan_part *, const int64_t *ids, size_t n)
	    MUST_CHECK;

/*
 * Until the last call has begun, when the next call of each part may begin
 * after next_ms[] and the others follow every step_ms[]; and until the last
 * batch is saved with rests of rest_ms between them.
 */
int64_t	plan_eta_ms(const struct plan *, const int64_t next_ms[],
	    const int64_t step_ms[], int64_t rest_ms);

#endif
