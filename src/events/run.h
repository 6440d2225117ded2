#ifndef RUN_H
#define RUN_H

#include <stddef.h>
#include <stdint.h>

/* One event of a job, framed once for all who watch it. */
struct event {
	struct event	*prev, *next;
	int64_t		 n;
	size_t		 len;
	char		 frame[];
};

/*
 * A run of consecutive events: all there are with after < n <= through.
 */
struct run {
	struct event	*events;	/* utlist, oldest first */
	size_t		 count;
	size_t		 bytes;
	int64_t		 after;
	int64_t		 through;
};

/* Frees its events; it is empty and stands at n.  Zeroed memory is a run. */
void		 run_reset(struct run *, int64_t n);

/* Appends a copy of a frame; n > through. */
void		 run_add(struct run *, int64_t n, const char *frame,
		    size_t len);

/* Frees its oldest events down to so many and so many bytes, but keeps one. */
void		 run_trim(struct run *, size_t count, size_t bytes);

/* The first event after n, or NULL. */
struct event	*run_after(const struct run *, int64_t n);

#endif
