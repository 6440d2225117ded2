#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "data/pq.h"

/*
 * One libpq connection, blocking, each step under a deadline (clock_mono_ms()),
 * so that a server that hangs holds nobody for longer.  What db.c is made of;
 * nobody else includes this.
 */

/*
 * Connects; NULL with the reason in *why, which lives until the next call and
 * has no secret of the url in it.  The caller ends it with PQfinish().
 */
PGconn	*conn_open(const char *url, enum pq_way, const char *name,
	    int64_t deadline_ms, const char **why) MUST_CHECK;

/* Waits for events (poll(2)); -1 when the deadline passes first. */
int	conn_wait(PGconn *, short events, int64_t deadline_ms) MUST_CHECK;

/*
 * An idle connection that the server has closed shows it only when used.
 * Looking first costs one recv and spares a request a needless 503.  Before
 * it closes, the server says why: that has to be read away to see the end.
 */
bool	conn_is_closed(PGconn *);

/*
 * The next result of what was sent, NULL after its last; -1 on time-out or loss.
 */
int	conn_next_result(PGconn *, int64_t deadline_ms, PGresult **) MUST_CHECK;

/*
 * Fetches the one result of what was sent; NULL on time-out or loss, unless
 * the server has said why it closes.  The caller clears it.
 */
PGresult *conn_collect(PGconn *, int64_t deadline_ms) MUST_CHECK;

/*
 * The same for commands that were sent in pipeline mode, which ends with their
 * sync: the result of the one of that number, from 0, or of the first that
 * failed.
 */
PGresult *conn_collect_sync(PGconn *, size_t number, int64_t deadline_ms)
	    MUST_CHECK;

/*
 * PgBouncer closes a connection with this when it has just failed to reach
 * PostgreSQL.  It tries again only after it has turned somebody away, so the
 * first to come after an outage meets it too.  The statement was not run.
 */
bool	conn_is_turned_away(const PGresult *);

/*
 * Runs one of our own parameterless commands: it failed, the connection is
 * lost, or it was turned away and not run; *why, if not, lives a moment.
 */
enum conn_ran { CONN_RAN, CONN_FAILED, CONN_LOST, CONN_NOT_RUN };
enum conn_ran conn_run(PGconn *, const char *sql, int64_t deadline_ms,
	    const char **why) MUST_CHECK;

#endif
