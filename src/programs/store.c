/* From pages that came to rows, links, kept counts and events. */
#include "programs/store.h"

#include <assert.h>

#include <uthash.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "programs/pass.h"
#include "programs/program.h"
#include "programs/report.h"

/* How a program differs from what the registry has (programs/compare.sql). */
enum {
	HELD = 1 << 0,		/* held otherwise, maybe as retired */
	LACKING = 1 << 1,	/* or not at all */
	NEW = 1 << 2,		/* to those who count */
	RELINKED = 1 << 3,	/* its businesses may be others */
	DIFFERS__MAX = 1 << 4,
};

/* A program of the batch and what the registry says of it. */
struct entry {
	const char	*id;
	UT_hash_handle	 hh;
	size_t		 arrival;	/* the page that it came with */
	unsigned int	 differs;	/* of the above; 0 when it does not */
	struct program	 program;	/* large: last, for the cache */
};

/*
 * What has arrived.  Its columns are made while the database is at work: those to
 * ask about while the fence is proved, and those to write while the registry is
 * compared, in case that all of it is to be written.
 */
struct batch {
	struct entry		 *entries;
	bool			  known;	/* nothing can differ */
	struct column		  ids, hashes;
	struct entry		**places;	/* by place in ids, from 1 */
	struct program_batch	  rows;
};

/* What became of one page. */
struct outcome {
	int64_t		 fresh;
	int64_t		 added;
	int64_t		 updated;
};

static void
note_bad_program(struct pass *p, size_t arrival, size_t row, const char *why)
{
	struct job	*j = p->job;
	int64_t		 offset = pages_at(&p->pages,
			     p->arrivals[arrival].page)->offset;

	job_error(j, arena_printf(j->scratch, "row %lld",
	    (long long)offset + (long long)row), "bad_program", why);
	j->failed++;
	p->why = arena_strdup(j->arena, why);
}

/* A program that moved between pages of one batch counts once, as read last. */
static void
add_entry(struct entry **entries, struct arena *a, size_t arrival,
    const struct program *program)
{
	struct entry	*e;

	HASH_FIND_STR(*entries, program_id(program), e);
	if (e == NULL) {
		e = arena_alloc(a, sizeof(*e));
		e->id = program_id(program);
		e->arrival = arrival;
		HASH_ADD_KEYPTR(hh, *entries, e->id, strlen(e->id), e);
	}
	e->program = *program;
}

/* The programs of one page; whether the registry is known to have just these. */
static bool
read_page(struct pass *p, size_t arrival, struct entry **entries)
{
	const struct partner_page	*page = &p->arrivals[arrival].answer;
	struct program			 program;
	const char			*why;
	bool				 sound = true;

	for (size_t k = 0; k < page->count; k++)
		if (program_read(&program, p->batch,
		    json_at(page->programs, k), &why) == 0) {
			add_entry(entries, p->batch, arrival, &program);
			digest_program(&p->digest, program_id(&program),
			    program.hash);
		} else {
			note_bad_program(p, arrival, k, why);
			sound = false;
		}
	return digest_page(&p->digest, sound);
}

static void
batch_open(struct batch *b, struct pass *p)
{
	b->entries = NULL;
	b->known = true;
	for (size_t i = 0; i < p->narrivals; i++)
		b->known &= read_page(p, i, &b->entries);
	b->places = arena_alloc(p->batch,
	    (HASH_COUNT(b->entries) + 1) * sizeof(struct entry *));
	column_init(&b->ids, COLUMN_TEXT);
	column_init(&b->hashes, COLUMN_BYTEA);
	program_batch_init(&b->rows);
}

static void
batch_close(struct batch *b)
{
	HASH_CLEAR(hh, b->entries);
	column_free(&b->ids);
	column_free(&b->hashes);
	program_batch_free(&b->rows);
}

/* A callback of job_begin_while(). */
static void
list_entries(void *arg)
{
	struct batch	*b = arg;

	for (struct entry *e = b->entries; e != NULL; e = e->hh.next) {
		column_text(&b->ids, e->id);
		column_bytes(&b->hashes, (struct bytes){
		    (const char *)e->program.hash, PROGRAM_HASH_SIZE });
		b->places[b->ids.n] = e;
	}
}

