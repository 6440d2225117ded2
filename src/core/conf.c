/*
 * The settings: one table, and what reads and prints it.  A setting is a row
 * here, a field in struct conf and a line in conf/lockstep.conf.example; the
 * name of its environment variable follows from its own.
 */

#include "core/conf.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"

#define ENV_PREFIX	"LOCKSTEP_"
#define ENV_NAME_SIZE	64
#define SECRET_FILE_MAX	4096
#define MASK		"********"

enum type {
	CONF_STRING,
	CONF_PATH,		/* absolute */
	CONF_LOG_FILE,		/* the same, or "-" */
	CONF_URL,
	CONF_SECRET,		/* a string that is never shown */
	CONF_INT,
	CONF_MODE,
	CONF_MSEC,
	CONF_SIZE,
	CONF_BOOL,
	CONF_LEVEL,
};

struct key {
	const char	*name;		/* "section.key", or "key" */
	enum type	 type;
	size_t		 offset;	/* in struct conf */
	const char	*def;		/* NULL: must be set */
	int64_t		 min, max;	/* of numbers; ms, bytes */
	const char	*help;
};

#define AT(field)	offsetof(struct conf, field)

#define SEC		INT64_C(1000)
#define MIN		(60 * SEC)
#define HOUR		(60 * MIN)
#define DAY		(24 * HOUR)
#define KB		INT64_C(1024)
#define MB		(1024 * KB)

