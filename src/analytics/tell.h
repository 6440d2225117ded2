#ifndef TELL_H
#define TELL_H

#include <stddef.h>
#include <stdint.h>

#include "analytics/wb.h"

/*
 * What a run tells those who watch it, with the job's next save, and the log,
 * at once.
 */
struct run;

/* How much there is to do. */
void	tell_info(struct run *);

/* The same, once, at the beginning. */
void	tell_start(struct run *);

/*
 * Calls to come and the end, as far as they are known, when the next call of
 * each part may begin after next_ms[].
 */
void	tell_outlook(struct run *, const int64_t next_ms[]);

/*
 * Figures, or texts, of m products more were saved: how far the run has come, or
 * if that has not moved, how far this part of it has.
 */
void	tell_progress(struct run *, enum wb_method, int64_t m);

/* Which n products could not be had, and why: a code, and words. */
void	tell_missing(struct run *, const int64_t *ids, size_t n,
	    const char *code, const char *why);

/* It goes on after that long; reason is one of those in tell.c. */
void	tell_waiting(struct run *, int64_t delay_ms, const char *reason);

/* The end: the answer's JSON, in the job's arena. */
const char *tell_complete(struct run *, const char *state, int64_t ok,
	    int64_t partial, int64_t failed);

/* The same where there was nothing to do. */
const char *tell_idle(struct run *);

#endif
