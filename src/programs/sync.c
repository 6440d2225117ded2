/*
 * A sync: passes over the partner's list until one agrees with itself, each
 * page fetched beside others, each batch written under the job's fence with
 * its checkpoint and its events.  Nothing is ever deleted here for not having
 * been read.
 */
#include "programs/sync.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "net/pace.h"
#include "net/retry.h"
#include "proc/worker.h"
#include "programs/account.h"
#include "programs/pages.h"
#include "programs/partner.h"
#include "programs/program.h"
#include "programs/report.h"

#define FLIGHTS_MAX	64	/* partner.concurrency goes no higher */
#define PASSES_MAX	3	/* a set that keeps moving ends as partial */
#define LOST_IN_ROW_MAX	3	/* pages given up, then the run is */
#define HOLDS_MAX	10	/* in a row, without a page in between */
#define HOLD_HERE_MS	2000	/* longer waits give the worker back */
#define HOLD_MAX_MS	(24 * 3600 * 1000LL)
#define TURN_MS		500	/* how often to look up from the calls */

/* One call under way. */
struct flight {
	struct upstream_call	 call;
	struct arena		*arena;		/* of its URL */
	size_t			 page;
	bool			 busy;
};

/* A page that has come, waiting to be written. */
struct arrival {
	size_t			 page;
	struct partner_page	 answer;
};

struct sync {
	struct job		*job;
	struct account		 account;
	struct pages		 pages;
	struct pace		 pace;
	struct flight		 flights[FLIGHTS_MAX];
	struct arrival		 arrivals[FLIGHTS_MAX];
	size_t			 narrivals;
	struct arena		*batch;		/* what arrived, until written */

	int64_t			 total_db_before;
	int64_t			 pass;
	int64_t			 unique;	/* ids seen in this pass */
	bool			 informed;	/* the info event is out */
	bool			 answered;	/* a page came in this run */
	int			 lost_in_row;
	int64_t			 holds;
	int64_t			 hold_ms;	/* the partner said: wait */
	enum partner_says	 end;		/* what ended the run, or OK */
	enum partner_says	 lost;		/* why the last page was lost */
	const char		*why;		/* of the last lost page */
};

/* What a pass came to. */
enum pass_end { PASS_AGREES, PASS_DIFFERS, PASS_LOST_PAGES, PASS_ENDED,
	PASS_HELD, PASS_STOPPED, PASS_JOB_LOST };

static void
save_checkpoint(struct sync *s)
{
	struct job	*j = s->job;
	struct json	*c = json_new_obj(j->scratch);

	json_put_int(c, "total_db_before", s->total_db_before);
	json_put_int(c, "pass", s->pass);
	json_put_int(c, "unique", s->unique);
	json_put_int(c, "total", s->pages.total);
	json_put_bool(c, "moved", s->pages.moved);
	json_put_bool(c, "informed", s->informed);
	json_put_bool(c, "answered", s->answered);
	json_put_int(c, "holds", s->holds);
	json_put(c, "covered", pages_print(&s->pages, j->scratch));
	j->checkpoint = c;
}

static int64_t
checkpoint_int(const struct json *c, const char *key, int64_t dflt)
{
	int64_t	 n;

	return json_whole(json_get(c, key), &n) == 0 ? n : dflt;
}

static bool
checkpoint_bool(const struct json *c, const char *key)
{
	bool	 yes;

	return json_truth(json_get(c, key), &yes) == 0 && yes;
}

/* One number from a statement about the account; -1: database. */
static int64_t
count_programs(struct sync *s)
{
	struct job	*j = s->job;
	struct db_rows	*rows = db_query(j->db, j->arena, Q_PROGRAMS_COUNT,
			    DB_ARGS(db_int(j->account_id)));

	return rows != NULL ? rows_int(rows, 0, "programs") : -1;
}

static int64_t
count_seen(struct sync *s)
{
	struct job	*j = s->job;
	struct db_rows	*rows = db_query(j->db, j->arena,
			    Q_PROGRAMS_SEEN_COUNT,
			    DB_ARGS(db_text(j->id), db_int(s->pass)));

	return rows != NULL ? rows_int(rows, 0, "seen") : -1;
}

