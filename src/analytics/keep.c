/* From rows of an answer to rows of the database. */
#include "analytics/keep.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/run.h"
#include "analytics/tell.h"
#include "analytics/wb.h"
#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"

#define LIST_MAX	200000	/* rows; a list that goes on is none */
#define NO_DATA_TEXT	"The API has no row for this product"

/* A row of an answer and the product that it is about. */
struct found {
	int64_t			 id;
	size_t			 at;	/* in the answer */
	const struct json	*row;
};

/* The rows of an answer in the order of their products. */
struct index {
	struct found	*found;
	size_t		 n;
};

static int
compare(const void *a, const void *b)
{
	const struct found	*x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static struct index
make_index(struct run *r, const struct wb_answer *answer,
    enum wb_method method)
{
	size_t		 n = json_count(answer->rows);
	struct index	 x = { arena_alloc(r->job->arena,
			    (n + 1) * sizeof(*x.found)), 0 };

	for (size_t i = 0; i < n; i++) {
		struct found	*f = &x.found[x.n];

		f->row = json_at(answer->rows, i);
		f->at = i;
		if (wb_row_id(f->row, method, &f->id) == 0)
			x.n++;
	}
	if (x.n > 0)
		qsort(x.found, x.n, sizeof(*x.found), compare);
	if (x.n < n)
		log_warn("analytics: rows that name no product",
		    F_INT("rows", n - x.n));
	return x;
}

/* The first row of that product, or x->n. */
static size_t
look_up(const struct index *x, int64_t id)
{
	size_t	 low = 0, high = x->n;

	while (low < high) {
		size_t	 mid = low + (high - low) / 2;

		if (x->found[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < x->n && x->found[low].id == id ? low : x->n;
}

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

/* Notes for people which products could not be had, and counts them. */
static void
note_errors(struct run *r, const int64_t *ids, size_t n, const char *code,
    const char *why)
{
	for (size_t i = 0; i < n; i++)
		job_error(r->job, arena_printf(r->job->scratch, "%lld",
		    (long long)ids[i]), code, why);
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

	if (fail(r, &b->bad, "no_data", NO_DATA_TEXT) == -1 ||
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

/* The end of every transaction here. */
static int
save(struct run *r, int64_t m)
{
	struct job	*j = r->job;
	int64_t		 next_ms[WB_METHOD__MAX];

	memcpy(next_ms, r->step_ms, sizeof(next_ms));
	j->calls_left = plan_calls(&r->plan, WB_FUNNEL) +
	    plan_calls(&r->plan, WB_TEXTS);
	j->eta_ms = plan_eta_ms(&r->plan, next_ms, r->step_ms);
	tell_progress(r, m);
	plan_write(&r->plan, j->arena, j->checkpoint);
	return job_save(j);
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
		size_t	 at = look_up(x, ids[i]);

		if (at == x->n) {
			column_int(&b->bad, ids[i]);
			note_errors(r, &ids[i], 1, "no_data", NO_DATA_TEXT);
		} else if (wb_figures_read(&f, r->job->scratch,
		    x->found[at].row, &why) == -1) {
			column_int(&b->worse, ids[i]);
			b->why_worse = why;
			note_errors(r, &ids[i], 1, "bad_row", why);
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
		plan_advance(part, ids[n - 1], (int64_t)n);
		part->failed = part->limited = part->lost = 0;
		part->good = true;
		rc = save(r, (int64_t)n);
	}
	batch_free(&b);
	return rc;
}

int
keep_figures(struct run *r, const struct wb_answer *answer,
    const int64_t *ids, size_t n)
{
	struct index	 x = make_index(r, answer, WB_FUNNEL);
	size_t		 m;

	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, &r->plan.parts[WB_FUNNEL], n - i);
		if (keep_batch(r, &x, answer->currency, ids + i, m) == -1)
			return -1;
	}
	return 0;
}

/* Products that the list has and we have not. */
static int
add_products(struct run *r, const int64_t *ids, size_t n)
{
	struct job	*j = r->job;
	struct column	 c;
	struct db_rows	*rows;

	column_init(&c, COLUMN_INT8);
	for (size_t i = 0; i < n; i++)
		column_int(&c, ids[i]);
	rows = job_begin(j) == -1 ? NULL : db_query(j->db, j->scratch,
	    Q_ANALYTICS_PRODUCTS_ADD, DB_ARGS(db_int(j->account_id),
	    column_arg(&c), db_null()));
	column_free(&c);
	if (rows == NULL)
		return -1;
	j->added += rows_int(rows, 0, "added");
	return job_save(j);
}

/* What is on no page has no data. */
static int
close_list(struct run *r)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct job		*j = r->job;
	struct db_rows		*rows;

	if (job_begin(j) == -1)
		return -1;
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_UNLISTED,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.began),
	    db_text("no_data"), db_text(NO_DATA_TEXT)));
	if (rows == NULL)
		return -1;
	for (size_t i = 0; i < rows_count(rows); i++) {
		int64_t	 id = rows_int(rows, i, "nm_id");

		note_errors(r, &id, 1, "no_data", NO_DATA_TEXT);
		j->failed++;
	}
	part->n += (int64_t)rows_count(rows);
	part->done = true;
	r->plan.total = part->n;
	return save(r, (int64_t)rows_count(rows));
}

