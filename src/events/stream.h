#ifndef STREAM_H
#define STREAM_H

struct worker;

/*
 * The life of a stream worker: one event loop that holds every connection
 * which stays open.  Returns when the worker is told to stop, 0.
 */
int	stream_run(struct worker *);

#endif
