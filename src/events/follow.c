/*
 * Which jobs are watched and what is known of them.  All of them are asked
 * about with one query a turn, however many clients there are; each event is
 * framed once and kept for a while, so that a client that comes back is served
 * from memory.  Who older events are wanted by gets them as a page, which is
 * forgotten after the turn.
 */
#include "events/follow.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "data/column.h"
#include "data/link.h"

/* Says what the hash table does when out of memory: before its header. */
#define uthash_fatal(msg) fatal("follow: " msg)
#include <uthash.h>
#include <utlist.h>

#define EVENTS_A_TURN	32	/* of one position */
#define RING_EVENTS	64
#define RING_BYTES	8192	/* a watch may have one client: keep it low */
#define FRAME_MAX	(1u << 20)

enum asking { ASKING_NOTHING, ASKING_EVENTS, ASKING_BODIES };

/* One position that the query in hand asks about. */
struct position {
	struct watch	*watch;		/* NULL: left meanwhile */
	int64_t		 after;
	bool		 is_page;
	int64_t		 found;		/* rows of events; -1 none at all */
};

/* Watches of one job, one for each account that asked for it. */
struct entry {
	UT_hash_handle	 hh;
	char		 job[SSE_UUID_SIZE];
	struct watch	*watches;	/* linked by same */
};

struct follow {
	struct entry	*entries;
	struct watch	*queue;
	size_t		 bodies_wanted;
	struct buf	 frame;

	enum asking	 asking;
	size_t		 nasked;
	struct position	 asked[FOLLOW_ASK_MAX];
};

static void *
zalloc(size_t n)
{
	void	*p = calloc(1, n);

	if (p == NULL)
		fatal("follow: out of memory");
	return p;
}

struct follow *
follow_new(void)
{
	struct follow	*f = zalloc(sizeof(*f));

	buf_init(&f->frame, FRAME_MAX);
	return f;
}

static void
enqueue(struct follow *f, struct watch *w)
{
	if (w->queued)
		return;
	DL_APPEND(f->queue, w);
	w->queued = true;
}

static void
dequeue(struct follow *f, struct watch *w)
{
	if (!w->queued)
		return;
	DL_DELETE(f->queue, w);
	w->queued = false;
}

static struct entry *
entry_get(struct follow *f, const char *job)
{
	struct entry	*e;

	HASH_FIND_STR(f->entries, job, e);
	if (e != NULL)
		return e;
	e = zalloc(sizeof(*e));
	memcpy(e->job, job, SSE_UUID_SIZE);
	HASH_ADD_STR(f->entries, job, e);
	return e;
}

static struct watch *
watch_new(const char *job, int64_t account, int64_t after)
{
	struct watch	*w = zalloc(sizeof(*w));

	memcpy(w->job, job, SSE_UUID_SIZE);
	w->account = account;
	w->lag = -1;
	run_reset(&w->ring, after);
	run_reset(&w->page, after);
	return w;
}

struct watch *
follow_join(struct follow *f, const char *job, int64_t account, int64_t after)
{
	struct entry	*e = entry_get(f, job);
	struct watch	*w = e->watches;

	while (w != NULL && w->account != account)
		w = w->same;
	if (w == NULL) {
		w = watch_new(job, account, after);
		LL_PREPEND2(e->watches, w, same);
		enqueue(f, w);
	}
	w->users++;
	return w;
}

static void
forget_body(struct follow *f, struct watch *w)
{
	if (w->body_wanted)
		f->bodies_wanted--;
	w->body_wanted = false;
}

static void
watch_free(struct follow *f, struct watch *w)
{
	for (size_t i = 0; i < f->nasked; i++)
		if (f->asked[i].watch == w)
			f->asked[i].watch = NULL;
	dequeue(f, w);
	forget_body(f, w);
	run_reset(&w->ring, 0);
	run_reset(&w->page, 0);
	free(w->answer);
	free(w->body);
	free(w);
}

void
follow_leave(struct follow *f, struct watch *w)
{
	struct entry	*e;

	if (--w->users > 0)
		return;
	HASH_FIND_STR(f->entries, w->job, e);
	LL_DELETE2(e->watches, w, same);
	watch_free(f, w);
	if (e->watches == NULL) {
		HASH_DEL(f->entries, e);
		free(e);
	}
}

