#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "events/sse.h"

#define HANDOVER_RID_SIZE	65

struct req;

enum handover_what {
	HANDOVER_JOB,		/* one job */
	HANDOVER_EVENTS		/* the account's own changes, as a stream */
};

enum handover_as {
	HANDOVER_SSE,		/* every event, as a stream */
	HANDOVER_ANSWER		/* a job's answer, once it has ended */
};

/* What has been decided about a connection before stream gets it. */
struct handover {
	enum handover_what	 what;
	char			 job[SSE_UUID_SIZE];	/* "" for EVENTS */
	char			 epoch[SSE_EPOCH_SIZE];	/* of after; JOB: "" */
	enum handover_as	 as;
	int64_t			 account;	/* 0: a job of no account */
	int64_t			 after;		/* last event seen, or 0 */
	int64_t			 until_s;	/* wall clock: login expires */
	char			 rid[HANDOVER_RID_SIZE];
};

/*
 * Answers a request by handing it on: what is to be followed is filled in, the
 * account, until when and the request id are the request's own.  Returns the
 * status for the handler to return.
 */
int	handover_request(struct req *, struct handover *);

/*
 * Appends the value of X-Accel-Redirect that hands a request on.  job must be
 * a UUID; a rid of other bytes than [A-Za-z0-9._-] is left out.  -1: full.
 */
int	handover_print(struct buf *, const struct handover *) MUST_CHECK;

/*
 * Reads it back from n bytes of QUERY_STRING, percent-decoded.  -1 when
 * anything but after, epoch and rid is missing, or anything is malformed.
 */
int	handover_parse(const char *query, size_t n, struct handover *)
	    MUST_CHECK;

#endif
