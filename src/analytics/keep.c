/* From rows of an answer to rows of the database. */
#include "analytics/keep.h"

#include "analytics/index.h"
#include "analytics/rest.h"
#include "analytics/run.h"
#include "analytics/tell.h"
#include "analytics/texts.h"
#include "analytics/wb.h"
#include "core/conf.h"
#include "data/column.h"
#include "data/db.h"

/* Figures as the columns of one statement. */
enum cell { CELL_ID, CELL_TITLE, CELL_VENDOR, CELL_BRAND, CELL_SUBJECT,
	CELL_VIEWS, CELL_CARTS, CELL_ORDERS, CELL_REVENUE, CELL_BUYOUTS,
	CELL_BUYOUT_SUM, CELL_CANCELS, CELL_CANCEL_SUM, CELL_PRICE,
	CELL_WISHES, CELL__MAX };

struct batch {
	struct column	 cells[CELL__MAX];
	struct column	 bad;		/* ids without figures */
	struct column	 worse;		/* ids whose figures cannot be kept */
	const char	*why_worse;
};

static bool
is_text(enum cell c)
{
	return (c >= CELL_TITLE && c <= CELL_SUBJECT) || c == CELL_REVENUE ||
	    c == CELL_BUYOUT_SUM || c == CELL_CANCEL_SUM || c == CELL_PRICE;
}

static void
batch_init(struct batch *b)
{
	for (int i = 0; i < CELL__MAX; i++)
		column_init(&b->cells[i], is_text((enum cell)i) ?
		    COLUMN_TEXT : COLUMN_INT8);
	column_init(&b->bad, COLUMN_INT8);
	column_init(&b->worse, COLUMN_INT8);
	b->why_worse = NULL;
}

static void
batch_free(struct batch *b)
{
	for (int i = 0; i < CELL__MAX; i++)
		column_free(&b->cells[i]);
	column_free(&b->bad);
	column_free(&b->worse);
}

static void
batch_add(struct batch *b, const struct wb_figures *f)
{
	const int64_t	 numbers[CELL__MAX] = { [CELL_ID] = f->nm_id,
		[CELL_VIEWS] = f->views, [CELL_CARTS] = f->add_to_cart,
		[CELL_ORDERS] = f->orders, [CELL_BUYOUTS] = f->buyouts,
		[CELL_CANCELS] = f->cancels,
		[CELL_WISHES] = f->add_to_wishlist };
	const char	*texts[CELL__MAX] = { [CELL_TITLE] = f->title,
		[CELL_VENDOR] = f->vendor_code, [CELL_BRAND] = f->brand,
		[CELL_SUBJECT] = f->subject, [CELL_REVENUE] = f->revenue,
		[CELL_BUYOUT_SUM] = f->buyout_sum,
		[CELL_CANCEL_SUM] = f->cancel_sum,
		[CELL_PRICE] = f->avg_price };

	for (int i = 0; i < CELL__MAX; i++) {
		if (is_text((enum cell)i))
			column_text(&b->cells[i], texts[i]);
		else if (numbers[i] < 0)
			column_null(&b->cells[i]);
		else
			column_int(&b->cells[i], numbers[i]);
	}
}

static int
fail(struct run *r, struct column *ids, const char *code, const char *why)
{
	struct job	*j = r->job;

	if (ids->n == 0)
		return 0;
	j->failed += ids->n;
	return db_query(j->db, j->scratch, Q_ANALYTICS_FAIL,
	    DB_ARGS(db_int(j->account_id), column_arg(ids), db_text(code),
	    db_text(why))) != NULL ? 0 : -1;
}

