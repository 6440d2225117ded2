/*
 * The border: what a client sent becomes typed, bounded values here, or a 400
 * that names what is wrong.
 */
#include "http/req.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/utf8.h"
#include "http/fcgi.h"
#include "http/problem.h"
#include "http/route.h"

#define URI_MAX		8192
#define ID_MAX		100

const char *
req_param(const struct req *r, const char *name)
{
	return fcgi_param(r->fcgi, name);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding; NULL when it is malformed.  RFC 3986, 2.1. */
static char *
decode(struct arena *a, const char *s, size_t n, bool plus, size_t *len)
{
	char	*out = arena_alloc(a, n + 1);
	size_t	 w = 0;

	for (size_t i = 0; i < n; i++) {
		int	 hi, lo;

		if (s[i] == '+' && plus)
			out[w++] = ' ';
		else if (s[i] != '%')
			out[w++] = s[i];
		else if (i + 2 < n && (hi = hex_digit(s[i + 1])) >= 0 &&
		    (lo = hex_digit(s[i + 2])) >= 0) {
			out[w++] = (char)(hi * 16 + lo);
			i += 2;
		} else
			return NULL;
	}
	*len = w;
	return out;
}

static bool
is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

static int
parse_path(struct req *r, const char *uri, size_t n)
{
	size_t	 i = 0;

	r->path = arena_strndup(r->arena, uri, n);
	while (i < n) {
		size_t	 end, len;
		char	*segment;

		if (uri[i] != '/')
			return problem(r, PROBLEM_BAD_PATH,
			    "The path must begin with a slash.");
		end = ++i;
		while (end < n && uri[end] != '/')
			end++;
		segment = decode(r->arena, uri + i, end - i, false, &len);
		if (segment == NULL || !is_printable(segment, len))
			return problem(r, PROBLEM_BAD_PATH,
			    "The path holds a malformed escape or a "
			    "control byte.");
		if (r->nsegments == REQ_SEGMENTS_MAX)
			return problem(r, PROBLEM_NOT_FOUND,
			    "There is nothing at this path.");
		r->segments[r->nsegments++] = segment;
		i = end;
	}
	return 0;
}

static int
parse_query(struct req *r, const char *query)
{
	while (*query != '\0') {
		size_t			 n = strcspn(query, "&");
		size_t			 eq = strcspn(query, "=&");
		size_t			 name_len;
		struct query_param	*p = &r->query[r->nquery];

		if (n > 0) {
			if (r->nquery == REQ_QUERY_MAX)
				return problem(r, PROBLEM_BAD_QUERY,
				    "There are more than %d query "
				    "parameters.", REQ_QUERY_MAX);
			p->name = decode(r->arena, query, eq, true,
			    &name_len);
			p->value = eq == n ? "" : decode(r->arena,
			    query + eq + 1, n - eq - 1, true, &p->value_len);
			if (p->name == NULL || p->value == NULL ||
			    !is_printable(p->name, name_len))
				return problem(r, PROBLEM_BAD_QUERY,
				    "The query holds a malformed escape or a "
				    "name with a control byte.");
			r->nquery++;
		}
		query += n;
		query += *query == '&';
	}
	return 0;
}

static enum method
method_from(const char *name)
{
	static const struct {
		const char	*name;
		enum method	 method;
	} methods[] = {
		{ "GET", METHOD_GET }, { "HEAD", METHOD_GET },
		{ "POST", METHOD_POST }, { "PUT", METHOD_PUT },
		{ "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
	};

	for (size_t i = 0; i < nitems(methods); i++)
		if (strcmp(name, methods[i].name) == 0)
			return methods[i].method;
	return METHOD_OTHER;
}

static int
parse_length(struct req *r)
{
	const char	*text = req_param(r, "CONTENT_LENGTH");
	char		*end;

	if (text == NULL || *text == '\0')
		return 0;
	errno = 0;
	r->content_length = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0)
		return problem(r, PROBLEM_BAD_LENGTH,
		    "Content-Length is not a number.");
	return 0;
}

int
req_parse(struct req *r)
{
	const char	*uri = req_param(r, "REQUEST_URI");
	const char	*method;
	size_t		 n;
	int		 status;

	if (uri == NULL || strlen(uri) > URI_MAX)
		return problem(r, PROBLEM_BAD_PATH,
		    "The address is longer than %d bytes.", URI_MAX);
	method = req_param(r, "REQUEST_METHOD");
	/* Copied: it is logged when the parameters are gone. */
	r->method_name = method != NULL ? arena_strdup(r->arena, method) : "";
	r->method = method_from(r->method_name);
	n = strcspn(uri, "?#");
	if ((status = parse_path(r, uri, n)) != 0)
		return status;
	if (uri[n] == '?' && (status = parse_query(r, uri + n + 1)) != 0)
		return status;
	return parse_length(r);
}

/* The one parameter of that name; *out is NULL when there is none. */
static int
find(struct req *r, const char *name, struct query_param **out)
{
	*out = NULL;
	for (size_t i = 0; i < r->nquery; i++) {
		if (strcmp(r->query[i].name, name) != 0)
			continue;
		if (*out != NULL)
			return problem_field(r, name, "%s is given twice.",
			    name);
		*out = &r->query[i];
	}
	if (*out != NULL && !is_printable((*out)->value, (*out)->value_len))
		return problem_field(r, name, "%s holds a control byte.",
		    name);
	return 0;
}

int
req_int(struct req *r, const char *name, int64_t dflt, int64_t min,
    int64_t max, int64_t *out)
{
	struct query_param	*p;
	char			*end;
	int			 status;

	*out = dflt;
	if ((status = find(r, name, &p)) != 0 || p == NULL)
		return status;
	errno = 0;
	*out = strtoll(p->value, &end, 10);
	if (!(isdigit((unsigned char)p->value[0]) ||
	    (p->value[0] == '-' && isdigit((unsigned char)p->value[1]))) ||
	    *end != '\0')
		return problem_field(r, name, "%s must be a whole number.",
		    name);
	if (errno != 0 || *out < min || *out > max)
		return problem_field(r, name,
		    "%s must be between %lld and %lld.", name,
		    (long long)min, (long long)max);
	return 0;
}

int
req_word(struct req *r, const char *name, const char *const words[],
    const char *dflt, const char **out)
{
	struct query_param	*p;
	char			*list;
	int			 status;

	*out = dflt;
	if ((status = find(r, name, &p)) != 0 || p == NULL)
		return status;
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], p->value) == 0) {
			*out = words[i];
			return 0;
		}
	list = arena_strdup(r->arena, words[0]);
	for (size_t i = 1; words[i] != NULL; i++)
		list = arena_printf(r->arena, "%s, %s", list, words[i]);
	return problem_field(r, name, "%s must be one of %s.", name, list);
}

