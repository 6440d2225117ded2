#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>

struct route;
struct worker;

/*
 * The life of an api or live worker: one request after the other by the
 * table, until it is told to stop or worn out.  with_upstream: the worker may
 * call the partner (live).  Returns the exit status.
 */
int	server_run(struct worker *, const struct route *, size_t nroutes,
	    int with_upstream);

#endif
