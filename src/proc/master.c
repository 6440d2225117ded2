/*
 * The parent of all: opens the sockets, forks every worker of every row,
 * watches the scoreboard, buries and replaces, reloads and stops.  It serves
 * nothing and talks to nobody, so that there is little that could end it.
 */
#include "proc/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/conf.h"
#include "core/log.h"
#include "proc/rundir.h"
#include "proc/scoreboard.h"
#include "proc/signals.h"
#include "proc/worker.h"

#define TICK_MS		250

/* A worker that lived this long is replaced at once when it dies. */
#define SETTLED_MS	1000

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	5000

/* One accept takes less, with a peer that is silent, before or after. */
#define ACCEPT_MAX_MS	8000

/* What the master alone knows of a slot. */
struct child {
	pid_t	pid;		/* 0: no process */
	bool	wanted;		/* by the configuration in force */
	bool	ran;		/* had a process before */
	bool	killed;		/* by us, with a line in the log */
	bool	failing;	/* died young, with a line in the log */
	int64_t	leave_by_ms;	/* was sent TERM; 0: was not */
	int64_t	fork_at_ms;	/* not to be forked before */
	int64_t	backoff_ms;	/* the last wait; 0: none */
};

struct master {
	struct conf	*conf;
	const char	*conf_path;
	pid_t		 pid;
	int		 signal_fd;
	int		 lock_fd;
	int		*listen_fds;	/* one a row, -1 without socket */
	struct child	*children;	/* one a slot */
	bool		 stopping;
};

static const struct worker_kind	*rows;
static size_t			 nrows;

const char *
master_kind_name(int kind)
{
	return kind >= 0 && (size_t)kind < nrows ? rows[kind].name : "?";
}

static const struct worker_kind *
row_of(size_t slot)
{
	return &rows[slot / MASTER_KIND_SLOTS];
}

/* "api/3", in a buffer that the next call overwrites. */
static const char *
name_of(size_t slot)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s/%zu", row_of(slot)->name,
	    slot % MASTER_KIND_SLOTS);
	return name;
}

static size_t
nslots(void)
{
	return nrows * MASTER_KIND_SLOTS;
}

static size_t
nalive(const struct master *m)
{
	size_t i, n = 0;

	for (i = 0; i < nslots(); i++)
		if (m->children[i].pid != 0)
			n++;
	return n;
}

static void
signal_all(struct master *m, int sig)
{
	size_t i;

	for (i = 0; i < nslots(); i++)
		if (m->children[i].pid != 0)
			kill(m->children[i].pid, sig);
}

/* Who has been sent TERM before keeps the deadline of that time. */
static void
ask_to_leave(struct master *m)
{
	struct child	*c;
	size_t		 i;

	for (i = 0; i < nslots(); i++) {
		c = &m->children[i];
		if (c->pid == 0 || c->leave_by_ms != 0)
			continue;
		c->leave_by_ms = clock_mono_ms() + m->conf->shutdown_timeout_ms;
		kill(c->pid, SIGTERM);
	}
}

/* Which slots the configuration in force fills. */
static void
want(struct master *m)
{
	struct child	*c;
	int64_t		 workers;
	size_t		 i;

	for (i = 0; i < nslots(); i++) {
		c = &m->children[i];
		memcpy(&workers,
		    (const char *)m->conf + row_of(i)->workers_offset,
		    sizeof(workers));
		c->wanted = (int64_t)(i % MASTER_KIND_SLOTS) < workers;
		c->fork_at_ms = 0;
		c->backoff_ms = 0;
	}
}

/* In the child: goes on without what is the master's or another row's. */
static void
child_main(struct master *m, size_t slot)
{
	struct worker	w = { .conf = m->conf, .listen_fd = -1 };
	size_t		i;

	close(m->lock_fd);
	for (i = 0; i < nrows; i++) {
		if (&rows[i] == row_of(slot))
			w.listen_fd = m->listen_fds[i];
		else if (m->listen_fds[i] != -1)
			close(m->listen_fds[i]);
	}
	w.slot = scoreboard_slot(slot);
	worker_live(row_of(slot), &w, m->pid);
}

