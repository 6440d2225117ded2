/*
 * FastCGI records, read and written over plain buffers: no descriptor, no
 * waiting.  The event loop needs this because libfcgi blocks the process on a
 * peer that is silent, slow to read or does not close.  Section numbers are
 * those of the FastCGI specification 1.0.
 *
 * One request a connection, responder role only, the connection is closed
 * after the answer whatever FCGI_KEEP_CONN says: nginx is told not to keep
 * connections, and the server may close at will (3.5).
 */
#include "events/record.h"

#include <stdbool.h>
#include <string.h>

#define FCGI_VERSION		1
#define CONTENT_MAX	65535
#define ROLE_RESPONDER	1

enum record_type {
	TYPE_BEGIN = 1,
	TYPE_ABORT = 2,
	TYPE_END = 3,
	TYPE_PARAMS = 4,
	TYPE_STDIN = 5,
	TYPE_STDOUT = 6,
	TYPE_DATA = 8
};

static unsigned int
u16(const unsigned char *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

void
record_init(struct record_reader *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->params, RECORD_PARAMS_MAX);
}

void
record_free(struct record_reader *r)
{
	buf_free(&r->params);
}

/* The record in hand, from its header. */
static unsigned int
type(const struct record_reader *r)
{
	return r->header[1];
}

static unsigned int
id(const struct record_reader *r)
{
	return u16(r->header + 2);
}

static size_t
content_len(const struct record_reader *r)
{
	return u16(r->header + 4);
}

static size_t
padding_len(const struct record_reader *r)
{
	return r->header[6];
}

/*
 * Records of another id are to be ignored (3.3), and so are management
 * records, id 0: a peer that asks for our limits gets no answer and keeps to
 * its own.  A second request on the connection is not what we can serve.
 */
static bool
is_ours(const struct record_reader *r)
{
	return id(r) != 0 && id(r) == r->id;
}

static bool
header_ok(const struct record_reader *r)
{
	if (r->header[0] != FCGI_VERSION)
		return false;
	if (type(r) == TYPE_BEGIN)
		return r->id == 0 && id(r) != 0 &&
		    content_len(r) == sizeof(r->begin);
	if (!is_ours(r))
		return true;

	switch (type(r)) {
	case TYPE_PARAMS:
		return !r->complete;
	case TYPE_ABORT:
	case TYPE_STDIN:
	case TYPE_DATA:
		return true;
	default:
		return false;
	}
}

/* Takes content bytes of the record in hand.  -1 when they are too many. */
static int
take_content(struct record_reader *r, const void *p, size_t n)
{
	if (type(r) == TYPE_BEGIN)
		memcpy(r->begin + r->content_done, p, n);
	else if (type(r) == TYPE_PARAMS && is_ours(r))
		return buf_add(&r->params, p, n);
	return 0;
}

/* The record in hand is whole, padding included. */
static enum record_news
finish(struct record_reader *r)
{
	r->header_len = 0;
	r->content_done = 0;

	if (type(r) == TYPE_BEGIN) {
		if (u16(r->begin) != ROLE_RESPONDER)
			return RECORD_BAD;
		r->id = id(r);
		return RECORD_MORE;
	}
	if (!is_ours(r))
		return RECORD_MORE;
	if (type(r) == TYPE_ABORT)
		return RECORD_ABORT;
	if (type(r) == TYPE_PARAMS && content_len(r) == 0) {
		r->complete = 1;
		return RECORD_REQUEST;
	}
	return RECORD_MORE;
}

/* How many of n bytes go into a part that has `done` of its `len`. */
static size_t
part(size_t done, size_t len, size_t n)
{
	size_t	left = len - done;

	return n < left ? n : left;
}

