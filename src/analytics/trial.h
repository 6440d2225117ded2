#ifndef TRIAL_H
#define TRIAL_H

#include <stdint.h>

#include "analytics/token.h"
#include "core/compiler.h"
#include "core/secret.h"

/* A token that somebody pastes is tried at the API before it is kept. */
struct arena;
struct json;
struct req;

/* A token as it came, and what is made of it. */
struct trial {
	const char	*text;
	struct token	 says;
	unsigned char	 limit_key[SECRET_HASH_SIZE];
	unsigned char	 hash[SECRET_HASH_SIZE];
	struct bytes	 sealed;
	int64_t		 listed;	/* products, as the API has shown; -1 */
};

/*
 * Reads the token out of the body: 0, or the status of what is wrong with it at
 * first sight.
 */
int	trial_read(struct req *, const struct json *body, struct trial *)
	    MUST_CHECK;

/*
 * Seals the token for that user; limit_key is of the seller that it names, or of
 * itself when it names none.
 */
void	trial_keys(struct trial *, struct arena *, struct bytes user);

/* The limit key of a token that names nobody. */
void	trial_key_of_token(const char *token,
	    unsigned char key[SECRET_HASH_SIZE]);

/*
 * Asks the API: 0 when it takes the token, with listed set, -1 when the call did
 * not show it, else the status of the answer.  own: the limit key of the seller
 * that it is for, empty for a new one.
 */
int	trial_check(struct req *, struct trial *, struct bytes own) MUST_CHECK;

/* Such a key or hash, as bytes. */
struct bytes	trial_hash(const unsigned char hash[SECRET_HASH_SIZE]);

#endif
