#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which pages of a list are still to be read: offset paging over a set that
 * moves (partner contract, section 7).  Knows nothing of calls or of what is
 * in a page; the plan follows from how many rows came and what total was said.
 */
struct arena;
struct json;

enum page_state { PAGE_TODO, PAGE_FLYING, PAGE_READ, PAGE_LOST };

struct page {
	int64_t			 offset;
	int64_t			 limit;
	int64_t			 got;		/* rows, once read */
	int			 failed;	/* tries that failed */
	int64_t			 not_before_ms;	/* on clock_mono_ms() */
	enum page_state		 state;
};

struct pages {
	struct page	*pages;
	size_t		 n;
	size_t		 cap;
	size_t		 first_todo;	/* none before it is to do */
	size_t		 nflying;
	size_t		 ntodo;
	int64_t		 limit;
	int64_t		 planned;	/* every offset below has its page */
	int64_t		 total;		/* as last said, -1: not yet */
	bool		 moved;		/* total changed while reading */
	bool		 end_seen;	/* a short or empty page at the end */
	bool		 too_long;	/* longer than we are ready to read */
};

/* Starts with the first page alone; pages_free() ends it. */
void		 pages_init(struct pages *, int64_t limit);
void		 pages_free(struct pages *);

/* Plans for this many rows, before the partner has said its total. */
void		 pages_expect(struct pages *, int64_t total);

/*
 * The next page to be asked for, marked as flying; false when none is due.  It
 * is named by its index, because the plan may move in memory.
 */
bool		 pages_next(struct pages *, int64_t now_ms, size_t *index);
struct page	*pages_at(struct pages *, size_t index);

/* How many pages could be asked for now; counts no further than max. */
size_t		 pages_ready(const struct pages *, int64_t now_ms, size_t max);

/* When the next waiting page is due, or -1 when none waits. */
int64_t		 pages_due_ms(const struct pages *);

/* Anything to do or under way? */
bool		 pages_open(const struct pages *);

/*
 * A page came with got rows and the partner's total.  Returns false when it
 * was empty before the end: then it has to be asked for again (the caller
 * says pages_retry() or pages_lose()).
 */
bool		 pages_read(struct pages *, size_t index, int64_t got,
		    int64_t total);

/* A try failed: again not before that time; or never. */
void		 pages_retry(struct pages *, size_t index,
		    int64_t not_before_ms);
void		 pages_lose(struct pages *, size_t index);

/* Back to do, without counting a failure (held back, not answered). */
void		 pages_hold(struct pages *, size_t index,
		    int64_t not_before_ms);

/* Gives up everything still to do. */
void		 pages_lose_rest(struct pages *);

/* Rows that the lost pages would have held, as far as that is known. */
int64_t		 pages_lost_rows(const struct pages *);

/*
 * What was read, for the checkpoint: an array of [from, to) row numbers; and
 * a plan that continues from one.
 */
struct json	*pages_print(const struct pages *, struct arena *);
void		 pages_resume(struct pages *, const struct json *covered,
		    int64_t total);

#endif
