#ifndef BUF_H
#define BUF_H

#include <stddef.h>

#include "core/compiler.h"

/*
 * A growing run of bytes with an upper bound, always followed by a NUL that
 * len does not count.  data may be NULL while nothing was added.
 */
struct buf {
	char	*data;
	size_t	 len;
	size_t	 cap;
	size_t	 max;		/* len never grows beyond this */
};

/* Starts empty; max is the most bytes it will hold. */
void	buf_init(struct buf *, size_t max);

/* Frees the bytes; the buf is empty and usable again. */
void	buf_free(struct buf *);

/* Empty again, memory kept. */
void	buf_reset(struct buf *);

/* Drops the first n bytes (n <= len). */
void	buf_drop(struct buf *, size_t n);

/* Appends; -1, and nothing appended, when it would pass max. */
int	buf_add(struct buf *, const void *, size_t n) MUST_CHECK;

/* Appends n bytes for the caller to fill at once; NULL when that would pass max. */
char	*buf_room(struct buf *, size_t n) MUST_CHECK;
int	buf_addstr(struct buf *, const char *) MUST_CHECK;
int	buf_printf(struct buf *, const char *fmt, ...) MUST_CHECK
	    PRINTF_LIKE(2, 3);

#endif
