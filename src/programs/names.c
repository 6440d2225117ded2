/*
 * Names in batches.  A batch that fails is asked again in halves, so that one
 * business that the partner chokes on does not leave 199 others nameless; two
 * rounds of calls without any answer, and the rest is left for later.
 */
#include "programs/names.h"

#include <stdbool.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"
#include "jobs/job.h"
#include "net/budget.h"
#include "net/upstream.h"
#include "proc/worker.h"
#include "programs/account.h"
#include "programs/partner.h"

#define CALLS_MAX	8		/* at once */
#define IDS_MAX		(CALLS_MAX * PARTNER_IDS_MAX)
#define BARREN_MAX	2		/* rounds without an answer */
#define CALL_MS		10000		/* somebody waits for the sync */
#define WAIT_MAX_MS	2000		/* for budget, likewise */
#define TURN_MS		500		/* between signs of life */
#define REFUSED_MS	(24 * 3600 * 1000LL)

/* Businesses that are asked about in one call: ids[from], n of them. */
struct batch {
	size_t			 from;
	size_t			 n;
};

struct names {
	struct job		*job;
	const struct account	*account;
	struct budget		 budget;
	struct arena		*arena;		/* until the next ids */
	const char		*ids[IDS_MAX];
	size_t			 nids;
	struct batch		 batches[IDS_MAX];	/* to be asked about */
	size_t			 nbatches;
	struct upstream_call	 calls[CALLS_MAX];
	int			 barren;	/* rounds in a row */
	bool			 answered;	/* the login gets names */
	bool			 over;		/* no more calls */
	int64_t			 asked;
	int64_t			 renamed;
};

static void
add_batch(struct names *s, size_t from, size_t n)
{
	s->batches[s->nbatches++] = (struct batch){ from, n };
}

/* The next businesses to ask about, after those of the last time. */
static int
load_ids(struct names *s)
{
	struct job	*j = s->job;
	struct db_rows	*rows;
	const char	*last = s->nids > 0 ? arena_strdup(j->scratch,
			    s->ids[s->nids - 1]) : "";

	arena_reset(s->arena);
	s->nids = 0;
	rows = db_query(j->db, s->arena, Q_PROGRAMS_NAMES_DUE, DB_ARGS(
	    db_int(j->account_id), db_text(last), db_int(IDS_MAX)));
	if (rows == NULL)
		return -1;
	for (; s->nids < rows_count(rows); s->nids++)
		s->ids[s->nids] = rows_text(rows, s->nids, "business_id");
	for (size_t i = 0; i < s->nids; i += PARTNER_IDS_MAX)
		add_batch(s, i, s->nids - i < PARTNER_IDS_MAX ? s->nids - i :
		    PARTNER_IDS_MAX);
	return 0;
}

/* Lets time pass; false when the job is not to go on with this. */
static bool
stay(struct names *s, int ms)
{
	return !worker_stopping() && db_wait(s->job->db, ms) != -1 &&
	    job_beat(s->job) == 0;
}

/* How many of n calls the budget allows, after a short wait if need be. */
static size_t
take_budget(struct names *s, size_t n)
{
	struct budget_wish	 wish = { .n = (int64_t)n };
	struct budget_grant	 grant = { 0 };
	int64_t			 until_ms = clock_mono_ms() + WAIT_MAX_MS;

	for (;;) {
		if (budget_take(s->job->db, s->arena, &s->budget, &wish,
		    &grant) == -1)
			return 0;
		if (grant.n > 0 || clock_mono_ms() + grant.next_ms > until_ms)
			return (size_t)grant.n;
		if (!stay(s, grant.next_ms < TURN_MS ? (int)grant.next_ms :
		    TURN_MS))
			return 0;
	}
}

/* Makes the calls and waits for all of them; false when it had to stop. */
static bool
make_calls(struct names *s, const struct batch *batches, size_t n)
{
	struct job	*j = s->job;
	int64_t		 limit_ms = j->conf->partner_timeout_ms < CALL_MS ?
			     j->conf->partner_timeout_ms : CALL_MS;

	for (size_t i = 0; i < n; i++) {
		partner_names(&s->calls[i], s->arena, j->conf,
		    s->account->authorization, partner_ids(s->arena,
		    &s->ids[batches[i].from], batches[i].n),
		    clock_mono_ms() + limit_ms);
		upstream_start(j->upstream, &s->calls[i]);
	}
	while (upstream_pending(j->upstream) > 0) {
		upstream_next(j->upstream, TURN_MS);
		if (worker_stopping() || job_beat(j) == -1) {
			upstream_cancel(j->upstream);
			for (size_t i = 0; i < n; i++)
				buf_free(&s->calls[i].body);
			return false;
		}
	}
	return true;
}