/* Keys of a section stand together: conf_print() goes by that. */
static const struct key keys[] = {
	{ "run_dir", CONF_PATH, AT(run_dir), "/run/lockstep", 0, 0,
	    "Directory of the sockets and of lockstep.pid." },
	{ "key_file", CONF_PATH, AT(key_file), "/etc/lockstep/key", 0, 0,
	    "File with the key that logins are sealed with." },
	{ "request_timeout", CONF_MSEC, AT(request_timeout_ms), "30s",
	    SEC, 10 * MIN,
	    "A worker that is longer at one request is killed." },
	{ "shutdown_timeout", CONF_MSEC, AT(shutdown_timeout_ms), "15s",
	    SEC, 10 * MIN,
	    "How long workers may finish what is in hand at the end." },
	{ "max_requests", CONF_INT, AT(max_requests), "100000",
	    1, 1000000000,
	    "Requests after which a worker is replaced by a new one." },
	{ "body_max", CONF_SIZE, AT(body_max), "64k", KB, 8 * MB,
	    "Largest request body." },

	{ "log.file", CONF_LOG_FILE, AT(log_file), "-", 0, 0,
	    "File that log lines are appended to, or - for stderr." },
	{ "log.level", CONF_LEVEL, AT(log_level), "info",
	    LOG_DEBUG, LOG_ERROR,
	    "Lines below this level are not written." },

	{ "socket.mode", CONF_MODE, AT(socket_mode), "0660", 0600, 0777,
	    "Permissions of the sockets, octal." },
	{ "socket.group", CONF_STRING, AT(socket_group), "", 0, 0,
	    "Group of the sockets; empty leaves it as it is." },

	{ "db.url", CONF_SECRET, AT(db_url), NULL, 0, 0,
	    "PostgreSQL, as libpq takes it." },
	{ "db.direct_url", CONF_SECRET, AT(db_direct_url), "", 0, 0,
	    "The same past the pool, where db.url leads to one." },
	{ "db.timeout", CONF_MSEC, AT(db_timeout_ms), "1500ms",
	    100, 60 * SEC,
	    "Longest wait for the database within a request." },
	{ "db.job_timeout", CONF_MSEC, AT(db_job_timeout_ms), "30s",
	    SEC, 10 * MIN,
	    "Longest wait for the database within a job." },
	{ "db.prepare", CONF_BOOL, AT(db_prepare), "on", 0, 1,
	    "Prepared statements; off behind PgBouncer before 1.21." },

	{ "api.workers", CONF_INT, AT(api_workers), "4", 1, 256,
	    "Processes that answer from the database alone." },

	{ "live.workers", CONF_INT, AT(live_workers), "8", 1, 256,
	    "Processes that ask the partner within a request." },
	{ "live.deadline", CONF_MSEC, AT(live_deadline_ms), "10s",
	    100, 60 * SEC,
	    "Longest time the partner may take within a request." },
	{ "live.fanout", CONF_INT, AT(live_fanout), "20", 1, 100,
	    "Calls to the partner at once for one request." },

	{ "stream.workers", CONF_INT, AT(stream_workers), "1", 1, 16,
	    "Processes that hold connections that stay open." },
	{ "stream.ping", CONF_MSEC, AT(stream_ping_ms), "15s",
	    100, 60 * SEC,
	    "A silent stream gets a comment line this often." },
	{ "stream.max_clients", CONF_INT, AT(stream_max_clients), "8000",
	    1, 100000,
	    "Open connections of one stream process." },
	{ "stream.buffer_max", CONF_SIZE, AT(stream_buffer_max), "256k",
	    16 * KB, 8 * MB,
	    "A client with more than this unread is dropped." },
	{ "stream.max_age", CONF_MSEC, AT(stream_max_age_ms), "1h",
	    SEC, 24 * HOUR,
	    "A stream is ended after this; clients resume by themselves." },

	{ "jobs.workers", CONF_INT, AT(jobs_workers), "4", 1, 256,
	    "Processes that run jobs, one job each at a time." },
	{ "jobs.lease", CONF_MSEC, AT(jobs_lease_ms), "20s",
	    SEC, 10 * MIN,
	    "A job whose worker is silent for this long is taken up anew." },
	{ "jobs.heartbeat", CONF_MSEC, AT(jobs_heartbeat_ms), "5s",
	    100, 5 * MIN,
	    "How often a worker renews its lease; under half of it." },
	{ "jobs.keep", CONF_MSEC, AT(jobs_keep_ms), "90d",
	    HOUR, 3650 * DAY,
	    "How long ended jobs stay readable." },

	{ "events.keep", CONF_MSEC, AT(events_keep_ms), "7d",
	    HOUR, 3650 * DAY,
	    "How long a client may be away and still get what it missed." },

	{ "schedule.sync", CONF_STRING, AT(schedule_sync), "*/30 * * * *",
	    0, 0,
	    "When every account is synced, as in crontab; empty: never." },
	{ "schedule.jitter", CONF_MSEC, AT(schedule_jitter_ms), "10min",
	    0, DAY,
	    "Accounts are spread over this long after that time." },

	{ "partner.url", CONF_URL, AT(partner_url),
	    "https://partner-api.yelp.com", 0, 0,
	    "Where the partner API is." },
	{ "partner.concurrency", CONF_INT, AT(partner_concurrency), "8",
	    1, 64,
	    "Calls to the partner at once for one sync." },
	{ "partner.concurrency_start", CONF_INT,
	    AT(partner_concurrency_start), "6", 1, 64,
	    "How many of them a sync starts with; more as answers come." },
	{ "partner.rate", CONF_INT, AT(partner_rate), "0", 0, 100000,
	    "Calls a second for one account and method; 0 sets no limit." },
	{ "partner.burst", CONF_INT, AT(partner_burst), "10", 1, 100000,
	    "Calls that may come at once after a quiet time." },
	{ "partner.reserve", CONF_INT, AT(partner_reserve), "20", 0, 90,
	    "Percent of the burst that only waiting people may take." },
	{ "partner.connect_timeout", CONF_MSEC,
	    AT(partner_connect_timeout_ms), "10s", 100, 60 * SEC,
	    "Longest wait for a connection to the partner." },
	{ "partner.timeout", CONF_MSEC, AT(partner_timeout_ms), "30s",
	    100, 5 * MIN,
	    "Longest time for one call to the partner." },
	{ "partner.body_max", CONF_SIZE, AT(partner_body_max), "8m",
	    64 * KB, 64 * MB,
	    "Largest answer of the partner." },
	{ "partner.retries", CONF_INT, AT(partner_retries), "3", 0, 10,
	    "Further attempts at a call that failed." },
	{ "partner.retry_base", CONF_MSEC, AT(partner_retry_base_ms), "1s",
	    1, 60 * SEC,
	    "Wait before the first further attempt; it doubles each time." },

	{ "analytics.url", CONF_URL, AT(analytics_url),
	    "https://seller-analytics-api.wildberries.ru", 0, 0,
	    "Where the sellers' analytics API is." },
	{ "analytics.funnel_interval", CONF_MSEC,
	    AT(analytics_funnel_interval_ms), "20500ms", 1, DAY,
	    "Between two calls for figures of one seller." },
	{ "analytics.texts_interval", CONF_MSEC,
	    AT(analytics_texts_interval_ms), "20500ms", 1, DAY,
	    "Between two calls for search texts of one seller." },
	{ "analytics.base_funnel_interval", CONF_MSEC,
	    AT(analytics_base_funnel_interval_ms), "1830s", 1, DAY,
	    "The same for figures when the seller's token is a base one." },
	{ "analytics.base_texts_interval", CONF_MSEC,
	    AT(analytics_base_texts_interval_ms), "3660s", 1, DAY,
	    "The same for search texts when the token is a base one." },
	{ "analytics.batch_pause", CONF_MSEC, AT(analytics_batch_pause_ms),
	    "0ms", 0, DAY,
	    "Rest between what was saved and the next call of a run." },
	{ "analytics.texts_limit", CONF_INT, AT(analytics_texts_limit), "30",
	    1, 100,
	    "Search texts for each product; over 30 needs a higher plan." },
	{ "analytics.timeout", CONF_MSEC, AT(analytics_timeout_ms), "60s",
	    100, 5 * MIN,
	    "Longest time for one call to the analytics API." },
	{ "analytics.body_max", CONF_SIZE, AT(analytics_body_max), "16m",
	    64 * KB, 64 * MB,
	    "Largest answer of the analytics API." },
	{ "analytics.retries", CONF_INT, AT(analytics_retries), "3", 0, 10,
	    "Further attempts at a call that failed." },
	{ "analytics.schedule", CONF_STRING, AT(analytics_schedule),
	    "0 2 * * *", 0, 0,
	    "When every seller is synced, by the seller's clock; as crontab." },
	{ "analytics.token_warning", CONF_MSEC,
	    AT(analytics_token_warning_ms), "14d", 0, 365 * DAY,
	    "A token that expires within this is warned about." },

	{ "auth.lifetime", CONF_MSEC, AT(auth_lifetime_ms), "1h",
	    SEC, 30 * DAY,
	    "How long a login is good before the partner is asked again." },
	{ "auth.refusal_memory", CONF_MSEC, AT(auth_refusal_memory_ms), "60s",
	    SEC, HOUR,
	    "How long a refused login is remembered." },
	{ "auth.refusals_per_name", CONF_INT, AT(auth_refusals_per_name), "5",
	    1, 1000,
	    "Refused logins a minute for one name, then 429." },
	{ "auth.refusals_per_address", CONF_INT,
	    AT(auth_refusals_per_address), "20", 1, 10000,
	    "Refused logins a minute from one address, then 429." },

	{ "names.max_age", CONF_MSEC, AT(names_max_age_ms), "24h",
	    SEC, 365 * DAY,
	    "A business's name is asked for anew after this." },
	{ "names.retry", CONF_MSEC, AT(names_retry_ms), "15min",
	    SEC, 30 * DAY,
	    "A name that could not be asked for is left alone for this." },

	{ "sync.wait_max", CONF_MSEC, AT(sync_wait_max_ms), "5min",
	    SEC, HOUR,
	    "A sync request that takes longer is answered with 202." },
	{ "programs.full_every", CONF_MSEC, AT(programs_full_every_ms),
	    "15min", SEC, 30 * DAY,
	    "After this long a quick check is followed by a full reading." },
	{ "programs.retire_max_share", CONF_INT,
	    AT(programs_retire_max_share), "10", 0, 100,
	    "Percent of an account's programs that one reading may retire." },
};

