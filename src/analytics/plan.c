/* Places, halves and how long it will take. */
#include "analytics/plan.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"

static const char *const names[WB_METHOD__MAX] = {
	[WB_FUNNEL]	= "funnel",
	[WB_TEXTS]	= "texts",
};

static int64_t
number(const struct json *obj, const char *key)
{
	int64_t	 n;

	return json_whole(json_get(obj, key), &n) == 0 ? n : 0;
}

static const char *
text(struct arena *a, const struct json *obj, const char *key)
{
	const char	*s = json_text(json_get(obj, key));

	return s != NULL ? arena_strdup(a, s) : NULL;
}

static void
read_part(struct plan_part *p, struct arena *a, const struct json *obj)
{
	const struct json	*bounds = json_get(obj, "bounds");

	*p = (struct plan_part){ .after = number(obj, "after"),
		.n = number(obj, "n"), .answered = number(obj, "answered"),
		.offset = number(obj, "offset"),
		.edge = number(obj, "edge"), .again = number(obj, "again"),
		.moved = json_flag(obj, "moved"),
		.listed = json_flag(obj, "listed"),
		.failed = number(obj, "failed"),
		.limited = number(obj, "limited"),
		.refused = number(obj, "refused"),
		.lost = number(obj, "lost"),
		.good = json_flag(obj, "good"),
		.spare = json_flag(obj, "spare"),
		.done = json_flag(obj, "done"),
		.off = text(a, obj, "off"), .why = text(a, obj, "why"),
		.kept = json_is_obj(json_get(obj, "kept")) ?
		    json_get(obj, "kept") : NULL };
	for (size_t i = 0; i < json_count(bounds) && i < PLAN_BOUNDS_MAX; i++)
		if (json_whole(json_at(bounds, i), &p->bounds[i]) == 0)
			p->nbounds = i + 1;
}

int
plan_read(struct plan *p, struct arena *a, const struct json *checkpoint)
{
	*p = (struct plan){ .began = text(a, checkpoint, "began"),
		.period = { text(a, checkpoint, "start"),
		    text(a, checkpoint, "end") },
		.week = text(a, checkpoint, "week"),
		.narrow = json_flag(checkpoint, "narrow"),
		.narrow_known = json_flag(checkpoint, "narrow_known"),
		.wide_good = json_flag(checkpoint, "wide_good"),
		.narrow_after = number(checkpoint, "narrow_after"),
		.narrow_n = number(checkpoint, "narrow_n"),
		.no_jam = json_flag(checkpoint, "no_jam"),
		.batch = number(checkpoint, "batch"),
		.unsaved = number(checkpoint, "unsaved"),
		.total = number(checkpoint, "total"),
		.all = json_flag(checkpoint, "all"),
		.failed = json_flag(checkpoint, "failed"),
		.since = text(a, checkpoint, "since") };
	for (int i = 0; i < WB_METHOD__MAX; i++)
		read_part(&p->parts[i], a, json_get(checkpoint, names[i]));
	return p->began != NULL && p->batch > 0 ? 0 : -1;
}

static struct json *
put_part(const struct plan_part *p, struct arena *a)
{
	struct json	*obj = json_new_obj(a);
	struct json	*bounds = json_new_arr(a);

	for (size_t i = 0; i < p->nbounds; i++)
		json_push_int(bounds, p->bounds[i]);
	json_put_int(obj, "after", p->after);
	json_put_int(obj, "n", p->n);
	json_put_int(obj, "answered", p->answered);
	json_put_int(obj, "offset", p->offset);
	json_put_int(obj, "edge", p->edge);
	json_put_int(obj, "again", p->again);
	json_put_bool(obj, "moved", p->moved);
	json_put_bool(obj, "listed", p->listed);
	json_put(obj, "bounds", bounds);
	json_put_int(obj, "failed", p->failed);
	json_put_int(obj, "limited", p->limited);
	json_put_int(obj, "refused", p->refused);
	json_put_int(obj, "lost", p->lost);
	json_put_bool(obj, "good", p->good);
	json_put_bool(obj, "spare", p->spare);
	json_put_bool(obj, "done", p->done);
	json_put_text(obj, "off", p->off);
	json_put_text(obj, "why", p->why);
	if (p->kept != NULL)
		json_put(obj, "kept", p->kept);
	return obj;
}

void
plan_write(const struct plan *p, struct arena *a, struct json *checkpoint)
{
	json_put_text(checkpoint, "began", p->began);
	json_put_text(checkpoint, "start", p->period.start);
	json_put_text(checkpoint, "end", p->period.end);
	json_put_text(checkpoint, "week", p->week);
	json_put_bool(checkpoint, "narrow", p->narrow);
	json_put_bool(checkpoint, "narrow_known", p->narrow_known);
	json_put_bool(checkpoint, "wide_good", p->wide_good);
	json_put_int(checkpoint, "narrow_after", p->narrow_after);
	json_put_int(checkpoint, "narrow_n", p->narrow_n);
	json_put_bool(checkpoint, "no_jam", p->no_jam);
	json_put_int(checkpoint, "batch", p->batch);
	json_put_int(checkpoint, "unsaved", p->unsaved);
	json_put_int(checkpoint, "total", p->total);
	json_put_bool(checkpoint, "all", p->all);
	json_put_bool(checkpoint, "failed", p->failed);
	json_put_text(checkpoint, "since", p->since);
	for (int i = 0; i < WB_METHOD__MAX; i++)
		json_put(checkpoint, names[i], put_part(&p->parts[i], a));
}

