/*
 * How a request gets from api to stream: a query string that api writes into
 * X-Accel-Redirect and nginx passes on.  Writer and reader are side by side
 * so that they cannot drift apart.  The location is internal, so nobody
 * outside can send one; it is checked as if they could.
 */
#include "events/handover.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

#define VALUE_SIZE	128

enum field { FIELD_JOB, FIELD_EPOCH, FIELD_AS, FIELD_ACCOUNT, FIELD_AFTER,
	FIELD_UNTIL, FIELD_RID, FIELD__MAX };

static const char *const names[FIELD__MAX] = {
	[FIELD_JOB]	= "job",
	[FIELD_EPOCH]	= "epoch",
	[FIELD_AS]	= "as",
	[FIELD_ACCOUNT]	= "account",
	[FIELD_AFTER]	= "after",
	[FIELD_UNTIL]	= "until",
	[FIELD_RID]	= "rid",
};

#define NEEDED	(1u << FIELD_AS | 1u << FIELD_ACCOUNT | 1u << FIELD_UNTIL)

static bool
rid_ok(const char *rid)
{
	return rid[0] != '\0' && strlen(rid) < HANDOVER_RID_SIZE &&
	    rid[strspn(rid, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

int
handover_print(struct buf *b, const struct handover *h)
{
	bool	 is_job = h->what == HANDOVER_JOB;

	return buf_printf(b, "/_stream/%s=%s&as=%s&account=%" PRId64
	    "&after=%" PRId64 "&until=%" PRId64 "&rid=%s",
	    is_job ? "job?job" : "events?epoch", is_job ? h->job : h->epoch,
	    h->as == HANDOVER_SSE ? "sse" : "answer", h->account, h->after,
	    h->until_s, rid_ok(h->rid) ? h->rid : "");
}

/* A stream ends when its login has to be checked anew, at the latest. */
static int64_t
end_s(const struct req *r, const struct handover *h)
{
	int64_t	 left_ms = r->conf->stream_max_age_ms;

	if (h->as == HANDOVER_SSE && r->login_left_ms < left_ms)
		left_ms = r->login_left_ms;
	return (clock_wall_ms() + left_ms) / 1000;
}

int
handover_request(struct req *r, struct handover *h)
{
	struct buf	 where;

	h->account = r->account_id;
	h->until_s = end_s(r, h);
	snprintf(h->rid, sizeof(h->rid), "%s", r->rid);

	buf_init(&where, 1024);
	if (handover_print(&where, h) == -1) {
		buf_free(&where);
		return problem(r, PROBLEM_INTERNAL, "The hand-over failed.");
	}
	resp_handover(r, arena_strndup(r->arena, where.data, where.len));
	buf_free(&where);
	return r->status;
}

/*
 * What the writer writes needs no percent-encoding, and nginx passes it on as
 * it is.  Printable ASCII, so that no value can hold a NUL or a line break.
 */
static int
copy_value(const char *p, size_t n, char out[VALUE_SIZE])
{
	if (n >= VALUE_SIZE)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return -1;
	memcpy(out, p, n);
	out[n] = '\0';
	return 0;
}

static int
parse_number(const char *text, int64_t *out)
{
	size_t	i;

	*out = 0;
	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 18; i++)
		*out = *out * 10 + (text[i] - '0');
	return i > 0 && text[i] == '\0' ? 0 : -1;
}

static int
parse_as(const char *text, enum handover_as *as)
{
	if (strcmp(text, "sse") == 0)
		*as = HANDOVER_SSE;
	else if (strcmp(text, "answer") == 0)
		*as = HANDOVER_ANSWER;
	else
		return -1;
	return 0;
}

/* Which of the two fields there is says what is followed. */
static int
parse_epoch(const char *text, struct handover *h)
{
	h->what = HANDOVER_EVENTS;
	return *text == '\0' ? 0 : sse_epoch(text, strlen(text), h->epoch);
}

static int
set(struct handover *h, enum field field, const char *value)
{
	switch (field) {
	case FIELD_JOB:
		return sse_uuid(value, strlen(value), h->job);
	case FIELD_EPOCH:
		return parse_epoch(value, h);
	case FIELD_AS:
		return parse_as(value, &h->as);
	case FIELD_ACCOUNT:
		return parse_number(value, &h->account);
	case FIELD_AFTER:
		return parse_number(value, &h->after);
	case FIELD_UNTIL:
		return parse_number(value, &h->until_s);
	default:
		if (rid_ok(value))
			strcpy(h->rid, value);
		return 0;
	}
}

static enum field
field_of(const char *name, size_t n)
{
	enum field	 f;

	for (f = 0; f < FIELD__MAX; f++)
		if (strlen(names[f]) == n && memcmp(names[f], name, n) == 0)
			break;
	return f;
}

/* One name=value; a name that is not ours is passed over. */
static int
take_pair(struct handover *h, const char *p, size_t n, unsigned int *seen)
{
	const char	*eq = memchr(p, '=', n);
	char		 value[VALUE_SIZE];
	enum field	 f;

	if (eq == NULL)
		return n == 0 ? 0 : -1;
	if ((f = field_of(p, (size_t)(eq - p))) == FIELD__MAX)
		return 0;
	if (*seen & 1u << f)
		return -1;
	*seen |= 1u << f;
	if (copy_value(eq + 1, n - (size_t)(eq + 1 - p), value) == -1)
		return -1;
	return set(h, f, value);
}

int
handover_parse(const char *query, size_t n, struct handover *h)
{
	unsigned int	 seen = 0;
	const char	*amp;
	size_t		 len;

	memset(h, 0, sizeof(*h));
	while (n > 0) {
		amp = memchr(query, '&', n);
		len = amp != NULL ? (size_t)(amp - query) : n;
		if (take_pair(h, query, len, &seen) == -1)
			return -1;
		if (amp != NULL)
			len++;
		query += len;
		n -= len;
	}
	if ((seen & NEEDED) != NEEDED ||
	    !(seen & 1u << FIELD_JOB) == !(seen & 1u << FIELD_EPOCH))
		return -1;
	return h->what == HANDOVER_EVENTS &&
	    (h->as != HANDOVER_SSE || h->account == 0) ? -1 : 0;
}
