/* Distinct JSON texts, numbered. */
#include "data/documents.h"

#include <string.h>

#include "core/arena.h"
#include "core/log.h"
#include "data/db.h"

#define uthash_fatal(msg) fatal("documents: " msg)
#include <uthash.h>

#define DOCUMENTS_BYTES_MAX	(64u << 20)

struct document {
	const char	*text;
	int32_t		 number;
	UT_hash_handle	 hh;
};

void
documents_init(struct documents *d)
{
	*d = (struct documents){ .arena = arena_new() };
	buf_init(&d->array, DOCUMENTS_BYTES_MAX);
}

void
documents_free(struct documents *d)
{
	HASH_CLEAR(hh, d->known);
	arena_free(d->arena);
	buf_free(&d->array);
}

int32_t
documents_add(struct documents *d, const char *text)
{
	struct document	*one;
	size_t		 len = strlen(text);

	HASH_FIND(hh, d->known, text, len, one);
	if (one != NULL)
		return one->number;
	one = arena_alloc(d->arena, sizeof(*one));
	one->text = text;
	one->number = d->n++;
	HASH_ADD_KEYPTR(hh, d->known, one->text, len, one);
	if (buf_add(&d->array, one->number == 0 ? "[" : ",", 1) == -1 ||
	    buf_add(&d->array, text, len) == -1)
		d->full = true;
	return one->number;
}

struct db_arg
documents_arg(struct documents *d)
{
	if (d->full || buf_addstr(&d->array, d->n == 0 ? "[]" : "]") == -1)
		return (struct db_arg){ .broken = true };
	return db_text(d->array.data);
}
