/* The job row: asking, claiming, saving, ending. */
#include "jobs/job.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "proc/scoreboard.h"

int
job_ask(struct db *db, struct arena *a, const char *kind,
    int64_t account_id, const char *request, const char *first_event,
    int priority, char id[JOB_ID_SIZE])
{
	struct db_rows	*rows;

	/*
	 * A job that ends between the look and the insert makes both find
	 * nothing; then there is room for a new one.
	 */
	for (int i = 0; i < 5; i++) {
		rows = db_query(db, a, Q_JOBS_ASK, DB_ARGS(db_text(kind),
		    db_int(account_id), db_text(request),
		    db_text(first_event), db_int(priority)));
		if (rows == NULL)
			return -1;
		if (rows_count(rows) == 1) {
			snprintf(id, JOB_ID_SIZE, "%s",
			    rows_text(rows, 0, "id"));
			return rows_bool(rows, 0, "is_new");
		}
	}
	log_error("job: cannot be queued", F_STR("kind", kind));
	return -1;
}

/* Who joined may have asked for more. */
static void
note_request(struct job *j, const char *text)
{
	if (j->request_text != NULL && strcmp(j->request_text, text) == 0)
		return;
	j->request_text = arena_strdup(j->arena, text);
	j->request = json_restore(j->arena, text);
}

static void
fill(struct job *j, const struct db_rows *rows)
{
	snprintf(j->id, sizeof(j->id), "%s", rows_text(rows, 0, "id"));
	j->kind = arena_strdup(j->arena, rows_text(rows, 0, "kind"));
	j->account_id = rows_int(rows, 0, "account_id");
	j->fence = rows_int(rows, 0, "fence");
	j->claims = rows_int(rows, 0, "claims");
	j->elapsed_ms = rows_int(rows, 0, "elapsed_ms");
	j->done = rows_int(rows, 0, "done");
	j->total = rows_null(rows, 0, "total") ? -1 :
	    rows_int(rows, 0, "total");
	j->added = rows_int(rows, 0, "added");
	j->updated = rows_int(rows, 0, "updated");
	j->removed = rows_int(rows, 0, "removed");
	j->unchanged = rows_int(rows, 0, "unchanged");
	j->failed = rows_int(rows, 0, "failed");
	j->partner_ms = rows_int(rows, 0, "partner_ms");
	j->database_ms = rows_null(rows, 0, "database_ms") ? -1 :
	    rows_int(rows, 0, "database_ms");
	j->names_ms = rows_null(rows, 0, "names_ms") ? -1 :
	    rows_int(rows, 0, "names_ms");
	j->calls_made = rows_null(rows, 0, "calls_made") ? -1 :
	    rows_int(rows, 0, "calls_made");
	j->calls_left = rows_null(rows, 0, "calls_left") ? -1 :
	    rows_int(rows, 0, "calls_left");
	j->eta_ms = -1;
	j->checkpoint = json_restore(j->arena, rows_text(rows, 0,
	    "checkpoint"));
	note_request(j, rows_text(rows, 0, "request"));
	j->claimed_ms = j->beat_ms = clock_mono_ms();
	j->crash_mark = arena_strdup(j->arena, rows_text(rows, 0,
	    "crash_mark"));
}

static void
open_notes(struct job *j)
{
	column_init(&j->events, COLUMN_TEXT);
	column_init(&j->error_items, COLUMN_TEXT);
	column_init(&j->error_codes, COLUMN_TEXT);
	column_init(&j->error_details, COLUMN_TEXT);
}

static void
close_notes(struct job *j)
{
	column_free(&j->events);
	column_free(&j->error_items);
	column_free(&j->error_codes);
	column_free(&j->error_details);
}

