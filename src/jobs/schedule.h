#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stddef.h>

#include "core/compiler.h"

/*
 * Jobs by the clock: rows of the schedule table, fired by the jobs workers.
 * Time zones are PostgreSQL's business, and so is who fires: the row is
 * locked, and its next time moves in the transaction that asks for the job.
 */
struct conf;
struct db;
struct job_kind;

/*
 * Is each setting that has to be one an expression, or empty?  -1 with its *name
 * and *why in words.
 */
int	schedule_check(const struct conf *, const char **name, const char **why)
	    MUST_CHECK;

/*
 * Gives each account the schedules that every account has, and plans those
 * anew whose settings have changed.  To be called now and then.
 */
void	schedule_tend(const struct conf *, struct db *,
	    const struct job_kind *, size_t nkinds);

/*
 * Fires what is due, a bounded number at a time.  What fails is logged and
 * stays due.
 */
void	schedule_fire(const struct conf *, struct db *,
	    const struct job_kind *, size_t nkinds);

#endif
