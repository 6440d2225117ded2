/* Entity tags: made from what an answer depends on, and compared. */
#include "http/etag.h"

#include <string.h>

#include "core/arena.h"
#include "core/secret.h"
#include "http/req.h"

#define TAG_BYTES	16

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

/*
 * The account is in it: a browser where another login was used a moment ago
 * asks with the tag of that one.  The release is, because it may answer the
 * same in another form.
 */
static const char *
make(struct req *r)
{
	unsigned char	 hash[SECRET_HASH_SIZE];
	char		 hex[2 * TAG_BYTES + 1];
	const char	*accept = or_empty(req_param(r, "HTTP_ACCEPT"));
	char		*all;

	all = arena_printf(r->arena, "%s %lld %lld %s %zu %s %s",
	    PACKAGE_VERSION, (long long)r->account_id,
	    (long long)r->registry_version, or_empty(r->today),
	    strlen(accept), accept, or_empty(req_param(r, "REQUEST_URI")));
	secret_hash("etag", (struct bytes){ all, strlen(all) }, hash);
	for (size_t i = 0; i < TAG_BYTES; i++) {
		hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	hex[2 * TAG_BYTES] = '\0';
	return arena_printf(r->arena, "W/\"%s\"", hex);
}

bool
etag_check(struct req *r)
{
	const char	*has = req_param(r, "HTTP_IF_NONE_MATCH");

	r->etag = make(r);
	return has != NULL && etag_matches(has, r->etag);
}

static const char *
skip_weak(const char *s)
{
	return strncmp(s, "W/", 2) == 0 ? s + 2 : s;
}

bool
etag_matches(const char *list, const char *etag)
{
	size_t	 n;

	etag = skip_weak(etag);
	list += strspn(list, " \t");
	if (list[0] == '*' && list[1 + strspn(list + 1, " \t")] == '\0')
		return true;
	for (;;) {
		list += strspn(list, " \t,");
		list = skip_weak(list);
		if (*list != '"')
			return false;
		/* Nothing is escaped inside of the quotes. */
		n = strcspn(list + 1, "\"") + 2;
		if (list[n - 1] != '"')
			return false;
		if (strlen(etag) == n && memcmp(list, etag, n) == 0)
			return true;
		list += n;
		if (*list != '\0' && strchr(" \t,", *list) == NULL)
			return false;
	}
}
