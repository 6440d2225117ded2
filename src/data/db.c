/*
 * The blocking connection: one statement after the other, each under a
 * deadline, so that a database that hangs is an error within db.timeout and
 * not a held worker.  It is not for the event loop; that has link.c.
 */
#include "data/db.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/conn.h"
#include "data/pq.h"

#define CHANNELS_MAX	4
#define KEPT_ELEMENTS_MAX	100	/* of an array, for a plan that is kept */
#define TRIES_MAX	4	/* of a statement that was not run */
#define TURN_MS		100	/* until the pool may have PostgreSQL again */
#define PROBE_MS	200	/* for a connection in place of one that hung */
#define DOWN_MS		1000	/* not tried again for so long after a hang */

/*
 * A transaction is due from db_begin() until its first statement.  When that has
 * failed nothing is left of it but db_rollback().
 */
enum tx { TX_NONE, TX_DUE, TX_OPEN, TX_FAILED };

struct call {
	enum query		 q;
	const struct db_arg	*args;
	size_t			 nargs;
	bool			 commits;
	void			(*meanwhile)(void *);	/* NULL: done */
	void			*arg;
	int64_t			 deadline_ms;	/* on clock_mono_ms() */
};

struct db {
	const char	*url;
	const char	*ear_url;	/* NULL: what LISTENs is conn */
	int64_t		 timeout_ms;
	bool		 prepare;
	PGconn		*conn;
	PGconn		*ear;
	int64_t		 ear_retry_ms;	/* when to try again to have one */
	bool		 ear_complained;
	enum tx		 tx;
	bool		 complained;	/* warn once per outage */
	bool		 hung;		/* the last statement timed out */
	int64_t		 down_until_ms;	/* connecting timed out a moment ago */
	bool		 turned_away;	/* by the pool, at the last try */
	int64_t		 away_until_ms;	/* not waited for it again until then */
	bool		 prepared[QUERY__MAX];
	const char	*channels[CHANNELS_MAX];
	size_t		 nchannels;
	struct arena	*scratch;	/* parameters of one call */
};

struct db *
db_new_direct(const struct conf *conf, int64_t timeout_ms)
{
	struct db	*db = calloc(1, sizeof(*db));

	if (db == NULL)
		fatal("db: out of memory");
	db->url = pq_direct_url(conf);
	db->timeout_ms = timeout_ms;
	db->prepare = conf->db_prepare;
	db->scratch = arena_new();
	return db;
}

struct db *
db_new(const struct conf *conf, int64_t timeout_ms)
{
	struct db	*db = db_new_direct(conf, timeout_ms);

	if (conf_has_pool(conf)) {
		db->url = conf->db_url;
		db->ear_url = conf->db_direct_url;
	}
	return db;
}

static void
drop(struct db *db)
{
	if (db->conn != NULL)
		PQfinish(db->conn);
	db->conn = NULL;
	if (db->tx == TX_OPEN)
		db->tx = TX_FAILED;
	memset(db->prepared, 0, sizeof(db->prepared));
}

static void
drop_ear(struct db *db)
{
	if (db->ear != NULL)
		PQfinish(db->ear);
	db->ear = NULL;
}

void
db_free(struct db *db)
{
	drop(db);
	drop_ear(db);
	arena_free(db->scratch);
	free(db);
}

bool
db_lost(const struct db *db)
{
	return db->conn == NULL;
}

/*
 * After having been turned away: is it worth to wait a moment and to try
 * again?  Not while PostgreSQL is down for longer, as requests queue behind
 * each one that waits.
 */
static bool
may_return(struct db *db, int tries)
{
	struct timespec	 ts = { .tv_nsec = TURN_MS * 1000000L };

	if (!db->turned_away || clock_mono_ms() < db->away_until_ms)
		return false;
	if (tries == TRIES_MAX) {
		db->away_until_ms = clock_mono_ms() + DOWN_MS;
		return false;
	}
	nanosleep(&ts, NULL);
	return true;
}

/* The same where there is nothing to tell of but that. */
static bool
came_back(struct db *db, int tries)
{
	if (may_return(db, tries))
		return true;
	if (db->turned_away)
		log_warn("db: the pool has no PostgreSQL");
	return false;
}

static int
command(struct db *db, const char *sql, int64_t deadline_ms)
{
	const char	*why;
	enum conn_ran	 ran = conn_run(db->conn, sql, deadline_ms, &why);

	db->turned_away = ran == CONN_NOT_RUN;
	if (ran == CONN_FAILED || ran == CONN_LOST)
		log_warn("db: command failed", F_STR("err", why));
	if (ran == CONN_LOST || ran == CONN_NOT_RUN)
		drop(db);
	return ran == CONN_RAN ? 0 : -1;
}

