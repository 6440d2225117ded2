/*
 * Logins that the partner has accepted, made by the thousand: rows of the table
 * account in COPY's text format, hashed and sealed with the code and the key of
 * the Lockstep that will be asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/secret.h"

static struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

/* bytea as COPY reads it: the backslash of "\x" is doubled. */
static void
put_hex(const char *p, size_t n, char after)
{
	fputs("\\\\x", stdout);
	for (size_t i = 0; i < n; i++)
		printf("%02x", (unsigned char)p[i]);
	putchar(after);
}

/* user_name, login_hash, sealed_password */
static void
put_login(struct arena *a, const char *name, const char *secret)
{
	struct bytes	 user = bytes_of(name), password = bytes_of(secret);
	struct bytes	 sealed = secret_seal(a, password, user);
	unsigned char	 hash[SECRET_HASH_SIZE];

	secret_login_hash(user, password, hash);
	put_hex(user.p, user.len, '\t');
	put_hex((const char *)hash, sizeof(hash), '\t');
	put_hex(sealed.p, sealed.len, '\n');
}

int
main(int argc, char **argv)
{
	struct arena	*a = arena_new();
	const char	*why;

	if (argc != 4) {
		fputs("usage: logins KEY-FILE PREFIX N\n", stderr);
		return 2;
	}
	if (secret_load(argv[1], &why) == -1) {
		fprintf(stderr, "logins: %s\n", why);
		return 1;
	}
	for (int i = 1; i <= atoi(argv[3]); i++) {
		char	*name = arena_printf(a, "%s%d", argv[2], i);

		put_login(a, name, arena_printf(a, "%s-password", name));
		arena_reset(a);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
