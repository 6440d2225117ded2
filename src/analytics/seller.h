#ifndef SELLER_H
#define SELLER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/secret.h"

/*
 * Sellers: accounts of the analytics API, each of one operator, who sees no
 * other's (DESIGN, section 6).
 */
struct arena;
struct conf;
struct db;
struct json;
struct req;

struct seller {
	int64_t			 id;		/* of its account */
	struct bytes		 user;
	unsigned char		 hash[SECRET_HASH_SIZE];	/* of it */
	struct bytes		 limit_key;
	const char		*name;
	const char		*token;		/* NULL: the seal stays shut */
	const char		*token_kind;
	const char		*expires_at;
	const char		*trouble;	/* of its last run, or NULL */
	int			 trouble_told;	/* how grave, as told; 0: not */
	bool			 is_active;	/* its token is good */
	bool			 all_products;
	bool			 no_jam;	/* as far as is known */
	bool			 to_warn;	/* of its token's end */
	int64_t			 products;	/* as far as is known */
};

/*
 * The login of an operator's route: 0 with req.operator and req.accounts set,
 * or the status of what was answered.
 */
int	seller_login(struct req *);

/*
 * Loads a seller into the arena; operator: of this one alone, or NULL.  1; 0
 * when there is none; -1: database (logged).
 */
int	seller_load(struct db *, struct arena *, const struct conf *,
	    int64_t id, const char *operator, struct seller *) MUST_CHECK;

/* What a run has learned of a seller; what is left out stays as it is. */
struct seller_news {
	const char	*token_kind;	/* for one that was unknown */
	const bool	*token_warned;	/* of its end */
	const bool	*jam;		/* whether it has the subscription */
	const char	*trouble;	/* "": none any more */
	int		 trouble_told;	/* how grave, as told now or before */
};

/* Keeps it for the next runs.  -1: database (logged). */
int	seller_learn(struct db *, struct arena *, int64_t id,
	    const struct seller_news *) MUST_CHECK;

/*
 * Which seller is meant: the one of that number, which must be the
 * operator's, or without one (-1) the only one there is.  0 with *id set, or
 * the status of the problem, which names sellerId and the choices.
 */
int	seller_choose(struct req *, int64_t wanted, int64_t *id) MUST_CHECK;

/* The same by the query's sellerId. */
int	seller_asked(struct req *, int64_t *id) MUST_CHECK;

/* The number in the path, when it is one of the operator's sellers; or 404. */
int	seller_of_path(struct req *, int64_t *id) MUST_CHECK;

/* GET /api/analytics/sellers/{id}/events: what changes, as a stream. */
int	seller_events_get(struct req *);

#endif
