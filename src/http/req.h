#ifndef REQ_H
#define REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "core/secret.h"

/*
 * One request and the answer to it.  Handlers see parsed, bounded input; what
 * they allocate comes from the arena and they free nothing.
 */
struct arena;
struct conf;
struct db;
struct fcgi;
struct json;
struct route;
struct upstream;
struct worker;

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH,
	METHOD_DELETE, METHOD_OTHER };

#define REQ_SEGMENTS_MAX	8
#define REQ_QUERY_MAX		32

struct query_param {
	const char	*name;
	const char	*value;
	size_t		 value_len;	/* the value may hold a NUL */
};

struct header {
	const char	*name;
	const char	*value;
};
#define RESP_HEADERS_MAX	8

struct req {
	/* What serves it; for the life of the worker. */
	const struct conf	*conf;
	struct worker		*worker;
	struct db		*db;
	struct upstream		*upstream;	/* NULL outside of live */
	struct cache		*cache;
	struct arena		*arena;		/* for this request */
	struct fcgi		*fcgi;

	/* What was asked. */
	enum method		 method;
	const char		*method_name;
	const char		*path;		/* as sent, without the query */
	const char		*segments[REQ_SEGMENTS_MAX];	/* decoded */
	size_t			 nsegments;
	struct query_param	 query[REQ_QUERY_MAX];
	size_t			 nquery;
	const char		*rid;
	const char		*address;	/* the client's */
	int64_t			 deadline_ms;	/* of all calls to a partner */
	int64_t			 content_length;
	const struct route	*route;
	const char		*path_id;	/* what {id} stands for */
	bool			 operator_listener;

	/* Who asks, once the route's login has accepted. */
	int64_t			 account_id;	/* 0 for an operator, who has
						 * sellers: those below */
	const char		*operator;	/* NULL: no operator */
	const int64_t		*accounts;	/* the operator's sellers */
	size_t			 naccounts;
	int64_t			 registry_version;
	const char		*today;		/* the Pacific date */
	int64_t			 login_left_ms;	/* until it is checked anew */
	struct login		*login;

	/* The answer. */
	int			 status;
	struct header		 headers[RESP_HEADERS_MAX];
	size_t			 nheaders;
	struct buf		 body;
	const char		*etag;		/* NULL: it carries none */
	bool			 head_sent;	/* resp_write() was called */
	bool			 cut;		/* broken off on the way */
	size_t			 sent;		/* by resp_write() */
};

/*
 * Takes the request line apart: method, path segments, query, length.  0, or
 * the status of the problem that was put into the answer.
 */
int		 req_parse(struct req *) MUST_CHECK;

/* A FastCGI parameter such as HTTP_ACCEPT, or NULL. */
const char	*req_param(const struct req *, const char *name);

/*
 * Query parameters, checked.  Each returns 0 with *out set (to the default
 * when the parameter is absent), or the status of the 400 that it has put
 * into the answer, naming the parameter.  Given twice is an error.
 */
int	req_int(struct req *, const char *name, int64_t dflt, int64_t min,
	    int64_t max, int64_t *out) MUST_CHECK;

/* One of the NULL-terminated words, upper case. */
int	req_word(struct req *, const char *name, const char *const words[],
	    const char *dflt, const char **out) MUST_CHECK;

/* An id of the partner's, [A-Za-z0-9_-]{1,100} (DESIGN 5); NULL if absent. */
int	req_id(struct req *, const char *name, const char **out) MUST_CHECK;

/*
 * Up to max such ids, commas between them; the array is in the arena, *n 0 if
 * the parameter is absent.
 */
int	req_ids(struct req *, const char *name, size_t max, const char ***out,
	    size_t *n) MUST_CHECK;

/* Whether it was given at all. */
bool	req_has(const struct req *, const char *name);

/* Any text of 1 to max characters, UTF-8, no control characters; or NULL. */
int	req_text(struct req *, const char *name, long max, const char **out)
	    MUST_CHECK;

/*
 * The body as a JSON object, bounded by the route's body_max.  0, or the
 * status of the problem that was put into the answer.
 */
int	req_json(struct req *, struct json **out) MUST_CHECK;

/*
 * The body as it is, NUL-terminated in the arena and bounded likewise.  0, or
 * the status of the problem that was put into the answer.
 */
int	req_body(struct req *, struct bytes *out) MUST_CHECK;

/* The same as a JSON object; an empty body is an empty object. */
int	req_json_optional(struct req *, struct json **out) MUST_CHECK;

/* Whether the body is said to be of this media type. */
bool	req_sends(const struct req *, const char *type);

/*
 * Whether Accept names this media type and likes it better than JSON, which
 * is what everything is answered in otherwise (RFC 9110, 12.5.1).
 */
bool	req_prefers(const struct req *, const char *type);
bool	accept_prefers(const char *accept, const char *type);

#endif
