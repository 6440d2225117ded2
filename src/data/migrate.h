#ifndef MIGRATE_H
#define MIGRATE_H

#include "core/compiler.h"

struct db;

/*
 * Applies what is missing of sql/migrate (built into the binary), in order,
 * each in its own transaction, under an advisory lock so that two at once do
 * it once.  Returns how many were applied, or -1 (logged).
 */
int	migrate_run(struct db *) MUST_CHECK;

/* How many are missing; -1 when the database cannot be asked (logged). */
int	migrate_pending(struct db *) MUST_CHECK;

#endif