/* Largest first: a value is printed in the first that divides it. */
struct unit {
	const char	*name;
	int64_t		 factor;
};
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit size_units[] = {
	{ "m", MB }, { "k", KB }, { NULL, 0 }
};
static const struct unit msec_units[] = {
	{ "d", DAY }, { "h", HOUR }, { "min", MIN }, { "s", SEC }, { "ms", 1 },
	{ NULL, 0 }
};

/* A load under way. */
struct loader {
	struct conf	*conf;
	const char	*path;
	FILE		*file;
	int		 line;
	const char	*variable;	/* in hand; NULL while in the file */
	bool		 seen[nitems(keys)];
	char		*err;		/* CONF_ERR_SIZE; "" when all is well */
};

static int	fail(struct loader *, const char *, const char *, ...)
		    PRINTF_LIKE(3, 4);

/*
 * Notes what is wrong, and where: with the setting of this name, or with the
 * line as such when it is NULL.  Always -1.
 */
static int
fail(struct loader *l, const char *name, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 n = 0;

	if (l->variable != NULL)
		n = (size_t)snprintf(l->err, CONF_ERR_SIZE, "%s: ",
		    l->variable);
	else if (name != NULL)
		n = (size_t)snprintf(l->err, CONF_ERR_SIZE, "%s:%d: %s: ",
		    l->path, l->line, name);
	else
		n = (size_t)snprintf(l->err, CONF_ERR_SIZE, "%s:%d: ",
		    l->path, l->line);
	if (n >= CONF_ERR_SIZE)
		return -1;

	va_start(ap, fmt);
	vsnprintf(l->err + n, CONF_ERR_SIZE - n, fmt, ap);
	va_end(ap);
	return -1;
}