int
job_claim(struct job *j, const char *holder, struct column *kinds)
{
	struct db_rows	*rows;

	j->arena = arena_new();
	rows = db_query(j->db, j->arena, Q_JOBS_CLAIM,
	    DB_ARGS(db_text(holder), db_int(j->conf->jobs_lease_ms),
	    column_arg(kinds)));
	if (rows == NULL || rows_count(rows) == 0) {
		arena_free(j->arena);
		return rows == NULL ? -1 : 0;
	}
	j->scratch = arena_new();
	fill(j, rows);
	open_notes(j);
	return 1;
}

void
job_close(struct job *j)
{
	close_notes(j);
	arena_free(j->scratch);
	arena_free(j->arena);
}

void
job_event(struct job *j, const char *json)
{
	column_text(&j->events, json);
}

void
job_error(struct job *j, const char *item, const char *code,
    const char *detail)
{
	column_text(&j->error_items, item);
	column_text(&j->error_codes, code);
	column_text(&j->error_details, detail);
}

/*
 * Somebody cancelled or paused it, which is as it should be; or our lease ran
 * out and another worker has it.
 */
static void
note_lost(struct job *j)
{
	struct db_rows	*rows = db_query(j->db, j->scratch, Q_JOBS_STATE,
			    DB_ARGS(db_text(j->id)));
	const char	*state = rows != NULL && rows_count(rows) == 1 ?
			    rows_text(rows, 0, "state") : "gone";

	if (strcmp(state, "cancelled") == 0 || strcmp(state, "paused") == 0)
		log_info("job: taken away", F_STR("state", state));
	else
		log_warn("job: lease lost", F_INT("fence", j->fence));
}

/* A crash of the database empties unlogged tables: look at them anew. */
static bool
has_crashed(const struct job *j, const struct db_rows *rows)
{
	const char	*mark = rows_text(rows, 0, "crash_mark");

	return mark == NULL || strcmp(mark, j->crash_mark) != 0;
}

int
job_begin(struct job *j)
{
	return job_begin_while(j, NULL, NULL);
}

int
job_begin_while(struct job *j, void (*meanwhile)(void *), void *arg)
{
	struct db_rows	*rows;

	db_begin(j->db);
	rows = db_query_while(j->db, j->scratch, Q_JOBS_FENCE,
	    DB_ARGS(db_text(j->id), db_int(j->fence)), meanwhile, arg);
	if (rows != NULL && rows_count(rows) == 1 && !has_crashed(j, rows)) {
		note_request(j, rows_text(rows, 0, "request"));
		return 0;
	}
	db_rollback(j->db);
	if (rows != NULL && rows_count(rows) == 1)
		log_warn("job: the database has crashed since the claim");
	else if (rows != NULL)
		note_lost(j);
	return -1;
}

static int
queue_follow_up(struct job *j)
{
	char	 id[JOB_ID_SIZE];

	return j->follow_up == NULL ? 0 : job_ask(j->db, j->scratch, j->kind,
	    j->account_id, j->follow_up, j->follow_up_event,
	    j->follow_up_priority, id);
}

/* What was to be written is. */
static int
committed(struct job *j)
{
	close_notes(j);
	open_notes(j);
	j->forget_errors = false;
	j->follow_up = NULL;
	arena_reset(j->scratch);
	j->beat_ms = clock_mono_ms();
	return 0;
}

/* The end of a write: one more statement, then COMMIT. */
static int
commit(struct job *j, const struct db_rows *rows)
{
	if (rows == NULL || rows_count(rows) != 1 ||
	    queue_follow_up(j) == -1) {
		db_rollback(j->db);
		return -1;
	}
	return db_commit(j->db) == -1 ? -1 : committed(j);
}

static struct db_arg
if_known(int64_t n)
{
	return n < 0 ? db_null() : db_int(n);
}

