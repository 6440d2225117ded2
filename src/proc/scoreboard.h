#ifndef SCOREBOARD_H
#define SCOREBOARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What every worker is doing, in memory shared by the master and all its
 * children.  The master writes a slot while it has no worker, and pid; all
 * the rest is then written by its worker alone.  Readers take no lock: a text
 * may be torn, never unterminated.  What a dead worker had in hand stays to be
 * read until the next one has its slot.  what is "GET /api/jobs" or a job.
 */
#define SCOREBOARD_WHAT_SIZE	160
#define SCOREBOARD_RID_SIZE	48

enum slot_state { SLOT_FREE, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY,
	SLOT_STOPPING };

struct slot {
	_Atomic pid_t		 pid;		/* 0: nobody */
	_Atomic int		 kind;		/* row of the master's table */
	_Atomic int		 index;		/* 0 to workers - 1 */
	_Atomic int		 state;		/* enum slot_state */
	_Atomic int64_t		 started_ms;	/* clock_mono_ms() at fork */
	_Atomic int64_t		 busy_since_ms;	/* of what is in hand */
	_Atomic int64_t		 beat_ms;	/* last sign of life */
	_Atomic uint64_t	 requests;	/* finished since the fork */
	_Atomic uint64_t	 tenant;	/* of the request; 0 nobody */
	_Atomic uint64_t	 clients;	/* open streams */
	char			 rid[SCOREBOARD_RID_SIZE];
	char			 what[SCOREBOARD_WHAT_SIZE];
};

/* Maps a board of n free slots.  By the master, before it forks; fatal. */
void		 scoreboard_init(size_t n);
size_t		 scoreboard_size(void);

/* The i-th slot, 0 <= i < scoreboard_size(). */
struct slot	*scoreboard_slot(size_t i);

/* The master's, before a fork: nothing in hand, alive from now on. */
void		 slot_clear(struct slot *, int kind, int index);

/*
 * A worker's own marks.  slot_busy copies what and rid (both may be NULL),
 * cut to size and with control bytes replaced; slot_idle counts one request
 * if the worker was busy, and clears tenant.  Both are a beat too.  tenant is
 * set by hand after slot_busy.
 */
void		 slot_busy(struct slot *, const char *what, const char *rid);
void		 slot_idle(struct slot *);
void		 slot_beat(struct slot *);

/* How many slots of this kind are busy for a tenant with these bits. */
size_t		 scoreboard_busy_for(int kind, uint64_t tenant, uint64_t bits);

/* Counters shared by all: requests by status class, respawns and the like. */
struct tally {
	_Atomic uint64_t	 status[6];	/* index status / 100; 0 odd */
	_Atomic uint64_t	 respawns;
	_Atomic uint64_t	 crashes;
	_Atomic uint64_t	 stuck;
	_Atomic uint64_t	 reloads;
	_Atomic uint64_t	 reloads_refused;
};
struct tally	*scoreboard_tally(void);

#endif
