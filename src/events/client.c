/*
 * One connection of stream: a state machine that reads a request, waits for
 * what it is to follow, and writes.  It never waits itself.  What cannot be
 * sent stays in a bounded buffer:
 *
 * - who is catching up is given no more than half of it at a time, so a slow
 *   reader is followed at its own speed;
 * - who has caught up is given each event as it comes; over the bound it is
 *   dropped and comes back with Last-Event-ID;
 * - who takes nothing for STALL_MS is dropped.
 */
#include "events/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "events/follow.h"
#include "events/reply.h"
#include "events/sse.h"

#define REQUEST_MS	5000
#define STALL_MS	30000
#define RETRY_MIN_MS	1000
#define RETRY_MAX_MS	5000
/* Beyond stream.buffer_max, for heads, ends and answers, which are bounded. */
#define OWN_WORDS_MAX	(1u << 19)
#define READ_SIZE	16384

struct client *
client_new(int fd, const struct conf *conf)
{
	struct client	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("client: out of memory");
	c->fd = fd;
	c->conf = conf;
	record_init(&c->in);
	buf_init(&c->out, (size_t)conf->stream_buffer_max + OWN_WORDS_MAX);
	c->born_ms = c->said_ms = c->moved_ms = clock_mono_ms();
	c->phase_end_ms = c->due_ms = c->born_ms + REQUEST_MS;
	return c;
}

void
client_free(struct client *c)
{
	record_free(&c->in);
	buf_free(&c->out);
	close(c->fd);
	free(c);
}

void
client_drop(struct client *c, const char *how)
{
	if (c->phase == CLIENT_DEAD)
		return;
	if (c->phase != CLIENT_ENDING || c->how == NULL)
		c->how = how;
	c->phase = CLIENT_DEAD;
}

static void
enter(struct client *c, enum client_phase phase, int64_t end_ms)
{
	c->phase = phase;
	c->phase_end_ms = end_ms;
}

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When time alone will change something. */
static void
set_due(struct client *c)
{
	c->due_ms = c->phase_end_ms;
	if (c->out.len > 0)
		c->due_ms = min64(c->due_ms, c->moved_ms + STALL_MS);
	else if (c->phase == CLIENT_STREAMING)
		c->due_ms = min64(c->due_ms,
		    c->said_ms + c->conf->stream_ping_ms);
}

static void
flush(struct client *c)
{
	ssize_t	 n;

	while (c->out.len > 0 && c->phase != CLIENT_DEAD) {
		n = send(c->fd, c->out.data, c->out.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			c->moved_ms = clock_mono_ms();
			buf_drop(&c->out, (size_t)n);
		} else if (n == -1 && errno == EAGAIN) {
			return;
		} else if (n == 0 || errno != EINTR) {
			client_drop(c, "left");
		}
	}
	/* Thousands of them wait with nothing to send. */
	buf_free(&c->out);
	if (c->phase == CLIENT_ENDING)
		c->phase = CLIENT_DEAD;
}

/* Puts bytes of the answer into the buffer. */
static void
say(struct client *c, const void *p, size_t n)
{
	if (c->phase == CLIENT_DEAD)
		return;
	if (c->out.len == 0)
		c->moved_ms = clock_mono_ms();
	if (record_stdout(&c->out, c->in.id, p, n) == -1)
		client_drop(c, "too slow");
	c->said_ms = clock_mono_ms();
}

static void
say_buf(struct client *c, struct buf *b, int made)
{
	if (made == -1)
		client_drop(c, "answer too big");
	else
		say(c, b->data, b->len);
	buf_free(b);
}

static void
end(struct client *c, const char *how)
{
	if (c->phase == CLIENT_DEAD)
		return;
	c->how = how;
	if (record_end(&c->out, c->in.id) == -1) {
		client_drop(c, how);
		return;
	}
	enter(c, CLIENT_ENDING, INT64_MAX);
}

