/* The answer under construction: status, a few headers, one bounded body. */
#include "http/resp.h"

#include "core/json.h"
#include "core/log.h"
#include "http/req.h"

static void
begin(struct req *r, int status)
{
	r->status = status;
	r->nheaders = 0;
	buf_reset(&r->body);
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

int
resp_handover(struct req *r, const char *where)
{
	begin(r, 200);
	resp_header(r, "X-Accel-Redirect", where);
	return r->status;
}
