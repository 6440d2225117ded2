/* The plan of a pass: a list of pages that grows as the partner answers. */
#include "programs/pages.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"

#define PAGES_MAX	50000	/* two million programs: a bound, no more */

static void
add(struct pages *p, int64_t offset, int64_t limit)
{
	if (p->n == PAGES_MAX) {
		p->too_long = true;
		return;
	}
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 64 : p->cap * 2;
		p->pages = reallocarray(p->pages, p->cap, sizeof(*p->pages));
		if (p->pages == NULL)
			fatal("pages: out of memory");
	}
	p->pages[p->n++] = (struct page){ .offset = offset, .limit = limit };
	p->ntodo++;
}

void
pages_init(struct pages *p, int64_t limit)
{
	memset(p, 0, sizeof(*p));
	p->limit = limit;
	p->total = -1;
	add(p, 0, limit);
	p->planned = limit;
}

void
pages_free(struct pages *p)
{
	free(p->pages);
	memset(p, 0, sizeof(*p));
}

void
pages_expect(struct pages *p, int64_t total)
{
	while (p->planned < total && !p->too_long) {
		add(p, p->planned, p->limit);
		p->planned += p->limit;
	}
}

struct page *
pages_at(struct pages *p, size_t index)
{
	return &p->pages[index];
}

/* Planned by an older total, and the end has been seen since. */
static bool
is_past_end(const struct pages *p, const struct page *page)
{
	return p->end_seen && page->offset > 0 && page->offset >= p->total;
}

bool
pages_next(struct pages *p, int64_t now_ms, size_t *index)
{
	while (p->first_todo < p->n &&
	    p->pages[p->first_todo].state != PAGE_TODO)
		p->first_todo++;
	for (size_t i = p->first_todo; i < p->n && p->ntodo > 0; i++) {
		struct page	*page = &p->pages[i];

		if (page->state != PAGE_TODO || page->not_before_ms > now_ms)
			continue;
		p->ntodo--;
		if (is_past_end(p, page)) {
			page->state = PAGE_READ;
			continue;
		}
		page->state = PAGE_FLYING;
		p->nflying++;
		*index = i;
		return true;
	}
	return false;
}

size_t
pages_ready(const struct pages *p, int64_t now_ms, size_t max)
{
	size_t	 n = 0;

	for (size_t i = p->first_todo; i < p->n && n < max && n < p->ntodo;
	    i++)
		n += p->pages[i].state == PAGE_TODO &&
		    p->pages[i].not_before_ms <= now_ms;
	return n;
}

int64_t
pages_due_ms(const struct pages *p)
{
	int64_t	 due_ms = -1;

	for (size_t i = p->first_todo; i < p->n && p->ntodo > 0; i++)
		if (p->pages[i].state == PAGE_TODO && (due_ms == -1 ||
		    p->pages[i].not_before_ms < due_ms))
			due_ms = p->pages[i].not_before_ms;
	return due_ms;
}

bool
pages_open(const struct pages *p)
{
	return p->ntodo + p->nflying > 0;
}

/* A full page at the planned end may have another one behind it. */
static void
look_past_end(struct pages *p, const struct page *page)
{
	int64_t	 end = page->offset + page->got;

	if (end < p->total)
		return;
	if (page->got < page->limit)
		p->end_seen = true;
	else if (!p->end_seen && end >= p->planned) {
		add(p, p->planned, p->limit);
		p->planned += p->limit;
	}
}

bool
pages_read(struct pages *p, size_t index, int64_t got, int64_t total)
{
	struct page	*page = &p->pages[index];
	int64_t		 end = page->offset + got;

	if (p->total != -1 && p->total != total)
		p->moved = true;
	p->total = total;
	pages_expect(p, total);
	page = &p->pages[index];
	if (got == 0 && page->offset < total)
		return false;

	page->state = PAGE_READ;
	page->got = got;
	p->nflying--;
	/* Fewer rows than asked for, and more to come: a smaller step. */
	if (got < page->limit && end < total && end < page->offset +
	    page->limit)
		add(p, end, page->limit - got);
	look_past_end(p, &p->pages[index]);
	return true;
}

