#ifndef ROUTE_H
#define ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "http/req.h"

enum route_flag {
	ROUTE_LIVE	= 1 << 0,	/* needs the partner: a live worker's */
	ROUTE_OPERATOR	= 1 << 1,	/* on the operator's listener only */
	ROUTE_VERIFY	= 1 << 2,	/* the login is checked anew */
	ROUTE_ETAG	= 1 << 3,	/* answered from the registry alone */
};

/*
 * An endpoint and its preconditions, so that no handler repeats them.  A
 * segment "{id}" of the path stands for any text; req.path_id is what it was.
 * A path that ends in "?name=value" asks for that parameter too; it stands
 * before the row of the bare path.
 * login decides who asks (NULL: anybody): 0 to go on, else the status of what
 * it has answered.  The handler answers and returns the status.
 */
struct route {
	enum method	 method;
	const char	*path;
	int		 (*handler)(struct req *);
	int		 (*login)(struct req *);
	int64_t		 body_max;	/* bytes; 0: no body is read */
	int		 flags;
};

/*
 * Finds the row, checks what it asks for and calls its handler: 404, 405 with
 * Allow, 413, the login, 304, and the hand-over to a live worker are decided
 * here.  Returns the status of the answer.
 */
int	route_dispatch(struct req *, const struct route *, size_t nroutes);

#endif