/* LISTENs on all channels so far; -1 and *why at the first that fails. */
static int
listen_on_all(struct db *db, PGconn *conn, int64_t deadline_ms,
    const char **why)
{
	for (size_t i = 0; i < db->nchannels; i++) {
		char	*sql = arena_printf(db->scratch, "LISTEN %s",
			    db->channels[i]);

		if (conn_run(conn, sql, deadline_ms, why) != CONN_RAN)
			return -1;
	}
	return 0;
}

/*
 * A pool lets us in whether PostgreSQL answers or not; without one, having
 * been let in is the proof.
 */
static int
prove(struct db *db, int64_t deadline_ms)
{
	return db->ear_url == NULL ? 0 : command(db, "SELECT 1", deadline_ms);
}

/*
 * While the database hangs, requests queue behind each one that waits for it:
 * so a hang is waited for once, and then answered at once for a while.
 */
static int
connect_now(struct db *db, int64_t deadline_ms)
{
	int64_t		 now_ms = clock_mono_ms();
	bool		 was_hung = db->hung;
	const char	*why;

	if (now_ms < db->down_until_ms)
		return -1;
	if (was_hung && deadline_ms > now_ms + PROBE_MS)
		deadline_ms = now_ms + PROBE_MS;
	db->hung = false;
	db->conn = conn_open(db->url, db->ear_url != NULL ? PQ_POOL :
	    PQ_DIRECT, "lockstep", deadline_ms, &why);
	if (db->conn == NULL) {
		if (!db->complained)
			log_error("db: cannot connect", F_STR("err", why));
		db->complained = true;
		if (clock_left_ms(deadline_ms) == 0)
			db->down_until_ms = clock_mono_ms() + DOWN_MS;
		return -1;
	}
	if (was_hung && prove(db, deadline_ms) == -1) {
		if (clock_left_ms(deadline_ms) == 0)
			db->down_until_ms = clock_mono_ms() + DOWN_MS;
		drop(db);
		return -1;
	}
	if (db->complained)
		log_info("db: connected again");
	db->complained = false;
	if (db->ear_url == NULL &&
	    listen_on_all(db, db->conn, deadline_ms, &why) == -1) {
		log_warn("db: cannot listen", F_STR("err", why));
		drop(db);
		return -1;
	}
	return 0;
}

/* The second connection, for notifications, where db.url leads to a pool. */
static int
open_ear(struct db *db, int64_t deadline_ms)
{
	const char	*why;

	drop_ear(db);
	db->ear = conn_open(db->ear_url, PQ_DIRECT, "lockstep:listen",
	    deadline_ms, &why);
	if (db->ear != NULL &&
	    listen_on_all(db, db->ear, deadline_ms, &why) == 0) {
		if (db->ear_complained)
			log_info("db: listening again");
		db->ear_complained = false;
		return 0;
	}
	if (!db->ear_complained)
		log_error("db: cannot listen", F_STR("err", why));
	db->ear_complained = true;
	db->ear_retry_ms = clock_mono_ms() + DOWN_MS;
	drop_ear(db);
	return -1;
}

static int
ensure(struct db *db, int64_t deadline_ms)
{
	if (db->conn != NULL && db->tx != TX_OPEN && conn_is_closed(db->conn))
		drop(db);
	if (db->conn != NULL)
		return 0;
	return connect_now(db, deadline_ms);
}

static int
prepare(struct db *db, enum query q, int64_t deadline_ms)
{
	PGresult	*res = NULL;
	ExecStatusType	 status;

	if (PQsendPrepare(db->conn, queries[q].name, queries[q].sql, 0,
	    NULL) == 1)
		res = conn_collect(db->conn, deadline_ms);
	status = PQresultStatus(res);
	db->turned_away = conn_is_turned_away(res);
	PQclear(res);
	db->prepared[q] = status == PGRES_COMMAND_OK;
	return db->prepared[q] ? 0 : -1;
}

/*
 * A plan that is kept is made for arrays of ten elements, PostgreSQL's guess.
 * For thousands it is the wrong one, and making another costs less than that.
 * For hundreds it would be the faster one by a fifth, but for the day when it is
 * made while a table is small: then each row is looked for in all of the array.
 */
static bool
keeps_plan(const struct db *db, const struct call *c)
{
	for (size_t i = 0; i < c->nargs; i++)
		if (c->args[i].elements > KEPT_ELEMENTS_MAX)
			return false;
	return db->prepare;
}

