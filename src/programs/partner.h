#ifndef PARTNER_H
#define PARTNER_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"
#include "http/problem.h"
#include "net/budget.h"
#include "net/upstream.h"

/*
 * The Yelp partner API as functions: calls are made here and their answers
 * read here, and nobody else knows its paths, fields or errors (partner
 * contract, sections 1 to 4 and 6).
 */
struct arena;
struct conf;
struct json;

#define PARTNER_TOTAL_MAX	2000000	/* a total beyond is a fault */
#define PARTNER_PAGE_MAX	40	/* contract, section 2: hard maximum */
#define PARTNER_IDS_MAX		200	/* of one call, sections 3 and 4 */

/* Each has a budget of its own. */
#define PARTNER_LIST		"programs"
#define PARTNER_INFO		"info"
#define PARTNER_NAMES		"business_info"

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

/* The budget that this login's calls of that method take from. */
struct budget	 partner_budget(const struct conf *, struct bytes user,
		    const char *method);

/*
 * Fills in a call: one page of the program list; the details of programs;
 * what businesses are called.  status is a filter of contract section 5 and
 * needs no escaping, nor does an id that matches [A-Za-z0-9_-]+; ids are up to
 * PARTNER_IDS_MAX of them with commas between.
 */
void	partner_list(struct upstream_call *, struct arena *,
	    const struct conf *, const char *authorization, int64_t offset,
	    int64_t limit, const char *status, int64_t deadline_ms);
void	partner_info(struct upstream_call *, struct arena *,
	    const struct conf *, const char *authorization,
	    const char *ids, int64_t deadline_ms);
void	partner_names(struct upstream_call *, struct arena *,
	    const struct conf *, const char *authorization,
	    const char *ids, int64_t deadline_ms);

/* ids as such a call takes them, in the arena. */
const char	*partner_ids(struct arena *, const char *const *ids, size_t n);

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

/* Reads a call about n ids: details[i] is what it says of ids[i]. */
void		 partner_info_read(struct upstream_call *, struct arena *,
		    const char *const *ids, size_t n,
		    struct partner_detail *details);

/*
 * One business.  With PARTNER_OK name is what it is called, with
 * PARTNER_UNKNOWN_ID the partner has no name for it; url may be NULL.
 */
struct partner_name {
	enum partner_says	 says;
	const char		*name;
	const char		*url;
};

/*
 * The same for names.  Returns what the answer was as a whole, *why in words
 * when that is not PARTNER_OK; one business may be garbled in a good answer.
 */
enum partner_says partner_names_read(struct upstream_call *, struct arena *,
		    const char *const *ids, size_t n,
		    struct partner_name *names, const char **why);

/*
 * For how many milliseconds the partner wants to hear nothing more of this
 * kind: as it has said, or a moment when it only says "too many"; 0 when it
 * has not complained.
 */
int64_t		 partner_silence_ms(const struct conf *,
		    const struct upstream_call *);

/* Worth another try?  Contract, section 6. */
int		 partner_is_transient(enum partner_says);

/* Does it smell of too much load? */
int		 partner_is_overload(enum partner_says);

/* The problem to answer a request with, or to end a job with. */
enum problem	 partner_problem(enum partner_says);

#endif
