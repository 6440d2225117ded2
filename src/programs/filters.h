#ifndef FILTERS_H
#define FILTERS_H

#include "core/compiler.h"
#include "data/db.h"

/*
 * What a list of the registry is narrowed down to.  One set of parameters for
 * the list, the export and the counts, and one predicate for them in SQL:
 * registry_matching(), whose arguments filters_args() fills.
 */
struct req;

#define FILTERS_WORDS_MAX	100	/* characters of q and program_type */
#define FILTERS_ARGS		12	/* account, date, filters: $1 to $12 */

/* NULL: not narrowed by this.  Checked; texts live in the arena. */
struct filters {
	const char	*business;	/* one of the program's businesses */
	const char	*state;		/* the derived status */
	const char	*type;
	const char	*pause;		/* PAUSED or NOT_PAUSED */
	const char	*id;		/* of one program; no parameter */
	const char	*words;		/* free text */
	const char	*start_from;	/* dates, both ends included */
	const char	*start_to;
	const char	*end_from;
	const char	*end_to;
};

/* From the query; 0, or the status of the 400 that names the parameter. */
int	filters_read(struct req *, struct filters *) MUST_CHECK;

/* The arguments for the account and the date of the request. */
void	filters_args(const struct req *, const struct filters *,
	    struct db_arg args[FILTERS_ARGS]);

/* The filters as a query string, "&q=a%20b&...", always in the same form. */
char	*filters_query(struct arena *, const struct filters *);

/* GET /api/reseller/available-filters: what each choice would leave. */
int	available_filters_get(struct req *);

#endif