static int
write_batch(struct run *r, struct batch *b, const char *currency)
{
	const struct plan	*p = &r->plan;
	const struct plan_part	*texts = &p->parts[WB_TEXTS];
	struct job		*j = r->job;
	struct column		*c = b->cells;

	if (fail(r, &b->bad, "no_data", KEEP_NO_DATA_TEXT) == -1 ||
	    fail(r, &b->worse, "bad_row", b->why_worse) == -1)
		return -1;
	if (c[CELL_ID].n == 0)
		return 0;
	j->updated += c[CELL_ID].n;
	return db_query(j->db, j->scratch, Q_ANALYTICS_SAVE_FUNNEL,
	    DB_ARGS(db_int(j->account_id), db_text(p->period.start),
	    db_text(p->period.end), db_text(p->began),
	    db_text(texts->off != NULL ? texts->off : "texts_pending"),
	    db_text(texts->off != NULL ? texts->why : "The search texts have "
	    "not come yet"),
	    column_arg(&c[CELL_ID]), column_arg(&c[CELL_TITLE]),
	    column_arg(&c[CELL_VENDOR]), column_arg(&c[CELL_BRAND]),
	    column_arg(&c[CELL_SUBJECT]), column_arg(&c[CELL_VIEWS]),
	    column_arg(&c[CELL_CARTS]), column_arg(&c[CELL_ORDERS]),
	    column_arg(&c[CELL_REVENUE]), column_arg(&c[CELL_BUYOUTS]),
	    column_arg(&c[CELL_BUYOUT_SUM]), column_arg(&c[CELL_CANCELS]),
	    column_arg(&c[CELL_CANCEL_SUM]), column_arg(&c[CELL_PRICE]),
	    column_arg(&c[CELL_WISHES]), db_text(currency))) != NULL ? 0 : -1;
}

int
keep_progress(struct run *r, enum wb_method method, int64_t m)
{
	struct job	*j = r->job;

	tell_outlook(r, r->step_ms);
	tell_progress(r, method, m);
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
}

int
keep_place(struct run *r)
{
	struct job	*j = r->job;

	if (job_begin(j) == -1)
		return -1;
	tell_outlook(r, r->step_ms);
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
}

int
keep_call(struct run *r)
{
	struct job	*j = r->job;

	if (job_begin(j) == -1)
		return -1;
	tell_outlook(r, r->step_ms);
	j->calls_made++;
	if (j->calls_left > 0)
		j->calls_left--;
	r->plan.unsaved++;
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
}

/* The part has come n products further, with what the API has given. */
static void
note_good(struct plan_part *part, int64_t last, size_t n)
{
	plan_advance(part, last, (int64_t)n);
	part->failed = part->limited = part->lost = part->refused = 0;
	part->good = true;
}

/* Or without: the other halves of a chunk are not tried any longer than it. */
static void
note_lost(struct plan_part *part, int64_t last, size_t n)
{
	plan_advance(part, last, (int64_t)n);
	part->limited = 0;
	if (part->nbounds == 0)
		part->failed = 0;
}

/* How many of n go into one batch: never across its border. */
static size_t
batch_size(const struct run *r, const struct plan_part *part, size_t n)
{
	size_t	 room = (size_t)(r->plan.batch - part->n % r->plan.batch);

	return n < room ? n : room;
}

/* One batch of figures; those that are not in the answer have no data. */
static void
fill_batch(struct run *r, struct batch *b, const struct index *x,
    const int64_t *ids, size_t n)
{
	struct wb_figures	 f;
	const char		*why;

	for (size_t i = 0; i < n; i++) {
		size_t	 at = index_find(x, ids[i]);

		if (at == index_count(x)) {
			column_int(&b->bad, ids[i]);
			tell_missing(r, &ids[i], 1, "no_data",
			    KEEP_NO_DATA_TEXT);
		} else if (wb_figures_read(&f, r->job->scratch,
		    index_row(x, at), &why) == -1) {
			column_int(&b->worse, ids[i]);
			b->why_worse = why;
			tell_missing(r, &ids[i], 1, "bad_row", why);
		} else {
			batch_add(b, &f);
		}
	}
}

static int
keep_batch(struct run *r, const struct index *x, const char *currency,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct batch		 b;
	int			 rc = -1;

	if (job_begin(r->job) == -1)
		return -1;
	batch_init(&b);
	fill_batch(r, &b, x, ids, n);
	if (write_batch(r, &b, currency) == 0) {
		note_good(part, ids[n - 1], n);
		rc = keep_progress(r, WB_FUNNEL, (int64_t)n);
	}
	batch_free(&b);
	return rc;
}

static bool
rests(const struct run *r)
{
	return r->job->conf->analytics_batch_pause_ms > 0;
}

