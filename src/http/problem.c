/*
 * Every way in which a request can go wrong, as one table: the HTTP status,
 * the stable code and the title.
 */
#include "http/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/json.h"
#include "http/req.h"
#include "http/resp.h"

static const struct {
	int		 status;
	const char	*code;
	const char	*title;
} rows[PROBLEM__MAX] = {
	[PROBLEM_BAD_PATH]	= { 400, "bad_path", "Malformed path" },
	[PROBLEM_BAD_QUERY]	= { 400, "bad_query", "Malformed query" },
	[PROBLEM_BAD_LENGTH]	= { 400, "bad_length",
	    "Malformed Content-Length" },
	[PROBLEM_BAD_FIELD]	= { 400, "bad_field", "Bad value" },
	[PROBLEM_BAD_BODY]	= { 400, "bad_body", "Malformed body" },
	[PROBLEM_LOGIN_MISSING]	= { 401, "login_missing", "Login required" },
	[PROBLEM_LOGIN_WRONG]	= { 401, "login_wrong", "Login refused" },
	[PROBLEM_NO_ACCESS]	= { 403, "no_access", "No access" },
	[PROBLEM_CROSS_SITE]	= { 403, "cross_site",
	    "Another site's request" },
	[PROBLEM_NOT_FOUND]	= { 404, "not_found", "Not found" },
	[PROBLEM_METHOD]	= { 405, "method_not_allowed",
	    "Method not allowed" },
	[PROBLEM_CONFLICT]	= { 409, "conflict", "Not in this state" },
	[PROBLEM_CANCELLED]	= { 409, "cancelled", "Cancelled" },
	[PROBLEM_TOO_LARGE]	= { 413, "too_large", "Body too large" },
	[PROBLEM_UNFIT_FIELD]	= { 422, "unfit_field", "Value does not fit" },
	[PROBLEM_TOKEN_EXPIRED]	= { 422, "token_expired", "Token expired" },
	[PROBLEM_TOKEN_REFUSED]	= { 422, "token_refused", "Token refused" },
	[PROBLEM_TOKEN_JUST_REFUSED] = { 422, "token_just_refused",
	    "Token refused just now" },
	[PROBLEM_TOKEN_WRONG_CATEGORY] = { 422, "token_wrong_category",
	    "Token of another category" },
	[PROBLEM_TOKEN_NO_ACCESS] = { 422, "token_no_access",
	    "Token without access" },
	[PROBLEM_TOKEN_OTHER_SELLER] = { 422, "token_other_seller",
	    "Token of another seller" },
	[PROBLEM_TOO_MANY_REFUSALS] = { 429, "too_many_refusals",
	    "Too many refused logins" },
	[PROBLEM_PARTNER_ERROR]	= { 502, "partner_error", "Partner error" },
	[PROBLEM_PARTNER_LIMITED] = { 503, "partner_limited",
	    "Partner limit reached" },
	[PROBLEM_PARTNER_UNAVAILABLE] = { 503, "partner_unavailable",
	    "Partner unavailable" },
	[PROBLEM_PARTNER_TIMEOUT] = { 504, "partner_timeout",
	    "Partner timed out" },
	[PROBLEM_PARTNER_REFUSED] = { 502, "partner_refused",
	    "Partner refused the request" },
	[PROBLEM_DATABASE]	= { 503, "database", "Database unavailable" },
	[PROBLEM_BUSY]		= { 503, "busy", "Busy" },
	[PROBLEM_INTERNAL]	= { 500, "internal", "Internal error" },
};

int
problem_status(enum problem p)
{
	return rows[p].status;
}

const char *
problem_code(enum problem p)
{
	return rows[p].code;
}

const char *
problem_title(enum problem p)
{
	return rows[p].title;
}

static int
answer(struct req *r, enum problem p, const char *field,
    struct json *choices, const char *detail)
{
	struct json	*obj = json_new_obj(r->arena);

	json_put_text(obj, "type", "about:blank");
	json_put_text(obj, "title", rows[p].title);
	json_put_int(obj, "status", rows[p].status);
	json_put_text(obj, "code", rows[p].code);
	json_put_text(obj, "detail", detail);
	if (field != NULL)
		json_put_text(obj, "field", field);
	if (choices != NULL)
		json_put(obj, "choices", choices);
	json_put_text(obj, "instance", r->rid);
	return resp_problem(r, rows[p].status, obj);
}

/* Formats into the arena what the two public functions were given. */
static char *
format(struct req *r, const char *fmt, va_list ap)
{
	char	 text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_strdup(r->arena, text);
}

int
problem(struct req *r, enum problem p, const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, p, NULL, NULL, text);
}

int
problem_field(struct req *r, const char *field, const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, PROBLEM_BAD_FIELD, field, NULL, text);
}

int
problem_body(struct req *r, const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, PROBLEM_BAD_BODY, "body", NULL, text);
}

int
problem_unfit(struct req *r, const char *field, const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, PROBLEM_UNFIT_FIELD, field, NULL, text);
}

int
problem_token(struct req *r, enum problem p, const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, p, "token", NULL, text);
}

int
problem_choose(struct req *r, const char *field, struct json *choices,
    const char *detail, ...)
{
	va_list	 ap;
	char	*text;

	va_start(ap, detail);
	text = format(r, detail, ap);
	va_end(ap);
	return answer(r, PROBLEM_UNFIT_FIELD, field, choices, text);
}

int
problem_database(struct req *r)
{
	problem(r, PROBLEM_DATABASE,
	    "The database cannot be reached; try again in a moment.");
	resp_header(r, "Retry-After", "1");
	return r->status;
}
