#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/*
 * The JSON of many rows as one array that holds each distinct text once; a row
 * names its own by number, `$n::jsonb -> number`.  What rows have in common is
 * sent and parsed once: parsing would cost more than anything else that a batch
 * asks of PostgreSQL.
 */
struct arena;
struct document;

struct documents {
	struct document	*known;		/* by their texts */
	struct arena	*arena;
	struct buf	 array;		/* without its end */
	int32_t		 n;
	bool		 full;		/* one did not fit */
};

/* Starts without any; documents_free() ends it. */
void		 documents_init(struct documents *);
void		 documents_free(struct documents *);

/* The number of this JSON text, which has to live as long as the documents. */
int32_t		 documents_add(struct documents *, const char *text);

/*
 * The parameter, valid until the documents are freed; to be called once, after
 * the last is added.  When they passed their bound of 64 MB, all together, the
 * call fails that it is given to.
 */
struct db_arg	 documents_arg(struct documents *);

#endif