/* and_commit: nothing follows in its transaction, which ends with it. */
static struct db_rows *
write_progress(struct job *j, bool and_commit)
{
	return (and_commit ? db_query_commit : db_query)(j->db, j->scratch,
	    Q_JOBS_SAVE,
	    DB_ARGS(db_text(j->id), db_int(j->fence),
	    db_int(j->conf->jobs_lease_ms),
	    db_text(json_dump(j->scratch, j->checkpoint)),
	    db_int(j->done), if_known(j->total),
	    db_int(j->added), db_int(j->updated), db_int(j->removed),
	    db_int(j->unchanged), db_int(j->failed),
	    db_int(j->partner_ms), if_known(j->database_ms),
	    if_known(j->names_ms), column_arg(&j->events),
	    column_arg(&j->error_items), column_arg(&j->error_codes),
	    column_arg(&j->error_details), db_bool(j->forget_errors),
	    if_known(j->eta_ms), if_known(j->calls_made),
	    if_known(j->calls_left)));
}

/* The fence was proved in this transaction and has locked the row: it is there. */
int
job_save(struct job *j)
{
	if (write_progress(j, true) != NULL)
		return committed(j);
	db_rollback(j->db);
	return -1;
}

int
job_finish(struct job *j, const char *state, int status, const char *answer)
{
	struct db_rows	*rows = write_progress(j, false);

	if (rows != NULL && rows_count(rows) == 1)
		rows = db_query(j->db, j->scratch, Q_JOBS_FINISH,
		    DB_ARGS(db_text(j->id), db_int(j->fence),
		    db_text(state), db_int(status), db_text(answer)));
	return commit(j, rows);
}

int
job_wait(struct job *j, int64_t delay_ms, const char *reason)
{
	struct db_rows	*rows = write_progress(j, false);

	if (rows != NULL && rows_count(rows) == 1)
		rows = db_query(j->db, j->scratch, Q_JOBS_WAIT,
		    DB_ARGS(db_text(j->id), db_int(j->fence),
		    db_int(delay_ms), db_text(reason), if_known(j->eta_ms)));
	return commit(j, rows);
}

int
job_beat(struct job *j)
{
	struct db_rows	*rows;

	slot_beat(j->slot);
	if (clock_mono_ms() - j->beat_ms < j->conf->jobs_heartbeat_ms)
		return 0;
	rows = db_query(j->db, j->scratch, Q_JOBS_BEAT,
	    DB_ARGS(db_text(j->id), db_int(j->fence),
	    db_int(j->conf->jobs_lease_ms)));
	if (rows == NULL)
		return -1;
	if (rows_count(rows) == 0) {
		note_lost(j);
		return -1;
	}
	j->beat_ms = clock_mono_ms();
	return 0;
}

void
job_release(struct job *j)
{
	struct db_rows	*rows;

	rows = db_query(j->db, j->scratch, Q_JOBS_RELEASE,
	    DB_ARGS(db_text(j->id), db_int(j->fence)));
	if (rows != NULL && rows_count(rows) == 1)
		log_info("job: released");
}

int
job_fail(struct job *j, enum problem why, const char *detail)
{
	struct json	*event = json_new_obj(j->scratch);
	struct json	*body = json_new_obj(j->scratch);

	json_put_text(event, "type", "error");
	json_put_text(event, "code", problem_code(why));
	json_put_text(event, "message", detail);
	job_event(j, json_dump(j->scratch, event));
	job_error(j, "job", problem_code(why), detail);

	json_put_text(body, "type", "about:blank");
	json_put_text(body, "title", problem_title(why));
	json_put_int(body, "status", problem_status(why));
	json_put_text(body, "code", problem_code(why));
	json_put_text(body, "detail", detail);
	log_warn("job: failed", F_STR("code", problem_code(why)),
	    F_STR("detail", detail));
	return job_finish(j, "failed", problem_status(why),
	    json_dump(j->scratch, body));
}

void
job_forget_errors(struct job *j)
{
	j->forget_errors = true;
	j->failed = 0;
}

void
job_follow_up(struct job *j, const char *request, const char *first_event,
    int priority)
{
	j->follow_up = request;
	j->follow_up_event = first_event;
	j->follow_up_priority = priority;
}
