#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>

#include "core/compiler.h"
#include "core/secret.h"
#include "programs/partner.h"

/*
 * Partner logins: who may ask, and with what the jobs sign in (DESIGN,
 * section 6; partner contract, defects 27 to 34).
 */
struct arena;
struct db;
struct req;

/* The pair that a request came with, kept in req.login. */
struct login {
	struct bytes	 user;
	struct bytes	 password;
	unsigned char	 hash[SECRET_HASH_SIZE];
	const char	*authorization;		/* for calls to the partner */
};

/*
 * The login of a route: 0 with req.account_id set, or the status of what was
 * answered.  A login that is not known yet is handed over to a live worker,
 * which asks the partner.
 */
int	account_login(struct req *);

/* POST /api/auth/validate-credentials */
int	validate_credentials_post(struct req *);

/*
 * Asks the partner about r->login, which may be a request's or one made for
 * this: with conf, db, upstream and arena set.  The cheapest probe (contract,
 * section 1); it also tells the total.  The call stays in *call.
 */
struct upstream_call;
struct partner_page account_probe(struct req *, struct upstream_call *call);

/*
 * Remembers r->login, which the partner has accepted, sealed for the jobs.
 * One that was disabled by hand is enabled only if so said.  A row of id and
 * state and more; NULL: the database failed (logged).
 */
struct db_rows	*account_remember(struct req *, int64_t total, bool enable)
		    MUST_CHECK;

/* What a job signs in with. */
struct account {
	int64_t			 id;
	struct bytes		 user;
	unsigned char		 hash[SECRET_HASH_SIZE];
	struct bytes		 password;
	int			 is_refused;	/* or disabled by hand */
	int64_t			 partner_total;	/* -1: never said */
	bool			 was_full;	/* was ever read as a whole */
	bool			 full_due;	/* and not for a while */
	struct bytes		 pages;		/* for digest_open() */
	int64_t			 pages_programs; /* with them */
	const char		*authorization;
};

/*
 * Loads an account with its seal opened, into the arena; full_every_ms is how
 * old a full reading may get.  1; 0 when there is none or the seal cannot be
 * opened with this key; -1: database (logged).
 */
int	account_load(struct db *, struct arena *, int64_t id,
	    int64_t full_every_ms, struct account *) MUST_CHECK;

/*
 * Calls for the partner's list within a request, in its turn, and once more
 * when the partner broke down and there is time.  The call is filled in; its
 * answer is left in it, which may be that the budget had none for it.
 */
void	account_call(struct req *, struct upstream_call *);

/*
 * Answers a request with what the partner said instead of OK; that it refused
 * the login is noted first.
 */
int	account_partner_problem(struct req *, enum partner_says,
	    const char *why, int64_t retry_after_ms);

#endif