static void
back_off(struct child *c)
{
	c->backoff_ms = c->backoff_ms == 0 ? BACKOFF_MIN_MS :
	    c->backoff_ms * 2;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
	c->fork_at_ms = clock_mono_ms() + c->backoff_ms;
}

/* Once a row of failures at warn, the rest of the row at info. */
static enum log_level
failure_level(struct child *c)
{
	enum log_level level = c->failing ? LOG_INFO : LOG_WARN;

	c->failing = true;
	return level;
}

static void
fork_worker(struct master *m, size_t slot)
{
	struct child	*c = &m->children[slot];
	struct slot	*s = scoreboard_slot(slot);
	pid_t		 pid;

	slot_clear(s, (int)(slot / MASTER_KIND_SLOTS),
	    (int)(slot % MASTER_KIND_SLOTS));
	signals_hold();
	if ((pid = fork()) == 0)
		child_main(m, slot);
	signals_release();
	if (pid == -1) {
		s->state = SLOT_FREE;
		LOG__AT(failure_level(c), "master: fork",
		    F_STR("child", name_of(slot)), F_ERRNO);
		back_off(c);
		return;
	}
	s->pid = pid;
	c->pid = pid;
	c->killed = false;
	c->leave_by_ms = 0;
	if (c->ran)
		scoreboard_tally()->respawns++;
	c->ran = true;
}

static void
fork_missing(struct master *m)
{
	struct child	*c;
	int64_t		 now = clock_mono_ms();
	size_t		 i;

	for (i = 0; i < nslots(); i++) {
		c = &m->children[i];
		if (c->wanted && c->pid == 0 && c->fork_at_ms <= now)
			fork_worker(m, i);
	}
}

/*
 * Exit 0 is as planned, if the worker was asked to leave or has done
 * something: one that comes up and goes is not to be forked in a hot loop.
 */
static bool
as_planned(const struct child *c, const struct slot *s, int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    (c->leave_by_ms != 0 || s->requests > 0);
}

/* The fields that say which worker, and what it has or had in hand. */
#define F_SLOT(i, s) \
	F_STR("child", name_of(i)), F_INT("pid", (s)->pid), \
	F_STR("rid", (s)->state == SLOT_BUSY ? (s)->rid : ""), \
	F_STR("what", (s)->state == SLOT_BUSY ? (s)->what : "")

static void
log_death(size_t i, struct child *c, int status, int64_t lived_ms)
{
	const struct slot	*s = scoreboard_slot(i);
	bool			 by_signal = WIFSIGNALED(status);
	enum log_level		 level;

	if (as_planned(c, s, status)) {
		log_debug("master: worker ended", F_STR("child", name_of(i)),
		    F_INT("pid", s->pid), F_INT("requests", s->requests));
		return;
	}
	if (c->killed)
		level = LOG_INFO;
	else if (lived_ms < SETTLED_MS)
		level = failure_level(c);
	else
		level = LOG_WARN;
	LOG__AT(level, "master: worker died", F_SLOT(i, s),
	    F_STR("by", by_signal ? "signal" : "exit"),
	    F_INT("status", by_signal ? WTERMSIG(status) :
	    WEXITSTATUS(status)), F_INT("lived_ms", lived_ms));
}

static void
bury(struct master *m, size_t i, int status)
{
	struct child	*c = &m->children[i];
	struct slot	*s = scoreboard_slot(i);
	int64_t		 lived_ms = clock_mono_ms() - s->started_ms;
	bool		 planned = as_planned(c, s, status);

	log_death(i, c, status, lived_ms);
	if (!planned && !c->killed)
		scoreboard_tally()->crashes++;
	if (planned || lived_ms >= SETTLED_MS) {
		c->fork_at_ms = 0;
		c->backoff_ms = 0;
	} else {
		back_off(c);
	}
	c->pid = 0;
	s->pid = 0;
	s->state = SLOT_FREE;
}

