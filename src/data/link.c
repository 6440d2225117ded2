/*
 * The connection of the event loop.  Blocking callers use db.c.
 *
 * The order on every connect is LISTEN first, then LINK_READY: a query sent
 * after that sees all that was committed before, and what is committed later
 * is announced.  The other way round has a gap.
 */
#include "data/link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/pq.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	2000
#define PAYLOAD_SIZE	64

enum phase { PHASE_DOWN, PHASE_CONNECTING, PHASE_LISTENING, PHASE_IDLE,
	PHASE_ASKING };

struct link {
	const char	*url;
	const char	*listen_sql;
	int64_t		 timeout_ms;

	enum phase	 phase;
	PGconn		*conn;
	short		 wants;
	int64_t		 deadline_ms;	/* of the phase; DOWN: when to retry */
	int		 backoff_ms;
	bool		 complained;	/* warn once an outage */
	PGresult	*res;		/* of the statement in hand */
	char		 payload[PAYLOAD_SIZE];
};

struct link *
link_new(const struct conf *conf, const char *listen_sql)
{
	struct link	*l = calloc(1, sizeof(*l));

	if (l == NULL)
		fatal("link: out of memory");
	l->url = pq_direct_url(conf);
	l->listen_sql = listen_sql;
	l->timeout_ms = conf->db_timeout_ms;
	l->backoff_ms = BACKOFF_MIN_MS;
	return l;
}

static void
drop(struct link *l)
{
	PQclear(l->res);
	l->res = NULL;
	PQfinish(l->conn);
	l->conn = NULL;
	l->wants = 0;
}

void
link_free(struct link *l)
{
	drop(l);
	free(l);
}

int
link_fd(const struct link *l)
{
	return l->conn != NULL ? PQsocket(l->conn) : -1;
}

short
link_wants(const struct link *l)
{
	return l->wants;
}

int64_t
link_deadline(const struct link *l)
{
	return l->phase == PHASE_IDLE ? INT64_MAX : l->deadline_ms;
}

bool
link_idle(const struct link *l)
{
	return l->phase == PHASE_IDLE;
}

const char *
link_payload(const struct link *l)
{
	return l->payload;
}

static void
enter(struct link *l, enum phase phase)
{
	l->phase = phase;
	l->deadline_ms = clock_mono_ms() + l->timeout_ms;
}

/* Half of the pause is chance, so that hosts do not come back in step. */
static enum link_news
lose(struct link *l, const char *why)
{
	int	 half = l->backoff_ms / 2;

	if (!l->complained)
		log_warn("link: database lost", F_STR("err", why));
	l->complained = true;
	drop(l);
	l->phase = PHASE_DOWN;
	l->deadline_ms = clock_mono_ms() + half +
	    (int)arc4random_uniform((uint32_t)half + 1);
	if ((l->backoff_ms *= 2) > BACKOFF_MAX_MS)
		l->backoff_ms = BACKOFF_MAX_MS;
	return LINK_LOST;
}

static enum link_news
lose_conn(struct link *l)
{
	return lose(l, pq_error(PQerrorMessage(l->conn)));
}

static bool
late(const struct link *l)
{
	return clock_mono_ms() >= l->deadline_ms;
}

/* Sends what is still in libpq's buffer, as far as the socket takes it. */
static int
flush(struct link *l)
{
	int	 n = PQflush(l->conn);

	l->wants = n == 1 ? POLLIN | POLLOUT : POLLIN;
	return n == -1 ? -1 : 0;
}

static enum link_news
start(struct link *l)
{
	if (!late(l))
		return LINK_NOTHING;
	l->conn = pq_connect_start(l->url, PQ_DIRECT, "lockstep:stream");
	if (l->conn == NULL)
		return lose(l, "out of memory");
	/* Before it has sent a byte, libpq may quote the url, secret and all. */
	if (PQstatus(l->conn) == CONNECTION_BAD)
		return lose(l, "db.url is malformed, or its host is unknown "
		    "or refuses");
	l->wants = POLLOUT;
	enter(l, PHASE_CONNECTING);
	return LINK_NOTHING;
}

