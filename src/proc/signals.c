/*
 * Who handles which signal, and how.  The master gets them through a pipe, so
 * that they wake its poll and are acted upon in the order in which they came.
 * A worker has flags, which it reads between two requests.
 */
#include "proc/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/compiler.h"
#include "core/log.h"

static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };

static int pipe_fd[2] = { -1, -1 };

#define STOP_AT_LATEST_S	660	/* above any shutdown_timeout */

static volatile sig_atomic_t stop_flag;
static volatile sig_atomic_t reopen_flag;

static void
install(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigfillset(&sa.sa_mask);
	if (sigaction(sig, &sa, NULL) == -1)
		fatal("signals: sigaction", F_INT("signal", sig), F_ERRNO);
}

static void
to_pipe(int sig)
{
	unsigned char	byte = (unsigned char)sig;
	int		saved = errno;

	if (write(pipe_fd[1], &byte, 1) == -1) {
		/* Full: the master has 64 kB of wakeups to read already. */
	}
	errno = saved;
}

static void
to_flag(int sig)
{
	if (sig == SIGUSR1)
		reopen_flag = 1;
	else {
		stop_flag = 1;
		/* With the master gone, nobody else ends a worker that hangs. */
		alarm(STOP_AT_LATEST_S);
	}
}

static void
to_nothing(int sig)
{
	(void)sig;
}

int
signals_master(void)
{
	size_t i;

	if (pipe2(pipe_fd, O_NONBLOCK | O_CLOEXEC) == -1)
		fatal("signals: pipe", F_ERRNO);
	for (i = 0; i < nitems(taken); i++)
		install(taken[i], to_pipe, SA_RESTART);
	install(SIGPIPE, SIG_IGN, 0);
	/* Whoever started us may have had them blocked. */
	signals_release();
	return pipe_fd[0];
}

int
signals_next(void)
{
	unsigned char byte;

	return read(pipe_fd[0], &byte, 1) == 1 ? byte : 0;
}

static void
mask(int how)
{
	sigset_t	set;
	size_t		i;

	sigemptyset(&set);
	for (i = 0; i < nitems(taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(how, &set, NULL);
}

void
signals_hold(void)
{
	mask(SIG_BLOCK);
}

void
signals_release(void)
{
	mask(SIG_UNBLOCK);
}

/*
 * SA_RESTART, because libfcgi takes an EINTR from read or write for the end
 * of the request and would cut what is in hand.  What a worker waits in ends
 * with EINTR all the same: poll and epoll_wait are never restarted, and
 * accept not either where the socket has a SO_RCVTIMEO (signal(7)).
 *
 * HUP, INT and PIPE get a handler although they do nothing: FCGX_Init would
 * put its own in the place of SIG_IGN.
 */
void
signals_worker(void)
{
	install(SIGTERM, to_flag, SA_RESTART);
	install(SIGUSR1, to_flag, SA_RESTART);
	install(SIGHUP, to_nothing, SA_RESTART);
	install(SIGINT, to_nothing, SA_RESTART);
	install(SIGPIPE, to_nothing, SA_RESTART);
	install(SIGCHLD, SIG_DFL, 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	pipe_fd[0] = pipe_fd[1] = -1;
}

bool
signals_stop(void)
{
	return stop_flag != 0;
}

bool
signals_reopen(void)
{
	if (!reopen_flag)
		return false;
	/* Cleared first: one that comes from here on is seen the next time. */
	reopen_flag = 0;
	return true;
}
