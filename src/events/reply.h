#ifndef REPLY_H
#define REPLY_H

#include "core/buf.h"
#include "core/compiler.h"
#include "http/problem.h"

/*
 * What stream answers to nginx, as CGI text: header lines, an empty line, the
 * body.  Each appends to the buf; -1 when it is full.
 */

/* The head of an event stream. */
int	reply_stream(struct buf *) MUST_CHECK;

/*
 * A job's answer as it is stored.  From status 400 on it is a problem, into
 * which rid goes as "instance"; rid is of handover.h's bytes.
 */
int	reply_answer(struct buf *, int status, const char *text,
	    const char *rid) MUST_CHECK;

/* 202: the job so far, and where to look for it. */
int	reply_later(struct buf *, const char *job, const char *text)
	    MUST_CHECK;

/* A problem of ours.  retry_after_s > 0 becomes Retry-After. */
int	reply_problem(struct buf *, enum problem, const char *detail,
	    const char *rid, int retry_after_s) MUST_CHECK;

#endif
