#ifndef SSE_H
#define SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"

#define SSE_UUID_SIZE	37	/* 36 characters and the NUL */
#define SSE_ID_SIZE	64
#define SSE_EPOCH_SIZE	9	/* 8 hex digits and the NUL */
#define SSE_NO_EPOCH	"00000000"	/* that no database is in */

/* Where a client stands: the last event of a job that it has seen. */
struct sse_id {
	char	job[SSE_UUID_SIZE];
	int64_t	n;
};

/* The same for the changes of an account: a number within an epoch. */
struct sse_place {
	char	epoch[SSE_EPOCH_SIZE];	/* "": nowhere yet */
	int64_t	seq;
};

/*
 * Takes n bytes of text as a UUID and writes it as PostgreSQL prints it, in
 * lower case.  -1 when it is none.
 */
int	sse_uuid(const char *text, size_t n, char out[SSE_UUID_SIZE])
	    MUST_CHECK;

/* Reads a Last-Event-ID of ours, "<uuid>.<n>".  -1 when it is none. */
int	sse_id_parse(const char *text, struct sse_id *) MUST_CHECK;

/* Writes it; returns out. */
char	*sse_id_print(const struct sse_id *, char out[SSE_ID_SIZE]);

/* Epoch: 8 hex digits in lower case.  -1 when the n bytes are none. */
int	sse_epoch(const char *text, size_t n, char out[SSE_EPOCH_SIZE])
	    MUST_CHECK;

/* Reads "<epoch>.<seq>"; -1 when it is none.  And writes it; returns out. */
int	sse_place_parse(const char *text, struct sse_place *) MUST_CHECK;
char	*sse_place_print(const struct sse_place *, char out[SSE_ID_SIZE]);

/*
 * May text be the value of an id: field?  No line breaks, which would begin a
 * field of their own, and no empty id, which would reset the client's.
 */
bool	sse_id_valid(const char *text);

/*
 * Appends one event: its id, then each line of data as a field of its own.
 * -1 when the buf is full (a part may have been appended) or the id invalid.
 */
int	sse_event(struct buf *, const char *id, const char *data, size_t n)
	    MUST_CHECK;

/*
 * Appends an id alone: no event to the client, but from now on what it sends
 * as Last-Event-ID.  -1 as above.
 */
int	sse_mark(struct buf *, const char *id) MUST_CHECK;

/* A comment of one line; how long to wait before coming back.  -1: full. */
int	sse_comment(struct buf *, const char *text) MUST_CHECK;
int	sse_retry(struct buf *, int ms) MUST_CHECK;

#endif
