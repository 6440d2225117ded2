/*
 * The text of an event stream (WHATWG HTML, "Server-sent events"): frames
 * going out, Last-Event-ID coming back.  Pure; who gets what is decided in
 * client.c.
 */
#include "events/sse.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int
sse_uuid(const char *text, size_t n, char out[SSE_UUID_SIZE])
{
	size_t	i;

	if (n != SSE_UUID_SIZE - 1)
		return -1;
	for (i = 0; i < n; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return -1;
		} else if (!isxdigit((unsigned char)text[i])) {
			return -1;
		}
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[n] = '\0';
	return 0;
}

/* As PostgreSQL prints a number: no sign, no leading zero. */
static int
parse_n(const char *text, size_t digits, int64_t max, int64_t *n)
{
	size_t	i;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -1;
	*n = 0;
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < '0' || text[i] > '9' || i == digits)
			return -1;
		*n = *n * 10 + (text[i] - '0');
	}
	return *n <= max ? 0 : -1;
}

int
sse_id_parse(const char *text, struct sse_id *id)
{
	if (strnlen(text, SSE_ID_SIZE) < SSE_UUID_SIZE)
		return -1;
	if (sse_uuid(text, SSE_UUID_SIZE - 1, id->job) == -1)
		return -1;
	if (text[SSE_UUID_SIZE - 1] != '.')
		return -1;
	return parse_n(text + SSE_UUID_SIZE, 10, INT32_MAX, &id->n);
}

char *
sse_id_print(const struct sse_id *id, char out[SSE_ID_SIZE])
{
	snprintf(out, SSE_ID_SIZE, "%s.%" PRId64, id->job, id->n);
	return out;
}

int
sse_epoch(const char *text, size_t n, char out[SSE_EPOCH_SIZE])
{
	if (n != SSE_EPOCH_SIZE - 1 ||
	    strspn(text, "0123456789abcdef") < n)
		return -1;
	memcpy(out, text, n);
	out[n] = '\0';
	return 0;
}

int
sse_place_parse(const char *text, struct sse_place *place)
{
	if (strcspn(text, ".") != SSE_EPOCH_SIZE - 1 ||
	    sse_epoch(text, SSE_EPOCH_SIZE - 1, place->epoch) == -1 ||
	    text[SSE_EPOCH_SIZE - 1] != '.')
		return -1;
	return parse_n(text + SSE_EPOCH_SIZE, 18, INT64_MAX, &place->seq);
}

char *
sse_place_print(const struct sse_place *place, char out[SSE_ID_SIZE])
{
	snprintf(out, SSE_ID_SIZE, "%s.%" PRId64, place->epoch, place->seq);
	return out;
}

bool
sse_id_valid(const char *text)
{
	return text[0] != '\0' && strpbrk(text, "\r\n") == NULL;
}

/* The length of the line at p, and in *skip that of its end: \n, \r\n, \r. */
static size_t
line_len(const char *p, size_t n, size_t *skip)
{
	size_t	i;

	for (i = 0; i < n && p[i] != '\n' && p[i] != '\r'; i++)
		;
	*skip = i < n;
	if (i + 1 < n && p[i] == '\r' && p[i + 1] == '\n')
		*skip = 2;
	return i;
}

int
sse_event(struct buf *b, const char *id, const char *data, size_t n)
{
	size_t	len, skip;

	if (!sse_id_valid(id) || buf_printf(b, "id: %s\n", id) == -1)
		return -1;
	do {
		len = line_len(data, n, &skip);
		if (buf_addstr(b, "data: ") == -1 ||
		    buf_add(b, data, len) == -1 || buf_add(b, "\n", 1) == -1)
			return -1;
		data += len + skip;
		n -= len + skip;
	} while (skip > 0);
	return buf_add(b, "\n", 1);
}

int
sse_mark(struct buf *b, const char *id)
{
	return sse_id_valid(id) ? buf_printf(b, "id: %s\n\n", id) : -1;
}

int
sse_comment(struct buf *b, const char *text)
{
	return buf_printf(b, ": %s\n\n", text);
}

int
sse_retry(struct buf *b, int ms)
{
	return buf_printf(b, "retry: %d\n\n", ms);
}
