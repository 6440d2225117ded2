#ifndef RUNDIR_H
#define RUNDIR_H

struct conf;

/*
 * The directory at which nginx finds the sockets.  One master has it at a
 * time, by a lock on its pid file.  All paths here are run_dir/file.
 */

/*
 * Makes the directory if need be, locks and writes lockstep.pid.  Returns the
 * descriptor that holds the lock, for the caller to keep open.  Fatal when
 * another master has it, or on any error.
 */
int	rundir_lock(const char *run_dir);

/*
 * A listening unix socket with the mode and group of conf, in the place of a
 * stale one.  Accepts on it end after 500 ms without a connection (EAGAIN).
 * The caller owns the descriptor.  Fatal on any error.
 */
int	rundir_listen(const struct conf *, const char *file, int backlog);

/* Removes a socket. */
void	rundir_unlink(const char *run_dir, const char *file);

/* Removes the pid file, then gives up the lock. */
void	rundir_unlock(const char *run_dir, int lock_fd);

#endif