static bool
is_text(const struct key *k)
{
	return k->type <= CONF_SECRET;
}

static const char **
text_at(const struct conf *c, const struct key *k)
{
	return (const char **)((char *)(uintptr_t)c + k->offset);
}

static const struct unit *
units_of(const struct key *k)
{
	if (k->type == CONF_MSEC)
		return msec_units;
	if (k->type == CONF_SIZE)
		return size_units;
	return plain_units;
}

static int64_t
get_number(const struct conf *c, const struct key *k)
{
	const char	*p = (const char *)c + k->offset;

	if (k->type == CONF_BOOL)
		return *(const bool *)p;
	return *(const int64_t *)p;
}

static void
put_number(struct conf *c, const struct key *k, int64_t n)
{
	char	*p = (char *)c + k->offset;

	if (k->type == CONF_BOOL)
		*(bool *)p = n != 0;
	else
		*(int64_t *)p = n;
}

/* A number as it is written in the file. */
static char *
format_number(const struct key *k, int64_t n, char out[32])
{
	const struct unit	*u = units_of(k);

	if (k->type == CONF_BOOL) {
		snprintf(out, 32, "%s", n != 0 ? "on" : "off");
	} else if (k->type == CONF_LEVEL) {
		snprintf(out, 32, "%s", log_level_name((enum log_level)n));
	} else if (k->type == CONF_MODE) {
		snprintf(out, 32, "%04llo", (unsigned long long)n);
	} else {
		while (n % u->factor != 0 && u[1].name != NULL)
			u++;
		snprintf(out, 32, "%lld%s", (long long)(n / u->factor),
		    u->name);
	}
	return out;
}

/* Digits and a unit, nothing else: no sign, no blanks. */
static int
parse_units(const char *s, int base, const struct unit *u, int64_t *out)
{
	char		*end;
	long long	 n;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	n = strtoll(s, &end, base);
	while (u->name != NULL && strcmp(end, u->name) != 0)
		u++;
	if (errno != 0 || u->name == NULL || n > INT64_MAX / u->factor)
		return -1;
	*out = n * u->factor;
	return 0;
}

static int
parse_number(const struct key *k, const char *s, int64_t *out)
{
	char	 name[32];
	int64_t	 n;

	if (k->type == CONF_BOOL || k->type == CONF_LEVEL) {
		for (n = k->min; n <= k->max; n++) {
			if (strcmp(s, format_number(k, n, name)) == 0) {
				*out = n;
				return 0;
			}
		}
		return -1;
	}
	if (parse_units(s, k->type == CONF_MODE ? 8 : 10, units_of(k),
	    out) == -1)
		return -1;
	return *out < k->min || *out > k->max ? -1 : 0;
}

