#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How many characters n bytes of UTF-8 hold; -1 when they are not UTF-8 as
 * RFC 3629 has it (PostgreSQL refuses the same), or hold a NUL.
 */
long	utf8_length(const char *s, size_t n);

/* Whether valid UTF-8 holds a control character: C0, DEL or C1. */
bool	utf8_has_control(const char *s, size_t n);

/*
 * Turns n bytes of UTF-16, the high ones first or the low ones, into UTF-8; out
 * has room for 3 bytes for every 2.  How many it wrote; -1 when it is none.
 */
long	utf8_from_16(const char *s, size_t n, bool high_first, char *out);

#endif
