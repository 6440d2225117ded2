#ifndef CURSOR_H
#define CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * A place in a sorted list, for the client to come back to: the sort key of
 * the last row it has, and that row's id.  Opaque and signed, and bound to a
 * scope (account, sort, filters), so that it opens nothing but the list that
 * it came from.
 */
struct arena;

struct cursor {
	bool		 has_number;	/* the key: a number */
	int64_t		 number;
	const char	*words;		/* or a text; neither: it was NULL */
	const char	*id;
};

/* The text of a cursor, URL-safe, in the arena. */
char	*cursor_make(struct arena *, const char *scope, const struct cursor *);

/*
 * Reads one back, into the arena.  -1 when it is none of ours, or was made
 * for another scope.
 */
int	cursor_read(struct arena *, const char *scope, const char *text,
	    struct cursor *) MUST_CHECK;

#endif
