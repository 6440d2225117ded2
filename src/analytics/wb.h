#ifndef WB_H
#define WB_H

#include <stdbool.h>
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

/* Each has a budget of its own.  The last one no run needs. */
enum wb_method { WB_FUNNEL, WB_TEXTS, WB_METHOD__MAX, WB_HISTORY };

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
 * The API counts when a call arrives, not when it was granted (asked_ms, of
 * clock_mono_ms()): by how much the next one has to be later, when it is more
 * than 0, than it would be by the budget.
 */
int64_t	wb_late_ms(const struct budget *, int64_t asked_ms,
	    const struct upstream_call *);

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

/*
 * A call that only a good token can make, and that takes nothing from what a run
 * needs: figures by the day, of a product that may be nobody's.
 */
void	wb_history(struct upstream_call *, struct arena *, const struct conf *,
	    const char *token, const struct wb_period *);

/* An answer: its rows, in the arena, and why not in words. */
struct wb_answer {
	enum wb_says	 says;
	struct json	*rows;		/* an array, with WB_OK */
	const char	*currency;	/* NULL: not said */
	const char	*why;
	bool		 detailed;	/* ... in words of the API itself */
};
struct wb_answer wb_read(struct upstream_call *, enum wb_method,
		    struct arena *);

/*
 * Whether it says itself that it is for the want of a Jam subscription, which
 * some answer with a 400 (contract, section 2.3); the words are free.
 */
bool		 wb_names_jam(const struct wb_answer *);

/*
 * Whether it refuses the token for what it was made for: another category
 * (contract, section 1), or tests.  That is a 401 as well; only the words that
 * clients of the API quote, "token scope not allowed", tell it from the others.
 */
bool		 wb_names_category(const struct wb_answer *);

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