static int
fail_number(struct loader *l, const struct key *k)
{
	static const char *const kinds[] = {
		[CONF_INT] = "a whole number",
		[CONF_MODE] = "an octal mode",
		[CONF_MSEC] = "a duration with its unit (ms, s, min, h, d)",
		[CONF_SIZE] = "a size with its unit (k, m)",
	};
	char	 min[32], max[32];

	if (k->type == CONF_BOOL)
		return fail(l, k->name, "must be on or off");
	if (k->type == CONF_LEVEL)
		return fail(l, k->name,
		    "must be debug, info, warn or error");
	return fail(l, k->name, "must be %s from %s to %s", kinds[k->type],
	    format_number(k, k->min, min), format_number(k, k->max, max));
}

static int
check_url(struct loader *l, const struct key *k, const char *s)
{
	const char	*host, *p;

	if (strncmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (strncmp(s, "http://", 7) == 0)
		host = s + 7;
	else
		return fail(l, k->name, "must begin with https:// or http://");
	if (*host == '\0' || strchr("/:?#", *host) != NULL)
		return fail(l, k->name, "must name a host");
	if (strchr(host, '@') != NULL)
		return fail(l, k->name, "must hold no user name or password");
	for (p = host; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || *p == '?' || *p == '#')
			return fail(l, k->name, "must be a host, a port and "
			    "a path at most");
	}
	return 0;
}

static int
check_text(struct loader *l, const struct key *k, const char *s)
{
	const char	*p;

	for (p = s; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			return fail(l, k->name,
			    "must not hold control characters");
	}
	if (k->type == CONF_URL)
		return check_url(l, k, s);
	if (k->type == CONF_PATH && *s != '/')
		return fail(l, k->name, "must be an absolute path");
	if (k->type == CONF_LOG_FILE && *s != '/' && strcmp(s, "-") != 0)
		return fail(l, k->name, "must be an absolute path, or -");
	return 0;
}

static void
put_text(struct conf *c, const struct key *k, const char *s)
{
	const char	**to = text_at(c, k);
	size_t		  len = strlen(s);
	char		 *copy;

	while (k->type == CONF_URL && len > 0 && s[len - 1] == '/')
		len--;
	if ((copy = strndup(s, len)) == NULL)
		fatal("conf: out of memory");
	free((char *)(uintptr_t)*to);
	*to = copy;
}

static int
put_value(struct loader *l, const struct key *k, const char *s)
{
	int64_t	 n;

	if (is_text(k)) {
		if (check_text(l, k, s) == -1)
			return -1;
		put_text(l->conf, k, s);
		return 0;
	}
	if (parse_number(k, s, &n) == -1)
		return fail_number(l, k);
	put_number(l->conf, k, n);
	return 0;
}

static void
put_defaults(struct loader *l)
{
	size_t	 i;

	l->variable = "default";
	for (i = 0; i < nitems(keys); i++) {
		if (put_value(l, &keys[i], keys[i].def != NULL ?
		    keys[i].def : "") == -1)
			fatal("conf: bad default", F_STR("key", keys[i].name));
	}
	l->variable = NULL;
}

/*
 * fgets for inih.  Counts lines, and keeps from inih what it would misread: a
 * line longer than its buffer, whose rest it takes for another line, and an
 * indented one, which it takes for more of the one before.
 */
static char *
next_line(char *s, int size, void *loader)
{
	struct loader	*l = loader;
	size_t		 len, indent;

	if (l->err[0] != '\0' || fgets(s, size, l->file) == NULL)
		return NULL;
	l->line++;
	len = strlen(s);
	if ((len == 0 || s[len - 1] != '\n') && !feof(l->file)) {
		fail(l, NULL, "line is longer than %d bytes; a long value may "
		    "come from the environment", size - 2);
		return NULL;
	}
	indent = strspn(s, " \t");
	memmove(s, s + indent, len - indent + 1);
	return s;
}

