/* The answer under construction: status, a few headers, one bounded body. */
#include "http/resp.h"

#include <string.h>

#include "core/arena.h"
#include "core/compiler.h"
#include "core/json.h"
#include "core/log.h"
#include "http/fcgi.h"
#include "http/req.h"

static const struct {
	int		 status;
	const char	*phrase;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
	{ 404, "Not Found" }, { 405, "Method Not Allowed" },
	{ 409, "Conflict" }, { 413, "Content Too Large" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
	{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

const char *
resp_reason(int status)
{
	for (size_t i = 0; i < nitems(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].phrase;
	return "Other";
}

static void
begin(struct req *r, int status)
{
	r->status = status;
	r->nheaders = 0;
	buf_reset(&r->body);
	if (r->etag == NULL || (status != 200 && status != 304))
		return;
	resp_header(r, "ETag", r->etag);
	/*
	 * To be asked for each time; since the tag also tells logins and forms
	 * apart, no Vary is needed beside it.
	 */
	resp_header(r, "Cache-Control", "private, no-cache");
}

void
resp_header(struct req *r, const char *name, const char *value)
{
	if (r->nheaders == RESP_HEADERS_MAX)
		fatal("resp: too many headers");
	r->headers[r->nheaders++] = (struct header){ name, value };
}

/* Over the bound, which only our own mistake can reach: an honest 500. */
static int
too_big(struct req *r)
{
	log_error("resp: body over its bound");
	begin(r, 500);
	return r->status;
}

static int
with_type(struct req *r, int status, const char *type,
    const struct json *body)
{
	begin(r, status);
	resp_header(r, "Content-Type", type);
	if (json_print(body, &r->body) == -1)
		return too_big(r);
	return status;
}

int
resp_json(struct req *r, int status, const struct json *body)
{
	return with_type(r, status, "application/json", body);
}

int
resp_problem(struct req *r, int status, const struct json *body)
{
	return with_type(r, status, "application/problem+json", body);
}

int
resp_bytes(struct req *r, int status, const char *type, const char *body,
    size_t n)
{
	begin(r, status);
	resp_header(r, "Content-Type", type);
	if (buf_add(&r->body, body, n) == -1)
		return too_big(r);
	return status;
}

bool
resp_is_handover(const struct req *r)
{
	return r->nheaders == 1 &&
	    strcmp(r->headers[0].name, "X-Accel-Redirect") == 0;
}

int
resp_open(struct req *r, int status, const char *type)
{
	begin(r, status);
	resp_header(r, "Content-Type", type);
	return status;
}

/* -1: the peer is gone. */
static int
send_head(struct req *r)
{
	char	*head = arena_printf(r->arena, "Status: %d %s\r\n",
		    r->status, resp_reason(r->status));

	r->head_sent = true;
	for (size_t i = 0; i < r->nheaders; i++)
		head = arena_printf(r->arena, "%s%s: %s\r\n", head,
		    r->headers[i].name, r->headers[i].value);
	/* Without it nginx has to send chunks, which costs it a fifth more. */
	if (r->body.len > 0)
		head = arena_printf(r->arena, "%sContent-Length: %zu\r\n",
		    head, r->body.len);
	head = arena_printf(r->arena, "%s\r\n", head);
	return fcgi_write(r->fcgi, head, strlen(head));
}

int
resp_write(struct req *r, const void *p, size_t n)
{
	if (!r->head_sent && send_head(r) == -1)
		return -1;
	r->sent += n;
	return fcgi_write(r->fcgi, p, n);
}

void
resp_cut(struct req *r)
{
	r->cut = true;
}

/* A client that left is no error: nginx has logged it. */
void
resp_send(struct req *r)
{
	if (!r->head_sent && send_head(r) == 0 && r->body.len > 0)
		fcgi_write(r->fcgi, r->body.data, r->body.len);
}

int
resp_not_modified(struct req *r)
{
	begin(r, 304);
	return r->status;
}

int
resp_handover(struct req *r, const char *where)
{
	begin(r, 200);
	resp_header(r, "X-Accel-Redirect", where);
	return r->status;
}