/* The length of the id that text begins with; 0 if it is none or too long. */
static size_t
id_length(const char *text)
{
	size_t	 n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n <= ID_MAX ? n : 0;
}

int
req_id(struct req *r, const char *name, const char **out)
{
	struct query_param	*p;
	size_t			 n;
	int			 status;

	*out = NULL;
	if ((status = find(r, name, &p)) != 0 || p == NULL)
		return status;
	n = id_length(p->value);
	if (n == 0 || n != p->value_len)
		return problem_field(r, name, "%s must be 1 to %d letters, "
		    "digits, '-' or '_'.", name, ID_MAX);
	*out = p->value;
	return 0;
}

int
req_ids(struct req *r, const char *name, size_t max, const char ***out,
    size_t *n)
{
	struct query_param	*p;
	const char		*text;
	size_t			 len;
	int			 status;

	*n = 0;
	if ((status = find(r, name, &p)) != 0 || p == NULL)
		return status;
	*out = arena_alloc(r->arena, max * sizeof(**out));
	for (text = p->value; ; text++) {
		if ((len = id_length(text)) == 0 || *n == max)
			break;
		(*out)[(*n)++] = arena_strndup(r->arena, text, len);
		text += len;
		if (*text != ',')
			break;
	}
	if (text == p->value + p->value_len && len > 0)
		return 0;
	return problem_field(r, name, "%s must be 1 to %zu ids with commas "
	    "between them, each of 1 to %d letters, digits, '-' or '_'.",
	    name, max, ID_MAX);
}

