#ifndef ROUTES_H
#define ROUTES_H

struct worker;

/*
 * The only place that knows every endpoint and every kind of job.  Each
 * function is the life of one kind of worker; they return its exit status.
 */
int	server_run_api(struct worker *);
int	server_run_live(struct worker *);
int	jobs_run(struct worker *);

#endif
