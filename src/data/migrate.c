/*
 * Brings a database to the schema that this binary was built with.  Forward
 * only; a migration that landed is never edited.
 */
#include "data/migrate.h"

#include "core/arena.h"
#include "core/log.h"
#include "data/db.h"

#define TABLE_SQL \
	"CREATE TABLE IF NOT EXISTS schema_migration (" \
	" name text PRIMARY KEY," \
	" applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"

/* In a transaction of its own, under the lock: 1 applied, 0 there already. */
static int
apply_one(struct db *db, struct arena *a, const struct migration *m)
{
	struct db_rows	*rows;

	if (db_query(db, a, Q_DATA_MIGRATE_LOCK, DB_NO_ARGS) == NULL ||
	    db_script(db, TABLE_SQL) == -1)
		return -1;
	rows = db_query(db, a, Q_DATA_MIGRATE_RECORD,
	    DB_ARGS(db_text(m->name)));
	if (rows == NULL)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	if (db_script(db, m->sql) == -1)
		return -1;
	log_info("migrate: applied", F_STR("migration", m->name));
	return 1;
}

int
migrate_run(struct db *db)
{
	struct arena	*a = arena_new();
	int		 applied = 0, n = 0;

	for (size_t i = 0; i < migrations_count && n != -1; i++) {
		db_begin(db);
		n = apply_one(db, a, &migrations[i]);
		if (n == -1)
			db_rollback(db);
		else if (db_commit(db) == -1)
			n = -1;
		else
			applied += n;
	}
	arena_free(a);
	return n == -1 ? -1 : applied;
}

/* A database that is newer than this binary misses nothing of ours. */
static int
missing_of(const struct db_rows *rows)
{
	int	 missing = (int)migrations_count -
		     (int)rows_int(rows, 0, "applied");

	return missing > 0 ? missing : 0;
}

int
migrate_pending(struct db *db)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;
	int		 pending = -1;

	rows = db_query(db, a, Q_DATA_MIGRATE_TABLE, DB_NO_ARGS);
	if (rows != NULL && !rows_bool(rows, 0, "present"))
		pending = (int)migrations_count;
	else if (rows != NULL) {
		rows = db_query(db, a, Q_DATA_MIGRATE_COUNT, DB_NO_ARGS);
		if (rows != NULL)
			pending = missing_of(rows);
	}
	arena_free(a);
	return pending;
}