/* expected: how many rows there will be as far as anybody knows, or -1. */
static void
begin_pass(struct sync *s, int64_t expected)
{
	pages_free(&s->pages);
	pages_init(&s->pages, PARTNER_PAGE_MAX);
	pages_expect(&s->pages, expected);
	s->unique = 0;
	s->pass++;
}

/*
 * A registry that is still empty will need every page, so the total that the
 * partner named with the login lets all of them start at once.
 */
static int
start_fresh(struct sync *s)
{
	if ((s->total_db_before = count_programs(s)) == -1)
		return -1;
	log_info("sync: start");
	log_info("sync: registry has", F_INT("programs", s->total_db_before));
	begin_pass(s, s->total_db_before == 0 ? s->account.partner_total : -1);
	return 0;
}

/* Goes on where the checkpoint says, if what the pass saw is still there. */
static int
start_again(struct sync *s)
{
	const struct json	*c = s->job->checkpoint;
	int64_t			 seen;

	s->total_db_before = checkpoint_int(c, "total_db_before", 0);
	s->pass = checkpoint_int(c, "pass", 1);
	s->unique = checkpoint_int(c, "unique", 0);
	s->informed = checkpoint_bool(c, "informed");
	s->answered = checkpoint_bool(c, "answered");
	s->holds = checkpoint_int(c, "holds", 0);
	if ((seen = count_seen(s)) == -1)
		return -1;
	if (seen != s->unique) {
		log_warn("sync: what was seen is gone, reading again",
		    F_INT("seen", seen), F_INT("noted", s->unique));
		begin_pass(s, checkpoint_int(c, "total", -1));
		return 0;
	}
	pages_init(&s->pages, PARTNER_PAGE_MAX);
	if (checkpoint_int(c, "total", -1) >= 0)
		pages_resume(&s->pages, json_get(c, "covered"),
		    checkpoint_int(c, "total", -1));
	s->pages.moved = checkpoint_bool(c, "moved");
	log_info("sync: going on", F_INT("pass", s->pass),
	    F_INT("read", s->unique), F_INT("of", s->pages.total));
	return 0;
}

static struct flight *
free_flight(struct sync *s)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (!s->flights[i].busy)
			return &s->flights[i];
	return NULL;
}

/* Starts as many pages as the pace allows. */
static void
start_calls(struct sync *s)
{
	struct job	*j = s->job;
	struct flight	*f;
	size_t		 page;

	while (s->hold_ms == 0 && s->end == PARTNER_OK &&
	    upstream_pending(j->upstream) < (size_t)s->pace.cap &&
	    (f = free_flight(s)) != NULL &&
	    pages_next(&s->pages, clock_mono_ms(), &page)) {
		if (f->arena == NULL)
			f->arena = arena_new();
		arena_reset(f->arena);
		f->page = page;
		f->busy = true;
		f->call.data = f;
		partner_list(&f->call, f->arena, j->conf,
		    s->account.authorization,
		    pages_at(&s->pages, page)->offset,
		    pages_at(&s->pages, page)->limit, "ALL",
		    clock_mono_ms() + j->conf->partner_timeout_ms);
		upstream_start(j->upstream, &f->call);
	}
}

static const char *
page_item(struct sync *s, size_t index)
{
	return arena_printf(s->job->scratch, "offset %lld",
	    (long long)pages_at(&s->pages, index)->offset);
}

static void
give_up_page(struct sync *s, size_t index, const struct partner_page *answer)
{
	struct job	*j = s->job;

	pages_lose(&s->pages, index);
	if (pages_at(&s->pages, index)->state != PAGE_LOST)
		return;
	job_error(j, page_item(s, index),
	    problem_code(partner_problem(answer->says)), answer->why);
	j->failed++;
	s->why = arena_strdup(j->arena, answer->why);
	log_warn("sync: page lost", F_INT("offset",
	    pages_at(&s->pages, index)->offset), F_STR("why", answer->why));
	s->lost = answer->says;
	/* One broken page is bad luck; several in a row are the partner. */
	if (++s->lost_in_row >= LOST_IN_ROW_MAX) {
		s->end = answer->says;
		pages_lose_rest(&s->pages);
	}
}

