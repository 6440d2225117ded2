/*
 * Cursors: 16 bytes of a keyed hash over scope and place, then the place, in
 * base64url.  A place is "n", "w" or "-" for the kind of key, the length of
 * the key, a colon, the key, the id.
 */
#include "http/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/secret.h"

#define MAC_SIZE	16
#define CURSOR_MAX	4096

/* base64 to base64url and back: RFC 4648, section 5, without the padding. */
static void
swap_digits(char *s, const char *from, const char *to)
{
	for (; *s != '\0'; s++) {
		const char	*digit = strchr(from, *s);

		if (digit != NULL)
			*s = to[digit - from];
	}
}

static void
sign(struct arena *a, const char *scope, const char *place,
    unsigned char mac[SECRET_HASH_SIZE])
{
	char	*all = arena_printf(a, "%zu:%s%s", strlen(scope), scope, place);

	secret_hash("cursor", (struct bytes){ all, strlen(all) }, mac);
}

char *
cursor_make(struct arena *a, const char *scope, const struct cursor *c)
{
	unsigned char	 mac[SECRET_HASH_SIZE];
	char		 number[24];
	const char	*key = c->words != NULL ? c->words : "";
	char		*place, *raw, *text;
	size_t		 n;

	snprintf(number, sizeof(number), "%lld", (long long)c->number);
	if (c->has_number)
		key = number;
	place = arena_printf(a, "%c%zu:%s%s", c->has_number ? 'n' :
	    c->words != NULL ? 'w' : '-', strlen(key), key, c->id);
	sign(a, scope, place, mac);
	n = strlen(place);
	raw = arena_alloc(a, MAC_SIZE + n);
	memcpy(raw, mac, MAC_SIZE);
	memcpy(raw + MAC_SIZE, place, n);
	text = base64_encode(a, (struct bytes){ raw, MAC_SIZE + n });
	text[strcspn(text, "=")] = '\0';
	swap_digits(text, "+/", "-_");
	return text;
}

/* Takes apart what we have signed ourselves. */
static int
read_place(struct arena *a, const char *place, struct cursor *c)
{
	char	*end;
	size_t	 n;
	char	*key;

	if (*place == '\0')
		return -1;
	n = strtoul(place + 1, &end, 10);
	if (*end != ':' || n > strlen(end + 1))
		return -1;
	key = arena_strndup(a, end + 1, n);
	*c = (struct cursor){ .id = end + 1 + n };
	if (*place == 'n') {
		c->has_number = true;
		c->number = strtoll(key, NULL, 10);
	} else if (*place == 'w')
		c->words = key;
	return 0;
}

int
cursor_read(struct arena *a, const char *scope, const char *text,
    struct cursor *c)
{
	unsigned char	 mac[SECRET_HASH_SIZE];
	struct bytes	 raw;
	size_t		 n = strlen(text);
	char		*padded;

	if (n > CURSOR_MAX || strpbrk(text, "+/=") != NULL)
		return -1;
	padded = arena_printf(a, "%s%.*s", text, (int)((4 - n % 4) % 4),
	    "===");
	swap_digits(padded, "-_", "+/");
	/* What is decoded ends in a NUL; one before it fails the hash. */
	if (base64_decode(a, padded, CURSOR_MAX, &raw) == -1 ||
	    raw.len <= MAC_SIZE ||
	    strlen(raw.p + MAC_SIZE) != raw.len - MAC_SIZE)
		return -1;
	sign(a, scope, raw.p + MAC_SIZE, mac);
	if (!secret_equal(raw.p, mac, MAC_SIZE))
		return -1;
	return read_place(a, raw.p + MAC_SIZE, c);
}