/* A callback of db_query_while(). */
static void
make_rows(void *arg)
{
	struct batch	*b = arg;

	for (struct entry *e = b->entries; e != NULL; e = e->hh.next)
		program_batch_add(&b->rows, &e->program);
}

/* This pass has read as many programs as the partner named. */
static bool
is_all(const struct pass *p)
{
	return !p->pages.moved && p->unique == p->pages.total;
}

/*
 * Asks what is new and what differs, and notes that all were seen.  This batch is
 * taken to be written as a whole when the one before was.
 */
static int
compare(struct pass *p, struct batch *b)
{
	struct job	*j = p->job;
	struct db_rows	*rows;
	const int64_t	*differing;
	size_t		 n;

	assert(b->ids.n == HASH_COUNT(b->entries));
	rows = db_query_while(j->db, j->scratch, Q_PROGRAMS_COMPARE, DB_ARGS(
	    db_int(j->account_id), db_text(j->id), db_int(p->number),
	    column_arg(&b->ids), column_arg(&b->hashes)),
	    p->wholesale && !p->dry_run ? make_rows : NULL, b);
	if (rows == NULL)
		return -1;
	differing = rows_ints(rows, 0, "differing", j->scratch, &n);
	for (size_t i = 0; i < n; i++)
		b->places[differing[i] / DIFFERS__MAX]->differs =
		    (unsigned int)(differing[i] % DIFFERS__MAX);
	return 0;
}

/* Notes that they were seen, where nothing can differ. */
static int
note_seen(struct pass *p, struct batch *b)
{
	struct job	*j = p->job;
	struct db_arg	 seen = column_arg(&b->ids);

	assert(b->ids.n == HASH_COUNT(b->entries));
	digest_trust(&p->digest);
	seen.elements = 0;	/* stored as it is: however many, one plan does */
	return db_query(j->db, j->scratch, Q_PROGRAMS_SEEN, DB_ARGS(
	    db_text(j->id), db_int(p->number), seen)) != NULL ? 0 : -1;
}

/*
 * Programs that move while the list is read are seen twice.  As long as there
 * are more to come that does no harm; only when all seem to be there it has to
 * be known how many there really are.
 */
static int
count_unique(struct pass *p, int64_t n)
{
	bool	 first = p->noted == 0;
	int64_t	 seen;

	p->noted += n;
	if (first || p->unique + n < p->pages.total)
		return 0;
	if ((seen = pass_count_seen(p)) == -1)
		return -1;
	p->unique = seen - n;
	return 0;
}

/* Those that the registry holds otherwise, or those that it lacks. */
static int
send_rows(struct job *j, struct program_batch *rows, unsigned int which)
{
	struct db_arg	 args[PROGRAM__MAX + 6];
	size_t		 n = 0;

	args[n++] = db_int(j->account_id);
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		args[n++] = column_arg(&rows->columns[i]);
	args[n++] = column_arg(&rows->hash);
	args[n++] = documents_arg(&rows->lists);
	args[n++] = column_arg(&rows->link_program);
	args[n++] = column_arg(&rows->link_business);
	if (which == HELD)	/* what is new has no links yet */
		args[n++] = column_arg(&rows->relinked);
	return db_query(j->db, j->scratch, which == HELD ?
	    Q_PROGRAMS_CHANGE : Q_PROGRAMS_ADD, args, n) != NULL ? 0 : -1;
}

static size_t
count_differing(struct entry *entries, unsigned int which)
{
	size_t	 n = 0;

	for (struct entry *e = entries; e != NULL; e = e->hh.next)
		n += (e->differs & which) != 0;
	return n;
}

static void
add_links(struct program_batch *rows, struct entry *entries,
    unsigned int which)
{
	for (struct entry *e = entries; e != NULL; e = e->hh.next)
		if ((e->differs & which) && (e->differs & RELINKED))
			program_batch_link(rows, &e->program);
}

/* Those that differ so, where they were not made ahead. */
static int
write_some(struct job *j, struct entry *entries, unsigned int which)
{
	struct program_batch	 rows;
	int			 rc;

	program_batch_init(&rows);
	for (struct entry *e = entries; e != NULL; e = e->hh.next)
		if (e->differs & which)
			program_batch_add(&rows, &e->program);
	add_links(&rows, entries, which);
	rc = send_rows(j, &rows, which);
	program_batch_free(&rows);
	return rc;
}

