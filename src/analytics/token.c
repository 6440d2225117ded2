/* The middle part of a JSON Web Token (RFC 7519), as far as it concerns us. */
#include "analytics/token.h"

#include <stdbool.h>
#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/secret.h"

/* base64url without padding, as RFC 7515 has it, to text; NULL when none. */
static const char *
decode(struct arena *a, const char *part, size_t n, size_t *len)
{
	char		*padded = arena_printf(a, "%.*s%.*s", (int)n, part,
			    (int)((4 - n % 4) % 4), "===");
	struct bytes	 out;

	for (char *s = padded; *s != '\0'; s++)
		*s = *s == '-' ? '+' : *s == '_' ? '/' : *s;
	if (base64_decode(a, padded, TOKEN_MAX, &out) == -1)
		return NULL;
	*len = out.len;
	return out.p;
}

static struct json *
claims(struct arena *a, const char *text)
{
	const char	*dot = strchr(text, '.'), *body, *why;
	size_t		 len;

	if (dot == NULL || strchr(dot + 1, '.') == NULL)
		return NULL;
	body = decode(a, dot + 1, strcspn(dot + 1, "."), &len);
	return body == NULL ? NULL : json_parse(a, body, len, &why);
}

/* acc: 1 base, 2 test, 3 personal, 4 service; a base one may have a secret. */
static const char *
kind(const struct json *body)
{
	static const char *const	 kinds[] = { "unknown", "base", "test",
		"personal", "service" };
	const char			*use = json_text(json_get(body, "for"));
	int64_t				 n;

	if (json_whole(json_get(body, "acc"), &n) == -1 || n < 1 || n > 4)
		return kinds[0];
	if (n == 1 && use != NULL && strcmp(use, "secret") == 0)
		return "base_secret";
	return kinds[n];
}

void
token_read(struct token *t, struct arena *a, const char *text)
{
	const struct json	*body = claims(a, text);
	int64_t			 n;

	*t = (struct token){ .kind = kind(body), .expires_s = -1 };
	if (json_whole(json_get(body, "exp"), &n) == 0 && n > 0 &&
	    n < INT64_C(100000000000))
		t->expires_s = n;
	if (json_whole(json_get(body, "oid"), &n) == 0)
		t->seller = arena_printf(a, "oid %lld", (long long)n);
	else if (json_text(json_get(body, "sid")) != NULL)
		t->seller = arena_printf(a, "sid %s",
		    json_text(json_get(body, "sid")));
}
