/*
 * The board itself: one anonymous shared map, made before the first fork and
 * never remapped, so that a pointer to a slot is good in every process.
 */
#include "proc/scoreboard.h"

#include <sys/mman.h>

#include "core/clock.h"
#include "core/log.h"

static struct {
	size_t		 n;
	struct tally	*tally;
	struct slot	*slots;
} board;

static void *
shared_map(size_t size)
{
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		fatal("scoreboard: mmap", F_INT("bytes", size), F_ERRNO);
	return p;
}

void
scoreboard_init(size_t n)
{
	board.n = n;
	board.tally = shared_map(sizeof(*board.tally));
	board.slots = shared_map(n * sizeof(*board.slots));
}

size_t
scoreboard_size(void)
{
	return board.n;
}

struct slot *
scoreboard_slot(size_t i)
{
	return &board.slots[i];
}

struct tally *
scoreboard_tally(void)
{
	return board.tally;
}

/*
 * The last byte of the field is never anything but NUL, so a reader in another
 * process finds an end wherever the writer is.
 */
static void
put_text(char *out, size_t size, const char *in)
{
	size_t		i;
	unsigned char	c;

	for (i = 0; in != NULL && in[i] != '\0' && i < size - 1; i++) {
		c = (unsigned char)in[i];
		out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	out[i] = '\0';
}

void
slot_clear(struct slot *s, int kind, int index)
{
	int64_t now = clock_mono_ms();

	s->kind = kind;
	s->index = index;
	s->started_ms = now;
	s->beat_ms = now;
	s->busy_since_ms = 0;
	s->requests = 0;
	s->tenant = 0;
	s->clients = 0;
	put_text(s->rid, sizeof(s->rid), NULL);
	put_text(s->what, sizeof(s->what), NULL);
	s->state = SLOT_STARTING;
}

void
slot_busy(struct slot *s, const char *what, const char *rid)
{
	int64_t now = clock_mono_ms();

	put_text(s->what, sizeof(s->what), what);
	put_text(s->rid, sizeof(s->rid), rid);
	s->beat_ms = now;
	/* Before the state: the master must not see busy with an old time. */
	s->busy_since_ms = now;
	s->state = SLOT_BUSY;
}

void
slot_idle(struct slot *s)
{
	/* A worker is idle for the first time before it has done anything. */
	if (s->state == SLOT_BUSY)
		s->requests++;
	s->state = SLOT_IDLE;
	s->tenant = 0;
	s->beat_ms = clock_mono_ms();
}

void
slot_beat(struct slot *s)
{
	s->beat_ms = clock_mono_ms();
}

size_t
scoreboard_busy_for(int kind, uint64_t tenant, uint64_t bits)
{
	const struct slot	*s;
	size_t			 i, n = 0;

	for (i = 0; i < board.n; i++) {
		s = &board.slots[i];
		if (s->state == SLOT_BUSY && s->kind == kind &&
		    (s->tenant & bits) == (tenant & bits) &&
		    s->tenant != 0)
			n++;
	}
	return n;
}