static void
answer_problem(struct client *c, enum problem p, const char *detail,
    int retry_after_s)
{
	struct buf	b;

	buf_init(&b, OWN_WORDS_MAX / 2);
	c->status = problem_status(p);
	say_buf(c, &b, reply_problem(&b, p, detail, c->ask.rid,
	    retry_after_s));
	end(c, problem_code(p));
}

/* In the words of api, which answers so too. */
static void
answer_no_job(struct client *c)
{
	answer_problem(c, PROBLEM_NOT_FOUND,
	    "There is no such job of this account.", 0);
}

static void
answer_job(struct client *c)
{
	const struct watch	*w = c->watch;
	struct buf		 b;

	if (w->status == 0 || w->answer == NULL) {
		answer_problem(c, PROBLEM_INTERNAL,
		    "The job has ended without an answer.", 0);
		return;
	}
	buf_init(&b, OWN_WORDS_MAX / 2);
	c->status = w->status;
	say_buf(c, &b, reply_answer(&b, w->status, w->answer, c->ask.rid));
	end(c, "answered");
}

static void
answer_later(struct client *c)
{
	struct buf	b;

	buf_init(&b, OWN_WORDS_MAX / 2);
	c->status = 202;
	say_buf(c, &b, reply_later(&b, c->watch->key, c->watch->body));
	end(c, "later");
}

/* How long the login holds, as a moment of our own clock. */
static int64_t
stream_end_ms(const struct client *c)
{
	int64_t	 left_ms = c->ask.until_s > INT64_MAX / 1000 ? INT64_MAX / 2 :
	    c->ask.until_s * 1000 - clock_wall_ms();

	return clock_mono_ms() + min64(left_ms, c->conf->stream_max_age_ms);
}

static void
begin_stream(struct client *c)
{
	struct buf	b;

	buf_init(&b, OWN_WORDS_MAX / 2);
	c->status = 200;
	say_buf(c, &b, reply_stream(&b));
	if (c->phase != CLIENT_DEAD)
		enter(c, CLIENT_STREAMING, stream_end_ms(c));
}

/* The database has said whether there is such a job, or such an account. */
static void
begin(struct client *c)
{
	if (c->watch->gone && c->watch->topic == TOPIC_JOB)
		answer_no_job(c);
	else if (c->ask.as == HANDOVER_SSE)
		begin_stream(c);
	else
		enter(c, CLIENT_AWAITING,
		    c->born_ms + c->conf->sync_wait_max_ms);
}

static bool
has_room(struct client *c, size_t len)
{
	size_t	 bound = (size_t)c->conf->stream_buffer_max;

	if (c->out.len == 0)
		return true;
	if (c->live)
		return c->out.len + record_stdout_size(len) <= bound;
	if (c->out.len >= bound / 2)
		flush(c);
	return c->out.len < bound / 2;
}

/* Gives it the events at hand.  False when it cannot take more now. */
static bool
pump(struct client *c)
{
	const struct event	*ev;

	while ((ev = follow_next(c->watch, &c->n)) != NULL) {
		if (!has_room(c, ev->len)) {
			if (c->live)
				client_drop(c, "too slow");
			return false;
		}
		if (c->phase == CLIENT_DEAD)
			return false;
		say(c, ev->frame, ev->len);
		c->n = ev->n;
		c->events++;
	}
	return true;
}

static char *
place_of(const struct client *c, char out[SSE_ID_SIZE])
{
	struct sse_place	 place = { .seq = c->n };

	memcpy(place.epoch, c->watch->epoch, sizeof(place.epoch));
	return sse_place_print(&place, out);
}

/* Its place is lost: it is told so once, goes on from now and reads anew. */
static void
say_reset(struct client *c)
{
	static const char	 data[] = "{\"type\":\"reset\"}";
	struct buf		 b;
	char			 id[SSE_ID_SIZE];

	buf_init(&b, OWN_WORDS_MAX / 2);
	say_buf(c, &b, sse_event(&b, place_of(c, id), data,
	    sizeof(data) - 1));
}

/*
 * A client that saw no event yet would come back without an id, and one whose
 * last event is long ago with one that is trimmed away by then.
 */