void
follow_free(struct follow *f)
{
	struct entry	*e, *enext;
	struct watch	*w, *wnext;

	HASH_ITER(hh, f->entries, e, enext) {
		LL_FOREACH_SAFE2(e->watches, w, wnext, same)
			watch_free(f, w);
		HASH_DEL(f->entries, e);
		free(e);
	}
	buf_free(&f->frame);
	free(f);
}

const struct event *
follow_next(const struct watch *w, int64_t *n)
{
	struct event	*ev;

	if (*n >= w->page.after && *n < w->page.through) {
		if ((ev = run_after(&w->page, *n)) != NULL)
			return ev;
		*n = w->page.through;
	}
	if (*n < w->ring.after)
		return NULL;
	if ((ev = run_after(&w->ring, *n)) == NULL && *n < w->ring.through)
		*n = w->ring.through;
	return ev;
}

bool
follow_lags(struct follow *f, struct watch *w, int64_t n)
{
	if (n >= w->ring.after)
		return false;
	if (w->lag == -1 || n < w->lag)
		w->lag = n;
	enqueue(f, w);
	return true;
}

void
follow_want_body(struct follow *f, struct watch *w)
{
	free(w->body);
	w->body = NULL;
	if (!w->body_wanted)
		f->bodies_wanted++;
	w->body_wanted = true;
}

void
follow_heard(struct follow *f, const char *job)
{
	struct entry	*e;
	struct watch	*w;

	HASH_FIND_STR(f->entries, job, e);
	if (e == NULL)
		return;
	LL_FOREACH2(e->watches, w, same)
		enqueue(f, w);
}

void
follow_all(struct follow *f)
{
	struct entry	*e, *enext;
	struct watch	*w;

	HASH_ITER(hh, f->entries, e, enext)
		LL_FOREACH2(e->watches, w, same)
			enqueue(f, w);
}

static void
ask_about(struct follow *f, struct watch *w, int64_t after, bool is_page)
{
	f->asked[f->nasked++] = (struct position){ .watch = w, .after = after,
	    .is_page = is_page, .found = -1 };
}

/*
 * Newest and page are asked about apart, so that one client far behind does
 * not keep the others from what happens now.
 */
static void
choose_events(struct follow *f)
{
	struct watch	*w;

	while ((w = f->queue) != NULL && f->nasked + 2 <= FOLLOW_ASK_MAX) {
		dequeue(f, w);
		ask_about(f, w, w->ring.through, false);
		if (w->lag != -1)
			ask_about(f, w, w->lag, true);
		w->lag = -1;
	}
}

static void
choose_bodies(struct follow *f)
{
	struct entry	*e, *enext;
	struct watch	*w;

	HASH_ITER(hh, f->entries, e, enext)
		LL_FOREACH2(e->watches, w, same)
			if (w->body_wanted && f->nasked < FOLLOW_ASK_MAX)
				ask_about(f, w, 0, false);
}

static void
send_query(struct follow *f, struct link *link, struct arena *a, enum query q)
{
	struct column	job, account, after;
	struct db_arg	args[4];
	size_t		i;

	column_init(&job, COLUMN_TEXT);
	column_init(&account, COLUMN_INT8);
	column_init(&after, COLUMN_INT8);
	for (i = 0; i < f->nasked; i++) {
		column_text(&job, f->asked[i].watch->job);
		column_int(&account, f->asked[i].watch->account);
		column_int(&after, f->asked[i].after);
	}
	args[0] = column_arg(&job);
	args[1] = column_arg(&account);
	args[2] = column_arg(&after);
	args[3] = db_int(EVENTS_A_TURN);
	/* A link that breaks here says so at its next step. */
	if (link_ask(link, a, q, args, q == Q_EVENTS_FOLLOW ? 4 : 2) == -1)
		log_debug("follow: not asked");
	column_free(&job);
	column_free(&account);
	column_free(&after);
}

/* Bodies first: they are few, and somebody has waited long already. */
void
follow_ask(struct follow *f, struct link *link, struct arena *a)
{
	f->nasked = 0;
	if (f->bodies_wanted > 0) {
		choose_bodies(f);
		f->asking = ASKING_BODIES;
		send_query(f, link, a, Q_EVENTS_JOB);
	} else if (f->queue != NULL) {
		choose_events(f);
		f->asking = ASKING_EVENTS;
		send_query(f, link, a, Q_EVENTS_FOLLOW);
	}
}

static char *
copy_text(const char *text)
{
	char	*p;

	if (text == NULL)
		return NULL;
	if ((p = strdup(text)) == NULL)
		fatal("follow: out of memory");
	return p;
}

