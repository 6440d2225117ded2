/* Writing to the outbox and keeping it short; follow.c reads it. */
#include "events/outbox.h"

#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"

int
outbox_append(struct db *db, struct arena *a, int64_t account_id,
    const char *topic, const struct json *data)
{
	struct json	*event = json_new_obj(a);

	json_put_text(event, "type", topic);
	if (data != NULL)
		json_merge(event, data);
	return db_query(db, a, Q_EVENTS_APPEND, DB_ARGS(db_int(account_id),
	    db_text(topic), db_text(json_dump(a, event)))) != NULL ? 0 : -1;
}

void
outbox_tend(const struct conf *conf, struct db *db)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows;

	if (db_query(db, a, Q_EVENTS_MAKE, DB_NO_ARGS) == NULL)
		log_warn("events: no new partition; the next look tries again");
	rows = db_query(db, a, Q_EVENTS_TRIM,
	    DB_ARGS(db_int(conf->events_keep_ms)));
	if (rows != NULL && rows_int(rows, 0, "dropped") > 0)
		log_info("events: trimmed", F_INT("days",
		    rows_int(rows, 0, "dropped")));
	arena_free(a);
}
