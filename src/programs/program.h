#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"
#include "core/secret.h"
#include "data/column.h"

/*
 * One program of the registry: the one place where a partner's element
 * becomes columns (partner contract, section 8), so that inserts and updates
 * cannot differ.
 */
struct arena;
struct json;

#define PROGRAM_HASH_SIZE	16
#define PROGRAM_TEXT_MAX	255	/* bytes of any text */
#define PROGRAM_BUSINESSES_MAX	1000

struct program {
	const char	 *id;
	const char	 *type;
	const char	 *status;
	const char	 *pause;
	bool		  has_start;
	bool		  has_end;
	int32_t		  start;		/* days since 1970-01-01 */
	int32_t		  end;
	const char	 *partner_business;	/* of the first business */
	const char	**businesses;		/* all, in the partner's order */
	size_t		  nbusinesses;
	unsigned char	  hash[PROGRAM_HASH_SIZE];
};

/*
 * Maps an element of payment_programs; texts live as long as it does.  -1,
 * with *why, when it cannot be kept: no usable id, or a text over the bound.
 * A malformed date is no date, and takes nothing else with it.
 */
int	program_read(struct program *, struct arena *, const struct json *,
	    const char **why) MUST_CHECK;

/* YYYY-MM-DD as days since 1970-01-01; -1 when it is no date. */
int	program_date(const char *text, int32_t *days) MUST_CHECK;

/* Many programs as the columns of one statement. */
enum program_column { PROGRAM_PAGE, PROGRAM_ID, PROGRAM_BUSINESS,
	PROGRAM_PARTNER_BUSINESS, PROGRAM_TYPE, PROGRAM_STATUS, PROGRAM_PAUSE,
	PROGRAM_START, PROGRAM_END, PROGRAM_HASH, PROGRAM_LINK_PROGRAM,
	PROGRAM_LINK_BUSINESS, PROGRAM__MAX };

struct program_batch {
	size_t		 n;
	struct column	 columns[PROGRAM__MAX];
};

/* Empty, with memory of its own until freed. */
void	program_batch_init(struct program_batch *);
void	program_batch_free(struct program_batch *);

/* page tells rows of one page from those of another in the result. */
void	program_batch_add(struct program_batch *, int page,
	    const struct program *);

#endif
