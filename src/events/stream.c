/*
 * The event loop: accepts, reads, follows jobs and accounts through one
 * database connection, writes.  Nothing in it waits but epoll_wait().  It
 * decides nothing about who may see what: api did, and handed the request on.
 */
#include "events/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "data/link.h"
#include "events/client.h"
#include "events/follow.h"
#include "proc/scoreboard.h"
#include "proc/worker.h"

/* Payload: the id of a job with news, or of an account. */
#define LISTEN		"LISTEN job; LISTEN event"
#define TURN_MS		500	/* the longest wait, to see a signal in time */
#define EVENTS_A_TURN	256
#define ACCEPTS_A_TURN	64
#define ACCEPT_PAUSE_MS	100
#define STOP_MS		1500
/* Everything is looked at now and then, should an announcement get lost. */
#define RECHECK_MS	5000

struct stream {
	struct worker		*worker;
	const struct conf	*conf;
	int			 ep;
	struct link		*link;
	struct follow		*follow;
	struct arena		*arena;		/* of one answer */
	struct client		*clients;
	size_t			 nclients;

	bool			 accepting;
	bool			 complained;	/* of being full: once */
	int64_t			 accept_at_ms;	/* when not: try again then */
	int64_t			 sweep_ms;	/* the first client is due */
	int64_t			 recheck_ms;
	int64_t			 stop_ms;	/* 0: not stopping */
};

