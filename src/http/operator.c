/* Who operates, and from where. */
#include "http/operator.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/utf8.h"
#include "http/problem.h"
#include "http/req.h"

#define NAME_MAX_BYTES	255

/* "https://host:port" is of "host:port". */
static bool
is_of(const char *origin, const char *host)
{
	const char	*rest = strstr(origin, "://");

	return rest != NULL && host != NULL &&
	    strcasecmp(rest + 3, host) == 0;
}

static bool
is_cross_site(const struct req *r)
{
	const char	*site = req_param(r, "HTTP_SEC_FETCH_SITE");
	const char	*origin = req_param(r, "HTTP_ORIGIN");

	if (site != NULL && strcasecmp(site, "cross-site") == 0)
		return true;
	return origin != NULL && *origin != '\0' &&
	    !is_of(origin, req_param(r, "HTTP_HOST"));
}

int
operator_check(struct req *r)
{
	const char	*name = req_param(r, "LOCKSTEP_OPERATOR");

	if (name == NULL || *name == '\0')
		return problem(r, PROBLEM_LOGIN_MISSING,
		    "Sign in as an operator of this host.");
	if (strlen(name) > NAME_MAX_BYTES ||
	    utf8_length(name, strlen(name)) == -1 ||
	    utf8_has_control(name, strlen(name)))
		return problem(r, PROBLEM_NO_ACCESS,
		    "The operator's name is not one that can be kept.");
	if (r->method != METHOD_GET && is_cross_site(r))
		return problem(r, PROBLEM_CROSS_SITE,
		    "This was sent from another site's page.");
	r->operator = arena_strdup(r->arena, name);
	r->login_left_ms = r->conf->stream_max_age_ms;
	return 0;
}
