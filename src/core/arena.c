/*
 * Memory by lifetime.  Small things are cut from chunks, one after the other;
 * a large one gets a block of its own, so that one big answer does not make
 * every later reset keep its size.  Not a general allocator: nothing is freed
 * alone.
 */

#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS	1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS	1
#endif

/* What is not handed out is out of bounds for the sanitizer. */
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define hide(p, n)	ASAN_POISON_MEMORY_REGION(p, n)
#define show(p, n)	ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define hide(p, n)	((void)(p), (void)(n))
#define show(p, n)	((void)(p), (void)(n))
#endif

#define CHUNK_SIZE	((size_t)32 * 1024)
#define LARGE_SIZE	(CHUNK_SIZE / 4)

struct block {
	struct block		*next;
	size_t			 used;
	alignas(max_align_t) char data[];
};

struct deferred {
	struct deferred	 *next;
	void		(*fn)(void *);
	void		 *ptr;
};

struct arena {
	struct block	*chunks;	/* newest first; only it has room */
	struct block	*large;
	struct deferred	*deferred;	/* newest first */
};

static struct block *
block_new(struct block **list, size_t size)
{
	struct block	*b;

	if (size > SIZE_MAX / 2 ||
	    (b = malloc(sizeof(*b) + size)) == NULL)
		fatal("arena: out of memory", F_INT("bytes", size));
	b->used = 0;
	b->next = *list;
	*list = b;
	hide(b->data, size);
	return b;
}

/* Frees the list, or all of it but the oldest block. */
static void
blocks_free(struct block **list, bool keep)
{
	struct block	*b;

	while ((b = *list) != NULL && (!keep || b->next != NULL)) {
		*list = b->next;
		free(b);
	}
}

struct arena *
arena_new(void)
{
	struct arena	*a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("arena: out of memory", F_INT("bytes", sizeof(*a)));
	return a;
}

void
arena_reset(struct arena *a)
{
	struct deferred	*d;

	/* What is deferred may still read the arena, and defer more. */
	while ((d = a->deferred) != NULL) {
		a->deferred = d->next;
		d->fn(d->ptr);
	}
	blocks_free(&a->large, false);
	blocks_free(&a->chunks, true);
	if (a->chunks != NULL) {
		hide(a->chunks->data, CHUNK_SIZE);
		a->chunks->used = 0;
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	blocks_free(&a->chunks, false);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t	 mask = alignof(max_align_t) - 1;
	struct block	*b;
	size_t		 room;
	void		*p;

	if (n == 0)
		n = 1;
	if (n > LARGE_SIZE) {
		p = block_new(&a->large, n)->data;
		show(p, n);
		return memset(p, 0, n);
	}

	room = (n + mask) & ~mask;
	b = a->chunks;
	if (b == NULL || CHUNK_SIZE - b->used < room)
		b = block_new(&a->chunks, CHUNK_SIZE);
	p = b->data + b->used;
	b->used += room;
	show(p, n);
	return memset(p, 0, n);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char	*copy;

	if (n == SIZE_MAX)
		fatal("arena: out of memory");
	copy = arena_alloc(a, n + 1);
	if (n > 0)
		memcpy(copy, s, n);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list	 ap;
	char	*s;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("arena: printf", F_ERRNO);

	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *ptr)
{
	struct deferred	*d;

	d = arena_alloc(a, sizeof(*d));
	d->fn = fn;
	d->ptr = ptr;
	d->next = a->deferred;
	a->deferred = d;
}