/* Writes what was said; an answer that does not count changes no name. */
static void
save(struct names *s, const struct batch *b, const struct partner_name *names)
{
	struct job	*j = s->job;
	struct column	 ids, texts, urls, unanswered;
	struct db_rows	*rows;

	column_init(&ids, COLUMN_TEXT);
	column_init(&texts, COLUMN_TEXT);
	column_init(&urls, COLUMN_TEXT);
	column_init(&unanswered, COLUMN_BOOL);
	for (size_t i = 0; i < b->n; i++) {
		column_text(&ids, s->ids[b->from + i]);
		column_text(&texts, names[i].name);
		column_text(&urls, names[i].url);
		column_bool(&unanswered, names[i].says != PARTNER_OK &&
		    names[i].says != PARTNER_UNKNOWN_ID);
	}
	rows = db_query(j->db, s->arena, Q_PROGRAMS_NAMES_SAVE, DB_ARGS(
	    column_arg(&ids), column_arg(&texts), column_arg(&urls),
	    column_arg(&unanswered), db_int(j->conf->names_max_age_ms),
	    db_int(j->conf->names_retry_ms)));
	column_free(&ids);
	column_free(&texts);
	column_free(&urls);
	column_free(&unanswered);
	if (rows == NULL)
		s->over = true;
	else
		s->renamed += rows_int(rows, 0, "renamed");
}

/* This login gets no names: it is not asked again for a day. */
static void
note_refusal(struct names *s, const char *why)
{
	struct job	*j = s->job;

	log_info("names: no access, ids will do", F_STR("why", why));
	s->over = true;
	if (db_query(j->db, s->arena, Q_PROGRAMS_NAMES_REFUSED, DB_ARGS(
	    db_int(j->account_id), db_int(REFUSED_MS))) == NULL)
		log_warn("names: the refusal is not noted");
}

/*
 * Access to this call is granted apart from all others (contract, section 4):
 * the list has just been read with the same login, so that a 401 here says no
 * more than a 403, and a 404 that the feature is not there.
 */
static bool
is_refusal(const struct names *s, enum partner_says says, long status)
{
	return !s->answered && (says == PARTNER_NO_ACCESS ||
	    says == PARTNER_BAD_LOGIN || status == 404);
}

/* What came of one batch.  True when the partner has answered. */
static bool
read_call(struct names *s, const struct batch *b, struct upstream_call *call)
{
	struct job		*j = s->job;
	struct partner_name	*names = arena_alloc(s->arena,
				    b->n * sizeof(*names));
	int64_t			 silence_ms = partner_silence_ms(j->conf, call);
	enum partner_says	 says;
	const char		*why;

	says = partner_names_read(call, s->arena, &s->ids[b->from], b->n,
	    names, &why);
	if (is_refusal(s, says, call->status)) {
		note_refusal(s, why);
		return false;
	}
	if (silence_ms > 0 && budget_block(j->db, s->arena, &s->budget,
	    silence_ms) == -1)
		s->over = true;
	s->answered |= says == PARTNER_OK;
	if (says != PARTNER_OK)
		log_info("names: call failed", F_INT("businesses", b->n),
		    F_STR("why", why));
	if (says == PARTNER_OK || silence_ms > 0 || b->n == 1) {
		s->asked += (int64_t)b->n;
		save(s, b, names);
	} else {
		add_batch(s, b->from, b->n / 2);
		add_batch(s, b->from + b->n / 2, b->n - b->n / 2);
	}
	return says == PARTNER_OK;
}

/* What is not asked about any more in this job: later. */
static void
leave_rest(struct names *s)
{
	for (size_t i = 0; i < s->nbatches && !s->over; i++) {
		const struct batch	*b = &s->batches[i];
		struct partner_name	*names = arena_alloc(s->arena,
					    b->n * sizeof(*names));

		for (size_t k = 0; k < b->n; k++)
			names[k].says = PARTNER_BROKEN;
		save(s, b, names);
	}
	s->nbatches = 0;
	s->over = true;
}

/* One call for each of the first batches, side by side. */
static void
ask_round(struct names *s)
{
	struct batch	 asked[CALLS_MAX];
	size_t		 n = s->nbatches < CALLS_MAX ? s->nbatches : CALLS_MAX;
	bool		 any = false;

	n = take_budget(s, n);
	s->nbatches -= n;
	for (size_t i = 0; i < n; i++)
		asked[i] = s->batches[s->nbatches + i];
	if (n == 0 || !make_calls(s, asked, n)) {
		s->over = true;		/* they stay due */
		return;
	}
	for (size_t i = 0; i < n; i++)
		any |= read_call(s, &asked[i], &s->calls[i]);
	s->barren = any ? 0 : s->barren + 1;
	if (s->barren == BARREN_MAX)
		leave_rest(s);
}

void
names_fetch(struct job *j, const struct account *account)
{
	struct names	*s = arena_alloc(j->arena, sizeof(*s));
	int64_t		 began_ms = clock_mono_ms();

	s->job = j;
	s->account = account;
	s->budget = partner_budget(j->conf, account->user, PARTNER_NAMES);
	s->arena = arena_new();
	do {
		if (load_ids(s) == -1)
			break;
		while (s->nbatches > 0 && !s->over)
			ask_round(s);
	} while (s->nids == IDS_MAX && !s->over);
	arena_free(s->arena);
	j->names_ms += clock_mono_ms() - began_ms;
	if (s->asked > 0)
		log_info("names: asked", F_INT("businesses", s->asked),
		    F_INT("renamed", s->renamed), F_INT("ms",
		    clock_mono_ms() - began_ms));
}
