#ifndef WB_H
#define WB_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"
#include "http/problem.h"
#include "net/budget.h"
#include "net/upstream.h"

/*
 * The sellers' analytics API as functions: calls are made here and their
 * answers read here, and nobody else knows its paths, fields or errors
 * (contract, sections 1 to 3).
 */
struct arena;
struct conf;
struct json;

#define WB_FUNNEL_MAX	1000	/* products of one call */
#define WB_TEXTS_MAX	50
#define WB_BURST	3	/* calls at once, but with a base token */

/* Each has a budget of its own. */
enum wb_method { WB_FUNNEL, WB_TEXTS, WB_METHOD__MAX };

/* What an answer means to us, whatever its form. */
enum wb_says {
	WB_OK,
	WB_BAD_TOKEN,		/* 401 */
	WB_NO_ACCESS,		/* 403: no rights, no Jam */
	WB_BAD_REQUEST,		/* 400, 413, 422 */
	WB_RETIRED,		/* 404, 402: not to be had any more */
	WB_LIMITED,		/* 429 */
	WB_BROKEN,		/* 500: of one product, maybe */
	WB_AWAY,		/* other 5xx, 498, not reached, cut short */
	WB_TIMEOUT,
	WB_GARBLED,		/* 200, but not what the contract promises */
};

/* Days as YYYY-MM-DD, both in. */
struct wb_period {
	const char	*start;
	const char	*end;
};

/* The budget of a seller's calls, by the kind of its token. */
struct budget	 wb_budget(const struct conf *, enum wb_method,
		    const char *token_kind, struct bytes limit_key);

/*
 * Fills in a call about n products, or about all from offset on (n is 0);
 * limit: how many rows it may answer with.
 */
void	wb_funnel(struct upstream_call *, struct arena *, const struct conf *,
	    const char *token, const struct wb_period *, const int64_t *ids,
	    size_t n, int64_t limit, int64_t offset);

/* The same for the search texts of 1 to WB_TEXTS_MAX products. */
void	wb_texts(struct upstream_call *, struct arena *, const struct conf *,
	    const char *token, const struct wb_period *, const int64_t *ids,
	    size_t n);

/* An answer: its rows, in the arena, and why not in words. */
struct wb_answer {
	enum wb_says	 says;
	struct json	*rows;		/* an array, with WB_OK */
	const char	*currency;	/* NULL: not said */
	const char	*why;
};
struct wb_answer wb_read(struct upstream_call *, enum wb_method,
		    struct arena *);

/* The figures of one row.  NULL pointers and -1 where nothing is said. */
struct wb_figures {
	int64_t		 nm_id;
	const char	*title;
	const char	*vendor_code;
	const char	*brand;
	const char	*subject;
	int64_t		 views;
	int64_t		 add_to_cart;
	int64_t		 orders;
	int64_t		 buyouts;
	int64_t		 cancels;
	int64_t		 add_to_wishlist;
	const char	*revenue;	/* decimals */
	const char	*buyout_sum;
	const char	*cancel_sum;
	const char	*avg_price;
};

/*
 * The product that a row is about, of either method; -1 when it names none.
 */
int	wb_row_id(const struct json *row, enum wb_method, int64_t *id)
	    MUST_CHECK;

/* Reads a row of figures; -1, with *why, when it cannot be kept. */
int	wb_figures_read(struct wb_figures *, struct arena *,
	    const struct json *row, const char **why) MUST_CHECK;

/*
 * One search text as it is kept: {"query","openCard","addToCart","orders",
 * "avgPosition"}, or NULL when the row holds no text.
 */
struct json	*wb_text_read(struct arena *, const struct json *row);

/*
 * For how long the API wants to hear nothing more of this kind; 0 when it has
 * not complained.  failed: how many times in a row it has been without an
 * answer that could be used, interval_ms: between two calls.
 */
int64_t	wb_silence_ms(const struct upstream_call *, enum wb_says, int failed,
	    int64_t interval_ms);

/* Worth another try? */
int		 wb_is_transient(enum wb_says);

/* The problem to answer a request with, or to end a job with; its code. */
enum problem	 wb_problem(enum wb_says);
const char	*wb_code(enum wb_says);

#endif
