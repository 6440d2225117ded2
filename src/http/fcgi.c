/*
 * libfcgi with its traps closed; contracts/platform.md, "libfcgi", says which
 * they are.  Signal handlers must be in place before fcgi_open().
 */
#include "http/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"

/* How long a peer may be silent, before its request or within it. */
#define SILENCE_MS	2000

struct fcgi {
	FCGX_Request	 request;
	int		 listen_fd;
};

struct fcgi *
fcgi_open(int listen_fd)
{
	struct fcgi	*f = calloc(1, sizeof(*f));

	if (f != NULL)
		f->listen_fd = listen_fd;
	if (f == NULL || FCGX_Init() != 0 ||
	    FCGX_InitRequest(&f->request, listen_fd,
	    FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		fatal("fcgi: cannot start");
	return f;
}

/* A client that left while it waited in the backlog needs no work. */
static bool
peer_left(int fd)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Waits for the first bytes; signals do not count. */
static bool
peer_speaks(int fd)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	int64_t		 deadline_ms = clock_mono_ms() + SILENCE_MS;
	int		 n;

	do
		n = poll(&pfd, 1, clock_left_ms(deadline_ms));
	while (n == -1 && errno == EINTR);
	return n == 1;
}

/* libfcgi takes the EAGAIN for the end, and gives the connection up. */
static void
limit_silence(int fd)
{
	struct timeval	 tv = { .tv_sec = SILENCE_MS / 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1)
		fatal("fcgi: SO_RCVTIMEO", F_ERRNO);
}

/*
 * libfcgi's own accept is not used: a signal in the poll that it does after
 * accepting drops the connection, so that a reload would lose requests.
 * keepConnection keeps FCGX_Accept_r, which first finishes the request
 * before, from closing the new descriptor.
 */
int
fcgi_accept(struct fcgi *f)
{
	int	 fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	/* Out of descriptors or memory: nothing to gain by trying at once. */
	if (fd == -1 && errno != EAGAIN && errno != EINTR)
		poll(NULL, 0, 100);
	if (fd == -1)
		return 0;
	if (!peer_speaks(fd) || peer_left(fd)) {
		close(fd);
		return 0;
	}
	limit_silence(fd);
	f->request.ipcFd = fd;
	f->request.keepConnection = 1;
	f->request.listen_sock = -1;
	if (FCGX_Accept_r(&f->request) < 0) {
		FCGX_Free(&f->request, 1);
		return 0;
	}
	f->request.keepConnection = 0;
	/* A peer that closed after BEGIN counts as a request of nothing. */
	if (fcgi_param(f, "REQUEST_URI") == NULL) {
		fcgi_finish(f);
		return 0;
	}
	return 1;
}

const char *
fcgi_param(const struct fcgi *f, const char *name)
{
	return FCGX_GetParam(name, f->request.envp);
}

int
fcgi_body(struct fcgi *f, struct buf *body)
{
	char	 chunk[4096];
	int	 n;

	while ((n = FCGX_GetStr(chunk, sizeof(chunk), f->request.in)) > 0)
		if (buf_add(body, chunk, (size_t)n) == -1)
			return -1;
	return FCGX_GetError(f->request.in) == 0 ? 0 : -1;
}

int
fcgi_write(struct fcgi *f, const void *p, size_t n)
{
	return FCGX_PutStr(p, (int)n, f->request.out) == (int)n ? 0 : -1;
}

/*
 * Without keep_conn nginx takes the end of the connection for the end of the
 * answer, END_REQUEST or not.  A record of a version that does not exist is
 * what makes it break off on its other side too.
 */
void
fcgi_break(struct fcgi *f)
{
	static const char	 no_record[8] = "\377";
	ssize_t			 n;

	n = send(f->request.ipcFd, no_record, sizeof(no_record),
	    MSG_NOSIGNAL);
	(void)n;	/* who has left needs not be told */
	FCGX_Free(&f->request, 1);
}

static bool
has_body(const struct fcgi *f)
{
	const char	*length = fcgi_param(f, "CONTENT_LENGTH");

	return length != NULL && *length != '\0' && strcmp(length, "0") != 0;
}

/*
 * libfcgi closes only when the peer has, lest a body that is still coming
 * turn the answer into a reset.  Where there is none, that wait would hold
 * the worker once more in every request: it is a third of what one can serve.
 */
void
fcgi_finish(struct fcgi *f)
{
	f->request.keepConnection = !has_body(f);
	FCGX_Finish_r(&f->request);
	if (f->request.ipcFd != -1)
		close(f->request.ipcFd);
	f->request.ipcFd = -1;
}