bool
req_has(const struct req *r, const char *name)
{
	for (size_t i = 0; i < r->nquery; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return true;
	return false;
}

int
req_text(struct req *r, const char *name, long max, const char **out)
{
	struct query_param	*p;
	long			 n;
	int			 status;

	*out = NULL;
	if ((status = find(r, name, &p)) != 0 || p == NULL)
		return status;
	n = utf8_length(p->value, p->value_len);
	if (n == -1)
		return problem_field(r, name, "%s is not UTF-8.", name);
	if (n < 1 || n > max || utf8_has_control(p->value, p->value_len))
		return problem_field(r, name, "%s must be 1 to %ld characters "
		    "without control characters.", name, max);
	*out = p->value;
	return 0;
}

int
req_body(struct req *r, struct bytes *out)
{
	struct buf	 body;
	int		 rc;

	buf_init(&body, (size_t)r->route->body_max);
	rc = fcgi_body(r->fcgi, &body);
	out->len = body.len;
	out->p = arena_strndup(r->arena, body.data != NULL ? body.data : "",
	    body.len);
	buf_free(&body);
	return rc == 0 ? 0 : problem_body(r, "The body cannot be "
	    "read: it is longer than what is read here, or cut.");
}

static int
parse_body(struct req *r, struct bytes body, struct json **out)
{
	const char	*why;

	*out = json_parse(r->arena, body.p, body.len, &why);
	if (*out == NULL)
		return problem_body(r, "The body cannot be read: %s.", why);
	if (!json_is_obj(*out))
		return problem_body(r, "The body must be a JSON object.");
	return 0;
}

int
req_json(struct req *r, struct json **out)
{
	struct bytes	 body;
	int		 status;

	*out = NULL;
	if ((status = req_body(r, &body)) != 0)
		return status;
	return parse_body(r, body, out);
}

int
req_json_optional(struct req *r, struct json **out)
{
	struct bytes	 body;
	int		 status;

	*out = NULL;
	if ((status = req_body(r, &body)) != 0)
		return status;
	if (strspn(body.p, " \t\r\n") == body.len) {
		*out = json_new_obj(r->arena);
		return 0;
	}
	return parse_body(r, body, out);
}

bool
req_sends(const struct req *r, const char *type)
{
	const char	*is = req_param(r, "CONTENT_TYPE");
	size_t		 n = strlen(type);

	return is != NULL && strncasecmp(is, type, n) == 0 &&
	    strchr("; \t", is[n]) != NULL;
}

/* The weight among the parameters of a media range: RFC 9110, 12.4.2. */
static double
weight(const char *params, size_t n)
{
	for (const char *p = params; p < params + n; p++) {
		if (*p != ';')
			continue;
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, "q=", 2) == 0)
			return strtod(p + 2, NULL);
	}
	return 1;
}

/* The weight that Accept gives a range such as "text/csv"; -1: not named. */
static double
accepted(const char *accept, const char *range)
{
	size_t	 len = strlen(range);

	while (*accept != '\0') {
		size_t	 n;

		accept += strspn(accept, " \t,");
		n = strcspn(accept, ",");
		if (n >= len && strncasecmp(accept, range, len) == 0 &&
		    (n == len || strchr(" \t;", accept[len]) != NULL))
			return weight(accept + len, n - len);
		accept += n;
	}
	return -1;
}

bool
accept_prefers(const char *accept, const char *type)
{
	static const char *const	wild[] = { "application/*", "*/*" };
	double				 wanted = accepted(accept, type);
	double				 json;

	if ((json = accepted(accept, "application/json")) >= 0)
		return wanted > json;
	for (size_t i = 0; i < nitems(wild); i++)
		if ((json = accepted(accept, wild[i])) >= 0)
			return wanted > 0 && wanted >= json;
	return wanted > 0;
}

bool
req_prefers(const struct req *r, const char *type)
{
	const char	*accept = req_param(r, "HTTP_ACCEPT");

	return accept != NULL && accept_prefers(accept, type);
}
