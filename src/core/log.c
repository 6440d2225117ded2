/*
 * logfmt lines.  Each is built on the stack and leaves with one write(2) to a
 * descriptor in append mode, so lines of many processes do not mix and logging
 * needs no memory.  A value cannot make a second line or a second field.
 */

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

/* POSIX: what a pipe takes without mixing it with other writers' bytes. */
#define LINE_SIZE	4096
#define VALUE_SIZE	1024

struct line {
	char	 s[LINE_SIZE];
	size_t	 len;
	bool	 full;
};

static const char *const level_names[LOG_LEVEL__MAX] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

static struct {
	int		 fd;
	char		*path;		/* NULL: stderr */
	enum log_level	 level;
	char		 worker[32];
	char		 rid[64];
	char		 job[64];
	int64_t		 account;
} state = { .fd = STDERR_FILENO, .level = LOG_INFO };

static void
put(struct line *l, const char *s, size_t n)
{
	/* One byte stays for the newline. */
	if (l->full || n > sizeof(l->s) - 1 - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->s + l->len, s, n);
	l->len += n;
}

static int
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * How many bytes at s may stand as they are: 1 for printable ASCII, 2 to 4 for
 * a well-formed character of UTF-8 (RFC 3629, section 4), and 0 for a byte
 * that must be escaped.  C1 controls and the line separators U+2028 and U+2029
 * are among these, as some terminals and tools start a line at them.
 */
static size_t
plain_len(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf && is_tail(s[1]))
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;
	if (s[0] >= 0xe0 && s[0] <= 0xef && is_tail(s[1]) && is_tail(s[2])) {
		if ((s[0] == 0xe0 && s[1] < 0xa0) ||
		    (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		if (s[0] == 0xe2 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8)
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4 && is_tail(s[1]) && is_tail(s[2]) &&
	    is_tail(s[3])) {
		if ((s[0] == 0xf0 && s[1] < 0x90) ||
		    (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/* Whether a reader takes it for one value without quotes. */
static bool
is_bare(const char *s)
{
	const char	*p;

	for (p = s; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"\\=", *p) != NULL)
			return false;
	}
	return p > s && p - s <= VALUE_SIZE;
}

/* One character of a quoted value from s; returns how many bytes it took. */
static size_t
put_char(struct line *l, const char *s)
{
	char	 esc[8];
	size_t	 n;

	if (*s == '"' || *s == '\\') {
		esc[0] = '\\';
		esc[1] = *s;
		put(l, esc, 2);
	} else if (*s == '\n') {
		put(l, "\\n", 2);
	} else if (*s == '\t') {
		put(l, "\\t", 2);
	} else if (*s == '\r') {
		put(l, "\\r", 2);
	} else if ((n = plain_len((const unsigned char *)s)) > 0) {
		put(l, s, n);
		return n;
	} else {
		snprintf(esc, sizeof(esc), "\\x%02x", (unsigned char)*s);
		put(l, esc, 4);
	}
	return 1;
}

static void
put_value(struct line *l, const char *s)
{
	size_t	 end = l->len + VALUE_SIZE;

	if (is_bare(s)) {
		put(l, s, strlen(s));
		return;
	}
	put(l, "\"", 1);
	while (*s != '\0' && l->len < end && !l->full)
		s += put_char(l, s);
	if (*s != '\0')
		put(l, "...", 3);
	put(l, "\"", 1);
}

/* A field that does not fit is left out whole; shorter ones may follow. */
static void
put_field(struct line *l, const char *key, const char *value)
{
	size_t	 start = l->len;

	if (l->len > 0)
		put(l, " ", 1);
	put(l, key, strlen(key));
	put(l, "=", 1);
	put_value(l, value);
	if (l->full)
		l->len = start;
	l->full = false;
}

static void
put_number(struct line *l, const char *key, double num, int decimals)
{
	char	 text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, num);
	put_field(l, key, text);
}

static void
put_state(struct line *l)
{
	if (state.worker[0] != '\0')
		put_field(l, "worker", state.worker);
	if (state.rid[0] != '\0')
		put_field(l, "rid", state.rid);
	if (state.job[0] != '\0')
		put_field(l, "job", state.job);
	if (state.account != 0)
		put_number(l, "account", (double)state.account, 0);
}

void
log_line(enum log_level level, const char *msg, const struct log_field *fields)
{
	struct line		 l;
	const struct log_field	*f;
	char			 ts[CLOCK_ISO_SIZE];
	int			 saved = errno;

	l.len = 0;
	l.full = false;
	put_field(&l, "ts", clock_iso(clock_wall_ms(), ts));
	put_field(&l, "level", level_names[level]);
	put_state(&l);
	put_field(&l, "msg", msg);
	for (f = fields; f->key != NULL; f++) {
		if (f->str != NULL)
			put_field(&l, f->key, f->str);
		else
			put_number(&l, f->key, f->num, f->decimals);
	}
	l.s[l.len++] = '\n';

	while (write(state.fd, l.s, l.len) == -1 && errno == EINTR) {
		/* a blocking write that was interrupted has written nothing */
	}
	errno = saved;
}

static int
open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

static void
use_fd(int fd)
{
	if (state.fd != STDERR_FILENO)
		close(state.fd);
	state.fd = fd;
}

int
log_open(const char *path)
{
	char	*copy = NULL;
	int	 fd = STDERR_FILENO;

	if (strcmp(path, "-") != 0) {
		if ((fd = open_path(path)) == -1)
			return -1;
		if ((copy = strdup(path)) == NULL)
			fatal("log: out of memory");
	}
	use_fd(fd);
	free(state.path);
	state.path = copy;
	return 0;
}

void
log_reopen(void)
{
	int	 fd;

	if (state.path == NULL)
		return;
	if ((fd = open_path(state.path)) == -1) {
		log_warn("log: reopen", F_STR("path", state.path), F_ERRNO);
		return;
	}
	use_fd(fd);
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

int
log_wants(enum log_level level)
{
	return level >= state.level;
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

static void
copy_to(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", log_str(from));
}

void
log_set_worker(const char *name)
{
	copy_to(state.worker, sizeof(state.worker), name);
}

void
log_set_request(const char *rid)
{
	copy_to(state.rid, sizeof(state.rid), rid);
}

void
log_set_job(const char *job_id)
{
	copy_to(state.job, sizeof(state.job), job_id);
}

void
log_set_account(int64_t account_id)
{
	state.account = account_id;
}

/* A function, for compilers warn of an array that is compared with NULL. */
const char *
log_str(const char *s)
{
	return s != NULL ? s : "";
}

const char *
log_errno(void)
{
	return strerror(errno);
}

void
log_exit(void)
{
	/* Nobody tidies up any more: what is still held is not a leak. */
	fflush(NULL);
	_exit(1);
}