struct wb_period
plan_texts_period(const struct plan *p)
{
	return (struct wb_period){ p->narrow && p->week != NULL ? p->week :
	    p->period.start, p->period.end };
}

bool
plan_narrow(struct plan *p, int64_t n)
{
	if (p->narrow || p->wide_good)
		return false;
	p->narrow = true;
	p->narrow_after = p->parts[WB_TEXTS].after;
	p->narrow_n = n;
	return true;
}

/*
 * The very chunk that was refused.  Where it took halves as well, it may have
 * been one product: the next chunk is asked for the whole period again.
 */
bool
plan_narrow_shown(struct plan *p, int64_t after, int64_t n)
{
	if (!p->narrow)
		p->wide_good = true;
	if (!p->narrow || p->narrow_known)
		return false;
	p->narrow_known = after == p->narrow_after && n == p->narrow_n;
	p->narrow = p->narrow_known || p->parts[WB_TEXTS].nbounds > 0 ||
	    p->parts[WB_TEXTS].kept != NULL;
	return p->narrow_known;
}

int64_t
plan_chunk(enum wb_method method)
{
	return method == WB_FUNNEL ? WB_FUNNEL_MAX : WB_TEXTS_MAX;
}

int64_t
plan_done(const struct plan *p)
{
	const struct plan_part	*funnel = &p->parts[WB_FUNNEL];
	const struct plan_part	*texts = &p->parts[WB_TEXTS];
	int64_t			 n = funnel->n;

	if (texts->off == NULL && texts->n < n)
		n = texts->n;
	return n < p->total ? n : p->total;
}

bool
plan_is_known(const struct plan *p)
{
	return p->total > 0 || !p->all || p->parts[WB_FUNNEL].done;
}

int64_t
plan_batches(const struct plan *p, int64_t products)
{
	return (products + p->batch - 1) / p->batch;
}

/* A list ends where a page is not full; each begins with the last one's end. */
static int64_t
list_calls(int64_t left)
{
	return left < WB_FUNNEL_MAX ? 1 :
	    (left - 1) / (WB_FUNNEL_MAX - 1) + 1;
}

/* What an answer has brought needs no call, whether it is saved yet or not. */
int64_t
plan_calls(const struct plan *p, enum wb_method method)
{
	const struct plan_part	*part = &p->parts[method];
	int64_t			 chunk = plan_chunk(method);
	int64_t			 left = p->total - (part->answered > part->n ?
				    part->answered : part->n);

	if (part->done || part->off != NULL)
		return 0;
	if (method == WB_FUNNEL && p->all && !part->listed)
		return list_calls(p->total - part->offset) -
		    (part->answered > part->n);
	if (left <= 0)
		return 0;
	/* One to see whether that has changed. */
	if (method == WB_TEXTS && p->no_jam && !part->good)
		return 1;
	return (left + chunk - 1) / chunk +
	    (part->nbounds > 1 ? (int64_t)part->nbounds - 1 : 0);
}

void
plan_advance(struct plan_part *part, int64_t last, int64_t m)
{
	part->after = last;
	part->n += m;
	while (part->nbounds > 0 && part->bounds[0] <= last)
		memmove(part->bounds, part->bounds + 1,
		    --part->nbounds * sizeof(part->bounds[0]));
}

bool
plan_leave_half(struct plan_part *part)
{
	if (part->nbounds == 0)
		return false;
	plan_advance(part, part->bounds[0], 0);
	if (part->nbounds == 0)
		part->failed = 0;
	return true;
}

void
plan_rejoin(struct plan_part *part)
{
	part->nbounds = 0;
}

int
plan_split(struct plan_part *part, const int64_t *ids, size_t n)
{
	size_t	 add = part->nbounds == 0 ? 2 : 1;

	if (part->nbounds + add > PLAN_BOUNDS_MAX)
		return -1;
	if (part->nbounds == 0)
		part->bounds[part->nbounds++] = ids[n - 1];
	memmove(part->bounds + 1, part->bounds,
	    part->nbounds * sizeof(part->bounds[0]));
	part->nbounds++;
	part->bounds[0] = ids[n / 2 - 1];
	return 0;
}

/* Batches that both parts still have to save. */
static int64_t
saves(const struct plan *p)
{
	int64_t	 n = 0;

	for (int i = 0; i < WB_METHOD__MAX; i++) {
		const struct plan_part	*part = &p->parts[i];

		if (!part->done && part->off == NULL && part->n < p->total &&
		    (i != WB_TEXTS || !p->no_jam || part->good))
			n += plan_batches(p, p->total) - part->n / p->batch;
	}
	return n;
}

int64_t
plan_eta_ms(const struct plan *p, const int64_t next_ms[],
    const int64_t step_ms[], int64_t rest_ms)
{
	int64_t	 eta_ms = 0, ms = 0, rests_ms = (saves(p) - 1) * rest_ms;

	for (int i = 0; i < WB_METHOD__MAX; i++) {
		int64_t	 calls = plan_calls(p, (enum wb_method)i);
		/* Whose texts they are the list of all has to tell first. */
		int64_t	 from_ms = p->all && ms > next_ms[i] ? ms : next_ms[i];

		ms = calls == 0 ? 0 : from_ms + (calls - 1) * step_ms[i];
		if (ms > eta_ms)
			eta_ms = ms;
	}
	return eta_ms > rests_ms ? eta_ms : rests_ms;
}
