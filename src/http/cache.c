/* Bodies by account and kind of answer, least recently used ones dropped. */
#include "http/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/log.h"

#define KEY_SIZE	64

struct entry {
	char		 key[KEY_SIZE];
	int64_t		 version;
	char		*body;
	size_t		 len;
	UT_hash_handle	 hh;
};

struct cache {
	struct entry	*entries;	/* in order of use, oldest first */
	size_t		 bytes;
	size_t		 max_bytes;
};

struct cache *
cache_new(size_t max_bytes)
{
	struct cache	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("cache: out of memory");
	c->max_bytes = max_bytes;
	return c;
}

static void
drop(struct cache *c, struct entry *e)
{
	HASH_DEL(c->entries, e);
	c->bytes -= e->len + sizeof(*e);
	free(e->body);
	free(e);
}

static struct entry *
find(struct cache *c, int64_t account, const char *what, char key[KEY_SIZE])
{
	struct entry	*e;

	snprintf(key, KEY_SIZE, "%lld %s", (long long)account, what);
	HASH_FIND_STR(c->entries, key, e);
	return e;
}

const char *
cache_get(struct cache *c, int64_t account, const char *what,
    int64_t version, size_t *len)
{
	char		 key[KEY_SIZE];
	struct entry	*e = find(c, account, what, key);

	if (e == NULL || e->version != version)
		return NULL;
	/* Used last, hence to be dropped last. */
	HASH_DEL(c->entries, e);
	HASH_ADD_STR(c->entries, key, e);
	*len = e->len;
	return e->body;
}

void
cache_put(struct cache *c, int64_t account, const char *what,
    int64_t version, const char *body, size_t len)
{
	char		 key[KEY_SIZE];
	struct entry	*e = find(c, account, what, key);

	if (e != NULL)
		drop(c, e);
	if (len + sizeof(*e) > c->max_bytes / 4)
		return;
	while (c->bytes + len + sizeof(*e) > c->max_bytes)
		drop(c, c->entries);
	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    (e->body = malloc(len + 1)) == NULL)
		fatal("cache: out of memory");
	memcpy(e->key, key, sizeof(e->key));
	memcpy(e->body, body, len);
	e->len = len;
	e->version = version;
	HASH_ADD_STR(c->entries, key, e);
	c->bytes += len + sizeof(*e);
}