static int
write_which(struct pass *p, struct batch *b, unsigned int which)
{
	size_t	 n = count_differing(b->entries, which);

	if (n == 0)
		return 0;
	digest_forget(&p->digest);
	if (n == HASH_COUNT(b->entries))
		p->wholesale = true;
	if (n != b->rows.n)
		return write_some(p->job, b->entries, which);
	add_links(&b->rows, b->entries, which);
	return send_rows(p->job, &b->rows, which);
}

/* Sends what is new or differs, and nothing when nothing does. */
static int
write_changes(struct pass *p, struct batch *b)
{
	if (p->dry_run || b->entries == NULL)
		return 0;
	p->wholesale = false;
	return write_which(p, b, HELD) == 0 && write_which(p, b, LACKING) == 0 ?
	    0 : -1;
}

static void
report_arrival(struct pass *p, size_t i, const struct outcome *o)
{
	struct job	*j = p->job;
	int64_t		 rows = (int64_t)p->arrivals[i].answer.count;

	j->added += o->added;
	j->updated += o->updated;
	p->unique += o->fresh;
	if (p->unique > j->done)
		j->done = p->unique;
	j->unchanged = j->done - j->added - j->updated;
	if (j->unchanged < 0)
		j->unchanged = 0;	/* one row, changed in two passes */
	log_info("sync: batch offset", F_INT("offset",
	    pages_at(&p->pages, p->arrivals[i].page)->offset),
	    F_INT("rows", rows));
	if (rows > 0)
		report_progress(j, j->done, p->pages.total, j->added,
		    is_all(p));
}

static void
report_arrivals(struct pass *p, struct entry *entries)
{
	struct outcome	 outcomes[PASS_FLIGHTS_MAX] = { 0 };

	for (struct entry *e = entries; e != NULL; e = e->hh.next) {
		struct outcome	*o = &outcomes[e->arrival];

		o->fresh++;
		o->added += (e->differs & NEW) != 0;
		o->updated += e->differs != 0 && !(e->differs & NEW);
	}
	for (size_t i = 0; i < p->narrivals; i++)
		report_arrival(p, i, &outcomes[i]);
}

/* What arrived goes into the registry, with its events, in one commit. */
int
store_arrivals(struct pass *p)
{
	struct job	*j = p->job;
	struct batch	 b;
	int64_t		 began_ms;
	int		 rc = -1;

	if (p->narrivals == 0) {
		arena_reset(p->batch);
		return 0;
	}
	pass_note_total(p);
	batch_open(&b, p);
	began_ms = clock_mono_ms();
	if (job_begin_while(j, list_entries, &b) == 0 &&
	    (b.known ? note_seen(p, &b) : compare(p, &b)) == 0 &&
	    write_changes(p, &b) == 0 &&
	    count_unique(p, (int64_t)HASH_COUNT(b.entries)) == 0) {
		report_arrivals(p, b.entries);
		j->database_ms += clock_mono_ms() - began_ms;
		pass_checkpoint(p);
		began_ms = clock_mono_ms();
		rc = job_save(j);
		j->database_ms += clock_mono_ms() - began_ms;
	}
	batch_close(&b);
	arena_reset(p->batch);
	p->narrivals = 0;
	return rc;
}

int
store_matches(struct pass *p, bool *matches)
{
	struct job	*j = p->job;
	struct column	 ids, hashes;
	struct program	 program;
	struct db_rows	*rows;
	const char	*why;
	bool		 sound = true;
	const struct partner_page *page = &p->arrivals[0].answer;

	column_init(&ids, COLUMN_TEXT);
	column_init(&hashes, COLUMN_BYTEA);
	for (size_t k = 0; k < page->count && sound; k++) {
		sound = program_read(&program, p->batch,
		    json_at(page->programs, k), &why) == 0;
		if (!sound)
			break;
		column_text(&ids, program_id(&program));
		column_bytes(&hashes, (struct bytes){
		    (const char *)program.hash, PROGRAM_HASH_SIZE });
	}
	rows = db_query(j->db, j->scratch, Q_PROGRAMS_QUICK, DB_ARGS(
	    db_int(j->account_id), db_int(p->pages.total),
	    column_arg(&ids), column_arg(&hashes)));
	column_free(&ids);
	column_free(&hashes);
	if (rows == NULL)
		return -1;
	*matches = sound && rows_bool(rows, 0, "matches");
	return 0;
}
