#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "core/secret.h"

/*
 * What a reading of the whole list has shown, page by page, kept for the next
 * one: a page that shows the very same programs again, in the same order, needs
 * no comparison with the registry.  It holds for as long as nobody writes what
 * the partner has sent of them, which only the account's sync does, under the
 * job's fence.
 */
struct arena;
struct db;

#define DIGEST_SIZE	16

struct digest {
	struct buf	 page;		/* the one in hand */
	struct buf	 read;		/* of each page of this reading */
	bool		 partial;	/* some of its pages are not there */
	bool		 trusted;	/* not all of it was compared */
	struct bytes	 known;		/* of the one before, sorted */
};

/*
 * kept: what digest_keep() has kept, as far as it holds, empty for none; it has
 * to live as long as the digest.
 */
void	digest_open(struct digest *, struct bytes kept);
void	digest_close(struct digest *);

/* A reading begins, whole or in its midst. */
void	digest_begin(struct digest *, bool whole);

/* The next program of a page, with PROGRAM_HASH_SIZE bytes that tell its values. */
void	digest_program(struct digest *, const char *id,
	    const unsigned char *hash);

/*
 * The page ends; sound: with all its programs.  True when the registry is known
 * to have just these.
 */
bool	digest_page(struct digest *, bool sound);

/* Pages that were known were not compared. */
void	digest_trust(struct digest *);

/* The registry is written: what was known of it does not hold any more. */
void	digest_forget(struct digest *);

/*
 * Keeps what this reading has shown, when the registry, of so many programs, is
 * known to be the same, within the transaction that says so.  -1: the database
 * failed (logged).
 */
int	digest_keep(struct digest *, struct db *, struct arena *,
	    int64_t account, int64_t programs) MUST_CHECK;

#endif
