#ifndef PQ_H
#define PQ_H

#include <libpq-fe.h>

#include "data/db.h"

/*
 * What conn.c and db.c (blocking) and link.c (in the event loop) share of
 * libpq.  Nobody else includes this.
 */
struct conf;
struct db_rows {
	PGresult	*res;
};

/* Where a connection leads. */
enum pq_way { PQ_DIRECT, PQ_POOL };

/*
 * Starts connecting without blocking, with what every connection of ours is
 * given: keepalives, time-outs on the server's side, a name for
 * pg_stat_activity.  A pool refuses the time-outs, so its own sessions must
 * have them (db_check_pool()).  NULL only when out of memory.
 */
PGconn	*pq_connect_start(const char *url, enum pq_way, const char *name);

/* The url for what needs a session of its own. */
const char	*pq_direct_url(const struct conf *);

/* Arguments spread out as libpq wants them; arrays from the arena. */
struct pq_params {
	const Oid		*types;
	const char *const	*values;
	const int		*lengths;
	const int		*formats;
};
struct pq_params pq_params(struct arena *, const struct db_arg *, size_t n);

/* Takes over res: it is cleared when the arena is reset. */
struct db_rows	*pq_rows(struct arena *, PGresult *res);

/* The first line of libpq's message, in a static buffer. */
const char	*pq_error(const char *message);

#endif
