/* Reading the partner's list: what is under way, and what to do about it. */
#include "programs/pass.h"

#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "net/retry.h"
#include "net/upstream.h"
#include "proc/worker.h"
#include "programs/account.h"
#include "programs/report.h"
#include "programs/store.h"

#define LOST_IN_ROW_MAX	3	/* pages given up, then the whole run */
#define FAILED_IN_ROW_MAX 8	/* calls, then nothing is asked for a while */
#define HOLDS_MAX	10	/* in a row, without a page in between */
#define HOLD_HERE_MS	2000	/* longer waits give the worker back */
#define STARVED_MS	2000	/* without budget, while people take it */
#define TURN_MS		500	/* how often to look up from the calls */

void
pass_open(struct pass *p, struct job *j, const struct account *account)
{
	memset(p, 0, sizeof(*p));
	p->job = j;
	p->authorization = account->authorization;
	p->budget = partner_budget(j->conf, account->user, PARTNER_LIST);
	p->batch = arena_new();
	p->asking = arena_new();
	digest_open(&p->digest, account->pages);
	p->wholesale = true;
	pace_init(&p->pace, (int)j->conf->partner_concurrency_start,
	    (int)j->conf->partner_concurrency);
}

void
pass_close(struct pass *p)
{
	upstream_cancel(p->job->upstream);
	for (size_t i = 0; i < PASS_FLIGHTS_MAX; i++) {
		if (p->flights[i].busy)
			buf_free(&p->flights[i].call.body);
		if (p->flights[i].arena != NULL)
			arena_free(p->flights[i].arena);
	}
	pages_free(&p->pages);
	digest_close(&p->digest);
	arena_free(p->asking);
	arena_free(p->batch);
}

void
pass_checkpoint(struct pass *p)
{
	struct job	*j = p->job;
	struct json	*c = json_new_obj(j->scratch);

	json_put_int(c, "total_db_before", p->total_db_before);
	json_put_int(c, "pass", p->number);
	json_put_int(c, "unique", p->unique);
	json_put_int(c, "noted", p->noted);
	json_put_int(c, "total", p->pages.total);
	json_put_bool(c, "moved", p->pages.moved);
	json_put_bool(c, "informed", p->informed);
	json_put_bool(c, "answered", p->answered);
	json_put_int(c, "holds", p->holds);
	json_put_bool(c, "hungry", p->hungry_since_ms != 0);
	json_put_int(c, "doubted", p->doubted);
	json_put_int(c, "doubted_unique", p->doubted_unique);
	json_put(c, "covered", pages_print(&p->pages, j->scratch));
	j->checkpoint = c;
}

static int64_t
checkpoint_int(const struct json *c, const char *key, int64_t dflt)
{
	int64_t	 n;

	return json_whole(json_get(c, key), &n) == 0 ? n : dflt;
}

static struct db_rows *
ask_seen(struct pass *p, int64_t pass)
{
	struct job	*j = p->job;

	return db_query(j->db, j->scratch, Q_PROGRAMS_SEEN_COUNT,
	    DB_ARGS(db_text(j->id), db_int(pass)));
}

int64_t
pass_count_seen(struct pass *p)
{
	struct db_rows	*rows = ask_seen(p, p->number);

	return rows != NULL ? rows_int(rows, 0, "seen") : -1;
}

int
pass_check_seen(struct pass *p, bool *intact, bool *doubt_intact)
{
	struct db_rows	*rows = ask_seen(p, p->number);
	struct db_rows	*doubted = rows == NULL ? NULL :
			    ask_seen(p, p->doubted);
	int64_t		 noted, doubted_seen;

	if (doubted == NULL)
		return -1;
	noted = rows_int(rows, 0, "noted");
	doubted_seen = rows_int(doubted, 0, "seen");
	*intact = noted == p->noted;
	*doubt_intact = doubted_seen == p->doubted_unique;
	if (!*intact || !*doubt_intact)
		log_warn("sync: what was seen is gone, reading again",
		    F_INT("seen", noted), F_INT("noted", p->noted),
		    F_INT("doubted_seen", doubted_seen),
		    F_INT("doubted_noted", p->doubted_unique));
	return 0;
}