static void
reap(struct master *m)
{
	pid_t	pid;
	size_t	i;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < nslots(); i++)
			if (m->children[i].pid == pid)
				bury(m, i, status);
}

/*
 * How long the worker has given no sign of coming to an end, as its row
 * counts it.  One that waits for requests beats with every accept.
 */
static int64_t
silent_ms(const struct worker_kind *row, const struct slot *s, int64_t now)
{
	if (row->beats)
		return now - s->beat_ms;
	if (s->state == SLOT_BUSY)
		return now - s->busy_since_ms;
	return now - s->beat_ms - ACCEPT_MAX_MS;
}

static void
kill_logged(struct child *c, size_t i, const char *why, int64_t ms)
{
	log_warn(why, F_SLOT(i, scoreboard_slot(i)), F_INT("ms", ms));
	c->killed = true;
	kill(c->pid, SIGKILL);
}

static void
watch_one(struct master *m, size_t i, int64_t now)
{
	const struct worker_kind	*row = row_of(i);
	struct child			*c = &m->children[i];
	const struct slot		*s = scoreboard_slot(i);
	int64_t				 ms;

	if (c->leave_by_ms != 0) {
		if (now > c->leave_by_ms)
			kill_logged(c, i, "master: worker did not stop",
			    m->conf->shutdown_timeout_ms);
		return;
	}
	ms = silent_ms(row, s, now);
	if (ms > row->stuck_ms(m->conf)) {
		scoreboard_tally()->stuck++;
		kill_logged(c, i, "master: worker stuck", ms);
	} else if (c->failing && now - s->started_ms >= SETTLED_MS) {
		c->failing = false;
		log_info("master: worker is up again",
		    F_STR("child", name_of(i)));
	}
}

static void
watch(struct master *m)
{
	int64_t	now = clock_mono_ms();
	size_t	i;

	for (i = 0; i < nslots(); i++)
		if (m->children[i].pid != 0 && !m->children[i].killed)
			watch_one(m, i, now);
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The setting that differs and that no reload can change, or NULL. */
static const char *
needs_restart(const struct conf *a, const struct conf *b)
{
	if (!same(a->run_dir, b->run_dir))
		return "run_dir needs a restart";
	if (!same(a->key_file, b->key_file))
		return "key_file needs a restart";
	if (a->socket_mode != b->socket_mode)
		return "socket.mode needs a restart";
	if (!same(a->socket_group, b->socket_group))
		return "socket.group needs a restart";
	return NULL;
}

/* The new configuration, for the caller to own, or NULL with err filled. */
static struct conf *
load_new(const struct master *m, char err[CONF_ERR_SIZE])
{
	struct conf	*conf;
	const char	*why;

	if ((conf = conf_load(m->conf_path, err)) == NULL)
		return NULL;
	if ((why = needs_restart(m->conf, conf)) != NULL) {
		snprintf(err, CONF_ERR_SIZE, "%s", why);
		goto fail;
	}
	if (log_open(conf->log_file) == -1) {
		snprintf(err, CONF_ERR_SIZE, "log.file %s: %s",
		    conf->log_file, log_errno());
		goto fail;
	}
	return conf;
fail:
	conf_free(conf);
	return NULL;
}

/*
 * Every child has its own copy of the configuration from its fork, so the old
 * one can go at once, and a worker gets the new one by being replaced.
 */
static void
reload(struct master *m)
{
	char		 err[CONF_ERR_SIZE] = "";
	struct conf	*conf;

	if ((conf = load_new(m, err)) == NULL) {
		scoreboard_tally()->reloads_refused++;
		log_error("master: configuration refused, the old one stays",
		    F_STR("err", err));
		return;
	}
	ask_to_leave(m);
	conf_free(m->conf);
	m->conf = conf;
	log_set_level((enum log_level)conf->log_level);
	want(m);
	scoreboard_tally()->reloads++;
	log_info("master: configuration reloaded");
}

static void
kill_rest(struct master *m)
{
	size_t i;

	log_warn("master: told twice to stop, killing",
	    F_INT("workers", nalive(m)));
	for (i = 0; i < nslots(); i++)
		m->children[i].killed = true;
	signal_all(m, SIGKILL);
}

static void
stop(struct master *m, int sig)
{
	if (m->stopping) {
		kill_rest(m);
		return;
	}
	m->stopping = true;
	log_info("master: stopping", F_INT("signal", sig),
	    F_INT("workers", nalive(m)));
	ask_to_leave(m);
}

static void
on_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
		stop(m, sig);
		break;
	case SIGHUP:
		if (!m->stopping)
			reload(m);
		break;
	case SIGUSR1:
		log_reopen();
		signal_all(m, SIGUSR1);
		log_info("master: log reopened");
		break;
	default:
		break;		/* CHLD: reap() comes every turn */
	}
}