static int
send_query(struct db *db, const struct call *c)
{
	struct pq_params	 p = pq_params(db->scratch, c->args, c->nargs);

	if (!keeps_plan(db, c))
		return PQsendQueryParams(db->conn, queries[c->q].sql,
		    (int)c->nargs, p.types, p.values, p.lengths, p.formats,
		    0) ? 0 : -1;
	return PQsendQueryPrepared(db->conn, queries[c->q].name, (int)c->nargs,
	    p.values, p.lengths, p.formats, 0) ? 0 : -1;
}

static int
send_command(struct db *db, const char *sql)
{
	return PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL,
	    0) ? 0 : -1;
}

/* The statement, with the ends of its transaction that are to go with it. */
static int
send_with_ends(struct db *db, const struct call *c)
{
	if (PQenterPipelineMode(db->conn) == 0 ||
	    (db->tx == TX_DUE && send_command(db, "BEGIN") == -1) ||
	    send_query(db, c) == -1 ||
	    (c->commits && send_command(db, "COMMIT") == -1) ||
	    PQpipelineSync(db->conn) == 0)
		return -1;
	return 0;
}

static int
ensure_prepared(struct db *db, const struct call *c)
{
	return !keeps_plan(db, c) || db->prepared[c->q] ? 0 :
	    prepare(db, c->q, c->deadline_ms);
}

/* What is to be done while the server works, or at the latest afterwards. */
static void
do_meanwhile(struct call *c)
{
	if (c->meanwhile != NULL)
		c->meanwhile(c->arg);
	c->meanwhile = NULL;
}

/* The result, or NULL on time-out or loss. */
static PGresult *
run(struct db *db, struct call *c)
{
	bool	 begins = db->tx == TX_DUE, ends = begins || c->commits;

	if (ensure_prepared(db, c) == -1 ||
	    (ends ? send_with_ends(db, c) : send_query(db, c)) == -1)
		return NULL;
	do_meanwhile(c);
	return ends ?
	    conn_collect_sync(db->conn, begins ? 1 : 0, c->deadline_ms) :
	    conn_collect(db->conn, c->deadline_ms);
}

/* What has become of the transaction. */
static void
note_tx(struct db *db, bool good, bool commits)
{
	PGTransactionStatusType	 now = PQtransactionStatus(db->conn);

	if (good && db->tx != TX_NONE)
		db->tx = commits ? TX_NONE : TX_OPEN;
	else if (db->tx == TX_DUE && (now == PQTRANS_INERROR ||
	    now == PQTRANS_INTRANS))
		db->tx = TX_OPEN;
	else if (db->tx == TX_OPEN && now == PQTRANS_IDLE)
		db->tx = TX_FAILED;
}

static bool
is_retryable(const PGresult *res)
{
	const char	*state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state != NULL &&
	    (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0);
}

/* One try.  *again is set when there may be another one. */
static PGresult *
try_query(struct db *db, struct call *c, int tries, bool *again)
{
	bool		 within = db->tx == TX_OPEN;
	PGresult	*res;
	bool		 good;

	*again = false;
	db->turned_away = false;
	if (ensure(db, c->deadline_ms) == -1) {
		*again = came_back(db, tries);
		if (db->tx == TX_DUE && !*again)
			db->tx = TX_FAILED;
		return NULL;
	}
	res = run(db, c);
	good = PQresultStatus(res) == PGRES_TUPLES_OK ||
	    PQresultStatus(res) == PGRES_COMMAND_OK;
	note_tx(db, good, c->commits);
	if (good)
		return res;

	db->turned_away |= conn_is_turned_away(res);
	if (db->tx == TX_NONE && !within)
		*again = tries < TRIES_MAX && is_retryable(res);
	if (!within && !*again)
		*again = may_return(db, tries);
	if (!*again)
		log_warn("db: query failed", F_STR("query",
		    queries[c->q].name), F_STR("err", pq_error(res != NULL ?
		    PQresultErrorMessage(res) : PQerrorMessage(db->conn))));
	/* No result at all: the answer may still come, so never reuse it. */
	if (res == NULL)
		db->hung = clock_left_ms(c->deadline_ms) == 0;
	if (res == NULL || PQstatus(db->conn) != CONNECTION_OK)
		drop(db);
	if (db->tx == TX_DUE && !*again)
		db->tx = TX_FAILED;
	PQclear(res);
	return NULL;
}

