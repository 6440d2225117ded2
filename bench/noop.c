/*
 * The yardstick of the reads: a FastCGI handler that does nothing, with as many
 * workers behind one socket as Lockstep's api.  What nginx, the sockets, libfcgi
 * and the load generator cost, this costs too.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG	64	/* as api's */

static void
serve(int listen_fd)
{
	FCGX_Request	 request;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (FCGX_InitRequest(&request, listen_fd, 0) != 0)
		_exit(1);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Content-Type: application/json\r\n\r\n{}",
		    request.out);
		FCGX_Finish_r(&request);
	}
	_exit(1);
}

int
main(int argc, char **argv)
{
	int	 fd, n;

	if (argc != 3 || (n = atoi(argv[2])) < 1) {
		fputs("usage: noop SOCKET WORKERS\n", stderr);
		return 2;
	}
	if (FCGX_Init() != 0 || (fd = FCGX_OpenSocket(argv[1], BACKLOG)) < 0) {
		fprintf(stderr, "noop: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	/* The children go with us, so TERM need not be handled. */
	signal(SIGTERM, SIG_DFL);
	for (; n > 0; n--)
		if (fork() == 0)
			serve(fd);
	while (wait(NULL) != -1)
		continue;
	return 1;
}
