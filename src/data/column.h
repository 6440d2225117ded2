#ifndef COLUMN_H
#define COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/secret.h"

/*
 * A column of many rows as one binary array parameter, for `unnest`: how
 * batches are written (DESIGN, section 4).  Elements are added row by row,
 * NULLs included; column_arg() makes the parameter.
 */
enum column_type { COLUMN_BOOL, COLUMN_INT4, COLUMN_INT8, COLUMN_TEXT,
	COLUMN_DATE, COLUMN_BYTEA, COLUMN_JSONB, COLUMN__MAX };

struct column {
	enum column_type	 type;
	struct buf		 bytes;
	uint32_t		 n;
	bool			 has_null;
	bool			 full;		/* an element did not fit */
};

/* Starts an empty column; column_free() ends it. */
void	column_init(struct column *, enum column_type);
void	column_free(struct column *);

/* One element each.  column_text also fills jsonb columns (JSON text). */
void	column_null(struct column *);
void	column_bool(struct column *, bool);
void	column_int(struct column *, int64_t);
void	column_text(struct column *, const char *);	/* NULL: SQL NULL */
void	column_bytes(struct column *, struct bytes);
/* Days since 1970-01-01. */
void	column_date(struct column *, int32_t days);

/* A column of these numbers, for column_free() to end. */
struct column	column_ints(const int64_t *, size_t n);

/*
 * The parameter, valid until the column changes or is freed.  A column that
 * passed its bound of 64 MB makes the call fail that it is given to.
 */
struct db_arg	column_arg(struct column *);

#endif
