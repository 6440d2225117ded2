#ifndef SERVE_H
#define SERVE_H

#include <stddef.h>

struct worker_kind;

/*
 * `lockstep serve`: stays in the foreground until TERM or INT, with these
 * kinds of workers.  Returns the exit status; what is wrong at start is fatal.
 */
int	cli_serve(const char *conf_path, const struct worker_kind *,
	    size_t nkinds);

#endif