/* The partner named a time: no more calls until then. */
static void
hold_back(struct sync *s, size_t index, int64_t retry_after_ms)
{
	int64_t	 wait_ms = retry_after_ms < HOLD_MAX_MS ? retry_after_ms :
		     HOLD_MAX_MS;

	s->holds++;
	pages_hold(&s->pages, index, clock_mono_ms() + wait_ms);
	if (wait_ms > s->hold_ms)
		s->hold_ms = wait_ms;
}

/* A page that did not come: again later, or never, or the end of the run. */
static void
page_failed(struct sync *s, const struct flight *f,
    const struct partner_page *answer)
{
	struct job	*j = s->job;
	struct page	*page = pages_at(&s->pages, f->page);
	bool		 transient = partner_is_transient(answer->says);

	log_info("sync: page failed", F_INT("offset", page->offset),
	    F_INT("try", page->failed + 1), F_STR("why", answer->why));
	if (partner_is_overload(answer->says))
		pace_trouble(&s->pace);
	/* After one good answer a 403 is throttling (contract, section 6). */
	if (answer->says == PARTNER_NO_ACCESS)
		transient = s->answered;
	if (answer->says == PARTNER_BAD_LOGIN ||
	    (answer->says == PARTNER_NO_ACCESS && !transient)) {
		s->end = answer->says;
		s->why = arena_strdup(j->arena, answer->why);
		pages_hold(&s->pages, f->page, 0);
		return;
	}
	if (f->call.retry_after_ms > 0 && s->holds < HOLDS_MAX &&
	    (answer->says == PARTNER_LIMITED ||
	    answer->says == PARTNER_UNAVAILABLE)) {
		hold_back(s, f->page, f->call.retry_after_ms);
		return;
	}
	if (transient && page->failed < j->conf->partner_retries)
		pages_retry(&s->pages, f->page, clock_mono_ms() +
		    retry_delay_ms(page->failed + 1,
		    j->conf->partner_retry_base_ms));
	else
		give_up_page(s, f->page, answer);
}

/* The total, the first time that it is known. */
static void
note_total(struct sync *s)
{
	struct job	*j = s->job;
	int64_t		 total = s->pages.total;

	j->total = total;
	if (s->informed)
		return;
	s->informed = true;
	report_info(j, total, s->total_db_before);
	log_info("sync: api total", F_INT("programs", total));
	log_info("sync: need", F_INT("programs",
	    total > s->total_db_before ? total - s->total_db_before : 0));
}

/* A call that has ended: its page is noted, or what to do about it. */
static void
land(struct sync *s, struct upstream_call *call)
{
	struct flight		*f = call->data;
	struct partner_page	 answer = partner_list_read(call, s->batch);
	struct page		*page = pages_at(&s->pages, f->page);

	f->busy = false;
	if (answer.says == PARTNER_OK && (int64_t)answer.count > page->limit) {
		answer.says = PARTNER_GARBLED;
		answer.why = "the partner's page is longer than asked for";
	}
	if (answer.says == PARTNER_OK &&
	    !pages_read(&s->pages, f->page, (int64_t)answer.count,
	    answer.total)) {
		/* Empty before the end: once more, then it is lost. */
		answer.says = PARTNER_GARBLED;
		answer.why = "the partner's page is empty before the end";
		if (page->failed < s->job->conf->partner_retries - 1)
			page->failed = (int)s->job->conf->partner_retries - 1;
	}
	if (answer.says != PARTNER_OK) {
		page_failed(s, f, &answer);
		return;
	}
	pace_good(&s->pace);
	s->answered = true;
	s->lost_in_row = 0;
	s->holds = 0;
	s->arrivals[s->narrivals++] = (struct arrival){ f->page, answer };
}

