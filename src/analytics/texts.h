#ifndef TEXTS_H
#define TEXTS_H

#include <stdint.h>

/* Search texts as they are kept (contract, section 4).  Pure. */
struct arena;
struct index;

/*
 * Those that an answer has for a product, as the JSON of an array, in the
 * arena: each text once, the first of its rows, most looked at first.
 */
const char	*texts_of(struct arena *, const struct index *, int64_t id);

#endif