/* What each row of a job says of the job itself. */
static void
learn(struct watch *w, const struct db_rows *rows, size_t i)
{
	w->known = true;
	w->gone = false;
	w->last = rows_int(rows, i, "last");
	w->final = rows_bool(rows, i, "final");
	w->status = (int)rows_int(rows, i, "status");
	free(w->answer);
	w->answer = w->final ? copy_text(rows_text(rows, i, "answer")) : NULL;
	w->held_until_ms = 0;
	if (!rows_null(rows, i, "held_ms"))
		w->held_until_ms = clock_mono_ms() +
		    rows_int(rows, i, "held_ms");
}

/*
 * A client claimed to have seen what never was: let it not keep the others
 * from what comes.
 */
static void
refuse_future(struct watch *w)
{
	if (w->ring.through > w->last)
		run_reset(&w->ring, w->last);
}

static void
add_event(struct follow *f, struct watch *w, struct run *r, int64_t n,
    const char *data)
{
	struct sse_id	id = { .n = n };
	char		text[SSE_ID_SIZE];

	if (n <= r->through)
		return;
	memcpy(id.job, w->job, SSE_UUID_SIZE);
	buf_reset(&f->frame);
	if (sse_event(&f->frame, sse_id_print(&id, text), data,
	    strlen(data)) == -1) {
		log_error("follow: event too big, left out",
		    F_STR("event", text), F_INT("bytes", strlen(data)));
		return;
	}
	run_add(r, n, f->frame.data, f->frame.len);
}

static void
take_event(struct follow *f, const struct db_rows *rows, size_t i)
{
	size_t		 k = (size_t)rows_int(rows, i, "i") - 1;
	struct position	*p;

	if (k >= f->nasked)
		return;
	p = &f->asked[k];
	if (p->watch == NULL)
		return;
	if (p->found == -1) {
		learn(p->watch, rows, i);
		p->found = 0;
		if (p->is_page)
			run_reset(&p->watch->page, p->after);
	}
	if (rows_null(rows, i, "n"))
		return;
	p->found++;
	add_event(f, p->watch, p->is_page ? &p->watch->page : &p->watch->ring,
	    rows_int(rows, i, "n"), rows_text(rows, i, "data"));
}

/* All rows of a position are in. */
static void
close_position(struct follow *f, struct position *p)
{
	struct watch	*w = p->watch;

	if (w == NULL)
		return;
	if (p->found == -1) {
		w->known = w->gone = true;
		return;
	}
	if (p->found == EVENTS_A_TURN) {
		if (!p->is_page)
			enqueue(f, w);
		return;
	}
	/* Numbers without an event, up to the last there is, are settled. */
	if (p->is_page) {
		w->page.through = w->ring.after;
	} else {
		refuse_future(w);
		w->ring.through = w->last;
	}
}

static void
take_bodies(struct follow *f, const struct db_rows *rows)
{
	struct watch	*w;
	size_t		 i, k;

	for (i = 0; i < f->nasked; i++)
		if (f->asked[i].watch != NULL)
			forget_body(f, f->asked[i].watch);
	for (i = 0; i < rows_count(rows); i++) {
		k = (size_t)rows_int(rows, i, "i") - 1;
		if (k >= f->nasked || (w = f->asked[k].watch) == NULL)
			continue;
		free(w->body);
		w->body = copy_text(rows_text(rows, i, "body"));
	}
}

size_t
follow_take(struct follow *f, const struct db_rows *rows)
{
	size_t	i;

	if (f->asking == ASKING_BODIES) {
		take_bodies(f, rows);
		return f->nasked;
	}
	for (i = 0; i < rows_count(rows); i++)
		take_event(f, rows, i);
	for (i = 0; i < f->nasked; i++)
		close_position(f, &f->asked[i]);
	return f->nasked;
}

struct watch *
follow_asked(const struct follow *f, size_t i)
{
	return f->asked[i].watch;
}

static void
trim(struct watch *w)
{
	run_reset(&w->page, 0);
	run_trim(&w->ring, RING_EVENTS, RING_BYTES);
}

void
follow_served(struct follow *f)
{
	for (size_t i = 0; i < f->nasked; i++)
		if (f->asked[i].watch != NULL)
			trim(f->asked[i].watch);
	follow_lost(f);
}

void
follow_lost(struct follow *f)
{
	f->nasked = 0;
	f->asking = ASKING_NOTHING;
}