void
pass_begin(struct pass *p, int64_t expected)
{
	pages_free(&p->pages);
	pages_init(&p->pages, PARTNER_PAGE_MAX);
	pages_expect(&p->pages, expected);
	p->unique = p->noted = 0;
	p->number++;
	digest_begin(&p->digest, true);
	/* A rehearsal writes nothing, so each pass finds the same again. */
	if (p->dry_run)
		p->job->added = p->job->updated = 0;
}

static void
resume_pages(struct pass *p, const struct json *c)
{
	int64_t	 total = checkpoint_int(c, "total", -1);

	pages_init(&p->pages, PARTNER_PAGE_MAX);
	if (total >= 0)
		pages_resume(&p->pages, json_get(c, "covered"), total);
	p->pages.moved = json_flag(c, "moved");
	digest_begin(&p->digest, false);
	log_info("sync: going on", F_INT("pass", p->number),
	    F_INT("read", p->unique), F_INT("of", total));
}

int
pass_resume(struct pass *p)
{
	const struct json	*c = p->job->checkpoint;
	bool			 intact, doubt_intact;

	p->total_db_before = checkpoint_int(c, "total_db_before", 0);
	p->number = checkpoint_int(c, "pass", 1);
	p->unique = checkpoint_int(c, "unique", 0);
	p->noted = checkpoint_int(c, "noted", p->unique);
	p->informed = json_flag(c, "informed");
	p->answered = json_flag(c, "answered");
	p->holds = checkpoint_int(c, "holds", 0);
	/* Held back for want of budget: it has waited long enough. */
	if (json_flag(c, "hungry"))
		p->hungry_since_ms = clock_mono_ms() - STARVED_MS - 1;
	p->doubted = checkpoint_int(c, "doubted", 0);
	p->doubted_unique = checkpoint_int(c, "doubted_unique", 0);
	/* Pages that were lost before are tried again with the rest. */
	job_forget_errors(p->job);
	if (pass_check_seen(p, &intact, &doubt_intact) == -1)
		return -1;
	/* Without what it saw, the first of two readings is none. */
	if (!doubt_intact)
		p->doubted = p->doubted_unique = 0;
	if (intact) {
		resume_pages(p, c);
		return 0;
	}
	pass_begin(p, checkpoint_int(c, "total", -1));
	return 0;
}

static struct flight *
free_flight(struct pass *p)
{
	for (size_t i = 0; i < PASS_FLIGHTS_MAX; i++)
		if (!p->flights[i].busy)
			return &p->flights[i];
	return NULL;
}

static void
start_page(struct pass *p, size_t page)
{
	struct job	*j = p->job;
	struct flight	*f = free_flight(p);

	if (f->arena == NULL)
		f->arena = arena_new();
	arena_reset(f->arena);
	f->page = page;
	f->busy = true;
	f->call.data = f;
	partner_list(&f->call, f->arena, j->conf, p->authorization,
	    pages_at(&p->pages, page)->offset,
	    pages_at(&p->pages, page)->limit, "ALL",
	    clock_mono_ms() + j->conf->partner_timeout_ms);
	upstream_start(j->upstream, &f->call);
}

/* How many pages are due that the pace has room for. */
static size_t
count_due(const struct pass *p)
{
	size_t	 pending = upstream_pending(p->job->upstream);
	int64_t	 now_ms = clock_mono_ms();

	if (p->hold_ms > 0 || p->end != PARTNER_OK ||
	    now_ms < p->quiet_until_ms || pending >= (size_t)p->pace.cap)
		return 0;
	return pages_ready(&p->pages, now_ms, (size_t)p->pace.cap - pending);
}

static void
keep_quiet(struct pass *p, int64_t until_ms)
{
	if (until_ms > p->quiet_until_ms)
		p->quiet_until_ms = until_ms;
}

/*
 * A sync takes only what people leave, but it is not starved by them: after a
 * while it books the next call that comes free, as they do.
 */
static struct budget_wish
wish(const struct pass *p, size_t n)
{
	bool	 starved = p->hungry_since_ms != 0 && clock_mono_ms() -
		     p->hungry_since_ms > STARVED_MS;

	return (struct budget_wish){ .n = starved ? 1 : (int64_t)n,
		.wait_max_ms = starved ? HOLD_HERE_MS : 0,
		.urgent = starved };
}

