#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "events/handover.h"
#include "events/record.h"

struct conf;
struct follow;
struct watch;

enum client_phase {
	CLIENT_READING,		/* the request is not complete */
	CLIENT_JOINED,		/* ... until what it follows is known */
	CLIENT_STREAMING,	/* gets events */
	CLIENT_AWAITING,	/* gets the answer when the job has ended */
	CLIENT_DEFERRED,	/* waited too long: gets 202 and the job */
	CLIENT_ENDING,		/* all is said, the rest is being sent */
	CLIENT_DEAD		/* to be freed by the loop */
};

/* One connection.  The loop reads phase, fd, armed, due_ms and the links. */
struct client {
	struct client		*prev, *next;	/* all of them */
	struct client		*wprev, *wnext;	/* those of one watch */
	struct watch		*watch;		/* NULL before CLIENT_JOINED */
	const struct conf	*conf;

	int			 fd;
	uint32_t		 armed;		/* events epoll looks for */
	enum client_phase	 phase;
	struct record_reader	 in;
	struct buf		 out;
	struct handover		 ask;

	int64_t			 n;		/* last event it was given */
	uint64_t		 doubt;		/* about n: see find_place() */
	bool			 live;		/* has caught up once */
	int64_t			 born_ms;
	int64_t			 phase_end_ms;	/* INT64_MAX: open end */
	int64_t			 said_ms;	/* when it was last written to */
	int64_t			 moved_ms;	/* ... and last took a byte */
	int64_t			 due_ms;	/* when to client_tick() */

	int			 status;	/* answered, 0 not yet */
	uint64_t		 events;	/* sent */
	const char		*how;		/* it ended */
};

/* Takes over fd, a non-blocking socket just accepted. */
struct client	*client_new(int fd, const struct conf *);

/* Closes it.  It has left its watch before. */
void		 client_free(struct client *);

/*
 * Reads what has come, once.  True when that completed the request, with ask
 * filled in: the caller joins the watch.
 */
bool		 client_read(struct client *) MUST_CHECK;

/* There is no room for it: 503, come back later. */
void		 client_refuse(struct client *);

/* It has joined c->watch (and stands in its list). */
void		 client_joined(struct client *, struct follow *);

/*
 * There may be news of the watch, or room to write: does all that can be done
 * now.  Never frees the client; at worst it is CLIENT_DEAD afterwards.
 */
void		 client_serve(struct client *, struct follow *);

/* due_ms has come. */
void		 client_tick(struct client *, struct follow *);

/*
 * The worker ends: says so politely.  Who waits for a job's answer gets the
 * job as it is, 202, because the job goes on.
 */
void		 client_stop(struct client *, struct follow *);

/* The peer has gone, or must go: nothing is sent any more. */
void		 client_drop(struct client *, const char *how);

#endif
