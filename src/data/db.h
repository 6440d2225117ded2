#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/secret.h"
#include "data/query.h"

/*
 * One blocking connection to PostgreSQL, opened when first needed and anew
 * after it was lost, each call under a deadline.  Statements are the files of
 * sql/query (enum query is made from them), values only ever parameters.
 *
 * Where db.url leads to a pool, each transaction may have another session of
 * PostgreSQL: nothing may be kept in one.  What LISTENs has a second
 * connection then, by db.direct_url, for that alone.
 */
struct arena;
struct conf;
struct db;
struct db_rows;
struct buf;

/* A parameter, made by the functions below.  What it points to must live
 * until the call returns. */
struct db_arg {
	const char	*p;		/* NULL: SQL NULL */
	int		 len;
	int		 binary;
	unsigned int	 type;		/* 0: the server infers it */
	size_t		 elements;	/* of an array, for how it is planned */
	bool		 broken;	/* did not fit: the call fails */
	char		 digits[24];
};

/* One parameter; what it points to must live until the statement has run. */
struct db_arg	db_int(int64_t);
struct db_arg	db_bool(bool);
struct db_arg	db_text(const char *);			/* NULL allowed */
struct db_arg	db_bytes(struct bytes);			/* bytea */
struct db_arg	db_null(void);
/* A binary array of so many elements, made by data/column.h. */
struct db_arg	db_array(const struct buf *, unsigned int type, size_t elements);

#define DB_ARGS(...) \
	(const struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg)
#define DB_NO_ARGS	NULL, 0

/*
 * A handle without a connection yet; timeout_ms bounds each call, connecting
 * included.  Lives as long as the worker.
 */
struct db	*db_new(const struct conf *, int64_t timeout_ms);
/* Likewise, but past the pool. */
struct db	*db_new_direct(const struct conf *, int64_t timeout_ms);
void		 db_free(struct db *);

/*
 * Runs one statement.  The rows live in the arena.  NULL when it failed, with
 * the cause logged; db_lost() then tells whether the connection is gone.
 * Deadlocks and serialization failures (40P01, 40001) outside a transaction
 * are tried again, and so is what a pool did not run as it has just lost
 * PostgreSQL.
 */
struct db_rows	*db_query(struct db *, struct arena *, enum query,
		    const struct db_arg *, size_t nargs) MUST_CHECK;

/*
 * The same, and meanwhile(arg) is called once, whatever becomes of the statement:
 * while the server works on it if it could be sent, else afterwards.  It must not
 * use this connection, nor change what the parameters point to, and its time
 * counts towards the call's.  NULL: nothing is called.
 */
struct db_rows	*db_query_while(struct db *, struct arena *, enum query,
		    const struct db_arg *, size_t nargs,
		    void (*meanwhile)(void *), void *) MUST_CHECK;

/*
 * Runs one statement and hands over its rows one at a time, as they come, so
 * that memory stays bounded however many there are; fn returns -1 to stop.
 * wait_ms is for each wait, not for the whole: the first row of a long sorted
 * list takes its time.  0, or -1 when it was stopped (the connection is given
 * up) or failed (logged); never tried again once it ran.  Not in a transaction.
 */
int		 db_each(struct db *, int64_t wait_ms, enum query,
		    const struct db_arg *, size_t nargs,
		    int (*fn)(void *, const struct db_rows *), void *)
		    MUST_CHECK;

/*
 * A transaction.  It begins with its first statement, in the same round trip.
 * After any failure in it only db_rollback() is left, which does nothing outside
 * of one.
 * db_commit: -1 when nothing was committed, or nobody can tell.
 */
void		 db_begin(struct db *);
int		 db_commit(struct db *) MUST_CHECK;
void		 db_rollback(struct db *);

/*
 * The last statement of a transaction and its commit, in one round trip; for
 * those that need no look at the rows before.  NULL as db_query(), or when
 * nobody can tell whether it was committed.
 */
struct db_rows	*db_query_commit(struct db *, struct arena *, enum query,
		    const struct db_arg *, size_t nargs) MUST_CHECK;

/*
 * Runs a text of several statements, without parameters: migrations only.
 * -1 (logged) on the first that fails.
 */
int		 db_script(struct db *, const char *sql) MUST_CHECK;

/* True when there is no connection: the last call lost it or never had it. */
bool		 db_lost(const struct db *);

/*
 * LISTENs on a channel from now on, also after a reconnect.  The name is a
 * literal of ours.  -1 (logged): not yet, db_wait() tries again.
 */
int		 db_listen(struct db *, const char *channel) MUST_CHECK;

/*
 * Waits for a notification, at most timeout_ms.  1 when one came or may have
 * been missed, 0 when not, -1 when the connection for statements is lost.  A
 * signal ends the wait early with 0.
 */
int		 db_wait(struct db *, int timeout_ms);

/*
 * Asks both connections of this configuration what a pool could get wrong:
 * the settings that its sessions lack, or that the two lead to different
 * databases.  NULL when all is well or the database does not answer; else
 * words, in the arena.
 */
const char	*db_check_pool(const struct conf *, struct arena *);

/* Reading rows: i < rows_count(), column by its name in the statement. */
size_t		 rows_count(const struct db_rows *);
const char	*rows_text(const struct db_rows *, size_t i, const char *col);
int64_t		 rows_int(const struct db_rows *, size_t i, const char *col);
bool		 rows_bool(const struct db_rows *, size_t i, const char *col);
bool		 rows_null(const struct db_rows *, size_t i, const char *col);
/* An array of integers without NULLs, in the arena: *n of them, 0 for NULL. */
const int64_t	*rows_ints(const struct db_rows *, size_t i, const char *col,
		    struct arena *, size_t *n);
/* A bytea, decoded into the arena. */
struct bytes	 rows_bytes(const struct db_rows *, size_t i, const char *col,
		    struct arena *);

#endif