/* Notes what the budget has given, and when to come back for more. */
static size_t
note_grant(struct pass *p, const struct budget_wish *w,
    const struct budget_grant *grant)
{
	int64_t	 now_ms = clock_mono_ms();

	if (grant->n > 0)
		p->hungry_since_ms = 0;
	else if (p->hungry_since_ms == 0)
		p->hungry_since_ms = now_ms;
	if (grant->n == 0 && grant->next_ms > HOLD_HERE_MS)
		p->hold_ms = grant->next_ms;
	else if (grant->n < w->n)
		keep_quiet(p, now_ms + grant->next_ms);
	if (grant->n == 0 || grant->wait_ms == 0)
		return (size_t)grant->n;
	p->booked = (size_t)grant->n;
	p->quiet_until_ms = now_ms + grant->wait_ms;
	return 0;
}

/*
 * How many of n calls the budget allows now.  When that is less, nothing is
 * asked for until more are due.
 */
static size_t
take_budget(struct pass *p, size_t n)
{
	struct budget_wish	 w = wish(p, n);
	struct budget_grant	 grant;
	size_t			 booked = p->booked < n ? p->booked : n;

	if (n == 0 || booked > 0) {
		p->booked -= booked;
		return booked;
	}
	arena_reset(p->asking);
	if (budget_take(p->job->db, p->asking, &p->budget, &w, &grant) == 0)
		return note_grant(p, &w, &grant);
	p->no_budget = true;
	return 0;
}

/* Starts as many pages as pace and budget allow. */
static void
start_calls(struct pass *p)
{
	size_t	 n = take_budget(p, count_due(p));
	size_t	 page;

	while (n-- > 0 && pages_next(&p->pages, clock_mono_ms(), &page))
		start_page(p, page);
}

static const char *
page_item(struct pass *p, size_t index)
{
	return arena_printf(p->job->scratch, "offset %lld",
	    (long long)pages_at(&p->pages, index)->offset);
}

static void
give_up_page(struct pass *p, size_t index, const struct partner_page *answer)
{
	struct job	*j = p->job;

	pages_lose(&p->pages, index);
	if (pages_at(&p->pages, index)->state != PAGE_LOST)
		return;
	job_error(j, page_item(p, index),
	    problem_code(partner_problem(answer->says)), answer->why);
	p->why = arena_strdup(j->arena, answer->why);
	log_warn("sync: page lost", F_INT("offset",
	    pages_at(&p->pages, index)->offset), F_STR("why", answer->why));
	p->lost = answer->says;
	/* One broken page is bad luck; several in a row are the partner. */
	if (++p->lost_in_row >= LOST_IN_ROW_MAX && p->end == PARTNER_OK) {
		p->end = answer->says;
		pages_lose_rest(&p->pages);
	}
}

/* The partner named a time: no more calls until then. */
static void
hold_back(struct pass *p, size_t index, int64_t wait_ms)
{
	/* All that were under way are told the same: that is one hold. */
	if (p->hold_ms == 0)
		p->holds++;
	pages_hold(&p->pages, index, 0);
	keep_quiet(p, clock_mono_ms() + wait_ms);
	if (wait_ms > p->hold_ms)
		p->hold_ms = wait_ms;
}

/*
 * One broken page is tried again beside the others; when nothing comes at all,
 * all of them wait for it.
 */
static void
retry_later(struct pass *p, size_t index)
{
	const struct conf	*conf = p->job->conf;
	int64_t			 due_ms = clock_mono_ms() + retry_delay_ms(
				    pages_at(&p->pages, index)->failed + 1,
				    conf->partner_retry_base_ms);

	pages_retry(&p->pages, index, due_ms);
	if (p->failed_in_row >= FAILED_IN_ROW_MAX) {
		pace_trouble(&p->pace);
		keep_quiet(p, due_ms);
	}
}

/* Not to be asked again, whichever page it was about. */
static bool
is_final(const struct pass *p, const struct page *page,
    enum partner_says says)
{
	/* A page past the end, by an older total, may be answered with 400. */
	return says == PARTNER_BAD_LOGIN || (says == PARTNER_BAD_REQUEST &&
	    (page->offset == 0 || page->offset < p->pages.total));
}

