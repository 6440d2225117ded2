#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/secret.h"
#include "data/column.h"
#include "data/documents.h"

/*
 * One program of the registry: the one place where a partner's element
 * becomes columns (partner contract, section 8), so that inserts and updates
 * cannot differ.  A column is a row of the table in program.c.
 */
struct arena;
struct json;

/* Over its businesses, then over every column of it. */
#define PROGRAM_LINKS_HASH_SIZE	8
#define PROGRAM_HASH_SIZE	(PROGRAM_LINKS_HASH_SIZE + 16)
#define PROGRAM_TEXT_MAX	255	/* bytes of any text */
#define PROGRAM_JSON_MAX	65536	/* bytes of any list, as JSON */
#define PROGRAM_BUSINESSES_MAX	1000

/* In the order of the parameters of add.sql and change.sql. */
enum program_column {
	PROGRAM_ID,
	PROGRAM_BUSINESS,
	PROGRAM_PARTNER_BUSINESS,
	PROGRAM_TYPE,
	PROGRAM_STATUS,
	PROGRAM_PAUSE,
	PROGRAM_START,
	PROGRAM_END,
	PROGRAM_BUDGET,
	PROGRAM_CURRENCY,
	PROGRAM_AUTOBID,
	PROGRAM_MAX_BID,
	PROGRAM_IMPRESSIONS,
	PROGRAM_CLICKS,
	PROGRAM_AD_COST,
	PROGRAM_FEE_PERIOD,
	PROGRAM_ACTIVE_FEATURES,
	PROGRAM_AVAILABLE_FEATURES,
	PROGRAM_BUSINESSES,
	PROGRAM_BUDGET_CHANGES,
	PROGRAM_UPGRADE_RATE,
	PROGRAM_UPGRADE_COST,
	PROGRAM_AD_CATEGORIES,
	PROGRAM_CAMPAIGN,
	PROGRAM__MAX
};

/* One cell: text for texts and JSON, number for the rest. */
struct value {
	bool		 present;	/* else NULL */
	int64_t		 number;	/* cents, counts, days, 0 and 1 */
	const char	*text;
};

struct program {
	struct value	  values[PROGRAM__MAX];
	const char	**businesses;	/* all, in the partner's order */
	size_t		  nbusinesses;
	unsigned char	  hash[PROGRAM_HASH_SIZE];
};

/*
 * Maps an element of payment_programs; texts live as long as it and the
 * arena do.  -1, with *why, when it cannot be kept: no usable id, a text over
 * the bound, a fraction of a cent, a number, truth or list that is none.  A
 * malformed date is no date, and takes nothing else with it.
 */
int	program_read(struct program *, struct arena *, const struct json *,
	    const char **why) MUST_CHECK;

/* Whether this can be an id of the partner's; NULL cannot. */
bool	program_is_id(const char *);

/* The id, which every program that was read has. */
const char *program_id(const struct program *);

/* YYYY-MM-DD as days since 1970-01-01; -1 when it is no date. */
int	program_date(const char *text, int32_t *days) MUST_CHECK;

/* Many programs as the columns of one statement. */
struct program_batch {
	size_t		 n;
	struct column	 columns[PROGRAM__MAX];
	struct column	 hash;
	/* What the columns of lists name by number, and what they named last. */
	struct documents lists;
	struct { const char *text; int32_t number; } last[PROGRAM__MAX];
	/* Whose links may be others, and the links that those have now. */
	struct column	 relinked;
	struct column	 link_program;
	struct column	 link_business;
};

/* Empty, with memory of its own until freed. */
void	program_batch_init(struct program_batch *);
void	program_batch_free(struct program_batch *);

/* Its texts have to live as long as the batch. */
void	program_batch_add(struct program_batch *, const struct program *);

/* Adds the links of a program of the batch: they may be others. */
void	program_batch_link(struct program_batch *, const struct program *);

#endif
