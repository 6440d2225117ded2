#ifndef PARTNER_H
#define PARTNER_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"
#include "http/problem.h"
#include "net/upstream.h"

/*
 * The Yelp partner API as functions: calls are made here and their answers
 * read here, and nobody else knows its paths, fields or errors (partner
 * contract, sections 1 to 3 and 6).
 */
struct arena;
struct conf;
struct json;

#define PARTNER_TOTAL_MAX	2000000	/* a total beyond is a fault */
#define PARTNER_PAGE_MAX	40	/* contract, section 2: hard maximum */

/* What an answer means to us, whatever its form. */
enum partner_says {
	PARTNER_OK,
	PARTNER_BAD_LOGIN,	/* 401 */
	PARTNER_NO_ACCESS,	/* 403 */
	PARTNER_LIMITED,	/* 429 */
	PARTNER_BROKEN,		/* 5xx; connection refused, reset, cut short */
	PARTNER_UNAVAILABLE,	/* 503 */
	PARTNER_TIMEOUT,
	PARTNER_GARBLED,	/* 200, but not what the contract promises */
	PARTNER_BAD_REQUEST,	/* 400: what we asked for was wrong */
	PARTNER_REJECTED,	/* any other 4xx: asking again is no use */
	PARTNER_UNKNOWN_ID,	/* program info of an id that is not there */
};

/* The value of an Authorization header for this login, in the arena. */
const char	*partner_authorization(struct arena *, struct bytes user,
		    struct bytes password);

/*
 * Fills in a call: one page of the program list; or the details of one
 * program.  status is a filter of contract section 5 and needs no escaping,
 * nor does an id that matches [A-Za-z0-9_-]+.
 */
void	partner_list(struct upstream_call *, struct arena *,
	    const struct conf *, const char *authorization, int64_t offset,
	    int64_t limit, const char *status, int64_t deadline_ms);
void	partner_info(struct upstream_call *, struct arena *,
	    const struct conf *, const char *authorization,
	    const char *program_id, int64_t deadline_ms);

/* One page as it was answered. */
struct partner_page {
	enum partner_says	 says;
	struct json		*programs;	/* array, with PARTNER_OK */
	size_t			 count;
	int64_t			 total;
	const char		*why;		/* in words, when not OK */
};
struct partner_page	 partner_list_read(struct upstream_call *,
			    struct arena *);

/* One program's details, or why not. */
struct partner_detail {
	enum partner_says	 says;
	struct json		*program;	/* with PARTNER_OK */
	const char		*why;
};
struct partner_detail	 partner_info_read(struct upstream_call *,
			    struct arena *, const char *program_id);

/* Worth another try?  Contract, section 6. */
int		 partner_is_transient(enum partner_says);

/* Does it smell of too much load? */
int		 partner_is_overload(enum partner_says);

/* The problem to answer a request with, or to end a job with. */
enum problem	 partner_problem(enum partner_says);

#endif