/* Until a signal, the next tick, or the next fork that is due. */
static void
wait_turn(const struct master *m)
{
	struct pollfd		 pfd = { .fd = m->signal_fd,
				    .events = POLLIN };
	const struct child	*c;
	int64_t			 until = clock_mono_ms() + TICK_MS;
	size_t			 i;

	for (i = 0; i < nslots(); i++) {
		c = &m->children[i];
		if (c->wanted && c->pid == 0 && c->fork_at_ms < until)
			until = c->fork_at_ms;
	}
	poll(&pfd, 1, m->stopping ? TICK_MS : clock_left_ms(until));
}

static void
open_all(struct master *m)
{
	size_t i;

	m->lock_fd = rundir_lock(m->conf->run_dir);
	for (i = 0; i < nrows; i++) {
		m->listen_fds[i] = -1;
		if (rows[i].socket != NULL)
			m->listen_fds[i] = rundir_listen(m->conf,
			    rows[i].socket, rows[i].backlog);
	}
}

static void
close_all(struct master *m)
{
	size_t i;

	for (i = 0; i < nrows; i++) {
		if (m->listen_fds[i] == -1)
			continue;
		rundir_unlink(m->conf->run_dir, rows[i].socket);
		close(m->listen_fds[i]);
	}
	rundir_unlock(m->conf->run_dir, m->lock_fd);
}

static void
start(struct master *m)
{
	m->listen_fds = calloc(nrows, sizeof(*m->listen_fds));
	m->children = calloc(nslots(), sizeof(*m->children));
	if (m->listen_fds == NULL || m->children == NULL)
		fatal("master: out of memory");
	log_set_worker("master");
	m->signal_fd = signals_master();
	open_all(m);
	scoreboard_init(nslots());
	want(m);
	fork_missing(m);
	log_info("master: ready", F_INT("pid", m->pid),
	    F_STR("run_dir", m->conf->run_dir), F_INT("workers", nalive(m)));
}

int
master_run(const struct worker_kind *kinds, size_t nkinds, struct conf *conf,
    const char *conf_path)
{
	struct master	m = { .conf = conf, .conf_path = conf_path,
			    .pid = getpid() };
	int		sig;

	rows = kinds;
	nrows = nkinds;
	start(&m);
	while (!m.stopping || nalive(&m) > 0) {
		wait_turn(&m);
		while ((sig = signals_next()) != 0)
			on_signal(&m, sig);
		reap(&m);
		watch(&m);
		if (!m.stopping)
			fork_missing(&m);
	}
	close_all(&m);
	log_info("master: stopped");
	conf_free(m.conf);
	free(m.listen_fds);
	free(m.children);
	return 0;
}