static struct db_rows *
try_some_times(struct db *db, struct arena *a, struct call *c)
{
	PGresult	*res;
	bool		 again = true;

	if (db->tx == TX_FAILED)
		return NULL;
	for (size_t i = 0; i < c->nargs; i++)
		if (c->args[i].broken) {
			log_error("db: a parameter is over its bound",
			    F_STR("query", queries[c->q].name));
			return NULL;
		}
	for (int i = 1; again; i++) {
		c->deadline_ms = clock_mono_ms() + db->timeout_ms;
		res = try_query(db, c, i, &again);
		arena_reset(db->scratch);
		if (res != NULL)
			return pq_rows(a, res);
	}
	return NULL;
}

static struct db_rows *
query(struct db *db, struct arena *a, struct call c)
{
	struct db_rows	*rows = try_some_times(db, a, &c);

	do_meanwhile(&c);
	return rows;
}

struct db_rows *
db_query(struct db *db, struct arena *a, enum query q,
    const struct db_arg *args, size_t nargs)
{
	return query(db, a, (struct call){ .q = q, .args = args,
	    .nargs = nargs });
}

struct db_rows *
db_query_commit(struct db *db, struct arena *a, enum query q,
    const struct db_arg *args, size_t nargs)
{
	return query(db, a, (struct call){ .q = q, .args = args,
	    .nargs = nargs, .commits = true });
}

struct db_rows *
db_query_while(struct db *db, struct arena *a, enum query q,
    const struct db_arg *args, size_t nargs, void (*meanwhile)(void *),
    void *arg)
{
	return query(db, a, (struct call){ .q = q, .args = args,
	    .nargs = nargs, .meanwhile = meanwhile, .arg = arg });
}

/* 0 at the end, 1 when fn has stopped it, -1 when it failed. */
static int
each_result(struct db *db, int64_t wait_ms,
    int (*fn)(void *, const struct db_rows *), void *arg)
{
	PGresult	*res;
	int		 rc = -1;

	while (conn_next_result(db->conn, clock_mono_ms() + wait_ms, &res) ==
	    0) {
		ExecStatusType	 status = PQresultStatus(res);
		bool		 stop = false;

		if (res == NULL)
			return rc;
		if (status == PGRES_SINGLE_TUPLE)
			stop = fn(arg, &(struct db_rows){ res }) == -1;
		else if (status == PGRES_TUPLES_OK)
			rc = 0;
		else
			db->turned_away |= conn_is_turned_away(res);
		PQclear(res);
		if (stop)
			return 1;
	}
	return -1;
}

static int
try_each(struct db *db, int64_t wait_ms, const struct call *c,
    int (*fn)(void *, const struct db_rows *), void *arg)
{
	int	 rc = -1;

	db->turned_away = false;
	if (ensure(db, c->deadline_ms) == -1)
		return -1;
	if (ensure_prepared(db, c) == 0 && send_query(db, c) == 0 &&
	    PQsetSingleRowMode(db->conn) == 1)
		rc = each_result(db, wait_ms, fn, arg);
	arena_reset(db->scratch);
	if (rc == -1 && !db->turned_away)
		log_warn("db: query failed", F_STR("query",
		    queries[c->q].name),
		    F_STR("err", pq_error(PQerrorMessage(db->conn))));
	/* Rows that nobody reads must not meet the next statement. */
	if (rc == 1 || PQtransactionStatus(db->conn) == PQTRANS_ACTIVE ||
	    PQstatus(db->conn) != CONNECTION_OK)
		drop(db);
	return rc == 0 ? 0 : -1;
}

int
db_each(struct db *db, int64_t wait_ms, enum query q,
    const struct db_arg *args, size_t nargs,
    int (*fn)(void *, const struct db_rows *), void *arg)
{
	struct call	 c = { .q = q, .args = args, .nargs = nargs };

	for (int i = 1;; i++) {
		c.deadline_ms = clock_mono_ms() + db->timeout_ms;
		if (try_each(db, wait_ms, &c, fn, arg) == 0)
			return 0;
		/* Turned away, it was not run, and fn has seen no row. */
		if (!came_back(db, i))
			return -1;
	}
}

/* A transaction that is due begins: what follows is no statement of ours. */
static int
begin_now(struct db *db, int64_t deadline_ms)
{
	if (db->tx != TX_DUE)
		return 0;
	if (command(db, "BEGIN", deadline_ms) == -1)
		return -1;
	db->tx = TX_OPEN;
	return 0;
}

int
db_script(struct db *db, const char *sql)
{
	int64_t	 deadline_ms = clock_mono_ms() + db->timeout_ms;

	if (ensure(db, deadline_ms) == -1 || begin_now(db, deadline_ms) == -1)
		return -1;
	return command(db, sql, deadline_ms);
}

void
db_begin(struct db *db)
{
	db->tx = TX_DUE;
}

