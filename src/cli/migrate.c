/*
 * `lockstep migrate`: data/migrate.h with a configuration and an exit status.
 */
#include "cli/migrate.h"

#include <stdio.h>

#include "core/conf.h"
#include "data/db.h"
#include "data/migrate.h"

/* An index on a large table takes its time, and nobody waits for it. */
#define MIGRATE_TIMEOUT_MS	(6 * 3600 * 1000)

static int
migrate(const struct conf *conf)
{
	struct db	*db = db_new_direct(conf, MIGRATE_TIMEOUT_MS);
	int		 applied = migrate_run(db);

	db_free(db);
	return applied;
}

int
cli_migrate(const char *conf_path, int argc, char **argv)
{
	char		 err[CONF_ERR_SIZE];
	struct conf	*conf;
	int		 applied;

	(void)argv;
	if (argc != 1)
		return 2;
	if ((conf = conf_load(conf_path, err)) == NULL) {
		fprintf(stderr, "lockstep: %s\n", err);
		return 1;
	}
	applied = migrate(conf);
	conf_free(conf);
	if (applied == -1)
		return 1;
	if (applied == 0)
		puts("database is up to date");
	else
		printf("migrations applied: %d\n", applied);
	return 0;
}
