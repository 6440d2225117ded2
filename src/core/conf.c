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

#include "core/conf_key.h"
#include "core/log.h"

#define ENV_PREFIX	"LOCKSTEP_"
#define ENV_NAME_SIZE	64
#define SECRET_FILE_MAX	4096
#define MASK		"********"

#define AT(field)	offsetof(struct conf, field)

/* Keys of a section stand together: conf_print() goes by that. */
static const struct conf_key keys[] = {
	{ "run_dir", CONF_PATH, AT(run_dir), "/run/lockstep", 0, 0,
	    "Directory of the sockets and of lockstep.pid." },
	{ "key_file", CONF_PATH, AT(key_file), "/etc/lockstep/key", 0, 0,
	    "File with the key that logins are sealed with." },
	{ "request_timeout", CONF_MSEC, AT(request_timeout_ms), "30s",
	    CONF_SEC, 10 * CONF_MIN,
	    "A worker that is longer at one request is killed." },
	{ "shutdown_timeout", CONF_MSEC, AT(shutdown_timeout_ms), "15s",
	    CONF_SEC, 10 * CONF_MIN,
	    "How long workers may finish what is in hand at the end." },
	{ "max_requests", CONF_INT, AT(max_requests), "100000",
	    1, 1000000000,
	    "Requests after which a worker is replaced by a new one." },
	{ "body_max", CONF_SIZE, AT(body_max), "256k", CONF_KB, 8 * CONF_MB,
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
	    100, 60 * CONF_SEC,
	    "Longest wait for the database within a request." },
	{ "db.job_timeout", CONF_MSEC, AT(db_job_timeout_ms), "30s",
	    CONF_SEC, 10 * CONF_MIN,
	    "Longest wait for the database within a job." },
	{ "db.prepare", CONF_BOOL, AT(db_prepare), "on", 0, 1,
	    "Prepared statements; off behind PgBouncer before 1.21." },

	{ "api.workers", CONF_INT, AT(api_workers), "4", 1, 256,
	    "Processes that answer from the database alone." },

	{ "live.workers", CONF_INT, AT(live_workers), "8", 1, 256,
	    "Processes that ask the partner within a request." },
	{ "live.deadline", CONF_MSEC, AT(live_deadline_ms), "10s",
	    100, 60 * CONF_SEC,
	    "Longest time the partner may take within a request." },
	{ "live.fanout", CONF_INT, AT(live_fanout), "20", 1, 100,
	    "Calls to the partner at once for one request." },

	{ "stream.workers", CONF_INT, AT(stream_workers), "1", 1, 16,
	    "Processes that hold connections that stay open." },
	{ "stream.ping", CONF_MSEC, AT(stream_ping_ms), "15s",
	    100, 60 * CONF_SEC,
	    "A silent stream gets a comment line this often." },
	{ "stream.max_clients", CONF_INT, AT(stream_max_clients), "8000",
	    1, 100000,
	    "Open connections of one stream process." },
	{ "stream.buffer_max", CONF_SIZE, AT(stream_buffer_max), "256k",
	    16 * CONF_KB, 8 * CONF_MB,
	    "A client with more than this unread is dropped." },
	{ "stream.max_age", CONF_MSEC, AT(stream_max_age_ms), "1h",
	    CONF_SEC, 24 * CONF_HOUR,
	    "A stream is ended after this; clients resume by themselves." },

	{ "jobs.workers", CONF_INT, AT(jobs_workers), "4", 1, 256,
	    "Processes that run jobs, one job each at a time." },
	{ "jobs.lease", CONF_MSEC, AT(jobs_lease_ms), "20s",
	    CONF_SEC, 10 * CONF_MIN,
	    "A job whose worker is silent for this long is taken up anew." },
	{ "jobs.heartbeat", CONF_MSEC, AT(jobs_heartbeat_ms), "5s",
	    100, 5 * CONF_MIN,
	    "How often a worker renews its lease; under half of it." },
	{ "jobs.keep", CONF_MSEC, AT(jobs_keep_ms), "90d",
	    CONF_HOUR, 3650 * CONF_DAY,
	    "How long ended jobs stay readable." },

	{ "events.keep", CONF_MSEC, AT(events_keep_ms), "7d",
	    CONF_HOUR, 3650 * CONF_DAY,
	    "How long a client may be away and still get what it missed." },

	{ "schedule.sync", CONF_STRING, AT(schedule_sync), "*/30 * * * *",
	    0, 0,
	    "When every account is synced, as in crontab; empty: never." },
	{ "schedule.jitter", CONF_MSEC, AT(schedule_jitter_ms), "10min",
	    0, CONF_DAY,
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
	    AT(partner_connect_timeout_ms), "10s", 100, 60 * CONF_SEC,
	    "Longest wait for a connection to the partner." },
	{ "partner.timeout", CONF_MSEC, AT(partner_timeout_ms), "30s",
	    100, 5 * CONF_MIN,
	    "Longest time for one call to the partner." },
	{ "partner.body_max", CONF_SIZE, AT(partner_body_max), "8m",
	    64 * CONF_KB, 64 * CONF_MB,
	    "Largest answer of the partner." },
	{ "partner.retries", CONF_INT, AT(partner_retries), "3", 0, 10,
	    "Further attempts at a call that failed." },
	{ "partner.retry_base", CONF_MSEC, AT(partner_retry_base_ms), "1s",
	    1, 60 * CONF_SEC,
	    "Wait before the first further attempt; it doubles each time." },

	{ "analytics.url", CONF_URL, AT(analytics_url),
	    "https://seller-analytics-api.wildberries.ru", 0, 0,
	    "Where the sellers' analytics API is." },
	{ "analytics.funnel_interval", CONF_MSEC,
	    AT(analytics_funnel_interval_ms), "20500ms", 1, CONF_DAY,
	    "Between two calls for figures of one seller." },
	{ "analytics.texts_interval", CONF_MSEC,
	    AT(analytics_texts_interval_ms), "20500ms", 1, CONF_DAY,
	    "Between two calls for search texts of one seller." },
	{ "analytics.base_funnel_interval", CONF_MSEC,
	    AT(analytics_base_funnel_interval_ms), "1830s", 1, CONF_DAY,
	    "The same for figures when the seller's token is a base one." },
	{ "analytics.base_texts_interval", CONF_MSEC,
	    AT(analytics_base_texts_interval_ms), "3660s", 1, CONF_DAY,
	    "The same for search texts when the token is a base one." },
	{ "analytics.batch_pause", CONF_MSEC, AT(analytics_batch_pause_ms),
	    "0ms", 0, CONF_DAY,
	    "Rest between what was saved and the next call of a run." },
	{ "analytics.texts_limit", CONF_INT, AT(analytics_texts_limit), "30",
	    1, 100,
	    "Search texts for each product; over 30 needs a higher plan." },
	{ "analytics.timeout", CONF_MSEC, AT(analytics_timeout_ms), "60s",
	    100, 5 * CONF_MIN,
	    "Longest time for one call to the analytics API." },
	{ "analytics.body_max", CONF_SIZE, AT(analytics_body_max), "16m",
	    64 * CONF_KB, 64 * CONF_MB,
	    "Largest answer of the analytics API." },
	{ "analytics.retries", CONF_INT, AT(analytics_retries), "3", 0, 10,
	    "Further attempts at a call that failed." },
	{ "analytics.schedule", CONF_STRING, AT(analytics_schedule),
	    "0 2 * * *", 0, 0,
	    "When every seller is synced, by the seller's clock; as crontab." },
	{ "analytics.token_warning", CONF_MSEC,
	    AT(analytics_token_warning_ms), "14d", 0, 365 * CONF_DAY,
	    "A token that expires within this is warned about." },

	{ "auth.lifetime", CONF_MSEC, AT(auth_lifetime_ms), "1h",
	    CONF_SEC, 30 * CONF_DAY,
	    "How long a login is good before the partner is asked again." },
	{ "auth.refusal_memory", CONF_MSEC, AT(auth_refusal_memory_ms), "60s",
	    CONF_SEC, CONF_HOUR,
	    "How long a refused login or token is remembered." },
	{ "auth.refusals_per_name", CONF_INT, AT(auth_refusals_per_name), "5",
	    1, 1000,
	    "Refused logins or tokens a minute for one name, then 429." },
	{ "auth.refusals_per_address", CONF_INT,
	    AT(auth_refusals_per_address), "20", 1, 10000,
	    "Refused logins or tokens a minute from one address, then 429." },

	{ "names.max_age", CONF_MSEC, AT(names_max_age_ms), "24h",
	    CONF_SEC, 365 * CONF_DAY,
	    "A business's name is asked for anew after this." },
	{ "names.retry", CONF_MSEC, AT(names_retry_ms), "15min",
	    CONF_SEC, 30 * CONF_DAY,
	    "A name that could not be asked for is left alone for this." },

	{ "sync.wait_max", CONF_MSEC, AT(sync_wait_max_ms), "5min",
	    CONF_SEC, CONF_HOUR,
	    "A sync request that takes longer is answered with 202." },
	{ "programs.full_every", CONF_MSEC, AT(programs_full_every_ms),
	    "15min", CONF_SEC, 30 * CONF_DAY,
	    "After this long a quick check is followed by a full reading." },
	{ "programs.retire_max_share", CONF_INT,
	    AT(programs_retire_max_share), "10", 0, 100,
	    "Percent of an account's programs that one reading may retire." },
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

static int
put_value(struct loader *l, const struct conf_key *k, const char *s)
{
	char	 why[CONF_WHY_SIZE];

	return conf_key_put(k, l->conf, s, why) == -1 ?
	    fail(l, k->name, "%s", why) : 0;
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
env_name(const struct conf_key *k, char out[ENV_NAME_SIZE])
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
read_secret_env(struct loader *l, const struct conf_key *k, const char *name)
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
	char			 number[CONF_NUMBER_SIZE];
	size_t			 i;

	for (i = 0; i < nitems(keys); i++) {
		if (keys[i].def == NULL &&
		    *conf_key_text(&keys[i], c, number) == '\0') {
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
	size_t	 i;

	if (c == NULL)
		return;
	for (i = 0; i < nitems(keys); i++)
		conf_key_free(&keys[i], c);
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
	const struct conf_key	*k;
	const char		*dot, *section = "", *text;
	char			 number[CONF_NUMBER_SIZE];

	for (k = keys; k < keys + nitems(keys); k++) {
		dot = strchr(k->name, '.');
		if (dot != NULL && strncmp(section, k->name,
		    (size_t)(dot - k->name) + 1) != 0) {
			fprintf(out, "\n[%.*s]\n", (int)(dot - k->name),
			    k->name);
			section = k->name;
		}
		text = conf_key_text(k, c, number);
		if (k->type == CONF_SECRET && *text != '\0')
			text = MASK;
		fprintf(out, "# %s\n%s = %s\n", k->help,
		    dot != NULL ? dot + 1 : k->name, text);
	}
}
