/* HTTP Basic: reading the header and asking for one. */
#include "http/auth.h"

#include <string.h>
#include <strings.h>

#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"

int
auth_refuse(struct req *r, enum problem why, const char *detail)
{
	problem(r, why, "%s", detail);
	if (req_param(r, "HTTP_X_REQUESTED_WITH") == NULL)
		resp_header(r, "WWW-Authenticate",
		    "Basic realm=\"Lockstep\", charset=\"UTF-8\"");
	return r->status;
}

/* Splits at the first colon: a password may hold more of them. */
static int
split(struct bytes pair, struct bytes *user, struct bytes *password)
{
	const char	*colon = memchr(pair.p, ':', pair.len);

	if (colon == NULL)
		return -1;
	*user = (struct bytes){ pair.p, (size_t)(colon - pair.p) };
	*password = (struct bytes){ colon + 1,
	    pair.len - user->len - 1 };
	return user->len >= 1 && user->len <= AUTH_USER_MAX &&
	    password->len <= AUTH_PASSWORD_MAX ? 0 : -1;
}

int
auth_basic(struct req *r, struct bytes *user, struct bytes *password)
{
	const char	*header = req_param(r, "HTTP_AUTHORIZATION");
	struct bytes	 pair;

	if (header == NULL || *header == '\0')
		return auth_refuse(r, PROBLEM_LOGIN_MISSING,
		    "Sign in with the partner's user name and password.");
	if (strncasecmp(header, "Basic ", 6) == 0) {
		header += 6;
		header += strspn(header, " ");
		if (base64_decode(r->arena, header,
		    AUTH_USER_MAX + 1 + AUTH_PASSWORD_MAX, &pair) == 0 &&
		    split(pair, user, password) == 0)
			return 0;
	}
	return auth_refuse(r, PROBLEM_LOGIN_MISSING,
	    "The Authorization header is not a readable Basic login.");
}
