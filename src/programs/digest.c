/* Pages by their digests. */
#include "programs/digest.h"

#include <stdlib.h>
#include <string.h>

#include "data/db.h"
#include "programs/program.h"

#define PAGE_BYTES_MAX	(1u << 20)	/* of ids and hashes */
#define READ_BYTES_MAX	(4u << 20)	/* two million programs in pages of 8 */

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

void
digest_open(struct digest *d, struct bytes kept)
{
	*d = (struct digest){ .known = kept };
	buf_init(&d->page, PAGE_BYTES_MAX);
	buf_init(&d->read, READ_BYTES_MAX);
}

void
digest_close(struct digest *d)
{
	buf_free(&d->page);
	buf_free(&d->read);
}

void
digest_begin(struct digest *d, bool whole)
{
	buf_reset(&d->read);
	d->partial = !whole;
	d->trusted = false;
}

/* The NUL keeps ids apart. */
void
digest_program(struct digest *d, const char *id, const unsigned char *hash)
{
	if (buf_add(&d->page, id, strlen(id) + 1) == -1 ||
	    buf_add(&d->page, hash, PROGRAM_HASH_SIZE) == -1)
		d->partial = true;
}

bool
digest_page(struct digest *d, bool sound)
{
	unsigned char	 digest[SECRET_HASH_SIZE];
	size_t		 n = d->known.len / DIGEST_SIZE;

	secret_digest((struct bytes){ d->page.data, d->page.len }, digest);
	buf_reset(&d->page);
	if (!sound || buf_add(&d->read, digest, DIGEST_SIZE) == -1)
		d->partial = true;
	return sound && n > 0 && bsearch(digest, d->known.p, n, DIGEST_SIZE,
	    compare) != NULL;
}

void
digest_trust(struct digest *d)
{
	d->trusted = true;
}

void
digest_forget(struct digest *d)
{
	d->known.len = 0;
}

int
digest_keep(struct digest *d, struct db *db, struct arena *a, int64_t account,
    int64_t programs)
{
	if (d->partial || d->read.len == 0)
		return 0;
	qsort(d->read.data, d->read.len / DIGEST_SIZE, DIGEST_SIZE, compare);
	return db_query(db, a, Q_PROGRAMS_DIGEST, DB_ARGS(db_int(account),
	    db_bytes((struct bytes){ d->read.data, d->read.len }),
	    db_int(programs), db_bool(!d->trusted))) != NULL ? 0 : -1;
}
