#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "http/cursor.h"

/*
 * Pages of a sorted list: which one is asked for, as arguments of a query, and
 * the way to the next one.  The query has the columns key_number and key_words,
 * the sort key of each row.
 */
struct db_arg;
struct db_rows;
struct export_list;
struct req;

#define PAGING_ARGS	8

struct paging {
	const char	*sort;		/* the name of a column */
	bool		 from_end;
	int64_t		 limit;
	int64_t		 offset;
	bool		 has_place;
	struct cursor	 place;		/* where the page before ended */
	const char	*scope;		/* what a cursor is bound to */
};

/*
 * Reads limit, offset and sort (one of the list's columns, by its key unless
 * asked otherwise).  0, or the status of a 400.
 */
int	paging_read(struct req *, const struct export_list *, struct paging *)
	    MUST_CHECK;

/*
 * Reads the cursor, which was made for this list alone: scope says which rows
 * it has; the sort is added.  0, or the status of a 400.
 */
int	paging_read_cursor(struct req *, const char *scope, struct paging *)
	    MUST_CHECK;

/* All from the start on: what belongs to a page does not count. */
void	paging_all(struct paging *);

/*
 * PAGING_ARGS of them: sort, from its end, has a place, its number, words and
 * id, limit (-1: none), offset.
 */
void	paging_args(const struct paging *, int64_t limit,
	    struct db_arg *args);

/* The cursor after the i-th row, whose id is in the column key. */
const char *paging_after(struct req *, const struct paging *,
	    const struct db_rows *, size_t i, const char *key);

/*
 * Link (RFC 8288) to the list's start and to its next page; query: what the list
 * is asked for with besides, "name=value&...".  next: NULL on the last page.
 */
void	paging_link(struct req *, const struct paging *, const char *query,
	    const char *next);

#endif