/* Everything that has ended by now; waits for the first of it. */
static void
collect(struct sync *s, int timeout_ms)
{
	struct upstream_call	*call;
	int64_t			 began_ms = clock_mono_ms();

	call = upstream_next(s->job->upstream, timeout_ms);
	s->job->partner_ms += clock_mono_ms() - began_ms;
	while (call != NULL && s->narrivals < FLIGHTS_MAX) {
		land(s, call);
		/* The next page is on its way before this one is written. */
		start_calls(s);
		call = s->narrivals < FLIGHTS_MAX ?
		    upstream_next(s->job->upstream, 0) : NULL;
	}
}

static void
fill_batch(struct sync *s, struct program_batch *batch)
{
	struct job	*j = s->job;
	struct program	 program;
	const char	*why, *item;

	for (size_t i = 0; i < s->narrivals; i++) {
		const struct partner_page	*page = &s->arrivals[i].answer;

		for (size_t k = 0; k < page->count; k++) {
			if (program_read(&program, s->batch,
			    json_at(page->programs, k), &why) == 0) {
				program_batch_add(batch, (int)i, &program);
				continue;
			}
			item = arena_printf(j->scratch, "row %lld", (long long)
			    pages_at(&s->pages, s->arrivals[i].page)->offset +
			    (long long)k);
			job_error(j, item, "bad_program", why);
			j->failed++;
			s->why = why;
		}
	}
}

/* What became of the i-th arrival, by the upsert's answer. */
static void
report_arrival(struct sync *s, size_t i, const struct db_rows *rows)
{
	struct job	*j = s->job;
	int64_t		 fresh = 0;

	for (size_t k = 0; k < rows_count(rows); k++) {
		if (rows_int(rows, k, "page") != (int64_t)i)
			continue;
		fresh = rows_int(rows, k, "seen");
		j->added += rows_int(rows, k, "added");
		j->updated += rows_int(rows, k, "updated");
		/* Only the first pass can find a row as it was. */
		if (s->pass == 1)
			j->unchanged += fresh - rows_int(rows, k, "added") -
			    rows_int(rows, k, "updated");
	}
	s->unique += fresh;
	if (s->unique > j->done)
		j->done = s->unique;
	if (s->arrivals[i].answer.count > 0)
		report_progress(j, j->done, s->pages.total, j->added);
}

static int
write_batch(struct sync *s, struct program_batch *b)
{
	struct job	*j = s->job;
	struct column	*c = b->columns;
	struct db_rows	*rows;

	rows = db_query(j->db, j->scratch, Q_PROGRAMS_UPSERT, DB_ARGS(
	    db_int(j->account_id), db_text(j->id), db_int(s->pass),
	    column_arg(&c[PROGRAM_PAGE]), column_arg(&c[PROGRAM_ID]),
	    column_arg(&c[PROGRAM_BUSINESS]),
	    column_arg(&c[PROGRAM_PARTNER_BUSINESS]),
	    column_arg(&c[PROGRAM_TYPE]), column_arg(&c[PROGRAM_STATUS]),
	    column_arg(&c[PROGRAM_PAUSE]), column_arg(&c[PROGRAM_START]),
	    column_arg(&c[PROGRAM_END]), column_arg(&c[PROGRAM_HASH]),
	    column_arg(&c[PROGRAM_LINK_PROGRAM]),
	    column_arg(&c[PROGRAM_LINK_BUSINESS])));
	if (rows == NULL)
		return -1;
	for (size_t i = 0; i < s->narrivals; i++) {
		log_info("sync: batch offset", F_INT("offset",
		    pages_at(&s->pages, s->arrivals[i].page)->offset),
		    F_INT("rows", s->arrivals[i].answer.count));
		report_arrival(s, i, rows);
	}
	return 0;
}

/* What arrived goes into the registry, with its events, in one commit. */
static int
store_arrivals(struct sync *s)
{
	struct job		*j = s->job;
	struct program_batch	 batch;
	int64_t			 began_ms = clock_mono_ms();
	int			 rc = -1;

	if (s->narrivals == 0)
		return 0;
	program_batch_init(&batch);
	note_total(s);
	fill_batch(s, &batch);
	if (job_begin(j) == 0 && write_batch(s, &batch) == 0) {
		j->database_ms += clock_mono_ms() - began_ms;
		save_checkpoint(s);
		began_ms = clock_mono_ms();
		rc = job_save(j);
		j->database_ms += clock_mono_ms() - began_ms;
	}
	program_batch_free(&batch);
	arena_reset(s->batch);
	s->narrivals = 0;
	return rc;
}

