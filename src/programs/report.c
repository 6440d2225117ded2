/* The words of a sync. */
#include "programs/report.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"

static void
send_event(struct job *j, const struct json *event)
{
	job_event(j, json_dump(j->scratch, event));
}

void
report_info(struct job *j, int64_t total_api, int64_t total_db)
{
	struct json	*e = json_new_obj(j->scratch);

	json_put_text(e, "type", "info");
	json_put_int(e, "total_api", total_api);
	json_put_int(e, "total_db", total_db);
	json_put_int(e, "to_sync",
	    total_api > total_db ? total_api - total_db : 0);
	send_event(j, e);
}

/* Rounded to the nearest, and 100 only when all is there. */
static int64_t
percentage(int64_t done, int64_t total, bool all)
{
	int64_t	 p;

	if (all)
		return 100;
	if (done >= total)
		return 99;
	p = (200 * done + total) / (2 * total);
	return p < 99 ? p : 99;
}

void
report_progress(struct job *j, int64_t synced, int64_t total, int64_t added,
    bool all)
{
	struct json	*e = json_new_obj(j->scratch);

	json_put_text(e, "type", "progress");
	json_put_int(e, "synced", synced);
	json_put_int(e, "total", total);
	json_put_int(e, "added", added);
	json_put_int(e, "percentage", percentage(synced, total, all));
	send_event(j, e);
	log_info(arena_printf(j->scratch, "sync: progress %lld/%lld (%lld%%)",
	    (long long)synced, (long long)total,
	    (long long)percentage(synced, total, all)));
}

void
report_waiting(struct job *j, int64_t delay_ms, const char *reason,
    const char *message)
{
	struct json	*e = json_new_obj(j->scratch);
	char		 until[CLOCK_ISO_SIZE];

	clock_iso(clock_wall_ms() + delay_ms, until);
	json_put_text(e, "type", "waiting");
	json_put_text(e, "until", until);
	json_put_text(e, "reason", reason);
	json_put_text(e, "message", message);
	send_event(j, e);
	log_info("sync: waiting", F_STR("until", until),
	    F_STR("reason", reason));
}

/* ", 12 updated, 3 removed", as far as there were any. */
static const char *
further(struct job *j)
{
	char	*text = arena_strdup(j->arena, "");

	if (j->updated > 0)
		text = arena_printf(j->arena, ", %lld updated",
		    (long long)j->updated);
	if (j->removed > 0)
		text = arena_printf(j->arena, "%s, %lld removed", text,
		    (long long)j->removed);
	return text;
}

/* The same news twice: for the answer of a POST, and for a stream. */
static void
put_words(struct job *j, const struct sync_result *res, const char **answer,
    const char **event)
{
	if (res->dry_run && res->outcome != SYNC_UP_TO_DATE) {
		*answer = *event = arena_printf(j->arena,
		    "%s%s%sWould add %lld programs%s. Nothing was changed",
		    res->reason != NULL ? "Read in part: " : "",
		    res->reason != NULL ? res->reason : "",
		    res->reason != NULL ? ". " : "",
		    (long long)j->added, further(j));
		return;
	}
	switch (res->outcome) {
	case SYNC_UP_TO_DATE:
		*answer = *event = arena_printf(j->arena,
		    "Database already has all %lld programs",
		    (long long)res->total_api);
		break;
	case SYNC_PARTIAL:
		*answer = *event = arena_printf(j->arena,
		    "Synchronized in part: %s. Added %lld new programs. "
		    "Now have %lld/%lld%s", res->reason,
		    (long long)j->added, (long long)res->total_db_after,
		    (long long)res->total_api, further(j));
		break;
	default:
		*answer = arena_printf(j->arena,
		    "Added %lld new programs. Now have %lld/%lld%s",
		    (long long)j->added, (long long)res->total_db_after,
		    (long long)res->total_api, further(j));
		*event = arena_printf(j->arena, "Successfully synchronized "
		    "%lld new programs. Total: %lld%s", (long long)j->added,
		    (long long)res->total_db_after, further(j));
	}
}

void
report_end(const struct job *j, const char *status)
{
	double	 total_s = (double)(j->elapsed_ms + clock_mono_ms() -
		     j->claimed_ms) / 1000;

	log_info("sync: complete", F_STR("status", status),
	    F_INT("added", j->added), F_INT("updated", j->updated),
	    F_INT("removed", j->removed), F_INT("unchanged", j->unchanged),
	    F_INT("failed", j->failed),
	    F_SEC("partner_s", (double)j->partner_ms / 1000),
	    F_SEC("database_s", (double)j->database_ms / 1000),
	    F_SEC("total_s", total_s), F_INT("rows_per_s", total_s > 0 ?
	    (double)j->done / total_s : 0));
}

const char *
report_complete(struct job *j, const struct sync_result *res)
{
	static const char *const	 names[] = { "synced", "up_to_date",
		"partial" };
	struct json	*answer = json_new_obj(j->arena);
	struct json	*event = json_new_obj(j->scratch);
	const char	*status = names[res->outcome], *told, *shown;

	put_words(j, res, &told, &shown);
	json_put_int(answer, "total_api", res->total_api);
	json_put_int(answer, "total_db_before", res->total_db_before);
	json_put_int(answer, "total_db_after", res->total_db_after);
	json_put_int(answer, "added", j->added);
	json_put_text(answer, "status", status);
	json_put_text(answer, "message", told);
	json_put_int(answer, "updated", j->updated);
	json_put_int(answer, "removed", j->removed);
	json_put_int(answer, "unchanged", j->unchanged);
	json_put_text(answer, "job", j->id);
	if (res->dry_run)
		json_put_bool(answer, "dry_run", true);

	json_put_text(event, "type", "complete");
	json_put_text(event, "status", status);
	json_put_int(event, "added", j->added);
	json_put_int(event, "total_synced", res->total_db_after);
	json_put_text(event, "message", shown);
	json_put_int(event, "updated", j->updated);
	json_put_int(event, "removed", j->removed);
	send_event(j, event);
	report_end(j, status);
	return json_dump(j->arena, answer);
}
