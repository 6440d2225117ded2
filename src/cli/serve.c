/*
 * `lockstep serve`: what must be right before the first worker is forked.  A
 * database that does not answer is none of it, as it may come later; a
 * database that answers with another schema is.
 */
#include "cli/serve.h"

#include "core/arena.h"
#include "core/conf.h"
#include "core/log.h"
#include "core/secret.h"
#include "data/db.h"
#include "data/migrate.h"
#include "jobs/schedule.h"
#include "proc/master.h"

static void
load_key(const char *path)
{
	const char *why;

	if (secret_load(path, &why) == -1)
		fatal("serve: no key", F_STR("err", why));
}

static void
check_pool(const struct conf *conf)
{
	struct arena	*a = arena_new();
	const char	*why = db_check_pool(conf, a);

	if (why != NULL)
		fatal("serve: the pool is not as it has to be",
		    F_STR("err", why));
	arena_free(a);
}

/* The connection is closed again: nothing of it may pass a fork. */
static void
check_schema(const struct conf *conf)
{
	struct db	*db = db_new(conf, conf->db_timeout_ms);
	int		 pending = migrate_pending(db);

	db_free(db);
	if (pending > 0)
		fatal("serve: the database is not up to date, "
		    "run lockstep migrate", F_INT("missing", pending));
	if (pending == -1)
		log_warn("serve: the database cannot be asked for its schema, "
		    "starting without");
}

int
cli_serve(const char *conf_path, const struct worker_kind *kinds,
    size_t nkinds)
{
	char		 err[CONF_ERR_SIZE];
	struct conf	*conf;
	const char	*name, *why;

	if ((conf = conf_load(conf_path, err)) == NULL)
		fatal("serve: configuration", F_STR("err", err));
	log_set_level((enum log_level)conf->log_level);
	if (log_open(conf->log_file) == -1)
		fatal("serve: log file", F_STR("path", conf->log_file),
		    F_ERRNO);
	if (schedule_check(conf, &name, &why) == -1)
		fatal("serve: schedule", F_STR("setting", name),
		    F_STR("err", why));
	load_key(conf->key_file);
	check_schema(conf);
	check_pool(conf);
	return master_run(kinds, nkinds, conf, conf_path);
}
