/*
 * The loop of the workers that serve one request at a time: accept, parse,
 * dispatch, answer, one log line.
 */
#include "http/server.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "core/secret.h"
#include "data/db.h"
#include "http/cache.h"
#include "http/fcgi.h"
#include "http/place.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "http/route.h"
#include "net/upstream.h"
#include "proc/scoreboard.h"
#include "proc/worker.h"

#define ANSWER_MAX	(32u << 20)
#define ANSWER_KEPT	(1u << 20)	/* memory kept between requests */
#define CACHE_MAX	(8u << 20)
#define RID_MAX		64

/* The request id that nginx made; one of our own when it is missing. */
static const char *
request_id(struct req *r)
{
	const char	*rid = req_param(r, "REQUEST_ID");
	char		*fresh;

	if (rid != NULL && rid[0] != '\0' && strlen(rid) <= RID_MAX &&
	    strspn(rid, "0123456789abcdefghijklmnopqrstuvwxyz-") ==
	    strlen(rid))
		return rid;
	fresh = arena_alloc(r->arena, 33);
	secret_random_hex(fresh, 32);
	return fresh;
}

static void
log_request(const struct req *r, int64_t began_ms)
{
	log_info("http: request", F_STR("method", r->method_name),
	    F_STR("path", r->path), F_INT("status", r->status),
	    F_STR("handover", !resp_is_handover(r) ? "no" :
	    r->headers[0].value[0] == '@' ? "live" : "stream"),
	    F_INT("bytes", r->body.len + r->sent),
	    F_INT("ms", clock_mono_ms() - began_ms));
}

static void
serve_one(struct req *r, const struct route *routes, size_t nroutes)
{
	struct tally	*tally = scoreboard_tally();
	int64_t		 began_ms = clock_mono_ms();
	char		 what[SCOREBOARD_WHAT_SIZE];

	r->rid = request_id(r);
	r->address = req_param(r, "REMOTE_ADDR");
	r->deadline_ms = began_ms + r->conf->live_deadline_ms;
	r->operator_listener = req_param(r, "LOCKSTEP_LISTENER") != NULL &&
	    strcmp(req_param(r, "LOCKSTEP_LISTENER"), "operator") == 0;
	r->path = "";
	log_set_request(r->rid);
	snprintf(what, sizeof(what), "%s %s", req_param(r, "REQUEST_METHOD"),
	    req_param(r, "REQUEST_URI"));
	what[strcspn(what, "?")] = '\0';
	slot_busy(r->worker->slot, what, r->rid);
	if (req_parse(r) == 0)
		route_dispatch(r, routes, nroutes);
	/* Does nothing but after a handler that has failed in the midst of one. */
	db_rollback(r->db);
	resp_send(r);
	/*
	 * Before the last of it leaves: who has the answer may ask again at once,
	 * or for /metrics, and another worker may be there before this one goes
	 * on.  What is handed over is counted where it is answered.
	 */
	place_leave(r);
	if (!resp_is_handover(r))
		atomic_fetch_add(&tally->status[r->status / 100 % 6], 1);
	if (r->cut)
		fcgi_break(r->fcgi);
	else
		fcgi_finish(r->fcgi);
	log_request(r, began_ms);
	log_set_request(NULL);
	log_set_account(0);
	slot_idle(r->worker->slot);
}

int
server_run(struct worker *w, const struct route *routes, size_t nroutes,
    int with_upstream)
{
	struct req	 life = { .conf = w->conf, .worker = w };

	life.arena = arena_new();
	life.db = db_new(w->conf, w->conf->db_timeout_ms);
	life.cache = cache_new(CACHE_MAX);
	if (with_upstream)
		life.upstream = upstream_new(w->conf);
	life.fcgi = fcgi_open(w->listen_fd);
	buf_init(&life.body, ANSWER_MAX);
	slot_idle(w->slot);

	while (!worker_stopping() && !worker_worn_out(w)) {
		struct req	 r = life;

		slot_beat(w->slot);
		if (fcgi_accept(life.fcgi) == 0)
			continue;
		serve_one(&r, routes, nroutes);
		life.body = r.body;
		if (life.body.cap > ANSWER_KEPT)
			buf_free(&life.body);
		buf_reset(&life.body);
		arena_reset(life.arena);
	}
	return 0;
}