/* How long the calls may be waited for before something else is due. */
static int
turn_ms(const struct sync *s)
{
	int64_t	 due_ms = pages_due_ms(&s->pages);
	int	 left_ms;

	if (due_ms == -1 || s->hold_ms > 0)
		return TURN_MS;
	left_ms = clock_left_ms(due_ms);
	/* Due, but the pace is full: an answer will come first. */
	if (left_ms == 0 && upstream_pending(s->job->upstream) > 0)
		return TURN_MS;
	return left_ms < TURN_MS ? left_ms : TURN_MS;
}

/* Nothing is flying, so libcurl has nothing to wait for.  -1: no database. */
static int
sleep_until_due(struct sync *s)
{
	int	 ms = turn_ms(s);

	if (upstream_pending(s->job->upstream) > 0 || ms == 0 ||
	    !pages_open(&s->pages))
		return 0;
	return db_wait(s->job->db, ms) == -1 ? -1 : 0;
}

static enum pass_end
judge(const struct sync *s)
{
	if (s->end == PARTNER_BAD_LOGIN ||
	    (s->end == PARTNER_NO_ACCESS && !s->answered))
		return PASS_ENDED;
	if (s->job->failed > 0 || s->end != PARTNER_OK)
		return PASS_LOST_PAGES;
	if (s->pages.moved || s->unique != s->pages.total)
		return PASS_DIFFERS;
	return PASS_AGREES;
}

/* Short holds are sat out here; long ones give the worker back. */
static bool
sits_out_hold(struct sync *s)
{
	if (s->hold_ms > HOLD_HERE_MS)
		return false;
	s->hold_ms = 0;		/* the pages know when they are due */
	return true;
}

static enum pass_end
run_pass(struct sync *s)
{
	struct job	*j = s->job;

	while (pages_open(&s->pages)) {
		if (worker_stopping())
			return PASS_STOPPED;
		start_calls(s);
		collect(s, turn_ms(s));
		if (store_arrivals(s) == -1 || job_beat(j) == -1)
			return PASS_JOB_LOST;
		if (upstream_pending(j->upstream) > 0)
			continue;
		if (s->end != PARTNER_OK)
			break;
		if (s->hold_ms > 0 && !sits_out_hold(s))
			return PASS_HELD;
		start_calls(s);
		if (sleep_until_due(s) == -1)
			return PASS_JOB_LOST;
	}
	return judge(s);
}

static enum job_end
end_held(struct sync *s)
{
	struct job	*j = s->job;
	const char	*message;
	char		 until[CLOCK_ISO_SIZE];

	clock_iso(clock_wall_ms() + s->hold_ms, until);
	message = arena_printf(j->arena, "Waiting until %.16s UTC, partner "
	    "limit", until);
	if (job_begin(j) == -1)
		return JOB_LOST;
	report_waiting(j, s->hold_ms, "partner_limited", message);
	save_checkpoint(s);
	return job_wait(j, s->hold_ms, "partner_limited") == 0 ? JOB_ENDED :
	    JOB_LOST;
}

/* The run is over without anything to show for it, or the login is bad. */
static enum job_end
end_failed(struct sync *s, enum partner_says says)
{
	struct job	*j = s->job;
	const char	*detail;

	if (says == PARTNER_BAD_LOGIN && account_refused(j->db, j->arena,
	    s->account.user, s->account.hash, "") == -1)
		return JOB_LOST;
	detail = arena_printf(j->arena, "The partner could not be read: %s.",
	    s->why != NULL ? s->why : "nothing came");
	if (job_begin(j) == -1)
		return JOB_LOST;
	save_checkpoint(s);
	return job_fail(j, partner_problem(says), detail) == 0 ? JOB_ENDED :
	    JOB_LOST;
}

