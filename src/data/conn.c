/* One libpq connection, blocking, each step under a deadline. */
#include "data/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"

int
conn_wait(PGconn *conn, short events, int64_t deadline_ms)
{
	struct pollfd	 pfd = { .fd = PQsocket(conn), .events = events };
	int		 n;

	do
		n = poll(&pfd, 1, clock_left_ms(deadline_ms));
	while (n == -1 && errno == EINTR);
	return n > 0 ? 0 : -1;
}

static int
finish_connecting(PGconn *conn, int64_t deadline_ms)
{
	PostgresPollingStatusType	 next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK) {
		short	 events = next == PGRES_POLLING_READING ? POLLIN :
		    POLLOUT;

		if (next == PGRES_POLLING_FAILED ||
		    PQstatus(conn) == CONNECTION_BAD ||
		    conn_wait(conn, events, deadline_ms) == -1)
			return -1;
		next = PQconnectPoll(conn);
	}
	return 0;
}

static bool
is_error(const PGresult *res)
{
	return res != NULL && PQresultErrorField(res, PG_DIAG_SQLSTATE) != NULL;
}

int
conn_next_result(PGconn *conn, int64_t deadline_ms, PGresult **res)
{
	while (PQisBusy(conn))
		if (conn_wait(conn, POLLIN, deadline_ms) == -1 ||
		    PQconsumeInput(conn) == 0)
			return -1;
	*res = PQgetResult(conn);
	return 0;
}

/* What is left of the connection is why it ended, if that was said. */
static PGresult *
last_words(PGresult *last)
{
	if (is_error(last))
		return last;
	PQclear(last);
	return NULL;
}

PGresult *
conn_collect(PGconn *conn, int64_t deadline_ms)
{
	PGresult	*last = NULL, *res;

	while (conn_next_result(conn, deadline_ms, &res) == 0) {
		if (res == NULL)
			return last;
		if (is_error(last)) {
			PQclear(res);
			continue;
		}
		PQclear(last);
		last = res;
	}
	return last_words(last);
}

PGresult *
conn_collect_sync(PGconn *conn, size_t number, int64_t deadline_ms)
{
	PGresult	*kept = NULL, *res;
	size_t		 i = 0;

	while (conn_next_result(conn, deadline_ms, &res) == 0) {
		if (res == NULL) {
			/* libpq has given up, and forgotten what was sent. */
			if (PQstatus(conn) != CONNECTION_OK)
				break;
			i++;
		} else if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
			PQclear(res);
			if (PQexitPipelineMode(conn) == 1)
				return kept;
			PQclear(kept);
			return NULL;
		} else if (!is_error(kept) && (i == number || is_error(res))) {
			PQclear(kept);
			kept = res;
		} else {
			PQclear(res);
		}
	}
	return last_words(kept);
}

bool
conn_is_turned_away(const PGresult *res)
{
	static const char	 words[] = "server login has been failing";
	const char		*said = PQresultErrorField(res,
				    PG_DIAG_MESSAGE_PRIMARY);

	return said != NULL && strncmp(said, words, strlen(words)) == 0;
}

enum conn_ran
conn_run(PGconn *conn, const char *sql, int64_t deadline_ms,
    const char **why)
{
	PGresult	*res = NULL;
	ExecStatusType	 status;
	enum conn_ran	 ran = CONN_FAILED;

	if (PQsendQuery(conn, sql) == 1)
		res = conn_collect(conn, deadline_ms);
	status = PQresultStatus(res);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		ran = CONN_RAN;
	else if (conn_is_turned_away(res))
		ran = CONN_NOT_RUN;
	else if (res == NULL || PQstatus(conn) != CONNECTION_OK)
		ran = CONN_LOST;
	if (ran != CONN_RAN)
		*why = pq_error(PQerrorMessage(conn));
	PQclear(res);
	return ran;
}

PGconn *
conn_open(const char *url, enum pq_way way, const char *name,
    int64_t deadline_ms, const char **why)
{
	PGconn	*conn = pq_connect_start(url, way, name);

	/* Before it sent a byte, libpq may quote the url, secret and all. */
	if (conn == NULL || PQstatus(conn) == CONNECTION_BAD)
		*why = "the url is malformed, or its host is unknown or "
		    "refuses";
	else if (finish_connecting(conn, deadline_ms) == -1)
		*why = pq_error(PQerrorMessage(conn));
	else
		return conn;
	PQfinish(conn);
	return NULL;
}

bool
conn_is_closed(PGconn *conn)
{
	char	 c;
	ssize_t	 n;

	while ((n = recv(PQsocket(conn), &c, 1, MSG_PEEK | MSG_DONTWAIT)) > 0)
		if (PQconsumeInput(conn) == 0)
			return true;
	return n == 0 || (errno != EAGAIN && errno != EINTR) ||
	    PQstatus(conn) != CONNECTION_OK;
}
