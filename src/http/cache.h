#ifndef CACHE_H
#define CACHE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Finished bodies of one worker, bounded in bytes.  A body is good for one
 * registry version only, so nothing ever has to be told to forget: a changed
 * registry has another version, which the login's lookup has just read.
 */
struct cache;

/* An empty one that lives as long as the worker; out of memory is fatal. */
struct cache	*cache_new(size_t max_bytes);

/*
 * The body kept for this account, kind of answer and version, or NULL.  It
 * stays valid until the next cache_put().
 */
const char	*cache_get(struct cache *, int64_t account, const char *what,
		    int64_t version, size_t *len);

/* Keeps a copy in place of an older version's; the least used ones go. */
void		 cache_put(struct cache *, int64_t account, const char *what,
		    int64_t version, const char *body, size_t len);

#endif