/* A page that did not come: again later, or never, or the end of the run. */
static void
page_failed(struct pass *p, const struct flight *f,
    const struct partner_page *answer)
{
	struct job	*j = p->job;
	struct page	*page = pages_at(&p->pages, f->page);
	bool		 transient = partner_is_transient(answer->says);
	int64_t		 silence_ms = partner_silence_ms(j->conf, &f->call);

	log_info("sync: page failed", F_INT("offset", page->offset),
	    F_INT("try", page->failed + 1), F_STR("why", answer->why));
	if (partner_is_overload(answer->says))
		pace_trouble(&p->pace);
	/* For everybody, not only for this job. */
	if (silence_ms > 0 && budget_block(j->db, p->asking, &p->budget,
	    silence_ms) == -1)
		p->no_budget = true;
	p->failed_in_row++;
	/*
	 * On the first page a 403 is a lack of access, after one good answer
	 * throttling (contract, section 6); others may overtake the first.
	 */
	if (answer->says == PARTNER_NO_ACCESS)
		transient = p->answered || page->offset > 0;
	if (is_final(p, page, answer->says) ||
	    (answer->says == PARTNER_NO_ACCESS && !transient)) {
		p->end = answer->says;
		p->why = arena_strdup(j->arena, answer->why);
		pages_hold(&p->pages, f->page, 0);
		return;
	}
	if (f->call.retry_after_ms > 0 && p->holds < HOLDS_MAX &&
	    (answer->says == PARTNER_LIMITED ||
	    answer->says == PARTNER_UNAVAILABLE)) {
		hold_back(p, f->page, silence_ms);
		return;
	}
	if (transient && page->failed < j->conf->partner_retries)
		retry_later(p, f->page);
	else
		give_up_page(p, f->page, answer);
}

/* A call that has ended: its page is noted, or what to do about it. */
static void
land(struct pass *p, struct upstream_call *call)
{
	struct flight		*f = call->data;
	struct partner_page	 answer = partner_list_read(call, p->batch);
	struct page		*page;

	f->busy = false;
	if (answer.says == PARTNER_OK && (int64_t)answer.count >
	    pages_at(&p->pages, f->page)->limit) {
		answer.says = PARTNER_GARBLED;
		answer.why = "the partner's page is longer than asked for";
	}
	if (answer.says == PARTNER_OK &&
	    !pages_read(&p->pages, f->page, (int64_t)answer.count,
	    answer.total)) {
		/* Empty before the end: once more, then it is lost. */
		answer.says = PARTNER_GARBLED;
		answer.why = "the partner's page is empty before the end";
		page = pages_at(&p->pages, f->page);
		if (page->failed < p->job->conf->partner_retries - 1)
			page->failed = (int)p->job->conf->partner_retries - 1;
	}
	if (answer.says != PARTNER_OK) {
		page_failed(p, f, &answer);
		return;
	}
	pace_good(&p->pace);
	/* So the 403 that came first was throttling (contract, section 6). */
	if (p->end == PARTNER_NO_ACCESS && !p->answered)
		p->end = PARTNER_OK;
	p->answered = true;
	p->lost_in_row = 0;
	p->failed_in_row = 0;
	p->holds = 0;
	p->arrivals[p->narrivals++] = (struct arrival){ f->page, answer };
}

/* Everything that has ended by now; waits for the first of it. */
static void
collect(struct pass *p, int timeout_ms)
{
	struct upstream_call	*call;
	int64_t			 began_ms = clock_mono_ms();

	call = upstream_next(p->job->upstream, timeout_ms);
	p->job->partner_ms += clock_mono_ms() - began_ms;
	while (call != NULL && p->narrivals < PASS_FLIGHTS_MAX) {
		land(p, call);
		/* The next page is on its way before this one is written. */
		if (!p->quick)
			start_calls(p);
		call = p->narrivals < PASS_FLIGHTS_MAX ?
		    upstream_next(p->job->upstream, 0) : NULL;
	}
}

