/* From pages that came to rows, links, kept counts and events. */
#include "programs/store.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "programs/pass.h"
#include "programs/program.h"
#include "programs/report.h"

/* The total, the first time that it is known. */
static void
note_total(struct pass *p)
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

static void
fill_batch(struct pass *p, struct program_batch *batch)
{
	struct job	*j = p->job;
	struct program	 program;
	const char	*why, *item;

	for (size_t i = 0; i < p->narrivals; i++) {
		const struct partner_page	*page = &p->arrivals[i].answer;

		for (size_t k = 0; k < page->count; k++) {
			if (program_read(&program, p->batch,
			    json_at(page->programs, k), &why) == 0) {
				program_batch_add(batch, (int)i, &program);
				continue;
			}
			item = arena_printf(j->scratch, "row %lld", (long long)
			    pages_at(&p->pages, p->arrivals[i].page)->offset +
			    (long long)k);
			job_error(j, item, "bad_program", why);
			j->failed++;
			p->why = why;
		}
	}
}

/* This pass has read as many programs as the partner named. */
static bool
is_all(const struct pass *p)
{
	return !p->pages.moved && p->unique == p->pages.total;
}

/* What became of the i-th arrival, by the upsert's answer. */
static void
report_arrival(struct pass *p, size_t i, const struct db_rows *rows)
{
	struct job	*j = p->job;
	int64_t		 fresh = 0;

	for (size_t k = 0; k < rows_count(rows); k++) {
		if (rows_int(rows, k, "page") != (int64_t)i)
			continue;
		fresh = rows_int(rows, k, "seen");
		j->added += rows_int(rows, k, "added");
		j->updated += rows_int(rows, k, "updated");
	}
	p->unique += fresh;
	if (p->unique > j->done)
		j->done = p->unique;
	j->unchanged = j->done - j->added - j->updated;
	if (j->unchanged < 0)
		j->unchanged = 0;	/* one row, changed in two passes */
	if (p->arrivals[i].answer.count > 0)
		report_progress(j, j->done, p->pages.total, j->added,
		    is_all(p));
}

static int
write_batch(struct pass *p, struct program_batch *b)
{
	struct job	*j = p->job;
	struct column	*c = b->columns;
	struct db_rows	*rows;

	rows = db_query(j->db, j->scratch, Q_PROGRAMS_UPSERT, DB_ARGS(
	    db_int(j->account_id), db_text(j->id), db_int(p->number),
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
	for (size_t i = 0; i < p->narrivals; i++) {
		log_info("sync: batch offset", F_INT("offset",
		    pages_at(&p->pages, p->arrivals[i].page)->offset),
		    F_INT("rows", p->arrivals[i].answer.count));
		report_arrival(p, i, rows);
	}
	return 0;
}

/* What arrived goes into the registry, with its events, in one commit. */
int
store_arrivals(struct pass *p)
{
	struct job		*j = p->job;
	struct program_batch	 batch;
	int64_t			 began_ms = clock_mono_ms();
	int			 rc = -1;

	if (p->narrivals == 0) {
		arena_reset(p->batch);
		return 0;
	}
	program_batch_init(&batch);
	note_total(p);
	fill_batch(p, &batch);
	if (job_begin(j) == 0 && write_batch(p, &batch) == 0) {
		j->database_ms += clock_mono_ms() - began_ms;
		pass_checkpoint(p);
		began_ms = clock_mono_ms();
		rc = job_save(j);
		j->database_ms += clock_mono_ms() - began_ms;
	}
	program_batch_free(&batch);
	arena_reset(p->batch);
	p->narrivals = 0;
	return rc;
}