/*
 * A page that was saved in part is asked for again: its place is the page's
 * first row, and moves when all of it is there.
 */
int
keep_page(struct run *r, const struct wb_answer *answer, bool *is_last)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct index		 x = make_index(r, answer, WB_FUNNEL);
	int64_t			*ids = arena_alloc(r->job->arena,
				    (x.n + 1) * sizeof(*ids));
	size_t			 n = 0, m;

	part->n = part->offset;
	for (size_t i = 0; i < x.n; i++)
		if (n == 0 || x.found[i].id != ids[n - 1])
			ids[n++] = x.found[i].id;
	*is_last = json_count(answer->rows) < WB_FUNNEL_MAX ||
	    part->offset >= LIST_MAX;
	if (part->n + (int64_t)n > r->plan.total)
		r->plan.total = part->n + (int64_t)n;
	if (n > 0 && add_products(r, ids, n) == -1)
		return -1;
	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, part, n - i);
		if (keep_batch(r, &x, answer->currency, ids + i, m) == -1)
			return -1;
	}
	part->offset += (int64_t)json_count(answer->rows);
	return *is_last ? close_list(r) : 0;
}

/* Most looked at first. */
struct ranked {
	struct json	*text;
	double		 opens;
	size_t		 at;
};

static int
compare_opens(const void *a, const void *b)
{
	const struct ranked	*x = a, *y = b;

	if (x->opens != y->opens)
		return x->opens > y->opens ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The texts of one product as a JSON array. */
static const char *
texts_of(struct run *r, const struct index *x, int64_t id)
{
	struct arena	*a = r->job->scratch;
	struct json	*list = json_new_arr(a);
	size_t		 first = look_up(x, id), n = 0, end = first;
	struct ranked	*ranked;

	while (end < x->n && x->found[end].id == id)
		end++;
	ranked = arena_alloc(a, (end - first + 1) * sizeof(*ranked));
	for (size_t i = first; i < end; i++) {
		struct ranked	*k = &ranked[n];

		k->text = wb_text_read(a, x->found[i].row);
		k->at = i;
		if (k->text == NULL)
			continue;
		if (json_number(json_get(k->text, "openCard"), &k->opens) ==
		    -1)
			k->opens = -1;
		n++;
	}
	if (n > 0)
		qsort(ranked, n, sizeof(*ranked), compare_opens);
	for (size_t i = 0; i < n; i++)
		json_push(list, ranked[i].text);
	return json_dump(a, list);
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
		column_text(&texts, texts_of(r, x, ids[i]));
	}
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_SAVE_TEXTS,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.period.start),
	    db_text(r->plan.period.end), db_text(r->plan.began),
	    column_arg(&c), column_arg(&texts)));
	column_free(&c);
	column_free(&texts);
	if (rows == NULL)
		return -1;
	plan_advance(part, ids[n - 1], (int64_t)n);
	part->failed = part->limited = part->lost = 0;
	part->good = true;
	return save(r, (int64_t)n);
}

int
keep_texts(struct run *r, const struct wb_answer *answer, const int64_t *ids,
    size_t n)
{
	struct index	 x = make_index(r, answer, WB_TEXTS);
	size_t		 m;

	for (size_t i = 0; i < n; i += m) {
		m = batch_size(r, &r->plan.parts[WB_TEXTS], n - i);
		if (keep_texts_batch(r, &x, ids + i, m) == -1)
			return -1;
	}
	return 0;
}

static struct column
ids_column(const int64_t *ids, size_t n)
{
	struct column	 c;

	column_init(&c, COLUMN_INT8);
	for (size_t i = 0; i < n; i++)
		column_int(&c, ids[i]);
	return c;
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
	c = ids_column(ids, n);
	note_errors(r, ids, n, code, why);
	rc = fail(r, &c, code, why);
	column_free(&c);
	if (rc == -1)
		return -1;
	plan_advance(part, ids[n - 1], (int64_t)n);
	part->failed = part->limited = 0;
	return save(r, (int64_t)n);
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
	c = ids_column(ids, n);
	note_errors(r, ids, n, code, why);
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_FAIL_TEXTS,
	    DB_ARGS(db_int(j->account_id), column_arg(&c), db_text(code),
	    db_text(why)));
	column_free(&c);
	if (rows == NULL)
		return -1;
	plan_advance(part, ids[n - 1], (int64_t)n);
	part->failed = part->limited = 0;
	return save(r, (int64_t)n);
}