/* One step forward: bytes of the header, of the content or of the padding. */
static enum record_news
step(struct record_reader *r, const unsigned char *p, size_t n, size_t *took)
{
	size_t	whole;

	if (r->header_len < RECORD_HEADER_SIZE) {
		*took = part(r->header_len, RECORD_HEADER_SIZE, n);
		memcpy(r->header + r->header_len, p, *took);
		r->header_len += *took;
		if (r->header_len < RECORD_HEADER_SIZE)
			return RECORD_MORE;
		if (!header_ok(r))
			return RECORD_BAD;
	} else if (r->content_done < content_len(r)) {
		*took = part(r->content_done, content_len(r), n);
		if (take_content(r, p, *took) == -1)
			return RECORD_BAD;
		r->content_done += *took;
	} else {
		whole = content_len(r) + padding_len(r);
		*took = part(r->content_done, whole, n);
		r->content_done += *took;
	}
	if (r->content_done == content_len(r) + padding_len(r))
		return finish(r);
	return RECORD_MORE;
}

enum record_news
record_feed(struct record_reader *r, const void *data, size_t n, size_t *used)
{
	enum record_news	 news = RECORD_MORE;
	size_t			 took;

	*used = 0;
	while (*used < n && news == RECORD_MORE) {
		took = 0;
		news = step(r, (const unsigned char *)data + *used, n - *used,
		    &took);
		*used += took;
	}
	return news;
}

/*
 * A length is one byte, or four with the highest bit set (3.4).  Moves *p
 * behind it; -1 when it is cut off.
 */
static int
take_len(const unsigned char **p, const unsigned char *end, size_t *len)
{
	const unsigned char	*b = *p;

	if (b == end)
		return -1;
	if (b[0] < 0x80) {
		*len = b[0];
		*p += 1;
		return 0;
	}
	if (end - b < 4)
		return -1;
	*len = (size_t)(b[0] & 0x7f) << 24 | (size_t)b[1] << 16 |
	    (size_t)b[2] << 8 | b[3];
	*p += 4;
	return 0;
}

int
record_param(const struct buf *params, const char *name, const char **value,
    size_t *len)
{
	const unsigned char	*p = (const unsigned char *)params->data;
	const unsigned char	*end;
	size_t			 name_len, value_len;

	if (params->len == 0)
		return -1;
	end = p + params->len;
	while (p < end) {
		if (take_len(&p, end, &name_len) == -1 ||
		    take_len(&p, end, &value_len) == -1)
			return -1;
		/* Neither sum can pass 2^32, nor any size_t of 64 bits. */
		if (name_len + value_len > (size_t)(end - p))
			return -1;
		if (name_len == strlen(name) &&
		    memcmp(p, name, name_len) == 0) {
			*value = (const char *)p + name_len;
			*len = value_len;
			return 0;
		}
		p += name_len + value_len;
	}
	return -1;
}

static void
put_header(unsigned char *h, unsigned int record_type, uint16_t rid, size_t n)
{
	h[0] = FCGI_VERSION;
	h[1] = (unsigned char)record_type;
	h[2] = (unsigned char)(rid >> 8);
	h[3] = (unsigned char)rid;
	h[4] = (unsigned char)(n >> 8);
	h[5] = (unsigned char)n;
	h[6] = 0;
	h[7] = 0;
}

size_t
record_stdout_size(size_t n)
{
	return n + (n + CONTENT_MAX - 1) / CONTENT_MAX * RECORD_HEADER_SIZE;
}

int
record_stdout(struct buf *b, uint16_t rid, const void *data, size_t n)
{
	unsigned char	 h[RECORD_HEADER_SIZE];
	const char	*p = data;
	size_t		 piece;

	if (record_stdout_size(n) > b->max - b->len)
		return -1;
	for (; n > 0; n -= piece, p += piece) {
		piece = n < CONTENT_MAX ? n : CONTENT_MAX;
		put_header(h, TYPE_STDOUT, rid, piece);
		if (buf_add(b, h, sizeof(h)) == -1 ||
		    buf_add(b, p, piece) == -1)
			return -1;
	}
	return 0;
}

int
record_end(struct buf *b, uint16_t rid)
{
	unsigned char	out[3 * RECORD_HEADER_SIZE] = { 0 };

	/* The body of END_REQUEST is eight zeros: status 0, complete. */
	put_header(out, TYPE_STDOUT, rid, 0);
	put_header(out + RECORD_HEADER_SIZE, TYPE_END, rid, 8);
	return buf_add(b, out, sizeof(out));
}