/* One "name = value" for inih: 1 when it is good. */
static int
take_line(void *loader, const char *section, const char *name,
    const char *value)
{
	struct loader	*l = loader;
	char		 full[128];
	size_t		 i;

	snprintf(full, sizeof(full), "%s%s%s", section,
	    *section != '\0' ? "." : "", name);
	for (i = 0; i < nitems(keys); i++) {
		if (strcmp(full, keys[i].name) == 0)
			break;
	}
	/* A dot in the name itself would be a second spelling. */
	if (i == nitems(keys) || strchr(name, '.') != NULL) {
		fail(l, full, "no such setting");
		return 0;
	}
	if (l->seen[i]) {
		fail(l, full, "is set twice");
		return 0;
	}
	l->seen[i] = true;
	return put_value(l, &keys[i], value) == 0;
}

static int
read_conf_file(struct loader *l)
{
	int	 rc;

	if ((l->file = fopen(l->path, "re")) == NULL) {
		snprintf(l->err, CONF_ERR_SIZE, "%s: %s", l->path,
		    strerror(errno));
		return -1;
	}
	errno = 0;
	rc = ini_parse_stream(next_line, l, take_line, l);
	if (l->err[0] == '\0' && ferror(l->file)) {
		snprintf(l->err, CONF_ERR_SIZE, "%s: %s", l->path,
		    strerror(errno));
	} else if (l->err[0] == '\0' && rc != 0) {
		l->line = rc;
		fail(l, NULL, "must be [section] or key = value");
	}
	fclose(l->file);
	return l->err[0] == '\0' ? 0 : -1;
}

/* LOCKSTEP_DB_URL for db.url. */
static void
env_name(const struct key *k, char out[ENV_NAME_SIZE])
{
	char	*p;

	snprintf(out, ENV_NAME_SIZE, ENV_PREFIX "%s", k->name);
	for (p = out; *p != '\0'; p++)
		*p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
}

static bool
env_is_known(const char *name, size_t len)
{
	char	 known[ENV_NAME_SIZE];
	size_t	 i, n;

	/* Not a setting: where tools look for a build. */
	if (len == 14 && memcmp(name, ENV_PREFIX "BUILD", len) == 0)
		return true;
	for (i = 0; i < nitems(keys); i++) {
		env_name(&keys[i], known);
		n = strlen(known);
		if (len < n || memcmp(name, known, n) != 0)
			continue;
		if (len == n || (keys[i].type == CONF_SECRET &&
		    len == n + 5 && memcmp(name + n, "_FILE", 5) == 0))
			return true;
	}
	return false;
}

/* A typing error in a name must not go unseen. */
static int
check_env_names(struct loader *l)
{
	char	**e, *name;
	size_t	  len;

	for (e = environ; e != NULL && *e != NULL; e++) {
		len = strcspn(*e, "=");
		if (strncmp(*e, ENV_PREFIX, strlen(ENV_PREFIX)) != 0 ||
		    env_is_known(*e, len))
			continue;
		if ((name = strndup(*e, len)) == NULL)
			fatal("conf: out of memory");
		l->variable = name;
		fail(l, NULL, "no such setting");
		l->variable = NULL;
		free(name);
		return -1;
	}
	return 0;
}

static int
read_secret_file(struct loader *l, const char *path, char *out, size_t size)
{
	FILE	*f;
	size_t	 len;
	int	 bad;

	if ((f = fopen(path, "re")) == NULL)
		return fail(l, NULL, "%s: %s", path, strerror(errno));
	errno = 0;
	len = fread(out, 1, size, f);
	bad = ferror(f) ? errno : 0;
	fclose(f);
	if (bad != 0)
		return fail(l, NULL, "%s: %s", path, strerror(bad));
	if (len == size)
		return fail(l, NULL, "%s: longer than %zu bytes", path,
		    size - 1);
	if (len > 0 && out[len - 1] == '\n')
		len--;
	if (memchr(out, '\0', len) != NULL)
		return fail(l, NULL, "%s: must not hold control characters",
		    path);
	out[len] = '\0';
	return 0;
}

