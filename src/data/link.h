#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "data/db.h"

/*
 * A connection to PostgreSQL inside an event loop: nothing here waits.  It
 * LISTENs on its channels and runs one statement at a time, always unprepared,
 * past the pool if there is one.
 * When it is lost it comes back by itself, with growing pauses.
 */
struct link;

enum link_news {
	LINK_NOTHING,		/* wait for the socket or the deadline */
	LINK_READY,		/* listening: now look at what was missed */
	LINK_NOTIFIED,		/* link_payload() says of what */
	LINK_ROWS,		/* the answer to link_ask(): link_rows() */
	LINK_LOST		/* what was asked will not be answered */
};

/*
 * A link that connects at the first link_step().  sql is a literal of ours,
 * the LISTEN statements.  Lives as long as the worker, or until link_free().
 */
struct link	*link_new(const struct conf *, const char *sql);
void		 link_free(struct link *);

/*
 * What to wait for before the next step: the descriptor (-1: none) and its
 * POLLIN and POLLOUT.  Both may differ after every step, and the same number
 * may have become another socket.
 */
int		 link_fd(const struct link *);
short		 link_wants(const struct link *);

/* When to step at the latest, on clock_mono_ms(); INT64_MAX: no matter. */
int64_t		 link_deadline(const struct link *);

/*
 * Does what can be done now.  To be called again until it says LINK_NOTHING.
 * What goes wrong is logged, once an outage.
 */
enum link_news	 link_step(struct link *) MUST_CHECK;

/* May link_ask() be called: connected, listening and nothing asked? */
bool		 link_idle(const struct link *);

/*
 * Sends a statement; the arguments are copied, arena holds them meanwhile.
 * The answer is due within db.timeout, else the connection is given up.  -1
 * when the link is not idle or has just broken (the next step tells).
 */
int		 link_ask(struct link *, struct arena *, enum query,
		    const struct db_arg *, size_t nargs) MUST_CHECK;

/* The rows after LINK_ROWS, once; they live in the arena. */
struct db_rows	*link_rows(struct link *, struct arena *);

/* The text after LINK_NOTIFIED, until the next step; cut at 63 bytes. */
const char	*link_payload(const struct link *);

#endif
