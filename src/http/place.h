#ifndef PLACE_H
#define PLACE_H

#include <stdint.h>

#include "core/compiler.h"

/*
 * Places among the live workers: a slow partner or API must not let one tenant
 * fill them (DESIGN, section 2).
 */
struct req;

enum place {
	PLACE_ACCOUNT,	/* each account may have half of the workers */
	PLACE_TOKEN,	/* all of them together; each operator half of that */
	PLACE_LOGIN,	/* all of them together */
};

/*
 * Before a call is made for this request: 0, or the status of the 503 that was
 * answered as too many are made for the likes of it.  who: an account's number,
 * or any number that tells operators apart.
 */
int	place_take(struct req *, enum place, uint64_t who) MUST_CHECK;

/* Gives the request's place back, if it has one. */
void	place_leave(struct req *);

#endif
