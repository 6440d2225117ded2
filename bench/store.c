/*
 * The sync's own way into the registry, without a partner: pages of programs made
 * here go through store_arrivals(), as those of a pass do, with fence, comparison,
 * links, counts, checkpoint and events.  Reads commands from stdin and answers each
 * with one line:
 *
 *	load VARIANT PAGES	a pass over the list, so many pages a commit;
 *				another variant is another value in every column
 *				that can change, and in one of 50 another business
 *	-> seconds, of these of our own processor time, seconds from the
 *	   fence to the commit, added, updated
 *	end			what a sync that agrees does besides: looks for
 *				what is gone, forgets what was seen, tells of it
 *	-> the same
 *	forget			what the list was like at the last end
 *	-> zeros
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "core/secret.h"
#include "data/db.h"
#include "jobs/job.h"
#include "programs/pass.h"
#include "programs/store.h"
#include "programs/sync.h"

#define PER_BUSINESS	52	/* 1,914 programs of 37 businesses */
#define PAGE_BYTES	(1u << 20)

/* What a write took: on the clock, of our processor time, in transactions. */
struct took {
	double	 s;
	double	 cpu_s;
	double	 tx_s;
};

/* The linker puts these in place of job.c's, to see a transaction's ends. */
int		 __real_job_begin_while(struct job *, void (*)(void *), void *);
int		 __real_job_save(struct job *);
int		 __wrap_job_begin_while(struct job *, void (*)(void *), void *);
int		 __wrap_job_save(struct job *);
static double	 tx_s;

