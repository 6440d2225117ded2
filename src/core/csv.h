#ifndef CSV_H
#define CSV_H

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

#endif
