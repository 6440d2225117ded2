#ifndef FCGI_H
#define FCGI_H

#include <stddef.h>

#include "core/compiler.h"

/*
 * One FastCGI connection after the other, over libfcgi, which is named in
 * fcgi.c alone.  For workers that serve one request at a time; the event loop
 * has events/record.h.
 */
struct buf;
struct fcgi;

/* Serves on a listening socket with SO_RCVTIMEO set.  Once a process. */
struct fcgi	*fcgi_open(int listen_fd);

/*
 * Waits for a request.  1 when there is one, 0 when there was none for a
 * while: look at the flags and call again.
 */
int		 fcgi_accept(struct fcgi *) MUST_CHECK;

/* A parameter of the request in hand, or NULL. */
const char	*fcgi_param(const struct fcgi *, const char *name);

/* Appends the body; -1 when it is larger than the buf, or cut short. */
int		 fcgi_body(struct fcgi *, struct buf *) MUST_CHECK;

/* Writes bytes of the answer: -1 when the peer is gone. */
int		 fcgi_write(struct fcgi *, const void *, size_t n);

/*
 * Breaks the connection off, so that what was sent cannot be taken for the
 * whole answer.
 */
void		 fcgi_break(struct fcgi *);

/* Ends the request and closes the connection. */
void		 fcgi_finish(struct fcgi *);

#endif
