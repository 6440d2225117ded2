#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

struct buf;

/*
 * Cells of a CSV line (RFC 4180), appended with the comma or, for the last
 * one, the line's end.  -1 when the buf is full.
 *
 * csv_text is for what people wrote: a text that a spreadsheet would take for
 * a formula (it begins with = + - @, a tab or a line break) gets an
 * apostrophe in front.  csv_plain is for our own: numbers, dates, JSON.
 * NULL is an empty cell.
 */
int	csv_text(struct buf *, const char *, int is_last) MUST_CHECK;
int	csv_plain(struct buf *, const char *, int is_last) MUST_CHECK;

/*
 * Reading what spreadsheets write, as far as the first cell of each record:
 * cells parted by commas, semicolons or tabs, lines ended by CR, LF or both,
 * cells in quotes that may hold any of them.
 */
struct csv_reader {
	const char	*at;	/* what is still to be read */
	const char	*end;
	int64_t		 line;	/* 1 for the first; 0 stands for that too */
};

struct csv_record {
	const char	*cell;	/* the first, without quotes and blanks */
	size_t		 len;
	int64_t		 line;	/* on which it begins */
	int		 empty;	/* nothing in any cell */
};

/* 1; 0 at the end; -1: the quotes of the record do not match. */
int	csv_read(struct csv_reader *, struct csv_record *) MUST_CHECK;

#endif
