#ifndef REFUSAL_H
#define REFUSAL_H

#include "core/compiler.h"
#include "core/secret.h"

/*
 * What the other side has refused lately, so that it is not asked the same
 * again, nor by one who guesses (DESIGN, section 6).
 */
struct arena;
struct db;
struct req;

enum refusal {
	REFUSAL_NONE,
	REFUSAL_KNOWN,	/* of this very pair */
	REFUSAL_OFTEN,	/* of this name, or of the address */
	REFUSAL_FAILED,	/* the database (logged) */
};

/* What there is of a name and of the pair that this is the keyed hash of. */
enum refusal	 refusal_look(struct req *, struct bytes user,
		    const unsigned char pair[SECRET_HASH_SIZE]) MUST_CHECK;

/* Answers who was refused too often; what: "logins".  The status. */
int		 refusal_often(struct req *, const char *what);

/*
 * Notes that this pair was refused.  If it is the one that we have stored of an
 * account, that is refused from now on and its jobs pause; otherwise nothing of
 * the account changes.  -1: the database failed (logged).
 */
int		 refusal_note(struct db *, struct arena *, struct bytes user,
		    const unsigned char pair[SECRET_HASH_SIZE],
		    const char *address) MUST_CHECK;

#endif
