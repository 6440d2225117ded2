#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdint.h>

#include "core/compiler.h"

/*
 * What changed, for those who follow an account (DESIGN, section 3, "An
 * event").  Rows of the event table; everything about their order is in
 * sql/migrate/0008_outbox.sql.
 */
struct arena;
struct conf;
struct db;
struct json;

/*
 * Appends an event of the account inside the caller's transaction; streams
 * see it if and only if that commits.  topic ("programs.synced") becomes the
 * member "type" before those of data, an object or NULL.  0, or -1 with the
 * cause logged and the transaction unusable.
 */
int	outbox_append(struct db *, struct arena *, int64_t account_id,
	    const char *topic, const struct json *data) MUST_CHECK;

/*
 * Makes room for the days to come and drops what is older than events.keep.
 * To be called now and then; what fails is logged, and is done the next time.
 */
void	outbox_tend(const struct conf *, struct db *);

#endif