/* How long the calls may be waited for before something else is due. */
static int
turn_ms(const struct pass *p)
{
	int64_t	 due_ms = pages_due_ms(&p->pages);
	int	 left_ms;

	if (due_ms == -1 || p->hold_ms > 0)
		return TURN_MS;
	left_ms = clock_left_ms(due_ms > p->quiet_until_ms ? due_ms :
	    p->quiet_until_ms);
	/* Due, but the pace is full: an answer will come first. */
	if (left_ms == 0 && upstream_pending(p->job->upstream) > 0)
		return TURN_MS;
	return left_ms < TURN_MS ? left_ms : TURN_MS;
}

/* Nothing is flying, so libcurl has nothing to wait for.  -1: no database. */
static int
sleep_until_due(struct pass *p)
{
	int	 ms = turn_ms(p);

	if (upstream_pending(p->job->upstream) > 0 || ms == 0 ||
	    !pages_open(&p->pages))
		return 0;
	return db_wait(p->job->db, ms) == -1 ? -1 : 0;
}

/* What the finished reading amounts to. */
static enum pass_end
judge(struct pass *p)
{
	/* Pages that nobody will ask for any more are lost as well. */
	if (p->end != PARTNER_OK)
		pages_lose_rest(&p->pages);
	if (p->end == PARTNER_BAD_LOGIN || p->end == PARTNER_BAD_REQUEST ||
	    (p->end == PARTNER_NO_ACCESS && !p->answered))
		return PASS_REFUSED;
	if (p->pages.too_long)
		p->why = "the list is longer than we are ready to read";
	if (p->job->failed > 0 || pages_lost_rows(&p->pages) > 0 ||
	    p->end != PARTNER_OK || p->pages.too_long)
		return PASS_LOST_PAGES;
	if (p->pages.moved || p->unique != p->pages.total)
		return PASS_DIFFERS;
	return PASS_AGREES;
}

/* Short holds are sat out here; long ones give the worker back. */
static bool
sits_out_hold(struct pass *p)
{
	if (p->hold_ms > HOLD_HERE_MS)
		return false;
	p->hold_ms = 0;		/* quiet_until_ms goes on */
	return true;
}

void
pass_note_total(struct pass *p)
{
	struct job	*j = p->job;
	int64_t		 total = p->pages.total;

	j->total = total;
	if (p->informed)
		return;
	p->informed = true;
	report_info(j, total, p->total_db_before);
	log_info("sync: api total", F_INT("programs", total));
	log_info("sync: need", F_INT("programs",
	    total > p->total_db_before ? total - p->total_db_before : 0));
}

/* Those seen twice were counted twice, as long as more were to come. */
static int
settle_unique(struct pass *p)
{
	struct job	*j = p->job;
	int64_t		 seen;

	if (p->unique == p->pages.total || p->end != PARTNER_OK)
		return 0;
	if ((seen = pass_count_seen(p)) == -1)
		return -1;
	p->unique = seen;
	/* A later pass has counted on from what the first one has seen. */
	if (p->number == 1 && j->done > seen) {
		j->done = seen;
		j->unchanged = seen - j->added - j->updated;
	}
	return 0;
}

enum pass_end
pass_run(struct pass *p)
{
	struct job	*j = p->job;

	/* After a quick look the first page still waits to be written. */
	if (store_arrivals(p) == -1)
		return PASS_JOB_LOST;
	while (pages_open(&p->pages)) {
		if (worker_stopping())
			return PASS_STOPPED;
		start_calls(p);
		if (p->no_budget)
			return PASS_JOB_LOST;
		collect(p, turn_ms(p));
		if (p->quick && p->narrivals > 0)
			return PASS_FIRST_PAGE;
		if (store_arrivals(p) == -1 || job_beat(j) == -1)
			return PASS_JOB_LOST;
		if (upstream_pending(j->upstream) > 0)
			continue;
		if (p->end != PARTNER_OK)
			break;
		if (p->hold_ms > 0 && !sits_out_hold(p))
			return PASS_HELD;
		start_calls(p);
		if (sleep_until_due(p) == -1)
			return PASS_JOB_LOST;
	}
	if (settle_unique(p) == -1)
		return PASS_JOB_LOST;
	return judge(p);
}
