#ifndef TOKEN_H
#define TOKEN_H

#include <stdint.h>

/*
 * What a seller's API token says of itself (contract, section 1).  Nothing of
 * it is checked here: a token is good if the API takes it.
 */
struct arena;

#define TOKEN_MAX	4096	/* bytes */

struct token {
	const char	*seller;	/* whom it is of; NULL: not said */
	const char	*kind;		/* as seller.token_kind has it */
	int64_t		 expires_s;	/* since 1970; -1: not said */
};

/* Reads the claims; what cannot be decoded says nothing. */
void	token_read(struct token *, struct arena *, const char *text);

#endif