static void
say_place(struct client *c)
{
	struct buf	 b;
	char		 id[SSE_ID_SIZE];

	buf_init(&b, OWN_WORDS_MAX / 2);
	say_buf(c, &b, sse_mark(&b, place_of(c, id)));
}

static void
take_place(struct client *c)
{
	memcpy(c->ask.epoch, c->watch->epoch, sizeof(c->ask.epoch));
	c->n = c->watch->last;
	c->doubt = 0;
}

/*
 * Where it stands among an account's changes: at what it said, or at now.  It
 * may come from another process that has heard more than we have so far: no
 * place is called lost before the database was asked after it came.  False:
 * that is under way.
 */
static bool
find_place(struct client *c, struct follow *f)
{
	const struct watch	*w = c->watch;

	if (c->ask.epoch[0] == '\0') {
		take_place(c);
		return true;
	}
	if (strcmp(c->ask.epoch, w->epoch) == 0 && c->n >= w->trimmed &&
	    c->n <= w->last)
		return true;
	if (c->doubt == 0)
		c->doubt = follow_look(f, c->watch);
	if (w->answered < c->doubt)
		return false;
	take_place(c);
	say_reset(c);
	return true;
}

/* Deleted, with its account: a stream ends in words all the same. */
static void
say_gone(struct client *c)
{
	static const char	 data[] = "{\"type\":\"error\",\"code\":"
	    "\"not_found\",\"message\":\"The job is not there any more.\"}";
	struct buf		 b;
	struct sse_id		 id = { .n = c->n };
	char			 text[SSE_ID_SIZE];

	memcpy(id.job, c->watch->key, sizeof(id.job));
	buf_init(&b, OWN_WORDS_MAX / 2);
	say_buf(c, &b, sse_event(&b, sse_id_print(&id, text), data,
	    sizeof(data) - 1));
}

/* It has been given all there is. */
static void
caught_up(struct client *c)
{
	if (!c->live && c->watch->topic == TOPIC_ACCOUNT)
		say_place(c);
	c->live = true;
}

static void
serve_stream(struct client *c, struct follow *f)
{
	const struct watch	*w = c->watch;

	/* Whoever comes back is told why by api. */
	if (w->topic == TOPIC_ACCOUNT && w->gone) {
		end(c, "account gone");
		return;
	}
	if (w->topic == TOPIC_ACCOUNT && !find_place(c, f))
		return;
	if (!pump(c))
		return;
	if (follow_lags(f, c->watch, c->n))
		return;
	if (c->n >= w->last)
		caught_up(c);
	if (w->gone) {
		say_gone(c);
		end(c, "job gone");
	} else if (w->final && c->n >= w->last)
		end(c, "complete");
}

static void
defer(struct client *c, struct follow *f)
{
	enter(c, CLIENT_DEFERRED, clock_mono_ms() + c->conf->db_timeout_ms);
	follow_want_body(f, c->watch);
}

static void
serve_answer(struct client *c, struct follow *f)
{
	const struct watch	*w = c->watch;

	if (w->gone)
		answer_no_job(c);
	else if (w->final)
		answer_job(c);
	else if (c->phase == CLIENT_DEFERRED && w->body != NULL)
		answer_later(c);
	else if (c->phase == CLIENT_AWAITING &&
	    w->held_until_ms > c->phase_end_ms)
		defer(c, f);
}

void
client_serve(struct client *c, struct follow *f)
{
	if (c->phase == CLIENT_JOINED && c->watch->known)
		begin(c);
	if (c->phase == CLIENT_STREAMING)
		serve_stream(c, f);
	else if (c->phase == CLIENT_AWAITING || c->phase == CLIENT_DEFERRED)
		serve_answer(c, f);
	flush(c);
	set_due(c);
}

void
client_joined(struct client *c, struct follow *f)
{
	c->n = c->ask.after;
	enter(c, CLIENT_JOINED, clock_mono_ms() + c->conf->db_timeout_ms);
	client_serve(c, f);
}

