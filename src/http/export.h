#ifndef EXPORT_H
#define EXPORT_H

#include <stddef.h>

#include "data/db.h"

/* A list as CSV, for spreadsheets. */
struct req;

/* The columns of a row, in the order in which they are shown. */
enum export_shape { EXPORT_TEXT, EXPORT_DATE, EXPORT_NUMBER, EXPORT_BOOL,
	EXPORT_LIST };

struct export_column {
	const char		*name;		/* also of the cell on top */
	enum export_shape	 shape;
};

/*
 * A list: its columns, the one that is NULL on the only row of an empty list,
 * and what the file is called, before the date.
 */
struct export_list {
	const char			*file;
	const char			*key;
	const struct export_column	*columns;
	size_t				 ncolumns;
};

/*
 * Answers with all rows of a statement that has a column total_count, as CSV,
 * written as they come from the database: of one snapshot, in bounded memory,
 * however many.  What breaks on the way breaks the connection off.
 */
int	export_csv(struct req *, const struct export_list *, enum query,
	    const struct db_arg *, size_t nargs);

#endif
