#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"

/* All PARAMS of one request; nginx sends one to three kB. */
#define RECORD_PARAMS_MAX	65536

#define RECORD_HEADER_SIZE	8

/* One connection's reading side.  Callers read id and params alone. */
struct record_reader {
	uint16_t	id;		/* of the request; 0: none begun */
	struct buf	params;		/* PARAMS so far, as they were sent */
	int		complete;	/* the empty PARAMS record has come */

	unsigned char	header[RECORD_HEADER_SIZE];
	unsigned char	begin[8];
	size_t		header_len;
	size_t		content_done;
};

enum record_news {
	RECORD_MORE,		/* all was taken, nothing to do yet */
	RECORD_REQUEST,		/* the PARAMS are complete */
	RECORD_ABORT,		/* the peer gave the request up */
	RECORD_BAD		/* not FastCGI as we speak it: close */
};

/* Nothing read yet; the params are freed by record_free(). */
void	record_init(struct record_reader *);

/* Frees the params; what is fed afterwards is checked and thrown away. */
void	record_free(struct record_reader *);

/*
 * Takes bytes as they come from the socket, in pieces of any size.  Says how
 * many it took in *used: fewer than n only with RECORD_REQUEST, RECORD_ABORT
 * and RECORD_BAD.  After RECORD_REQUEST the rest is fed by the next call, and
 * a body is thrown away; after RECORD_BAD there is no next call.
 */
enum record_news record_feed(struct record_reader *, const void *, size_t n,
	    size_t *used) MUST_CHECK;

/*
 * Looks a parameter up in complete params.  0 and the value, not terminated
 * and inside params; -1 when it is not there or a length leads outside.
 */
int	record_param(const struct buf *params, const char *name,
	    const char **value, size_t *len) MUST_CHECK;

/*
 * Appends n > 0 bytes of output in as many STDOUT records as they need, or
 * the end of a request (closes STDOUT, sends END_REQUEST complete).  -1, and
 * nothing appended, when the buf has no room.
 */
int	record_stdout(struct buf *, uint16_t id, const void *, size_t n)
	    MUST_CHECK;
int	record_end(struct buf *, uint16_t id) MUST_CHECK;

/* What record_stdout() will append for n bytes. */
size_t	record_stdout_size(size_t n);

#endif
