/*
 * Which jobs and accounts are watched and what is known of them.  All of them
 * are asked about with one query a turn and topic, however many clients there
 * are; each event is framed once and kept for a while, so that a client that
 * comes back is served from memory.  Who older events are wanted by gets them
 * as a page, which is forgotten after the turn.
 */
#include "events/follow.h"

#include <inttypes.h>
#include <stdio.h>
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

enum asking { ASKING_NOTHING, ASKING_EVENTS, ASKING_CHANGES, ASKING_BODIES };

/* One position that the query in hand asks about. */
struct position {
	struct watch	*watch;		/* NULL: left meanwhile */
	int64_t		 after;
	bool		 is_page;
	int64_t		 found;		/* rows of events; -1 none at all */
};

/* Watches of one key, one for each account that asked for it. */
struct entry {
	UT_hash_handle	 hh;
	char		 key[SSE_UUID_SIZE];
	struct watch	*watches;	/* linked by same */
};

struct follow {
	struct entry	*entries;
	struct watch	*queues[TOPIC__MAX];
	enum topic	 topic;		/* that was asked about last */
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
	DL_APPEND(f->queues[w->topic], w);
	w->queued = true;
}

static void
dequeue(struct follow *f, struct watch *w)
{
	if (!w->queued)
		return;
	DL_DELETE(f->queues[w->topic], w);
	w->queued = false;
}

static struct entry *
entry_get(struct follow *f, const char *key)
{
	struct entry	*e;

	HASH_FIND_STR(f->entries, key, e);
	if (e != NULL)
		return e;
	e = zalloc(sizeof(*e));
	snprintf(e->key, sizeof(e->key), "%s", key);
	HASH_ADD_STR(f->entries, key, e);
	return e;
}

static struct watch *
watch_new(enum topic topic, const char *key, int64_t account, int64_t after)
{
	struct watch	*w = zalloc(sizeof(*w));

	w->topic = topic;
	snprintf(w->key, sizeof(w->key), "%s", key);
	w->account = account;
	w->lag = -1;
	run_reset(&w->ring, after);
	run_reset(&w->page, after);
	return w;
}

static struct watch *
join(struct follow *f, enum topic topic, const char *key, int64_t account,
    int64_t after)
{
	struct entry	*e = entry_get(f, key);
	struct watch	*w = e->watches;

	while (w != NULL && w->account != account)
		w = w->same;
	if (w == NULL) {
		w = watch_new(topic, key, account, after);
		LL_PREPEND2(e->watches, w, same);
		enqueue(f, w);
	}
	w->users++;
	return w;
}

struct watch *
follow_join(struct follow *f, const char *job, int64_t account, int64_t after)
{
	return join(f, TOPIC_JOB, job, account, after);
}

struct watch *
follow_join_account(struct follow *f, int64_t account)
{
	char	 key[SSE_UUID_SIZE];

	snprintf(key, sizeof(key), "%" PRId64, account);
	return join(f, TOPIC_ACCOUNT, key, account, -1);
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
	HASH_FIND_STR(f->entries, w->key, e);
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

uint64_t
follow_look(struct follow *f, struct watch *w)
{
	enqueue(f, w);
	return w->asked + 1;
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
follow_heard(struct follow *f, const char *key)
{
	struct entry	*e;
	struct watch	*w;

	HASH_FIND_STR(f->entries, key, e);
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

	while ((w = f->queues[f->topic]) != NULL &&
	    f->nasked + 2 <= FOLLOW_ASK_MAX) {
		dequeue(f, w);
		w->asked++;
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

/* Each of the statements takes some of these, in this order. */
static void
send_query(struct follow *f, struct link *link, struct arena *a, enum query q)
{
	struct column	job, account, after;
	struct db_arg	args[4];
	size_t		i, n = 0;

	column_init(&job, COLUMN_TEXT);
	column_init(&account, COLUMN_INT8);
	column_init(&after, COLUMN_INT8);
	for (i = 0; i < f->nasked; i++) {
		column_text(&job, f->asked[i].watch->key);
		column_int(&account, f->asked[i].watch->account);
		column_int(&after, f->asked[i].after);
	}
	if (q != Q_EVENTS_ACCOUNT)
		args[n++] = column_arg(&job);
	args[n++] = column_arg(&account);
	if (q != Q_EVENTS_JOB) {
		args[n++] = column_arg(&after);
		args[n++] = db_int(EVENTS_A_TURN);
	}
	/* A link that breaks here says so at its next step. */
	if (link_ask(link, a, q, args, n) == -1)
		log_debug("follow: not asked");
	column_free(&job);
	column_free(&account);
	column_free(&after);
}

/* In turn, where both have something to ask. */
static bool
choose_topic(struct follow *f)
{
	enum topic	 other = f->topic == TOPIC_JOB ? TOPIC_ACCOUNT :
			    TOPIC_JOB;

	if (f->queues[other] != NULL)
		f->topic = other;
	return f->queues[f->topic] != NULL;
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
	} else if (choose_topic(f)) {
		choose_events(f);
		f->asking = f->topic == TOPIC_JOB ? ASKING_EVENTS :
		    ASKING_CHANGES;
		send_query(f, link, a, f->topic == TOPIC_JOB ?
		    Q_EVENTS_FOLLOW : Q_EVENTS_ACCOUNT);
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
learn_job(struct watch *w, const struct db_rows *rows, size_t i)
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

/* And each row of an account.  Another epoch has numbers of its own. */
static void
learn_account(struct watch *w, const struct db_rows *rows, size_t i)
{
	const char	*epoch = rows_text(rows, i, "epoch");

	w->known = true;
	w->gone = rows_bool(rows, i, "gone");
	w->last = rows_int(rows, i, "last");
	w->trimmed = rows_int(rows, i, "trimmed");
	w->answered = w->asked;
	if (strcmp(w->epoch, epoch) == 0)
		return;
	snprintf(w->epoch, sizeof(w->epoch), "%s", epoch);
	run_reset(&w->ring, w->last);
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

static char *
event_id(const struct watch *w, int64_t n, char out[SSE_ID_SIZE])
{
	struct sse_place	 place = { .seq = n };
	struct sse_id		 id = { .n = n };

	if (w->topic == TOPIC_ACCOUNT) {
		memcpy(place.epoch, w->epoch, sizeof(place.epoch));
		return sse_place_print(&place, out);
	}
	memcpy(id.job, w->key, sizeof(id.job));
	return sse_id_print(&id, out);
}

static void
add_event(struct follow *f, struct watch *w, struct run *r, int64_t n,
    const char *data)
{
	char	text[SSE_ID_SIZE];

	if (n <= r->through)
		return;
	buf_reset(&f->frame);
	if (sse_event(&f->frame, event_id(w, n, text), data,
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
		if (f->asking == ASKING_CHANGES)
			learn_account(p->watch, rows, i);
		else
			learn_job(p->watch, rows, i);
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
