#ifndef TELL_H
#define TELL_H

#include <stdint.h>

/*
 * What a run tells those who watch it, and the log.  All but tell_log() note
 * events that go out with the job's next save.
 */
struct run;

/* How much there is to do; once, at the beginning. */
void	tell_info(struct run *);

/* m products more were saved: how far the run has come, if that has moved. */
void	tell_progress(struct run *, int64_t m);

/* It goes on after that long; reason is one of those in tell.c. */
void	tell_waiting(struct run *, int64_t delay_ms, const char *reason);

/* The end: the answer's JSON, in the job's arena. */
const char *tell_complete(struct run *, const char *state, int64_t ok,
	    int64_t partial, int64_t failed);

#endif
