#ifndef STATUS_H
#define STATUS_H

struct req;

/*
 * What an operator sees, on the loopback listener only: is the process
 * there; can it serve (database there and migrated); who does what; the same
 * as Prometheus text.
 */
int	healthz_get(struct req *);
int	readyz_get(struct req *);
int	status_get(struct req *);
int	metrics_get(struct req *);

#endif