static enum link_news
begin_listening(struct link *l)
{
	if (PQsetnonblocking(l->conn, 1) == -1 ||
	    PQsendQuery(l->conn, l->listen_sql) == 0 || flush(l) == -1)
		return lose_conn(l);
	enter(l, PHASE_LISTENING);
	return LINK_NOTHING;
}

/*
 * PQconnectPoll must not be called before the socket is ready: a connect in
 * progress shows no error yet and would be taken for a success.
 */
static enum link_news
step_connecting(struct link *l)
{
	struct pollfd	 pfd = { .fd = PQsocket(l->conn), .events = l->wants };

	if (late(l))
		return lose(l, "time-out while connecting");
	if (poll(&pfd, 1, 0) <= 0)
		return LINK_NOTHING;

	switch (PQconnectPoll(l->conn)) {
	case PGRES_POLLING_READING:
		l->wants = POLLIN;
		return LINK_NOTHING;
	case PGRES_POLLING_WRITING:
		l->wants = POLLOUT;
		return LINK_NOTHING;
	case PGRES_POLLING_OK:
		return begin_listening(l);
	default:
		return lose_conn(l);
	}
}

static enum link_news
take_notify(struct link *l, PGnotify *note)
{
	size_t	 n = strnlen(note->extra, PAYLOAD_SIZE - 1);

	memcpy(l->payload, note->extra, n);
	l->payload[n] = '\0';
	PQfreemem(note);
	return LINK_NOTIFIED;
}

/* The statement in hand has been answered to its end. */
static enum link_news
finish(struct link *l)
{
	enum phase	 was = l->phase;

	enter(l, PHASE_IDLE);
	if (was == PHASE_LISTENING) {
		PQclear(l->res);
		l->res = NULL;
		if (l->complained)
			log_info("link: database is back");
		l->complained = false;
		return LINK_READY;
	}
	/*
	 * Only now: where each connection takes its LISTEN and fails its first
	 * query, the pauses must go on growing.
	 */
	l->backoff_ms = BACKOFF_MIN_MS;
	return LINK_ROWS;
}

/*
 * A statement of ours that fails (a schema behind, a time-out on the server)
 * is answered like a lost connection: everything is asked again, later.
 */
static enum link_news
collect(struct link *l)
{
	PGresult	*res;
	ExecStatusType	 status;

	while (!PQisBusy(l->conn)) {
		if ((res = PQgetResult(l->conn)) == NULL)
			return finish(l);
		PQclear(l->res);
		l->res = res;
		status = PQresultStatus(res);
		if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
			return lose(l, pq_error(PQresultErrorMessage(res)));
	}
	if (late(l))
		return lose(l, "time-out of a statement");
	return LINK_NOTHING;
}

static enum link_news
step_talking(struct link *l)
{
	PGnotify	*note;

	if (flush(l) == -1 || PQconsumeInput(l->conn) == 0 ||
	    PQstatus(l->conn) == CONNECTION_BAD)
		return lose_conn(l);
	if ((note = PQnotifies(l->conn)) != NULL)
		return take_notify(l, note);
	return l->phase == PHASE_IDLE ? LINK_NOTHING : collect(l);
}

enum link_news
link_step(struct link *l)
{
	switch (l->phase) {
	case PHASE_DOWN:
		return start(l);
	case PHASE_CONNECTING:
		return step_connecting(l);
	default:
		return step_talking(l);
	}
}

int
link_ask(struct link *l, struct arena *a, enum query q,
    const struct db_arg *args, size_t nargs)
{
	struct pq_params	 p = pq_params(a, args, nargs);

	if (l->phase != PHASE_IDLE)
		return -1;
	PQclear(l->res);
	l->res = NULL;
	if (PQsendQueryParams(l->conn, queries[q].sql, (int)nargs, p.types,
	    p.values, p.lengths, p.formats, 0) == 0)
		return -1;
	enter(l, PHASE_ASKING);
	return flush(l);
}

struct db_rows *
link_rows(struct link *l, struct arena *a)
{
	PGresult	*res = l->res;

	l->res = NULL;
	return pq_rows(a, res);
}
