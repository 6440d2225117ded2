/*
 * A stretch of a job's events in memory, without gaps that matter: what is
 * not in it, but within its bounds, does not exist.
 */
#include "events/run.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/log.h"

static void
drop_first(struct run *r)
{
	struct event	*ev = r->events;

	DL_DELETE(r->events, ev);
	r->count--;
	r->bytes -= ev->len;
	r->after = ev->n;
	free(ev);
}

void
run_reset(struct run *r, int64_t n)
{
	while (r->events != NULL)
		drop_first(r);
	r->after = r->through = n;
}

void
run_add(struct run *r, int64_t n, const char *frame, size_t len)
{
	struct event	*ev = calloc(1, sizeof(*ev) + len);

	if (ev == NULL)
		fatal("run: out of memory");
	ev->n = n;
	ev->len = len;
	memcpy(ev->frame, frame, len);
	DL_APPEND(r->events, ev);
	r->count++;
	r->bytes += len;
	r->through = n;
}

void
run_trim(struct run *r, size_t count, size_t bytes)
{
	while (r->count > 1 && (r->count > count || r->bytes > bytes))
		drop_first(r);
}

/* From the back, because nearly everyone waits for the newest. */
struct event *
run_after(const struct run *r, int64_t n)
{
	struct event	*ev, *found = NULL;

	if (r->events == NULL)
		return NULL;
	for (ev = r->events->prev; ev->n > n; ev = ev->prev) {
		found = ev;
		if (ev == r->events)
			break;
	}
	return found;
}
