#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "events/sse.h"

#define HANDOVER_RID_SIZE	65

enum handover_as {
	HANDOVER_SSE,		/* every event of the job, as a stream */
	HANDOVER_ANSWER		/* its answer, once it has ended */
};

/* What has been decided about a connection before stream gets it. */
struct handover {
	char			 job[SSE_UUID_SIZE];
	enum handover_as	 as;
	int64_t			 account;	/* 0: a job of no account */
	int64_t			 after;		/* last event seen, or 0 */
	int64_t			 until_s;	/* wall clock: login expires */
	char			 rid[HANDOVER_RID_SIZE];
};

/*
 * Appends the value of X-Accel-Redirect that hands a request on.  job must be
 * a UUID; a rid of other bytes than [A-Za-z0-9._-] is left out.  -1: full.
 */
int	handover_print(struct buf *, const struct handover *) MUST_CHECK;

/*
 * Reads it back from n bytes of QUERY_STRING, percent-decoded.  -1 when
 * anything but after and rid is missing, or anything is malformed.
 */
int	handover_parse(const char *query, size_t n, struct handover *)
	    MUST_CHECK;

#endif
