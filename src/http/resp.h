#ifndef RESP_H
#define RESP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/compiler.h"

struct json;
struct req;

/*
 * Answers.  Each puts a whole answer into the request, in place of what was
 * there, and returns its HTTP status, for the handler to return.
 */
int	resp_json(struct req *, int status, const struct json *);
int	resp_problem(struct req *, int status, const struct json *);

/* A body that is finished already: type, then n bytes, copied. */
int	resp_bytes(struct req *, int status, const char *type,
	    const char *body, size_t n);

/*
 * The reason phrase of a status (RFC 9110, 15).  nginx passes a bare number on
 * as it is, without the space that RFC 9112, 4 asks for after it.
 */
const char	*resp_reason(int status);

/*
 * A body that is written as it comes: resp_open(), further headers, then
 * resp_write() any number of times; the first sends the head, after which
 * nothing can be taken back.  -1: the peer is gone.  resp_cut() says that the
 * rest will not come: the connection is broken off, so that no client takes
 * the part for the whole.
 */
int	resp_open(struct req *, int status, const char *type);
int	resp_write(struct req *, const void *, size_t n) MUST_CHECK;
void	resp_cut(struct req *);

/* Sends what was answered and not sent yet.  For http/server.c. */
void	resp_send(struct req *);

/* What the client has is still good: 304. */
int	resp_not_modified(struct req *);

/* Adds a header; name and value must live in the arena or be literals. */
void	resp_header(struct req *, const char *name, const char *value);

/*
 * Hands the request on to another process: nginx takes it from here (DESIGN,
 * section 2).  where is "@live" or an internal URI.  Any other header would
 * leak into the final answer, so there is none.  Returns 200, which no client
 * sees.
 */
int	resp_handover(struct req *, const char *where);

/* Has the request been handed on?  Then somebody else answers it. */
bool	resp_is_handover(const struct req *);

#endif