static void
open_loop(struct stream *s)
{
	struct epoll_event	 ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int			 fd = s->worker->listen_fd;

	ev.data.ptr = s;
	if ((s->ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		fatal("stream: epoll", F_ERRNO);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == -1)
		fatal("stream: fcntl", F_ERRNO);
	if (epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		fatal("stream: epoll_ctl", F_ERRNO);
	s->accepting = true;
}

/*
 * The link's socket may be another one after each step, under the same number
 * or not.  Closing took the old one out, so it is never taken out here.
 */
static void
arm_link(struct stream *s)
{
	short			 wants = link_wants(s->link);
	struct epoll_event	 ev = { .data.ptr = s->link };
	int			 fd = link_fd(s->link);

	if (fd == -1)
		return;
	ev.events = (wants & POLLIN ? EPOLLIN : 0u) |
	    (wants & POLLOUT ? EPOLLOUT : 0u);
	if (epoll_ctl(s->ep, EPOLL_CTL_MOD, fd, &ev) == 0)
		return;
	if (errno != ENOENT || epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		fatal("stream: epoll_ctl", F_ERRNO);
}

static void
arm_client(struct stream *s, struct client *c)
{
	uint32_t		 want = EPOLLIN | EPOLLRDHUP;
	struct epoll_event	 ev = { .data.ptr = c };

	if (c->due_ms < s->sweep_ms)
		s->sweep_ms = c->due_ms;
	if (c->phase == CLIENT_DEAD) {
		s->sweep_ms = 0;
		return;
	}
	if (c->out.len > 0)
		want |= EPOLLOUT;
	if (want == c->armed)
		return;
	ev.events = want;
	if (epoll_ctl(s->ep, c->armed == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
	    c->fd, &ev) == -1)
		fatal("stream: epoll_ctl", F_ERRNO);
	c->armed = want;
}

/* Out of epoll the listening socket costs nothing; others may accept. */
static void
pause_accepting(struct stream *s, int64_t for_ms)
{
	if (epoll_ctl(s->ep, EPOLL_CTL_DEL, s->worker->listen_fd, NULL) == -1)
		fatal("stream: epoll_ctl", F_ERRNO);
	s->accepting = false;
	s->accept_at_ms = clock_mono_ms() + for_ms;
}

/* Does only time keep it from accepting?  Else a client must leave first. */
static bool
may_accept_later(const struct stream *s)
{
	return !s->accepting && s->stop_ms == 0 &&
	    s->nclients < (size_t)s->conf->stream_max_clients;
}

static void
resume_accepting(struct stream *s)
{
	struct epoll_event	 ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	if (!may_accept_later(s) || clock_mono_ms() < s->accept_at_ms)
		return;
	ev.data.ptr = s;
	if (epoll_ctl(s->ep, EPOLL_CTL_ADD, s->worker->listen_fd, &ev) == -1)
		fatal("stream: epoll_ctl", F_ERRNO);
	s->accepting = true;
}

static void
add_client(struct stream *s, int fd)
{
	struct client	*c = client_new(fd, s->conf);

	DL_APPEND(s->clients, c);
	s->worker->slot->clients = ++s->nclients;
	arm_client(s, c);
}

/* No room for more: what knocks waits in the backlog, then nginx says 503. */
static void
be_full(struct stream *s, const char *why)
{
	if (!s->complained)
		log_warn("stream: full", F_STR("err", why),
		    F_INT("clients", s->nclients));
	s->complained = true;
	pause_accepting(s, ACCEPT_PAUSE_MS);
}

static void
accept_clients(struct stream *s)
{
	int	 fd, i;

	for (i = 0; i < ACCEPTS_A_TURN; i++) {
		if (s->nclients >= (size_t)s->conf->stream_max_clients) {
			be_full(s, "stream.max_clients");
			return;
		}
		fd = accept4(s->worker->listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			add_client(s, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno == EAGAIN)
			s->complained = false;
		else
			be_full(s, strerror(errno));
		return;
	}
}

/* One account may hold half of the places, so that others find some. */
static bool
has_room_for(const struct stream *s, int64_t account)
{
	const struct client	*c;
	int64_t			 n = 0;

	if (account == 0)
		return true;
	DL_FOREACH(s->clients, c)
		n += c->watch != NULL && c->ask.account == account;
	return n < (s->conf->stream_max_clients + 1) / 2;
}

static void
join(struct stream *s, struct client *c)
{
	if (!has_room_for(s, c->ask.account)) {
		client_refuse(c);
		return;
	}
	c->watch = c->ask.what == HANDOVER_EVENTS ?
	    follow_join_account(s->follow, c->ask.account) :
	    follow_join(s->follow, c->ask.job, c->ask.account, c->ask.after);
	DL_APPEND2(c->watch->clients, c, wprev, wnext);
	client_joined(c, s->follow);
}

static void
handle_client(struct stream *s, struct client *c, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		client_drop(c, "left");
	if (c->phase != CLIENT_DEAD && events & EPOLLIN && client_read(c))
		join(s, c);
	if (c->phase != CLIENT_DEAD && events & EPOLLOUT)
		client_serve(c, s->follow);
	arm_client(s, c);
}

static void
serve_watch(struct stream *s, struct watch *w)
{
	struct client	*c;

	DL_FOREACH2(w->clients, c, wnext) {
		client_serve(c, s->follow);
		arm_client(s, c);
	}
}

static void
take_rows(struct stream *s)
{
	struct watch	*w;
	size_t		 i, n;

	n = follow_take(s->follow, link_rows(s->link, s->arena));
	for (i = 0; i < n; i++)
		if ((w = follow_asked(s->follow, i)) != NULL)
			serve_watch(s, w);
	follow_served(s->follow);
	arena_reset(s->arena);
}

static void
drive_link(struct stream *s)
{
	enum link_news	 news;

	while ((news = link_step(s->link)) != LINK_NOTHING) {
		if (news == LINK_READY)
			follow_all(s->follow);
		else if (news == LINK_NOTIFIED)
			follow_heard(s->follow, link_payload(s->link));
		else if (news == LINK_ROWS)
			take_rows(s);
		else
			follow_lost(s->follow);
	}
	if (clock_mono_ms() >= s->recheck_ms) {
		s->recheck_ms = clock_mono_ms() + RECHECK_MS;
		follow_all(s->follow);
	}
	if (link_idle(s->link)) {
		follow_ask(s->follow, s->link, s->arena);
		arena_reset(s->arena);
	}
	arm_link(s);
}

static void
log_end(const struct client *c)
{
	if (c->watch == NULL) {
		log_debug("stream: end", F_STR("how", c->how));
		return;
	}
	log_set_request(c->ask.rid);
	log_set_job(c->ask.what == HANDOVER_JOB ? c->ask.job : NULL);
	log_set_account(c->ask.account);
	log_info("stream: end",
	    F_STR("as", c->ask.as == HANDOVER_SSE ? "sse" : "answer"),
	    F_STR("how", c->how), F_INT("status", c->status),
	    F_INT("events", c->events),
	    F_INT("ms", clock_mono_ms() - c->born_ms));
	log_set_request(NULL);
	log_set_job(NULL);
	log_set_account(0);
}

static void
reap(struct stream *s, struct client *c)
{
	log_end(c);
	if (c->status != 0) {
		scoreboard_tally()->status[c->status / 100 % 6]++;
		s->worker->slot->requests++;
	}
	if (c->watch != NULL) {
		DL_DELETE2(c->watch->clients, c, wprev, wnext);
		follow_leave(s->follow, c->watch);
	}
	DL_DELETE(s->clients, c);
	s->worker->slot->clients = --s->nclients;
	client_free(c);
}

/*
 * Looks at the clock for everyone, and frees the dead: here alone, because an
 * event of the same turn, or a list being walked, may still point to them.
 */
static void
sweep(struct stream *s)
{
	struct client	*c, *next;
	int64_t		 now = clock_mono_ms();

	if (now < s->sweep_ms)
		return;
	s->sweep_ms = INT64_MAX;
	DL_FOREACH_SAFE(s->clients, c, next) {
		if (c->phase != CLIENT_DEAD && c->due_ms <= now)
			client_tick(c, s->follow);
		if (c->phase == CLIENT_DEAD)
			reap(s, c);
		else
			arm_client(s, c);
	}
}

static void
begin_stop(struct stream *s)
{
	struct client	*c;

	if (s->accepting)
		pause_accepting(s, 0);
	s->stop_ms = clock_mono_ms() + STOP_MS;
	DL_FOREACH(s->clients, c) {
		client_stop(c, s->follow);
		arm_client(s, c);
	}
}

static bool
stopped(struct stream *s)
{
	if (s->stop_ms == 0 && worker_stopping())
		begin_stop(s);
	if (s->stop_ms == 0)
		return false;
	sweep(s);
	return s->clients == NULL || clock_mono_ms() >= s->stop_ms;
}

static int
wait_ms(const struct stream *s)
{
	int64_t	 until = clock_mono_ms() + TURN_MS;

	if (s->sweep_ms < until)
		until = s->sweep_ms;
	if (link_deadline(s->link) < until)
		until = link_deadline(s->link);
	if (may_accept_later(s) && s->accept_at_ms < until)
		until = s->accept_at_ms;
	return clock_left_ms(until);
}

static void
turn(struct stream *s)
{
	struct epoll_event	 events[EVENTS_A_TURN];
	int			 i, n;

	n = epoll_wait(s->ep, events, EVENTS_A_TURN, wait_ms(s));
	for (i = 0; i < n; i++) {
		if (events[i].data.ptr == s)
			accept_clients(s);
		else if (events[i].data.ptr != s->link)
			handle_client(s, events[i].data.ptr,
			    events[i].events);
	}
	sweep(s);
	drive_link(s);
	resume_accepting(s);
	slot_beat(s->worker->slot);
}

static void
close_loop(struct stream *s)
{
	struct client	*c, *next;

	DL_FOREACH_SAFE(s->clients, c, next) {
		client_drop(c, "cut off");
		reap(s, c);
	}
	follow_free(s->follow);
	link_free(s->link);
	arena_free(s->arena);
	close(s->ep);
}

int
stream_run(struct worker *worker)
{
	struct stream	s = { .worker = worker, .conf = worker->conf,
	    .sweep_ms = INT64_MAX };

	s.arena = arena_new();
	s.follow = follow_new();
	s.link = link_new(s.conf, LISTEN);
	s.recheck_ms = clock_mono_ms() + RECHECK_MS;
	open_loop(&s);
	slot_idle(worker->slot);
	while (!stopped(&s))
		turn(&s);
	close_loop(&s);
	return 0;
}
