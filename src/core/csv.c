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
