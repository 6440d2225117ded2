#ifndef TROUBLE_H
#define TROUBLE_H

#include "core/compiler.h"

/*
 * The trouble of a seller's runs: a code that stays with the seller until a run
 * is good again.
 */
struct db_rows;
struct run;

/*
 * What is wrong with a run that has come to its end, as a code that lives as
 * long as the run, or NULL; settled: the row of Q_ANALYTICS_SETTLE.
 */
const char	*trouble_of(const struct run *, const struct db_rows *settled);

/*
 * When a run turns bad, or worse than was told, or good again (code is NULL),
 * somebody is told, once: not each night, and not each time that it is bad in
 * another way.  Within the transaction that ends the job.  -1: database.
 */
int		 trouble_tell(struct run *, const char *code) MUST_CHECK;

#endif
