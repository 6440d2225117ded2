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

static void
put(struct column *c, const void *p, size_t n)
{
	if (buf_add(&c->bytes, p, n) == -1)
		c->full = true;
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
	put(c, header, sizeof(header));
}

void
column_free(struct column *c)
{
	buf_free(&c->bytes);
}

void
column_null(struct column *c)
{
	c->n++;
	c->has_null = true;
	put32(c, UINT32_MAX);
}

void
column_bool(struct column *c, bool yes)
{
	char	 byte = yes;

	c->n++;
	put32(c, 1);
	put(c, &byte, 1);
}

void
column_int(struct column *c, int64_t v)
{
	uint64_t	 be = htobe64((uint64_t)v);

	c->n++;
	if (c->type == COLUMN_INT4) {
		put32(c, 4);
		put32(c, (uint32_t)v);
		return;
	}
	put32(c, 8);
	put(c, &be, sizeof(be));
}

void
column_bytes(struct column *c, struct bytes b)
{
	c->n++;
	put32(c, (uint32_t)b.len);
	put(c, b.p, b.len);
}

void
column_text(struct column *c, const char *text)
{
	/* jsonb's binary form is a version byte and the text. */
	static const char	 jsonb_version = 1;
	size_t			 len;

	if (text == NULL) {
		column_null(c);
		return;
	}
	len = strlen(text);
	c->n++;
	if (c->type == COLUMN_JSONB) {
		put32(c, (uint32_t)len + 1);
		put(c, &jsonb_version, 1);
	} else
		put32(c, (uint32_t)len);
	put(c, text, len);
}

void
column_date(struct column *c, int32_t days)
{
	c->n++;
	put32(c, 4);
	put32(c, (uint32_t)(days - EPOCH_DAYS));
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
	return db_array(&c->bytes, oids[c->type].array);
}
