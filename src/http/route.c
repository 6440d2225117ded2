/* From the path to the handler, by the one table that routes.c holds. */
#include "http/route.h"

#include <string.h>

#include "core/arena.h"
#include "core/conf.h"
#include "http/etag.h"
#include "http/problem.h"
#include "http/resp.h"

static const char *const method_names[] = {
	[METHOD_GET] = "GET, HEAD", [METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT", [METHOD_PATCH] = "PATCH",
	[METHOD_DELETE] = "DELETE",
};

/* Does the query hold "name=value"? */
static bool
asks_for(const struct req *r, const char *pair)
{
	size_t	 n = strcspn(pair, "=");

	for (size_t i = 0; i < r->nquery; i++)
		if (strlen(r->query[i].name) == n &&
		    memcmp(r->query[i].name, pair, n) == 0 &&
		    strcmp(r->query[i].value, pair + n + 1) == 0)
			return true;
	return false;
}

/* Compares segment by segment; *id is what "{id}" matched, or NULL. */
static bool
matches(const char *pattern, const struct req *r, const char **id)
{
	*id = NULL;
	for (size_t i = 0; i < r->nsegments; i++) {
		size_t	 n;

		if (*pattern++ != '/')
			return false;
		n = strcspn(pattern, "/?");
		if (n == 4 && memcmp(pattern, "{id}", 4) == 0) {
			if (r->segments[i][0] == '\0')
				return false;
			*id = r->segments[i];
		} else if (strlen(r->segments[i]) != n ||
		    memcmp(pattern, r->segments[i], n) != 0)
			return false;
		pattern += n;
	}
	return *pattern == '\0' ||
	    (*pattern == '?' && asks_for(r, pattern + 1));
}

static bool
is_reachable(const struct req *r, const struct route *route)
{
	return !(route->flags & ROUTE_OPERATOR) || r->operator_listener;
}

/* Sets r->route; else answers 404, or 405 when only the method is wrong. */
static int
find(struct req *r, const struct route *routes, size_t n)
{
	const char	*allow = NULL, *id;

	for (size_t i = 0; i < n; i++) {
		if (!is_reachable(r, &routes[i]) ||
		    !matches(routes[i].path, r, &id))
			continue;
		if (routes[i].method == r->method) {
			r->route = &routes[i];
			r->path_id = id;
			return 0;
		}
		/* The row of the bare path says it for this one too. */
		if (strchr(routes[i].path, '?') != NULL)
			continue;
		allow = allow == NULL ? method_names[routes[i].method] :
		    arena_printf(r->arena, "%s, %s", allow,
		    method_names[routes[i].method]);
	}
	if (allow == NULL)
		return problem(r, PROBLEM_NOT_FOUND,
		    "There is nothing at this path.");
	problem(r, PROBLEM_METHOD, "This path answers %s.", allow);
	resp_header(r, "Allow", allow);
	return r->status;
}

static int
check_body(struct req *r)
{
	int64_t	 max = r->route->body_max;

	if (max > r->conf->body_max)
		max = r->conf->body_max;
	if (r->content_length > max)
		return problem(r, PROBLEM_TOO_LARGE,
		    "The body may have %lld bytes here.", (long long)max);
	return 0;
}

int
route_dispatch(struct req *r, const struct route *routes, size_t n)
{
	int	 status;

	if ((status = find(r, routes, n)) != 0 ||
	    (status = check_body(r)) != 0)
		return status;
	if (r->route->login != NULL && (status = r->route->login(r)) != 0)
		return status;
	if (r->route->flags & ROUTE_LIVE && r->upstream == NULL)
		return resp_handover(r, r->operator != NULL ?
		    "@live_operator" : "@live");
	if (r->route->flags & ROUTE_ETAG && etag_check(r))
		return resp_not_modified(r);
	return r->route->handler(r);
}