static int
read_secret_env(struct loader *l, const struct key *k, const char *name)
{
	char		 secret[SECRET_FILE_MAX + 1];
	char		 file_name[ENV_NAME_SIZE + 5];
	const char	*path;
	int		 rc;

	snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	if ((path = getenv(file_name)) == NULL)
		return 0;
	l->variable = file_name;
	if (getenv(name) != NULL) {
		rc = fail(l, NULL, "cannot be set together with %s", name);
	} else {
		rc = read_secret_file(l, path, secret, sizeof(secret));
		if (rc == 0)
			rc = put_value(l, k, secret);
		explicit_bzero(secret, sizeof(secret));
	}
	l->variable = NULL;
	return rc;
}

static int
read_env(struct loader *l)
{
	char		 name[ENV_NAME_SIZE];
	const char	*value;
	size_t		 i;
	int		 rc = check_env_names(l);

	for (i = 0; rc == 0 && i < nitems(keys); i++) {
		env_name(&keys[i], name);
		if (keys[i].type == CONF_SECRET)
			rc = read_secret_env(l, &keys[i], name);
		if (rc == -1 || (value = getenv(name)) == NULL)
			continue;
		l->variable = name;
		rc = put_value(l, &keys[i], value);
		l->variable = NULL;
	}
	return rc;
}

/* What no single value shows. */
static int
check_together(struct loader *l)
{
	const struct conf	*c = l->conf;
	const char		*what = NULL;
	size_t			 i;

	for (i = 0; i < nitems(keys); i++) {
		if (keys[i].def == NULL && **text_at(c, &keys[i]) == '\0') {
			snprintf(l->err, CONF_ERR_SIZE, "%s: must be set",
			    keys[i].name);
			return -1;
		}
	}
	if (c->jobs_heartbeat_ms * 2 >= c->jobs_lease_ms)
		what = "jobs.heartbeat: must be less than half of jobs.lease";
	else if (c->db_timeout_ms >= c->request_timeout_ms)
		what = "db.timeout: must be less than request_timeout";
	else if (c->live_deadline_ms >= c->request_timeout_ms)
		what = "live.deadline: must be less than request_timeout";
	if (what == NULL)
		return 0;
	snprintf(l->err, CONF_ERR_SIZE, "%s", what);
	return -1;
}

struct conf *
conf_load(const char *path, char err[CONF_ERR_SIZE])
{
	struct loader	 l = { .path = path, .err = err };

	err[0] = '\0';
	if ((l.conf = calloc(1, sizeof(*l.conf))) == NULL)
		fatal("conf: out of memory");
	put_defaults(&l);
	if (read_conf_file(&l) == -1 || read_env(&l) == -1 ||
	    check_together(&l) == -1) {
		conf_free(l.conf);
		return NULL;
	}
	return l.conf;
}

void
conf_free(struct conf *c)
{
	char	*text;
	size_t	 i;

	if (c == NULL)
		return;
	for (i = 0; i < nitems(keys); i++) {
		if (!is_text(&keys[i]))
			continue;
		text = (char *)(uintptr_t)*text_at(c, &keys[i]);
		if (text != NULL && keys[i].type == CONF_SECRET)
			explicit_bzero(text, strlen(text));
		free(text);
	}
	free(c);
}

bool
conf_has_pool(const struct conf *c)
{
	return *c->db_direct_url != '\0' &&
	    strcmp(c->db_direct_url, c->db_url) != 0;
}

void
conf_print(const struct conf *c, FILE *out)
{
	const struct key	*k;
	const char		*dot, *section = "", *text;
	char			 number[32];

	for (k = keys; k < keys + nitems(keys); k++) {
		dot = strchr(k->name, '.');
		if (dot != NULL && strncmp(section, k->name,
		    (size_t)(dot - k->name) + 1) != 0) {
			fprintf(out, "\n[%.*s]\n", (int)(dot - k->name),
			    k->name);
			section = k->name;
		}
		if (is_text(k))
			text = *text_at(c, k);
		else
			text = format_number(k, get_number(c, k), number);
		if (k->type == CONF_SECRET && *text != '\0')
			text = MASK;
		fprintf(out, "# %s\n%s = %s\n", k->help,
		    dot != NULL ? dot + 1 : k->name, text);
	}
}