static void
land(struct pages *p, size_t index, enum page_state state,
    int64_t not_before_ms)
{
	struct page	*page = &p->pages[index];

	page->state = state;
	page->not_before_ms = not_before_ms;
	p->nflying--;
	if (state != PAGE_TODO)
		return;
	p->ntodo++;
	if (index < p->first_todo)
		p->first_todo = index;
}

void
pages_retry(struct pages *p, size_t index, int64_t not_before_ms)
{
	p->pages[index].failed++;
	land(p, index, PAGE_TODO, not_before_ms);
}

void
pages_hold(struct pages *p, size_t index, int64_t not_before_ms)
{
	land(p, index, PAGE_TODO, not_before_ms);
}

void
pages_lose(struct pages *p, size_t index)
{
	/* What lies past the end, planned by an old total, is no loss. */
	if (p->total != -1 && p->pages[index].offset > 0 &&
	    p->pages[index].offset >= p->total) {
		p->end_seen = true;
		land(p, index, PAGE_READ, 0);
	} else
		land(p, index, PAGE_LOST, 0);
}

void
pages_lose_rest(struct pages *p)
{
	for (size_t i = p->first_todo; i < p->n; i++)
		if (p->pages[i].state == PAGE_TODO) {
			p->pages[i].state = PAGE_LOST;
			p->ntodo--;
		}
}

int64_t
pages_lost_rows(const struct pages *p)
{
	int64_t	 rows = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct page	*page = &p->pages[i];
		int64_t			 end = page->offset + page->limit;

		if (page->state != PAGE_LOST)
			continue;
		if (p->total != -1 && end > p->total)
			end = p->total;
		if (end > page->offset)
			rows += end - page->offset;
	}
	return rows;
}

static int
by_offset(const void *a, const void *b)
{
	const struct page	*x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct json *
range(struct arena *a, int64_t from, int64_t to)
{
	struct json	*pair = json_new_arr(a);

	json_push_int(pair, from);
	json_push_int(pair, to);
	return pair;
}

struct json *
pages_print(const struct pages *p, struct arena *a)
{
	struct json	*list = json_new_arr(a);
	struct page	*sorted = arena_alloc(a, p->n * sizeof(*sorted));
	int64_t		 from = -1, to = -1;

	memcpy(sorted, p->pages, p->n * sizeof(*sorted));
	qsort(sorted, p->n, sizeof(*sorted), by_offset);
	for (size_t i = 0; i < p->n; i++) {
		if (sorted[i].state != PAGE_READ || sorted[i].got == 0)
			continue;
		if (sorted[i].offset != to) {
			if (from != -1)
				json_push(list, range(a, from, to));
			from = sorted[i].offset;
		}
		to = sorted[i].offset + sorted[i].got;
	}
	if (from != -1)
		json_push(list, range(a, from, to));
	return list;
}

/* Rows [from, to) as pages of at most the limit. */
static void
plan_gap(struct pages *p, int64_t from, int64_t to)
{
	for (; from < to; from += p->limit)
		add(p, from, to - from < p->limit ? to - from : p->limit);
}

/* What was read before, as one page that needs no reading. */
static void
plan_read(struct pages *p, int64_t from, int64_t to)
{
	add(p, from, to - from);
	if (p->too_long)
		return;
	p->pages[p->n - 1].state = PAGE_READ;
	p->pages[p->n - 1].got = to - from;
	p->ntodo--;
}

void
pages_resume(struct pages *p, const struct json *covered, int64_t total)
{
	int64_t	 at = 0, from, to;

	p->n = p->ntodo = p->first_todo = 0;
	p->total = total;
	for (size_t i = 0; i < json_count(covered); i++) {
		const struct json	*pair = json_at(covered, i);

		if (json_whole(json_at(pair, 0), &from) == -1 ||
		    json_whole(json_at(pair, 1), &to) == -1 ||
		    from < at || to <= from)
			continue;
		plan_gap(p, at, from);
		plan_read(p, from, to);
		at = to;
	}
	p->planned = at;
	pages_expect(p, total);
	/* The last rows are there, but who knows whether nothing follows. */
	if (at >= total) {
		add(p, p->planned, p->limit);
		p->planned += p->limit;
	}
}
