/* The scoreboard as JSON and as metrics, and the two probes. */
#include "http/status.h"

#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "data/migrate.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "proc/master.h"
#include "proc/scoreboard.h"

static const char *const state_names[] = {
	[SLOT_FREE] = "free", [SLOT_STARTING] = "starting",
	[SLOT_IDLE] = "idle", [SLOT_BUSY] = "busy",
	[SLOT_STOPPING] = "stopping",
};

int
healthz_get(struct req *r)
{
	return resp_bytes(r, 200, "text/plain", "ok\n", 3);
}

int
readyz_get(struct req *r)
{
	int	 pending = migrate_pending(r->db);

	if (pending == -1)
		return problem(r, PROBLEM_DATABASE,
		    "The database cannot be reached.");
	if (pending > 0)
		return problem(r, PROBLEM_DATABASE,
		    "%d migrations are missing; run lockstep migrate.",
		    pending);
	return resp_bytes(r, 200, "text/plain", "ready\n", 6);
}

static struct json *
worker(struct arena *a, struct slot *slot)
{
	struct json	*obj = json_new_obj(a);
	int		 state = atomic_load(&slot->state);
	int64_t		 now_ms = clock_mono_ms();

	json_put_text(obj, "kind", master_kind_name(atomic_load(&slot->kind)));
	json_put_int(obj, "index", atomic_load(&slot->index));
	json_put_int(obj, "pid", atomic_load(&slot->pid));
	json_put_text(obj, "state", state_names[state]);
	json_put_int(obj, "requests", (int64_t)atomic_load(&slot->requests));
	json_put_int(obj, "clients", (int64_t)atomic_load(&slot->clients));
	json_put_int(obj, "uptime_ms", now_ms -
	    atomic_load(&slot->started_ms));
	if (state == SLOT_BUSY) {
		json_put_int(obj, "busy_ms", now_ms -
		    atomic_load(&slot->busy_since_ms));
		json_put_text(obj, "what", slot->what);
		json_put_text(obj, "rid", slot->rid);
	}
	return obj;
}

static struct json *
tally(struct arena *a)
{
	struct tally	*t = scoreboard_tally();
	struct json	*obj = json_new_obj(a);

	for (int i = 1; i < 6; i++)
		json_put_int(obj, arena_printf(a, "status_%dxx", i),
		    (int64_t)atomic_load(&t->status[i]));
	json_put_int(obj, "respawns", (int64_t)atomic_load(&t->respawns));
	json_put_int(obj, "crashes", (int64_t)atomic_load(&t->crashes));
	json_put_int(obj, "stuck", (int64_t)atomic_load(&t->stuck));
	json_put_int(obj, "reloads", (int64_t)atomic_load(&t->reloads));
	json_put_int(obj, "reloads_refused",
	    (int64_t)atomic_load(&t->reloads_refused));
	return obj;
}

int
status_get(struct req *r)
{
	struct json	*body = json_new_obj(r->arena);
	struct json	*workers = json_new_arr(r->arena);

	for (size_t i = 0; i < scoreboard_size(); i++) {
		struct slot	*slot = scoreboard_slot(i);

		if (atomic_load(&slot->pid) != 0)
			json_push(workers, worker(r->arena, slot));
	}
	json_put_text(body, "version", PACKAGE_VERSION);
	json_put(body, "workers", workers);
	json_put(body, "tally", tally(r->arena));
	return resp_json(r, 200, body);
}

/* Appends a line; one that does not fit empties the page. */
static void
metric(struct buf *b, const char *name, const char *label, const char *value,
    uint64_t n)
{
	int	 full;

	if (label == NULL)
		full = buf_printf(b, "lockstep_%s %llu\n", name,
		    (unsigned long long)n);
	else
		full = buf_printf(b, "lockstep_%s{%s=\"%s\"} %llu\n", name,
		    label, value, (unsigned long long)n);
	if (full)
		buf_reset(b);
}

static void
worker_metrics(struct buf *b, int kind)
{
	uint64_t	 workers = 0, busy = 0, clients = 0;

	for (size_t i = 0; i < scoreboard_size(); i++) {
		struct slot	*slot = scoreboard_slot(i);

		if (atomic_load(&slot->pid) == 0 ||
		    atomic_load(&slot->kind) != kind)
			continue;
		workers++;
		busy += atomic_load(&slot->state) == SLOT_BUSY;
		clients += atomic_load(&slot->clients);
	}
	if (workers == 0)
		return;
	metric(b, "workers", "kind", master_kind_name(kind), workers);
	metric(b, "workers_busy", "kind", master_kind_name(kind), busy);
	metric(b, "clients", "kind", master_kind_name(kind), clients);
}

int
metrics_get(struct req *r)
{
	static const char *const classes[] = { "odd", "1xx", "2xx", "3xx",
		"4xx", "5xx" };
	struct tally	*t = scoreboard_tally();
	struct buf	 b;
	int		 status;

	buf_init(&b, 65536);
	for (int kind = 0; strcmp(master_kind_name(kind), "?") != 0; kind++)
		worker_metrics(&b, kind);
	for (int i = 0; i < 6; i++)
		metric(&b, "requests_total", "status", classes[i],
		    atomic_load(&t->status[i]));
	metric(&b, "respawns_total", NULL, NULL, atomic_load(&t->respawns));
	metric(&b, "crashes_total", NULL, NULL, atomic_load(&t->crashes));
	metric(&b, "stuck_total", NULL, NULL, atomic_load(&t->stuck));
	metric(&b, "reloads_total", NULL, NULL, atomic_load(&t->reloads));
	metric(&b, "reloads_refused_total", NULL, NULL,
	    atomic_load(&t->reloads_refused));
	status = resp_bytes(r, 200, "text/plain; version=0.0.4", b.data,
	    b.len);
	buf_free(&b);
	return status;
}
