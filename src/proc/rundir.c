/*
 * What the master owns in the file system: the locked pid file and the
 * sockets.  Everything here happens at start or at exit, so what goes wrong at
 * start is fatal.
 */
#include "proc/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/log.h"

#define PID_FILE	"lockstep.pid"

/* sun_path is the shortest limit that any of our paths has. */
#define PATH_SIZE	sizeof(((struct sockaddr_un *)0)->sun_path)

/*
 * A worker waits in accept at most this long before it looks at its flags: a
 * signal between the look and the accept would be lost otherwise.
 */
#define ACCEPT_MS	500

static void
path_of(char out[PATH_SIZE], const char *run_dir, const char *file)
{
	int n = snprintf(out, PATH_SIZE, "%s/%s", run_dir, file);

	if (n < 0 || (size_t)n >= PATH_SIZE)
		fatal("run_dir: path too long", F_STR("dir", run_dir),
		    F_STR("file", file), F_INT("max", PATH_SIZE - 1));
}

/* The number in the pid file of someone else; 0 when there is none yet. */
static long
pid_in(int fd)
{
	char	text[24] = "";
	ssize_t	n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? strtol(text, NULL, 10) : 0;
}

static void
in_use(const char *run_dir, long pid)
{
	char msg[PATH_SIZE + 64];

	snprintf(msg, sizeof(msg), "run_dir %s: already in use by pid %ld",
	    run_dir, pid);
	fatal(msg);
}

/*
 * True when path still is the file that was locked: another master may have
 * removed it, at its exit, between our open and our lock.
 */
static bool
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int
open_locked(const char *run_dir, const char *path)
{
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (fd == -1)
			fatal("run_dir: open", F_STR("file", path), F_ERRNO);
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			if (errno == EWOULDBLOCK)
				in_use(run_dir, pid_in(fd));
			fatal("run_dir: lock", F_STR("file", path), F_ERRNO);
		}
		if (still_there(fd, path))
			return fd;
		close(fd);
	}
}

int
rundir_lock(const char *run_dir)
{
	char	path[PATH_SIZE];
	int	fd;

	path_of(path, run_dir, PID_FILE);
	if (mkdir(run_dir, 0755) == -1 && errno != EEXIST)
		fatal("run_dir: mkdir", F_STR("dir", run_dir), F_ERRNO);
	fd = open_locked(run_dir, path);
	if (ftruncate(fd, 0) == -1 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
		fatal("run_dir: write", F_STR("file", path), F_ERRNO);
	return fd;
}

/* Nobody listens on it, as we have the lock; but it must be a socket. */
static void
remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return;
		fatal("socket: stat", F_STR("file", path), F_ERRNO);
	}
	if (!S_ISSOCK(st.st_mode))
		fatal("socket: the place is taken by something else",
		    F_STR("file", path));
	if (unlink(path) == -1)
		fatal("socket: unlink", F_STR("file", path), F_ERRNO);
}

static void
give_away(const char *path, const struct conf *conf)
{
	const char	*group = conf->socket_group;
	struct group	*gr;

	if (group != NULL && *group != '\0') {
		if ((gr = getgrnam(group)) == NULL)
			fatal("socket: no such group", F_STR("group", group));
		if (chown(path, (uid_t)-1, gr->gr_gid) == -1)
			fatal("socket: chown", F_STR("file", path),
			    F_STR("group", group), F_ERRNO);
	}
	/* After chown, which may clear bits. */
	if (chmod(path, (mode_t)conf->socket_mode) == -1)
		fatal("socket: chmod", F_STR("file", path), F_ERRNO);
}

int
rundir_listen(const struct conf *conf, const char *file, int backlog)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	struct timeval		idle = { .tv_usec = ACCEPT_MS * 1000 };
	int			fd;

	path_of(sun.sun_path, conf->run_dir, file);
	remove_stale(sun.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		fatal("socket: socket", F_STR("file", sun.sun_path), F_ERRNO);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal("socket: bind", F_STR("file", sun.sun_path), F_ERRNO);
	/* Who may connect is settled before anyone can. */
	give_away(sun.sun_path, conf);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle)) == -1)
		fatal("socket: SO_RCVTIMEO", F_ERRNO);
	if (listen(fd, backlog) == -1)
		fatal("socket: listen", F_STR("file", sun.sun_path), F_ERRNO);
	return fd;
}

static void
unlink_logged(const char *path)
{
	if (unlink(path) == -1 && errno != ENOENT)
		log_warn("run_dir: unlink", F_STR("file", path), F_ERRNO);
}

void
rundir_unlink(const char *run_dir, const char *file)
{
	char path[PATH_SIZE];

	path_of(path, run_dir, file);
	unlink_logged(path);
}

void
rundir_unlock(const char *run_dir, int lock_fd)
{
	rundir_unlink(run_dir, PID_FILE);
	close(lock_fd);
}
