/*
 * `lockstep check`: would `serve` start with this configuration?  Asks neither
 * the database nor the partner.
 */
#include "cli/check.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/conf.h"
#include "core/secret.h"
#include "jobs/schedule.h"

static int
check_key(const char *path)
{
	const char *why;

	if (secret_load(path, &why) == 0)
		return 0;
	fprintf(stderr, "lockstep: %s\n", why);
	return -1;
}

static int
check_schedule(const struct conf *conf)
{
	const char *name, *why;

	if (schedule_check(conf, &name, &why) == 0)
		return 0;
	fprintf(stderr, "lockstep: %s: %s\n", name, why);
	return -1;
}

int
cli_check(const char *conf_path, int argc, char **argv)
{
	char		 err[CONF_ERR_SIZE];
	struct conf	*conf;
	bool		 print = false;
	int		 c, status;

	optind = 0;		/* glibc: scan these arguments from the start */
	while ((c = getopt(argc, argv, "+T")) != -1) {
		if (c != 'T')
			return 2;
		print = true;
	}
	if (optind != argc)
		return 2;
	if ((conf = conf_load(conf_path, err)) == NULL) {
		fprintf(stderr, "lockstep: %s\n", err);
		return 1;
	}
	if (print)
		conf_print(conf, stdout);
	status = check_schedule(conf) == 0 &&
	    check_key(conf->key_file) == 0 ? 0 : 1;
	if (status == 0 && !print)
		puts("configuration ok");
	conf_free(conf);
	return status;
}
