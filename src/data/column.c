/*
 * PostgreSQL's binary array format: a header (dimensions, null flag, element
 * type, length, lower bound), then each element with its length.  All numbers
 * are big-endian.  See array_recv() in PostgreSQL's manual of the wire format.
 */
#include "data/column.h"

#include <endian.h>
#include <string.h>

#include "data/db.h"

#define COLUMN_BYTES_MAX	(64u << 20)
#define HEADER_SIZE		20
/* PostgreSQL counts days from 2000-01-01. */
#define EPOCH_DAYS		10957

static const struct {
	uint32_t	 element;
	uint32_t	 array;
} oids[COLUMN__MAX] = {
	[COLUMN_BOOL]	= { 16, 1000 },
	[COLUMN_INT4]	= { 23, 1007 },
	[COLUMN_INT8]	= { 20, 1016 },
	[COLUMN_TEXT]	= { 25, 1009 },
	[COLUMN_DATE]	= { 1082, 1182 },
	[COLUMN_BYTEA]	= { 17, 1001 },
	[COLUMN_JSONB]	= { 3802, 3807 },
};

/* Another element of n bytes, to be filled; NULL when it does not fit. */
static char *
element(struct column *c, size_t n)
{
	uint32_t	 be = htobe32((uint32_t)n);
	char		*room = buf_room(&c->bytes, sizeof(be) + n);

	c->n++;
	if (room == NULL) {
		c->full = true;
		return NULL;
	}
	memcpy(room, &be, sizeof(be));
	return room + sizeof(be);
}

static void
put(struct column *c, const void *p, size_t n)
{
	char	*room = element(c, n);

	if (room != NULL && n > 0)
		memcpy(room, p, n);
}

static void
put32(struct column *c, uint32_t v)
{
	uint32_t	 be = htobe32(v);

	put(c, &be, sizeof(be));
}

void
column_init(struct column *c, enum column_type type)
{
	static const char	 header[HEADER_SIZE];

	memset(c, 0, sizeof(*c));
	c->type = type;
	buf_init(&c->bytes, COLUMN_BYTES_MAX);
	if (buf_add(&c->bytes, header, sizeof(header)) == -1)
		c->full = true;
}

void
column_free(struct column *c)
{
	buf_free(&c->bytes);
}

void
column_null(struct column *c)
{
	uint32_t	 none = UINT32_MAX;

	c->n++;
	c->has_null = true;
	if (buf_add(&c->bytes, &none, sizeof(none)) == -1)
		c->full = true;
}

void
column_bool(struct column *c, bool yes)
{
	char	 byte = yes;

	put(c, &byte, 1);
}

void
column_int(struct column *c, int64_t v)
{
	uint64_t	 be = htobe64((uint64_t)v);

	if (c->type == COLUMN_INT4)
		put32(c, (uint32_t)v);
	else
		put(c, &be, sizeof(be));
}

void
column_bytes(struct column *c, struct bytes b)
{
	put(c, b.p, b.len);
}

void
column_text(struct column *c, const char *text)
{
	/* jsonb's binary form is a version byte and the text. */
	size_t	 version = c->type == COLUMN_JSONB, len;
	char	*room;

	if (text == NULL) {
		column_null(c);
		return;
	}
	len = strlen(text);
	if ((room = element(c, version + len)) == NULL)
		return;
	if (version)
		*room = 1;
	memcpy(room + version, text, len);
}

void
column_date(struct column *c, int32_t days)
{
	put32(c, (uint32_t)(days - EPOCH_DAYS));
}

struct column
column_ints(const int64_t *values, size_t n)
{
	struct column	 c;

	column_init(&c, COLUMN_INT8);
	for (size_t i = 0; i < n; i++)
		column_int(&c, values[i]);
	return c;
}

struct db_arg
column_arg(struct column *c)
{
	uint32_t	 header[5] = {
		htobe32(1), htobe32(c->has_null), htobe32(oids[c->type].element),
		htobe32(c->n), htobe32(1),
	};

	if (c->full)
		return (struct db_arg){ .broken = true };
	memcpy(c->bytes.data, header, sizeof(header));
	return db_array(&c->bytes, oids[c->type].array, c->n);
}
