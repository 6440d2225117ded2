/*
 * The fan-out.  One broken program can spoil the answer for its whole group:
 * a group that fails is asked again in halves, as far as time and budget go.
 */
#include "programs/details.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "http/req.h"
#include "net/upstream.h"
#include "programs/account.h"
#include "programs/turn.h"

/* Programs that are asked for in one call. */
struct group {
	size_t	 from;
	size_t	 n;
};

struct fan {
	struct req		*r;
	struct details		*d;
	struct budget		 budget;
	struct group		*groups;	/* still to be asked for */
	size_t			 ngroups;
	struct upstream_call	*calls;
};

/* [from, from + n) in as many groups as there are calls for, all alike. */
static void
divide(struct fan *f, size_t from, size_t n, size_t ncalls)
{
	for (size_t i = 0; i < ncalls && n > 0; i++) {
		size_t	 size = (n + ncalls - i - 1) / (ncalls - i);

		if (size > PARTNER_IDS_MAX)
			size = PARTNER_IDS_MAX;
		f->groups[f->ngroups++] = (struct group){ from, size };
		from += size;
		n -= size;
	}
}

/* One that hangs must leave time to ask again in halves. */
static int64_t
deadline_of(const struct fan *f, const struct group *g)
{
	int64_t	 now_ms = clock_mono_ms();

	if (g->n == 1)
		return f->d->deadline_ms;
	return now_ms + (f->d->deadline_ms - now_ms) / 2;
}

static bool
should_split(const struct fan *f, const struct group *g)
{
	if (g->n == 1 || clock_left_ms(f->d->deadline_ms) == 0)
		return false;
	for (size_t i = g->from; i < g->from + g->n; i++)
		switch (f->d->found[i].says) {
		case PARTNER_OK:
		case PARTNER_UNKNOWN_ID:
			break;
		/* About the login or the load, not about a program. */
		case PARTNER_BAD_LOGIN:
		case PARTNER_LIMITED:
		case PARTNER_UNAVAILABLE:
			return false;
		default:
			return true;
		}
	return false;
}

static void
note_answer(struct fan *f, const struct group *g, struct upstream_call *call)
{
	turn_heed(f->r, &f->budget, call);
	if (call->retry_after_ms > f->d->retry_after_ms)
		f->d->retry_after_ms = call->retry_after_ms;
	partner_info_read(call, f->r->arena, &f->d->ids[g->from], g->n,
	    &f->d->found[g->from]);
}

/* Asks for some groups; halves of those that failed come in their place. */
static void
ask_groups(struct fan *f, size_t n)
{
	struct group	*asked = arena_alloc(f->r->arena,
			    n * sizeof(*asked));
	size_t		 left = f->ngroups - n;

	for (size_t i = 0; i < n; i++) {
		struct group	*g = &asked[i];

		*g = f->groups[left + i];
		partner_info(&f->calls[i], f->r->arena, f->r->conf,
		    f->r->login->authorization, partner_ids(f->r->arena,
		    &f->d->ids[g->from], g->n), deadline_of(f, g));
	}
	f->ngroups = left;
	upstream_fanout(f->r->upstream, f->calls, n,
	    (size_t)f->r->conf->live_fanout);
	for (size_t i = 0; i < n; i++) {
		note_answer(f, &asked[i], &f->calls[i]);
		if (!should_split(f, &asked[i]))
			continue;
		log_info("details: group failed, asking in halves",
		    F_INT("programs", asked[i].n), F_STR("why",
		    f->d->found[asked[i].from].why));
		divide(f, asked[i].from, asked[i].n, 2);
	}
}

/* No call is left for these; what a group failed with before stays. */
static void
refuse_rest(struct fan *f, int64_t retry_ms)
{
	for (size_t i = 0; i < f->d->n; i++) {
		struct partner_detail	*found = &f->d->found[i];

		if (found->says != PARTNER_OK || found->program != NULL)
			continue;
		found->says = PARTNER_LIMITED;
		found->why = TURN_REFUSED_WHY;
		if (retry_ms > f->d->retry_after_ms)
			f->d->retry_after_ms = retry_ms;
	}
}

void
details_fetch(struct req *r, struct details *d)
{
	struct fan	 f = { .r = r, .d = d };
	int64_t		 retry_ms, ncalls;

	d->retry_after_ms = -1;
	d->found = arena_alloc(r->arena, (d->n + 1) * sizeof(*d->found));
	f.groups = arena_alloc(r->arena, (d->n + 1) * sizeof(*f.groups));
	f.calls = arena_alloc(r->arena, (d->n + 1) * sizeof(*f.calls));
	if (d->n == 0)
		return;
	f.budget = partner_budget(r->conf, r->login->user, PARTNER_INFO);
	ncalls = turn_take(r, &f.budget, (int64_t)d->n, &retry_ms);
	divide(&f, 0, d->n, ncalls > 0 ? (size_t)ncalls : 1);
	while (f.ngroups > 0 && ncalls > 0) {
		ask_groups(&f, (size_t)ncalls < f.ngroups ? (size_t)ncalls :
		    f.ngroups);
		if (f.ngroups > 0)
			ncalls = turn_take(r, &f.budget, (int64_t)f.ngroups,
			    &retry_ms);
	}
	refuse_rest(&f, retry_ms);
}
