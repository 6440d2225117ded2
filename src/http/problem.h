#ifndef PROBLEM_H
#define PROBLEM_H

#include "core/compiler.h"

/*
 * Errors as application/problem+json (RFC 9457).  The codes are part of the
 * public contract: none is renamed.
 */
struct req;

enum problem {
	PROBLEM_BAD_PATH,
	PROBLEM_BAD_QUERY,
	PROBLEM_BAD_LENGTH,
	PROBLEM_BAD_FIELD,
	PROBLEM_BAD_BODY,
	PROBLEM_LOGIN_MISSING,
	PROBLEM_LOGIN_WRONG,
	PROBLEM_NO_ACCESS,
	PROBLEM_CROSS_SITE,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD,
	PROBLEM_CONFLICT,
	PROBLEM_CANCELLED,
	PROBLEM_TOO_LARGE,
	PROBLEM_UNFIT_FIELD,
	PROBLEM_TOKEN_EXPIRED,
	PROBLEM_TOKEN_REFUSED,
	PROBLEM_TOKEN_JUST_REFUSED,
	PROBLEM_TOKEN_WRONG_CATEGORY,
	PROBLEM_TOKEN_NO_ACCESS,
	PROBLEM_TOKEN_OTHER_SELLER,
	PROBLEM_TOO_MANY_REFUSALS,
	PROBLEM_PARTNER_ERROR,
	PROBLEM_PARTNER_LIMITED,
	PROBLEM_PARTNER_UNAVAILABLE,
	PROBLEM_PARTNER_TIMEOUT,
	PROBLEM_PARTNER_REFUSED,
	PROBLEM_DATABASE,
	PROBLEM_BUSY,
	PROBLEM_INTERNAL,
	PROBLEM__MAX
};

/*
 * Puts the problem into the answer, in place of what was there; detail is a
 * sentence a person can act on, without secrets.  Returns the HTTP status.
 */
int	problem(struct req *, enum problem, const char *detail, ...)
	    PRINTF_LIKE(3, 4);

/* The same for a bad value of one field, named in "field": status 400. */
int	problem_field(struct req *, const char *field, const char *detail, ...)
	    PRINTF_LIKE(3, 4);

/* The same for a body that cannot be read at all: its field is "body". */
int	problem_body(struct req *, const char *detail, ...) PRINTF_LIKE(2, 3);

/* The same for a value that is sound but does not fit here: status 422. */
int	problem_unfit(struct req *, const char *field, const char *detail, ...)
	    PRINTF_LIKE(3, 4);

/*
 * The same for a seller's token that the API or we do not take: one of
 * PROBLEM_TOKEN_*, status 422, field "token".
 */
int	problem_token(struct req *, enum problem, const char *detail, ...)
	    PRINTF_LIKE(3, 4);

/* As problem_unfit(), with what could be chosen instead, an array. */
struct json;
int	problem_choose(struct req *, const char *field, struct json *choices,
	    const char *detail, ...) PRINTF_LIKE(4, 5);

/* The database did not answer: 503, with the hint to come back. */
int	problem_database(struct req *);

/* The row of a problem, for those that are stored with a job. */
int		 problem_status(enum problem);
const char	*problem_code(enum problem);
const char	*problem_title(enum problem);

#endif
