/*
 * The pieces of libpq that the blocking connection (db.c) and the one in the
 * event loop (link.c) have in common: connecting, parameters, rows.
 */
#include "data/pq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/log.h"

/*
 * A dead peer must not hold locks or a caller for hours: contracts/platform.md,
 * "PostgreSQL", row FOR UPDATE SKIP LOCKED.
 */
#define SESSION_OPTIONS \
	"-c idle_in_transaction_session_timeout=10s" \
	" -c client_connection_check_interval=2s" \
	" -c jit=off"

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20 };

/* libpq would print them to stderr, past the log. */
static void
on_notice(void *unused, const char *message)
{
	(void)unused;
	log_debug("db: notice", F_STR("text", pq_error(message)));
}

const char *
pq_direct_url(const struct conf *conf)
{
	return conf_has_pool(conf) ? conf->db_direct_url : conf->db_url;
}

PGconn *
pq_connect_start(const char *url, enum pq_way way, const char *name)
{
	const char *const keywords[] = { "dbname", "application_name",
	    "client_encoding", "keepalives", "keepalives_idle",
	    "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	    way == PQ_DIRECT ? "options" : NULL, NULL };
	const char *const values[] = { url, name, "UTF8", "1", "5", "5", "2",
	    "15000", SESSION_OPTIONS, NULL };
	PGconn	*conn;

	/*
	 * Parameters of their own, which a pool hands on to each session that
	 * it lends; libpq has no keyword for them.
	 */
	if (setenv("PGTZ", "UTC", 1) == -1 ||
	    setenv("PGDATESTYLE", "ISO, MDY", 1) == -1)
		return NULL;
	conn = PQconnectStartParams(keywords, values, 1);
	if (conn != NULL)
		PQsetNoticeProcessor(conn, on_notice, NULL);
	return conn;
}

struct pq_params
pq_params(struct arena *a, const struct db_arg *args, size_t n)
{
	Oid		 *types = arena_alloc(a, (n + 1) * sizeof(*types));
	const char	**values = arena_alloc(a, (n + 1) * sizeof(*values));
	int		 *lengths = arena_alloc(a, (n + 1) * sizeof(*lengths));
	int		 *formats = arena_alloc(a, (n + 1) * sizeof(*formats));

	for (size_t i = 0; i < n; i++) {
		types[i] = args[i].type;
		values[i] = args[i].digits[0] != '\0' ? args[i].digits :
		    args[i].p;
		lengths[i] = args[i].len;
		formats[i] = args[i].binary;
	}
	return (struct pq_params){ types, values, lengths, formats };
}

static void
clear_result(void *res)
{
	PQclear(res);
}

struct db_rows *
pq_rows(struct arena *a, PGresult *res)
{
	struct db_rows	*rows = arena_alloc(a, sizeof(*rows));

	rows->res = res;
	arena_defer(a, clear_result, res);
	return rows;
}

const char *
pq_error(const char *message)
{
	static char	 line[256];
	size_t		 n;

	if (message == NULL)
		message = "";
	n = strcspn(message, "\n");
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	memcpy(line, message, n);
	line[n] = '\0';
	return line;
}

struct db_arg
db_int(int64_t n)
{
	struct db_arg	 arg = { .type = OID_INT8 };

	snprintf(arg.digits, sizeof(arg.digits), "%lld", (long long)n);
	return arg;
}

struct db_arg
db_bool(bool yes)
{
	struct db_arg	 arg = { .type = OID_BOOL };

	arg.digits[0] = yes ? 't' : 'f';
	return arg;
}

struct db_arg
db_text(const char *text)
{
	return (struct db_arg){ .p = text };
}

struct db_arg
db_bytes(struct bytes bytes)
{
	return (struct db_arg){ .p = bytes.p != NULL ? bytes.p : "",
	    .len = (int)bytes.len, .binary = 1, .type = OID_BYTEA };
}

struct db_arg
db_null(void)
{
	return (struct db_arg){ .p = NULL };
}

struct db_arg
db_array(const struct buf *column, unsigned int type, size_t n)
{
	return (struct db_arg){ .p = column->data, .len = (int)column->len,
	    .binary = 1, .type = type, .elements = n };
}

size_t
rows_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->res);
}

/* A column that a statement does not have is our own mistake. */
static int
column(const struct db_rows *rows, const char *name)
{
	int	 i = PQnfields(rows->res) - 1;

	/* As it is: PQfnumber() would fold it to lower case. */
	while (i >= 0 && strcmp(PQfname(rows->res, i), name) != 0)
		i--;

	if (i < 0) {
		fprintf(stderr, "no column %s\n", name);
		abort();
	}
	return i;
}

bool
rows_null(const struct db_rows *rows, size_t i, const char *col)
{
	return PQgetisnull(rows->res, (int)i, column(rows, col));
}

const char *
rows_text(const struct db_rows *rows, size_t i, const char *col)
{
	int	 c = column(rows, col);

	return PQgetisnull(rows->res, (int)i, c) ? NULL :
	    PQgetvalue(rows->res, (int)i, c);
}

int64_t
rows_int(const struct db_rows *rows, size_t i, const char *col)
{
	const char	*text = rows_text(rows, i, col);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

bool
rows_bool(const struct db_rows *rows, size_t i, const char *col)
{
	const char	*text = rows_text(rows, i, col);

	return text != NULL && text[0] == 't';
}

/* "{1,2,3}" */
const int64_t *
rows_ints(const struct db_rows *rows, size_t i, const char *col,
    struct arena *a, size_t *n)
{
	const char	*p = rows_text(rows, i, col);
	size_t		 most = 1;
	int64_t		*list;
	char		*end;

	*n = 0;
	if (p == NULL || *p++ != '{')
		return NULL;
	for (const char *c = p; (c = strchr(c, ',')) != NULL; c++)
		most++;
	list = arena_alloc(a, most * sizeof(*list));
	for (; *p != '\0' && *p != '}'; p = *end == ',' ? end + 1 : end) {
		list[*n] = strtoll(p, &end, 10);
		if (end == p)
			break;
		(*n)++;
	}
	return list;
}

struct bytes
rows_bytes(const struct db_rows *rows, size_t i, const char *col,
    struct arena *a)
{
	const char	*text = rows_text(rows, i, col);
	unsigned char	*raw;
	char		*copy;
	size_t		 n;

	if (text == NULL ||
	    (raw = PQunescapeBytea((const unsigned char *)text, &n)) == NULL)
		return (struct bytes){ NULL, 0 };
	copy = arena_alloc(a, n + 1);
	memcpy(copy, raw, n);
	PQfreemem(raw);
	return (struct bytes){ copy, n };
}
