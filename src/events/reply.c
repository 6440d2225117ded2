/*
 * The answers that stream gives: few, and made without a request in the sense
 * of http/req.h, because thousands of them are open at a time.
 */
#include "events/reply.h"

#include <string.h>

#include "http/resp.h"

int
reply_stream(struct buf *b)
{
	return buf_addstr(b,
	    "Status: 200 OK\r\n"
	    "Content-Type: text/event-stream\r\n"
	    "Cache-Control: no-store\r\n"
	    "X-Accel-Buffering: no\r\n\r\n");
}

/* The stored text is a JSON object: a last member goes before its last }. */
static int
add_with_instance(struct buf *b, const char *text, const char *rid)
{
	const char	*end = strrchr(text, '}');
	const char	*first = strchr(text, '"');

	if (text[0] != '{' || end == NULL)
		return buf_addstr(b, text);
	if (buf_add(b, text, (size_t)(end - text)) == -1)
		return -1;
	return buf_printf(b, "%s\"instance\":\"%s\"}",
	    first != NULL ? "," : "", rid);
}

int
reply_answer(struct buf *b, int status, const char *text, const char *rid)
{
	if (buf_printf(b,
	    "Status: %d %s\r\nContent-Type: application/%s\r\n\r\n", status,
	    resp_reason(status), status < 400 ? "json" : "problem+json") == -1)
		return -1;
	if (status < 400)
		return buf_addstr(b, text);
	return add_with_instance(b, text, rid);
}

int
reply_later(struct buf *b, const char *job, const char *text)
{
	return buf_printf(b,
	    "Status: 202 Accepted\r\n"
	    "Location: /api/jobs/%s\r\n"
	    "Content-Type: application/json\r\n\r\n%s", job, text);
}

int
reply_problem(struct buf *b, enum problem p, const char *detail,
    const char *rid, int retry_after_s)
{
	if (buf_printf(b,
	    "Status: %d %s\r\n"
	    "Content-Type: application/problem+json\r\n", problem_status(p),
	    resp_reason(problem_status(p))) == -1)
		return -1;
	if (retry_after_s > 0 &&
	    buf_printf(b, "Retry-After: %d\r\n", retry_after_s) == -1)
		return -1;
	return buf_printf(b, "\r\n{\"type\":\"about:blank\","
	    "\"title\":\"%s\",\"status\":%d,\"code\":\"%s\","
	    "\"detail\":\"%s\",\"instance\":\"%s\"}", problem_title(p),
	    problem_status(p), problem_code(p), detail, rid);
}
