/* The API's list of all products of a seller, page by page. */
#include "analytics/listing.h"

#include <stdbool.h>

#include "analytics/index.h"
#include "analytics/keep.h"
#include "analytics/run.h"
#include "analytics/tell.h"
#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"
#include "data/column.h"
#include "data/db.h"

#define LIST_MAX	200000	/* rows; a list that goes on is none */
#define LIST_AGAIN_MAX	3	/* readings of one that moves, after the first */

/* Products that the list has and we have not. */
static int
add_products(struct run *r, const int64_t *ids, size_t n)
{
	struct job	*j = r->job;
	struct column	 c = column_ints(ids, n);
	struct db_rows	*rows;

	rows = job_begin(j) == -1 ? NULL : db_query(j->db, j->scratch,
	    Q_ANALYTICS_PRODUCTS_ADD, DB_ARGS(db_int(j->account_id),
	    column_arg(&c), db_null()));
	column_free(&c);
	if (rows == NULL)
		return -1;
	j->added += rows_int(rows, 0, "added");
	return job_save(j);
}

/* What is on the only page there is has all the data there is. */
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
	    db_text("no_data"), db_text(KEEP_NO_DATA_TEXT)));
	if (rows == NULL)
		return -1;
	for (size_t i = 0; i < rows_count(rows); i++) {
		int64_t	 id = rows_int(rows, i, "nm_id");

		tell_missing(r, &id, 1, "no_data", KEEP_NO_DATA_TEXT);
		j->failed++;
	}
	part->n += (int64_t)rows_count(rows);
	part->done = true;
	r->plan.total = part->n;
	return keep_progress(r, WB_FUNNEL, (int64_t)rows_count(rows));
}

/*
 * After several pages a product that was on none may have passed from one to
 * another: it has no data when it is asked for and not there.
 */
static int
leave_list(struct run *r)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct job		*j = r->job;
	struct db_rows		*rows;
	int64_t			 n;

	if (job_begin(j) == -1)
		return -1;
	rows = db_query(j->db, j->scratch, Q_ANALYTICS_UNSEEN,
	    DB_ARGS(db_int(j->account_id), db_text(r->plan.began)));
	if (rows == NULL)
		return -1;
	n = rows_int(rows, 0, "unseen");
	part->listed = true;
	part->done = n == 0;
	part->after = 0;
	r->plan.total = part->n + n;
	return keep_progress(r, WB_FUNNEL, 0);
}

/* The whole list is through: once more, or never again. */
static int
end_list(struct run *r)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];

	if (part->offset == 0 && part->again == 0)
		return close_list(r);
	if (!part->moved || part->again == LIST_AGAIN_MAX)
		return leave_list(r);
	log_info("analytics: the list has moved, again",
	    F_STR("seller", r->seller.name), F_INT("products", part->n));
	part->moved = false;
	part->offset = part->edge = part->after = 0;
	part->again++;
	return 0;
}

/*
 * Which of the ids of a page are new in this run; the others were on a page
 * before, and so the list has moved, if this reading is the first.  A later one
 * has held still when it brings nothing new.  Up to part->after they are of
 * this very page, which was saved in part.  They go to the front: *n of them.
 */
static int
keep_new(struct run *r, int64_t *ids, size_t *n)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct job		*j = r->job;
	struct column		 c = column_ints(ids, *n);
	struct db_rows		*rows;
	size_t			 all = *n, seen = 0;

	rows = db_query(j->db, j->arena, Q_ANALYTICS_SEEN,
	    DB_ARGS(db_int(j->account_id), column_arg(&c),
	    db_text(r->plan.began)));
	column_free(&c);
	if (rows == NULL)
		return -1;
	*n = 0;
	for (size_t i = 0; i < all; i++) {
		if (seen == rows_count(rows) ||
		    rows_int(rows, seen, "nm_id") != ids[i]) {
			ids[(*n)++] = ids[i];
			continue;
		}
		seen++;
		if (part->again == 0 && ids[i] > part->after &&
		    ids[i] != part->edge)
			part->moved = true;
	}
	if (part->again > 0 && *n > 0)
		part->moved = true;
	return 0;
}

/* The product of one row of a page, 0 when there is none. */
static int64_t
row_id(const struct wb_answer *answer, size_t i)
{
	int64_t	 id;

	return i < json_count(answer->rows) && wb_row_id(json_at(answer->rows,
	    i), WB_FUNNEL, &id) == 0 ? id : 0;
}

/*
 * A page that was saved in part is asked for again: its place is the page's
 * first row, and moves when all of it is there.  Each page but the first begins
 * with the last row of the one before, by which it is seen whether the list has
 * moved.
 */
int
listing_keep(struct run *r, const struct wb_answer *answer)
{
	struct plan_part	*part = &r->plan.parts[WB_FUNNEL];
	struct index		*x = index_new(r->job->arena, answer,
				    WB_FUNNEL);
	int64_t			*ids = arena_alloc(r->job->arena,
				    (index_count(x) + 1) * sizeof(*ids));
	size_t			 rows = json_count(answer->rows), n = 0;

	for (size_t i = 0; i < index_count(x); i++)
		if (n == 0 || index_id(x, i) != ids[n - 1])
			ids[n++] = index_id(x, i);
	if (n > 0 && add_products(r, ids, n) == -1)
		return -1;
	if (keep_new(r, ids, &n) == -1)
		return -1;
	if (part->offset > 0 && row_id(answer, 0) != part->edge)
		part->moved = true;
	if (part->n + (int64_t)n > r->plan.total)
		r->plan.total = part->n + (int64_t)n;
	if (keep_listed(r, answer, x, ids, n) == -1)
		return -1;
	if (part->kept != NULL)
		return 0;
	part->answered = part->n;	/* some were known already */
	if (rows < WB_FUNNEL_MAX || part->offset >= LIST_MAX)
		return end_list(r);
	part->offset += WB_FUNNEL_MAX - 1;
	part->edge = row_id(answer, rows - 1);
	part->after = 0;
	return 0;
}