static double
clock_s(clockid_t clock)
{
	struct timespec	 ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
start(struct took *t)
{
	t->tx_s -= tx_s;
	t->s -= clock_s(CLOCK_MONOTONIC);
	t->cpu_s -= clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

static void
stop(struct took *t)
{
	t->s += clock_s(CLOCK_MONOTONIC);
	t->cpu_s += clock_s(CLOCK_PROCESS_CPUTIME_ID);
	t->tx_s += tx_s;
}

int
__wrap_job_begin_while(struct job *j, void (*meanwhile)(void *), void *arg)
{
	tx_s -= clock_s(CLOCK_MONOTONIC);
	return __real_job_begin_while(j, meanwhile, arg);
}

int
__wrap_job_save(struct job *j)
{
	int	 rc = __real_job_save(j);

	tx_s += clock_s(CLOCK_MONOTONIC);
	return rc;
}

static void
must(int rc, const char *what)
{
	if (rc == -1)
		fatal(what);
}

/* One element of the partner's list. */
static void
put_program(struct buf *b, int64_t account, int64_t i, int64_t v)
{
	int64_t	 business = i / PER_BUSINESS + (i % 50 == 0 ? v % 2 : 0);
	int	 rc = 0;

	rc |= buf_printf(b, "{\"program_id\":\"p%05lld-%014llx\","
	    "\"program_type\":\"%s\",\"program_status\":\"%s\","
	    "\"program_pause_status\":\"%s\",\"start_date\":\"%lld-03-01\","
	    "\"end_date\":\"%lld-01-01\",", (long long)account,
	    (unsigned long long)(i * 2654435761 % 4294967296),
	    v % 2 ? "CPC" : "BP", v % 2 ? "ACTIVE" : "INACTIVE",
	    v % 2 ? "NOT_PAUSED" : "PAUSED", (long long)(2010 + v % 10),
	    (long long)(2060 + v % 30));
	rc |= buf_printf(b, "\"businesses\":[{\"yelp_business_id\":"
	    "\"b%05lld-%014llx\",\"partner_business_id\":\"own-%lld\"}],",
	    (long long)account, (unsigned long long)business, (long long)business);
	rc |= buf_printf(b, "\"program_metrics\":{\"budget\":%lld,"
	    "\"currency\":\"%s\",\"is_autobid\":%s,\"max_bid\":%lld,"
	    "\"billed_impressions\":%lld,\"billed_clicks\":%lld,"
	    "\"ad_cost\":%lld,\"fee_period\":\"%s\"},",
	    (long long)(i + v * 100), v % 2 ? "USD" : "CAD",
	    v % 2 ? "true" : "false", (long long)(50 + v),
	    (long long)(i * 20 + v), (long long)(i + v),
	    (long long)(i * 50 + v * 7),
	    v % 2 ? "Calendar Month" : "Rolling Month");
	rc |= buf_printf(b, "\"active_features\":[\"%s\"],"
	    "\"available_features\":[\"CALL_TRACKING\",\"CUSTOM_AD_TEXT\","
	    "\"LINK_TRACKING\"%s],\"future_budget_changes\":[{"
	    "\"old_budget\":%lld,\"new_budget\":%lld,"
	    "\"start_date\":\"2061-01-01\"}],", v % 2 ? "LINK_TRACKING" :
	    "CALL_TRACKING", v % 2 ? ",\"SERVICE_OFFERINGS_TARGETING\"" : "",
	    (long long)(i + v * 100), (long long)(i + v * 200));
	rc |= buf_printf(b, "\"page_upgrade_info\":{\"monthly_rate\":%lld,"
	    "\"cost\":%lld.24},\"ad_categories\":[\"%s\"],"
	    "\"ad_campaign_id\":\"campaign-%lld\"}", (long long)(30 + v),
	    (long long)v, v % 2 ? "plumbing" : "restaurants", (long long)(i + v));
	must(rc, "store: a page is too long");
}

/* The page as if it had just come. */
static void
arrive(struct pass *p, size_t index, int64_t total, int64_t variant)
{
	struct page	*page = pages_at(&p->pages, index);
	int64_t		 from = page->offset, to = from + page->limit;
	struct buf	 b;
	const char	*why;
	struct json	*programs;

	buf_init(&b, PAGE_BYTES);
	must(buf_addstr(&b, "["), "store: no page");
	for (int64_t i = from; i < to && i < total; i++) {
		if (i > from)
			must(buf_addstr(&b, ","), "store: no page");
		put_program(&b, p->job->account_id, i, variant);
	}
	must(buf_addstr(&b, "]"), "store: no page");
	if ((programs = json_parse(p->batch, b.data, b.len, &why)) == NULL)
		fatal("store: no JSON", F_STR("why", why));
	buf_free(&b);
	p->arrivals[p->narrivals++] = (struct arrival){ index, {
		.says = PARTNER_OK, .programs = programs,
		.count = json_count(programs), .total = total } };
	pages_read(&p->pages, index, (int64_t)json_count(programs), total);
}

/* One pass; what is timed is the writing, not the making. */
static struct took
load(struct pass *p, int64_t total, int64_t variant, size_t pages)
{
	struct took	 took = { 0 };
	size_t		 index;

	p->job->added = p->job->updated = p->job->done = 0;
	pass_begin(p, total);
	while (pages_open(&p->pages)) {
		while (p->narrivals < pages &&
		    pages_next(&p->pages, INT64_MAX, &index))
			arrive(p, index, total, variant);
		start(&took);
		must(store_arrivals(p), "store: not written");
		stop(&took);
	}
	return took;
}

/* What a sync knows of the reading before, and expects, when it begins. */
static void
know(struct pass *p)
{
	static struct arena	*a;
	struct db_rows		*rows;

	if (a == NULL)
		a = arena_new();
	else
		digest_close(&p->digest);
	arena_reset(a);
	rows = db_query(p->job->db, a, Q_ACCOUNT_LOAD, DB_ARGS(
	    db_int(p->job->account_id), db_int(0)));
	if (rows == NULL || rows_count(rows) != 1)
		fatal("store: no account");
	digest_open(&p->digest, rows_bytes(rows, 0, "pages", a));
	p->wholesale = true;
}

/* A job of this account, claimed as a worker would. */
static void
open_job(struct job *j, int64_t account)
{
	struct arena	*a = arena_new();
	struct column	 kinds;
	char		 id[JOB_ID_SIZE];

	must(job_ask(j->db, a, SYNC_KIND, account, "{}", SYNC_START_EVENT,
	    JOB_PRIORITY_NORMAL, id), "store: no job");
	column_init(&kinds, COLUMN_TEXT);
	column_text(&kinds, SYNC_KIND);
	if (job_claim(j, "bench/0", &kinds) != 1 || strcmp(j->id, id) != 0)
		fatal("store: another job");
	column_free(&kinds);
	arena_free(a);
}

/* As sync.c ends a reading that agrees, but for the answer; then a new job. */
static struct took
end(struct pass *p)
{
	struct job	*j = p->job;
	int64_t		 account = j->account_id;
	struct took	 took = { 0 };

	start(&took);
	must(job_begin(j), "store: fence");
	if (db_query(j->db, j->scratch, Q_PROGRAMS_MISSING, DB_ARGS(
	    db_int(j->account_id), db_text(j->id),
	    db_int(p->number))) == NULL ||
	    db_query(j->db, j->scratch, Q_PROGRAMS_SYNCED,
	    DB_ARGS(db_int(j->account_id), db_bool(true))) == NULL ||
	    digest_keep(&p->digest, j->db, j->scratch, j->account_id, 0) == -1)
		fatal("store: not ended");
	pass_checkpoint(p);
	must(job_finish(j, "done", 200, "{}"), "store: not ended");
	stop(&took);
	took.tx_s = took.s;
	job_close(j);
	open_job(j, account);
	know(p);
	p->number = 0;
	return took;
}

static struct took
forget(struct pass *p)
{
	digest_forget(&p->digest);
	return (struct took){ 0 };
}

static void
serve(struct pass *p, int64_t total)
{
	char		 line[128];
	long long	 variant;
	size_t		 pages;
	struct took	 took;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "load %lld %zu", &variant, &pages) == 2 &&
		    pages >= 1 && pages <= PASS_FLIGHTS_MAX)
			took = load(p, total, variant, pages);
		else if (strcmp(line, "end\n") == 0)
			took = end(p);
		else if (strcmp(line, "forget\n") == 0)
			took = forget(p);
		else
			fatal("store: unknown command");
		printf("%.6f %.6f %.6f %lld %lld\n", took.s, took.cpu_s,
		    took.tx_s, (long long)p->job->added, (long long)p->job->updated);
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	static struct job	 job;
	static struct pass	 pass;
	struct conf		*conf;
	char			 err[CONF_ERR_SIZE];
	const char		*why;

	if (argc != 4) {
		fputs("usage: store CONF ACCOUNT PROGRAMS\n", stderr);
		return 2;
	}
	log_set_level(LOG_WARN);
	if ((conf = conf_load(argv[1], err)) == NULL)
		fatal("store: configuration", F_STR("err", err));
	if (secret_load(conf->key_file, &why) == -1)
		fatal("store: key", F_STR("err", why));
	job.conf = conf;
	job.db = db_new(conf, conf->db_job_timeout_ms);
	open_job(&job, atoll(argv[2]));
	pass.job = &job;
	pass.batch = arena_new();
	pages_init(&pass.pages, PARTNER_PAGE_MAX);
	know(&pass);
	serve(&pass, atoll(argv[3]));
	return 0;
}
