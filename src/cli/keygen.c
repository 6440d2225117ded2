/*
 * `lockstep keygen`: makes the key file that serve asks for.  It never writes
 * over one: with the old key gone no stored login could be opened again.
 */
#include "cli/keygen.h"

#include <stdio.h>

#include "core/secret.h"

int
cli_keygen(const char *conf_path, int argc, char **argv)
{
	const char *why;

	(void)conf_path;
	if (argc != 2)
		return 2;
	if (secret_make(argv[1], &why) == -1) {
		fprintf(stderr, "lockstep: %s\n", why);
		return 1;
	}
	printf("key written to %s\n", argv[1]);
	return 0;
}