int
db_commit(struct db *db)
{
	int64_t	 deadline_ms = clock_mono_ms() + db->timeout_ms;
	bool	 sound;

	/* Nothing was done in it. */
	if (db->tx == TX_DUE) {
		db->tx = TX_NONE;
		return 0;
	}
	if (db->tx != TX_OPEN) {
		db->tx = TX_NONE;
		return -1;
	}
	/* COMMIT of a failed transaction answers ROLLBACK, and no error. */
	sound = PQtransactionStatus(db->conn) == PQTRANS_INTRANS;
	if (command(db, "COMMIT", deadline_ms) == -1) {
		drop(db);
		sound = false;
	}
	db->tx = TX_NONE;
	return sound ? 0 : -1;
}

void
db_rollback(struct db *db)
{
	if (db->conn != NULL && db->tx == TX_OPEN &&
	    command(db, "ROLLBACK", clock_mono_ms() + db->timeout_ms) == -1)
		drop(db);
	db->tx = TX_NONE;
}

int
db_listen(struct db *db, const char *channel)
{
	int64_t	 deadline_ms = clock_mono_ms() + db->timeout_ms;

	if (db->nchannels == CHANNELS_MAX)
		fatal("db: too many channels");
	db->channels[db->nchannels++] = channel;
	if (db->ear_url != NULL)
		return open_ear(db, deadline_ms);
	if (db->conn == NULL)
		return connect_now(db, deadline_ms);
	return command(db, arena_printf(db->scratch, "LISTEN %s", channel),
	    deadline_ms);
}

/* Forgets what was announced so far: one look at the work covers it all. */
static int
drain_notifies(PGconn *conn)
{
	PGnotify	*note;
	int		 n = 0;

	while ((note = PQnotifies(conn)) != NULL) {
		PQfreemem(note);
		n = 1;
	}
	return n;
}

/* Takes what has come; -1 when the connection is at its end. */
static int
take_notifies(PGconn *conn)
{
	if (PQconsumeInput(conn) == 0 || PQstatus(conn) != CONNECTION_OK)
		return -1;
	return drain_notifies(conn);
}

/* The ear is back: nobody knows what was announced while it was gone. */
static bool
hears_again(struct db *db, int64_t deadline_ms)
{
	return db->ear_url != NULL && db->nchannels > 0 && db->ear == NULL &&
	    clock_mono_ms() >= db->ear_retry_ms &&
	    clock_left_ms(deadline_ms) >= PROBE_MS &&
	    open_ear(db, deadline_ms) == 0;
}

/*
 * Without an ear it still waits: who is woken by nobody looks from time to time
 * anyway, and the statements may go on well.
 */
int
db_wait(struct db *db, int timeout_ms)
{
	int64_t		 deadline_ms = clock_mono_ms() + timeout_ms;
	struct pollfd	 pfd[2];
	int		 heard = 0, said = 0;

	if (db->conn == NULL)
		return -1;
	if (hears_again(db, deadline_ms) || drain_notifies(db->conn) ||
	    (db->ear != NULL && drain_notifies(db->ear)))
		return 1;
	pfd[0] = (struct pollfd){ .fd = PQsocket(db->conn), .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = db->ear != NULL ? PQsocket(db->ear) :
	    -1, .events = POLLIN };
	if (poll(pfd, 2, clock_left_ms(deadline_ms)) <= 0)
		return 0;
	if (pfd[1].revents != 0 && (heard = take_notifies(db->ear)) == -1)
		drop_ear(db);
	if (pfd[0].revents != 0 && (said = take_notifies(db->conn)) == -1) {
		drop(db);
		return -1;
	}
	return heard == 1 || said == 1;
}

static struct db_rows *
ask_session(struct db *db, struct arena *a)
{
	struct db_rows	*rows = db_query(db, a, Q_DATA_SESSION, DB_NO_ARGS);

	db_free(db);
	return rows;
}

const char *
db_check_pool(const struct conf *conf, struct arena *a)
{
	struct db_rows	*pooled, *direct;

	if (!conf_has_pool(conf))
		return NULL;
	pooled = ask_session(db_new(conf, conf->db_timeout_ms), a);
	direct = ask_session(db_new_direct(conf, conf->db_timeout_ms), a);
	if (pooled == NULL || direct == NULL)
		return NULL;
	if (!rows_null(pooled, 0, "lacks"))
		return arena_printf(a, "the pool's sessions lack %s",
		    rows_text(pooled, 0, "lacks"));
	if (strcmp(rows_text(pooled, 0, "database"),
	    rows_text(direct, 0, "database")) != 0)
		return "db.url and db.direct_url lead to different databases";
	return NULL;
}