static const char *
partial_reason(struct sync *s, enum pass_end end)
{
	struct job	*j = s->job;
	int64_t		 lost = pages_lost_rows(&s->pages);

	if (end == PASS_DIFFERS)
		return arena_printf(j->arena, "the partner named %lld programs "
		    "but listed %lld, in %lld readings", (long long)
		    s->pages.total, (long long)s->unique,
		    (long long)s->pass);
	return arena_printf(j->arena, "%lld of %lld programs could not be "
	    "read (%s)", (long long)(lost > 0 ? lost : j->failed),
	    (long long)s->pages.total, s->why);
}

static int
finish_rows(struct sync *s, struct sync_result *res)
{
	struct job	*j = s->job;

	if ((res->total_db_after = count_programs(s)) == -1 ||
	    db_query(j->db, j->scratch, Q_PROGRAMS_SEEN_CLEAR,
	    DB_ARGS(db_text(j->id))) == NULL)
		return -1;
	if (res->outcome == SYNC_PARTIAL)
		return 0;
	return db_query(j->db, j->scratch, Q_PROGRAMS_SYNCED,
	    DB_ARGS(db_int(j->account_id))) != NULL ? 0 : -1;
}

static enum job_end
end_read(struct sync *s, enum pass_end end)
{
	struct job		*j = s->job;
	struct sync_result	 res = { .total_api = j->total,
		.total_db_before = s->total_db_before };
	const char		*answer;

	res.outcome = end != PASS_AGREES ? SYNC_PARTIAL :
	    j->added + j->updated + j->removed > 0 ? SYNC_SYNCED :
	    SYNC_UP_TO_DATE;
	if (res.outcome == SYNC_PARTIAL)
		res.reason = partial_reason(s, end);
	if (job_begin(j) == -1)
		return JOB_LOST;
	if (finish_rows(s, &res) == -1)
		return JOB_LOST;
	save_checkpoint(s);
	answer = report_complete(j, &res);
	return job_finish(j, res.outcome == SYNC_PARTIAL ? "partial" : "done",
	    200, answer) == 0 ? JOB_ENDED : JOB_LOST;
}

static enum job_end
run_passes(struct sync *s)
{
	enum pass_end	 end = run_pass(s);

	while (end == PASS_DIFFERS && s->pass < PASSES_MAX) {
		log_info("sync: the set moved, reading again",
		    F_INT("unique", s->unique),
		    F_INT("total", s->pages.total));
		begin_pass(s, s->pages.total);
		end = run_pass(s);
	}
	switch (end) {
	case PASS_STOPPED:
		return JOB_STOPPED;
	case PASS_JOB_LOST:
		return JOB_LOST;
	case PASS_HELD:
		return end_held(s);
	case PASS_ENDED:
		return end_failed(s, s->end);
	default:
		return s->answered ? end_read(s, end) :
		    end_failed(s, s->end != PARTNER_OK ? s->end : s->lost);
	}
}

static void
close_sync(struct sync *s)
{
	upstream_cancel(s->job->upstream);
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		if (s->flights[i].busy)
			buf_free(&s->flights[i].call.body);
		if (s->flights[i].arena != NULL)
			arena_free(s->flights[i].arena);
	}
	pages_free(&s->pages);
	arena_free(s->batch);
}

enum job_end
sync_run(struct job *j)
{
	struct sync	*s = arena_alloc(j->arena, sizeof(*s));
	enum job_end	 end = JOB_LOST;
	int		 n;

	s->job = j;
	if ((n = account_load(j->db, j->arena, j->account_id, &s->account)) ==
	    -1)
		return JOB_LOST;
	if (n == 0 || s->account.is_refused) {
		s->why = n == 0 ? "the stored login cannot be opened with "
		    "this key; sign in again" : "the login was refused; "
		    "sign in again";
		return end_failed(s, PARTNER_NO_ACCESS);
	}
	s->batch = arena_new();
	pace_init(&s->pace, (int)j->conf->partner_concurrency);
	n = json_get(j->checkpoint, "pass") != NULL ? start_again(s) :
	    start_fresh(s);
	if (n == 0)
		end = run_passes(s);
	close_sync(s);
	return end;
}