/* What is kept for after a rest, of these n products; NULL: nothing. */
static struct json *
rest_after(struct run *r, const struct wb_answer *answer,
    const struct index *x, const int64_t *ids, size_t n)
{
	struct arena		*a = r->job->arena;
	struct wb_answer	 left = *answer;

	if (!rests(r) || n == 0)
		return NULL;
	left.rows = index_rows(x, a, ids, n);
	return rest_of(a, &left, ids, n);
}

int
keep_figures(struct run *r, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct index		*x = index_new(r->job->arena, answer,
				    WB_FUNNEL);
	size_t			 m;

	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, part, n - i);
		part->kept = rest_after(r, answer, x, ids + i + m,
		    n - i - m);
		if (keep_batch(r, x, answer->currency, ids + i, m) == -1)
			return -1;
		if (part->kept != NULL)
			return 0;
	}
	return 0;
}

int
keep_listed(struct run *r, const struct wb_answer *answer,
    const struct index *x, const int64_t *ids, size_t n)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	size_t			 m;

	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, part, n - i);
		part->kept = rests(r) && i + m < n ?
		    rest_of(r->job->arena, answer, NULL, 0) : NULL;
		if (keep_batch(r, x, answer->currency, ids + i, m) == -1)
			return -1;
		if (part->kept != NULL)
			return 0;
	}
	part->kept = NULL;
	return 0;
}

static int
keep_texts_batch(struct run *r, const struct index *x, const int64_t *ids,
    size_t n)
{
	struct plan_part	*part = &r->plan.parts[WB_TEXTS];
	struct job		*j = r->job;
	struct column		 c, texts;
	struct db_rows		*rows;

	if (job_begin(j) == -1)
		return -1;
	column_init(&c, COLUMN_INT8);
	column_init(&texts, COLUMN_JSONB);
	for (size_t i = 0; i < n; i++) {
		column_int(&c, ids[i]);
		column_text(&texts, texts_of(j->scratch, x, ids[i]));
	}
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_SAVE_TEXTS,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.period.start),
	    db_text(r->plan.period.end), db_text(r->plan.began),
	    column_arg(&c), column_arg(&texts),
	    db_text(plan_texts_period(&r->plan).start)));
	column_free(&c);
	column_free(&texts);
	if (rows == NULL)
		return -1;
	note_good(part, ids[n - 1], n);
	return keep_progress(r, WB_TEXTS, (int64_t)n);
}

int
keep_texts(struct run *r, const struct wb_answer *answer, const int64_t *ids,
    size_t n)
{
	struct plan_part	*part = &r->plan.parts[WB_TEXTS];
	struct index		*x = index_new(r->job->arena, answer, WB_TEXTS);
	size_t			 m;

	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, part, n - i);
		part->kept = rest_after(r, answer, x, ids + i + m,
		    n - i - m);
		if (keep_texts_batch(r, x, ids + i, m) == -1)
			return -1;
		if (part->kept != NULL)
			return 0;
	}
	return 0;
}

int
keep_no_figures(struct run *r, const int64_t *ids, size_t n,
    const char *code, const char *why)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct column		 c;
	int			 rc;

	if (job_begin(r->job) == -1)
		return -1;
	c = column_ints(ids, n);
	tell_missing(r, ids, n, code, why);
	rc = fail(r, &c, code, why);
	column_free(&c);
	if (rc == -1)
		return -1;
	note_lost(part, ids[n - 1], n);
	return keep_progress(r, WB_FUNNEL, (int64_t)n);
}

int
keep_no_texts(struct run *r, const int64_t *ids, size_t n, const char *code,
    const char *why)
{
	struct plan_part	*part = &r->plan.parts[WB_TEXTS];
	struct job		*j = r->job;
	struct column		 c;
	struct db_rows		*rows;

	if (job_begin(j) == -1)
		return -1;
	c = column_ints(ids, n);
	tell_missing(r, ids, n, code, why);
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_FAIL_TEXTS,
	    DB_ARGS(db_int(j->account_id), column_arg(&c), db_text(code),
	    db_text(why)));
	column_free(&c);
	if (rows == NULL)
		return -1;
	note_lost(part, ids[n - 1], n);
	return keep_progress(r, WB_TEXTS, (int64_t)n);
}
