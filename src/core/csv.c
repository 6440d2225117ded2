/* Cells as RFC 4180 has them, harmless in a spreadsheet. */
#include "core/csv.h"

#include <string.h>

#include "core/buf.h"

/* In quotes, with those inside doubled. */
static int
add_quoted(struct buf *b, const char *s)
{
	int	 rc = buf_addstr(b, "\"");

	while (*s != '\0' && rc == 0) {
		size_t	 n = strcspn(s, "\"");

		rc |= buf_add(b, s, n);
		if (s[n] == '"') {
			rc |= buf_addstr(b, "\"\"");
			n++;
		}
		s += n;
	}
	return rc | buf_addstr(b, "\"");
}

int
csv_plain(struct buf *b, const char *s, int is_last)
{
	int	 rc = 0;

	if (s != NULL)
		rc = s[strcspn(s, "\",\r\n")] != '\0' ? add_quoted(b, s) :
		    buf_addstr(b, s);
	return rc | buf_addstr(b, is_last ? "\r\n" : ",");
}

int
csv_text(struct buf *b, const char *s, int is_last)
{
	struct buf	 guarded;
	int		 rc;

	if (s == NULL || *s == '\0' || strchr("=+-@\t\r\n", *s) == NULL)
		return csv_plain(b, s, is_last);
	buf_init(&guarded, b->max);
	rc = buf_addstr(&guarded, "'") | buf_addstr(&guarded, s);
	if (rc == 0)
		rc = csv_plain(b, guarded.data, is_last);
	buf_free(&guarded);
	return rc;
}

static int
is_separator(char c)
{
	return c == ',' || c == ';' || c == '\t';
}

static int
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static const char *
skip_spaces(const char *s, const char *end)
{
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* From an opening quote to behind the closing one; NULL when there is none. */
static const char *
skip_quoted(const char *s, const char *end)
{
	while ((s = memchr(s + 1, '"', (size_t)(end - s - 1))) != NULL) {
		if (++s == end || *s != '"')
			return s;
	}
	return NULL;
}

/*
 * Moves r->at behind one cell, whose text is *cell and *len; -1 when a quote is
 * not closed, or something stands behind the one that closes.
 */
static int
read_cell(struct csv_reader *r, const char **cell, size_t *len)
{
	const char	*s = skip_spaces(r->at, r->end), *stop = s;
	int		 quoted = s < r->end && *s == '"';

	if (quoted) {
		if ((stop = skip_quoted(s, r->end)) == NULL)
			return -1;
		r->at = skip_spaces(stop, r->end);
		if (r->at < r->end && !is_separator(*r->at) &&
		    !is_line_end(*r->at))
			return -1;
		s = skip_spaces(s + 1, --stop);
	} else {
		while (stop < r->end && !is_separator(*stop) &&
		    !is_line_end(*stop))
			stop++;
		r->at = stop;
	}
	while (stop > s && stop[-1] == ' ')
		stop--;
	*cell = s;
	*len = (size_t)(stop - s);
	return 0;
}

/* The number of lines that end between two places. */
static int64_t
count_lines(const char *from, const char *to, const char *end)
{
	int64_t	 n = 0;

	for (; from < to; from++)
		n += *from == '\n' || (*from == '\r' &&
		    (from + 1 == end || from[1] != '\n'));
	return n;
}

int
csv_read(struct csv_reader *r, struct csv_record *record)
{
	const char	*from = r->at, *cell;
	size_t		 len;

	if (r->line == 0)
		r->line = 1;
	*record = (struct csv_record){ .line = r->line, .empty = 1 };
	if (r->at == r->end)
		return 0;
	if (read_cell(r, &record->cell, &record->len) == -1)
		return -1;
	record->empty = record->len == 0;
	while (r->at < r->end && is_separator(*r->at)) {
		r->at++;
		if (read_cell(r, &cell, &len) == -1)
			return -1;
		record->empty = record->empty && len == 0;
	}
	if (r->at < r->end && *r->at++ == '\r' && r->at < r->end &&
	    *r->at == '\n')
		r->at++;
	r->line += count_lines(from, r->at, r->end);
	return 1;
}
