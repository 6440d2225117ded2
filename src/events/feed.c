/* The account's own changes, as a stream that can be taken up again. */
#include "events/feed.h"

#include <string.h>

#include "events/handover.h"
#include "events/sse.h"
#include "http/req.h"

int
feed_get(struct req *r)
{
	struct handover	 h = { .what = HANDOVER_EVENTS, .as = HANDOVER_SSE };
	const char	*last = req_param(r, "HTTP_LAST_EVENT_ID");
	struct sse_place place;

	/*
	 * An id that is none of ours is a place that nobody can know any more:
	 * as for one of another epoch, the client is told to start over.
	 */
	if (last != NULL && *last != '\0') {
		if (sse_place_parse(last, &place) == -1)
			place = (struct sse_place){ .epoch = SSE_NO_EPOCH };
		memcpy(h.epoch, place.epoch, sizeof(h.epoch));
		h.after = place.seq;
	}
	return handover_request(r, &h);
}
