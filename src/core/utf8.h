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

#endif
