/*
 * A growing run of bytes with a bound: what a response, a record or a foreign
 * answer is gathered in.
 */

#include "core/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

#define BUF_FIRST	256

/* Room for n more bytes and the NUL; -1 when that would pass max. */
static int
reserve(struct buf *b, size_t n)
{
	size_t	 cap;
	char	*data;

	if (n > b->max - b->len)
		return -1;
	if (b->data != NULL && n < b->cap - b->len)
		return 0;

	cap = b->cap > 0 ? b->cap : BUF_FIRST;
	while (cap <= b->len + n)
		cap *= 2;
	if ((data = realloc(b->data, cap)) == NULL)
		fatal("buf: out of memory", F_INT("bytes", cap));
	b->data = data;
	b->cap = cap;
	return 0;
}

void
buf_init(struct buf *b, size_t max)
{
	/* Below half of what a size_t holds, doubling cannot overflow. */
	if (max > SIZE_MAX / 4)
		max = SIZE_MAX / 4;
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

char *
buf_room(struct buf *b, size_t n)
{
	char	*room;

	if (reserve(b, n) == -1)
		return NULL;
	room = b->data + b->len;
	b->len += n;
	b->data[b->len] = '\0';
	return room;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char	*room = buf_room(b, n);

	if (room == NULL)
		return -1;
	if (n > 0)
		memcpy(room, p, n);
	return 0;
}

int
buf_addstr(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || reserve(b, (size_t)n) == -1)
		return -1;

	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}
