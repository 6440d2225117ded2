#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

#include "core/compiler.h"

/*
 * Memory by lifetime: everything that a request or a job needs comes from its
 * arena and goes with one reset.  Running out of memory is fatal (the master
 * starts a new worker), so nothing here returns NULL.
 */
struct arena;

/* A new, empty arena.  The caller owns it and ends it with arena_free(). */
struct arena	*arena_new(void);

/* Runs what was deferred, then frees everything and the arena itself. */
void		 arena_free(struct arena *);

/*
 * Runs what was deferred, newest first, and makes all memory free for use
 * again.  One chunk is kept, so that a steady worker stops calling malloc.
 */
void		 arena_reset(struct arena *);

/* n zeroed bytes, aligned for any type, good until the next reset. */
void		*arena_alloc(struct arena *, size_t n);

/* A NUL-terminated copy of n bytes (of the whole string for arena_strdup). */
char		*arena_strndup(struct arena *, const char *, size_t n);
char		*arena_strdup(struct arena *, const char *);

/* printf into the arena. */
char		*arena_printf(struct arena *, const char *fmt, ...)
		    PRINTF_LIKE(2, 3);

/*
 * Have fn(ptr) called at the next reset: for what a library allocated.  To be
 * called in the line after the thing was obtained.
 */
void		 arena_defer(struct arena *, void (*fn)(void *), void *ptr);

#endif