/* So that all who are sent away do not come back at the same moment. */
static void
end_with_retry(struct client *c, const char *how)
{
	struct buf	b;
	int		ms = RETRY_MIN_MS + (int)arc4random_uniform(
	    RETRY_MAX_MS - RETRY_MIN_MS + 1);

	buf_init(&b, OWN_WORDS_MAX / 2);
	say_buf(c, &b, sse_retry(&b, ms));
	end(c, how);
}

static void
ping(struct client *c)
{
	struct buf	b;

	buf_init(&b, OWN_WORDS_MAX / 2);
	say_buf(c, &b, sse_comment(&b, "ping"));
}

/* The phase has lasted as long as it may. */
static void
time_out(struct client *c, struct follow *f)
{
	switch (c->phase) {
	case CLIENT_READING:
		client_drop(c, "no request");
		break;
	case CLIENT_JOINED:
	case CLIENT_DEFERRED:
		answer_problem(c, PROBLEM_DATABASE,
		    "The database does not answer. Try again in a moment.", 2);
		break;
	case CLIENT_STREAMING:
		end_with_retry(c, "expired");
		break;
	case CLIENT_AWAITING:
		defer(c, f);
		break;
	default:
		break;
	}
}

void
client_tick(struct client *c, struct follow *f)
{
	int64_t	 now = clock_mono_ms();

	if (c->out.len > 0 && now >= c->moved_ms + STALL_MS)
		client_drop(c, "stalled");
	else if (now >= c->phase_end_ms)
		time_out(c, f);
	else if (c->phase == CLIENT_STREAMING && c->out.len == 0 &&
	    now >= c->said_ms + c->conf->stream_ping_ms)
		ping(c);
	flush(c);
	set_due(c);
}

void
client_refuse(struct client *c)
{
	answer_problem(c, PROBLEM_BUSY, "Too many streams of this account are "
	    "open. Close some, or try again later.", 5);
	flush(c);
	set_due(c);
}

void
client_stop(struct client *c, struct follow *f)
{
	switch (c->phase) {
	case CLIENT_READING:
		client_drop(c, "stopping");
		break;
	case CLIENT_JOINED:
		answer_problem(c, PROBLEM_BUSY,
		    "The service is restarting. Try again in a moment.",
		    1 + (int)arc4random_uniform(5));
		break;
	case CLIENT_AWAITING:
		defer(c, f);
		break;
	case CLIENT_STREAMING:
		end_with_retry(c, "stopping");
		break;
	default:
		break;
	}
	flush(c);
	set_due(c);
}

/* The PARAMS are there. */
static bool
take_request(struct client *c)
{
	const char	*query;
	size_t		 len;
	int		 bad;

	bad = record_param(&c->in.params, "QUERY_STRING", &query, &len) == -1 ||
	    handover_parse(query, len, &c->ask) == -1;
	record_free(&c->in);
	if (!bad)
		return true;
	log_warn("stream: malformed hand-over");
	answer_problem(c, PROBLEM_INTERNAL, "The request was handed over "
	    "in a form that is not understood.", 0);
	flush(c);
	set_due(c);
	return false;
}

static bool
feed(struct client *c, const char *p, size_t n)
{
	bool	 complete = false;
	size_t	 used;

	for (; n > 0 && c->phase != CLIENT_DEAD; p += used, n -= used) {
		switch (record_feed(&c->in, p, n, &used)) {
		case RECORD_MORE:
			break;
		case RECORD_REQUEST:
			complete = take_request(c);
			break;
		case RECORD_ABORT:
			client_drop(c, "aborted");
			break;
		case RECORD_BAD:
			client_drop(c, "not FastCGI");
			break;
		}
	}
	return complete && c->phase == CLIENT_READING;
}

bool
client_read(struct client *c)
{
	char	 in[READ_SIZE];
	ssize_t	 n;

	n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);
	if (n > 0)
		return feed(c, in, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client_drop(c, "left");
	return false;
}
