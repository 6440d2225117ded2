#include "analytics/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analytics/token.h"
#include "core/arena.h"
#include "core/json.h"

static struct plan
plan_of(int64_t total, int64_t batch)
{
	return (struct plan){ .began = "now", .period = { "2026-01-01",
	    "2026-01-30" }, .batch = batch, .total = total };
}

static void
four_hundred_thirty_eight_products_are_ten_calls(void **state)
{
	const int64_t	 now[WB_METHOD__MAX] = { 0 };
	const int64_t	 step[WB_METHOD__MAX] = { 20500, 20500 };
	struct plan	 p = plan_of(438, 10);

	(void)state;
	assert_int_equal(plan_calls(&p, WB_FUNNEL), 1);
	assert_int_equal(plan_calls(&p, WB_TEXTS), 9);
	assert_int_equal(plan_batches(&p, 438), 44);
	assert_int_equal(plan_eta_ms(&p, now, step, 0), 164000);
}

/* Each page but the first begins with the last row of the one before. */
static void
a_list_has_so_many_pages(void **state)
{
	const struct { int64_t total, offset, calls; } cases[] = {
		{ 0, 0, 1 }, { 438, 0, 1 }, { 999, 0, 1 }, { 1000, 0, 2 },
		{ 1998, 0, 2 }, { 1999, 0, 3 }, { 1999, 999, 2 },
		{ 1999, 1998, 1 }, { 500, 999, 1 },
	};
	const int64_t	 now[WB_METHOD__MAX] = { 0 };
	const int64_t	 step[WB_METHOD__MAX] = { 20500, 20500 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan	 p = plan_of(cases[i].total, 10);

		p.all = true;
		p.parts[WB_FUNNEL].offset = cases[i].offset;
		assert_int_equal(plan_calls(&p, WB_FUNNEL), cases[i].calls);
		assert_int_equal(plan_eta_ms(&p, now, step, 0),
		    (cases[i].calls + plan_calls(&p, WB_TEXTS) - 1 -
		    (cases[i].total > 0)) * INT64_C(20500));
		p.parts[WB_FUNNEL].listed = true;
		p.parts[WB_FUNNEL].n = cases[i].total;
		assert_int_equal(plan_calls(&p, WB_FUNNEL), 0);
	}
}

static void
a_base_token_takes_eight_hours_and_more(void **state)
{
	const int64_t	 now[WB_METHOD__MAX] = { 0 };
	const int64_t	 step[WB_METHOD__MAX] = { 1830000, 3660000 };
	struct plan	 p = plan_of(438, 10);

	(void)state;
	assert_int_equal(plan_eta_ms(&p, now, step, 0), 8 * 3660000);
}

/* A week is shown to be all there is by the chunk that was refused before. */
static void
texts_are_asked_for_by_the_week_when_more_is_refused(void **state)
{
	struct plan	 p = plan_of(120, 10);

	(void)state;
	p.week = "2026-01-24";
	assert_string_equal(plan_texts_period(&p).start, "2026-01-01");
	assert_true(plan_narrow(&p, 50));
	assert_false(plan_narrow(&p, 50));
	assert_string_equal(plan_texts_period(&p).start, "2026-01-24");
	assert_string_equal(plan_texts_period(&p).end, "2026-01-30");
	assert_true(plan_narrow_shown(&p, 0, 50));
	assert_false(plan_narrow_shown(&p, 90, 50));
	assert_true(p.narrow);
}

static void
a_week_that_only_halves_are_taken_for_shows_nothing(void **state)
{
	struct plan	 p = plan_of(120, 10);
	int64_t		 ids[50];

	(void)state;
	for (int64_t i = 0; i < 50; i++)
		ids[i] = i + 1;
	assert_true(plan_narrow(&p, 50));
	assert_int_equal(plan_split(&p.parts[WB_TEXTS], ids, 50), 0);
	plan_advance(&p.parts[WB_TEXTS], 25, 25);
	assert_false(plan_narrow_shown(&p, 0, 25));
	assert_true(p.narrow);
	plan_advance(&p.parts[WB_TEXTS], 50, 25);
	assert_false(plan_narrow_shown(&p, 25, 25));
	assert_false(p.narrow);
	assert_false(plan_narrow_shown(&p, 50, 50));
	assert_false(plan_narrow(&p, 50));
}

static void
done_is_what_both_parts_have_passed(void **state)
{
	struct plan	 p = plan_of(100, 10);

	(void)state;
	plan_advance(&p.parts[WB_FUNNEL], 900, 100);
	assert_int_equal(plan_done(&p), 0);
	plan_advance(&p.parts[WB_TEXTS], 500, 50);
	assert_int_equal(plan_done(&p), 50);
	p.parts[WB_TEXTS].off = "no_jam";
	assert_int_equal(plan_done(&p), 100);
	assert_int_equal(plan_calls(&p, WB_TEXTS), 0);
}

/* Which ids a chunk would hold, as next_chunk() asks for them. */
static size_t
chunk(const struct plan_part *part, const int64_t *ids, size_t n,
    int64_t out[])
{
	size_t	 m = 0;

	for (size_t i = 0; i < n && m < WB_TEXTS_MAX; i++)
		if (ids[i] > part->after && (part->nbounds == 0 ||
		    ids[i] <= part->bounds[0]))
			out[m++] = ids[i];
	return m;
}

static void
one_bad_product_among_fifty_is_found(void **state)
{
	int64_t	 ids[120], got[WB_TEXTS_MAX];

	(void)state;
	for (size_t i = 0; i < 120; i++)
		ids[i] = (int64_t)(i * 7 + 3);
	for (size_t bad = 0; bad < 120; bad++) {
		struct plan_part part = { 0 };
		int		 calls = 0, lost = 0;
		size_t		 m, passed = 0;

		while ((m = chunk(&part, ids, 120, got)) > 0) {
			bool	 holds = false;

			calls++;
			assert_true(calls < 30);
			for (size_t i = 0; i < m; i++) {
				assert_int_equal(got[i], ids[passed + i]);
				holds |= got[i] == ids[bad];
			}
			if (holds && m > 1) {
				assert_int_equal(plan_split(&part, got, m), 0);
				continue;
			}
			lost += holds;
			passed += m;
			plan_advance(&part, got[m - 1], (int64_t)m);
		}
		assert_int_equal(lost, 1);
		assert_int_equal(passed, 120);
		assert_int_equal(part.nbounds, 0);
		assert_true(calls <= 3 + 2 * 6);
	}
}

static void
halving_comes_to_an_end(void **state)
{
	struct plan_part part = { 0 };
	int64_t		 ids[WB_TEXTS_MAX], got[WB_TEXTS_MAX];
	size_t		 m;
	int		 calls = 0;

	(void)state;
	for (size_t i = 0; i < WB_TEXTS_MAX; i++)
		ids[i] = (int64_t)i + 1;
	while ((m = chunk(&part, ids, WB_TEXTS_MAX, got)) > 0) {
		assert_true(++calls < 2 * WB_TEXTS_MAX);
		if (m == 1 || plan_split(&part, got, m) == -1)
			plan_advance(&part, got[m - 1], (int64_t)m);
	}
}

/* As when what a half was about is removed between two calls. */
static void
an_empty_half_is_left_for_the_next(void **state)
{
	struct plan_part part = { .n = 3 };
	const int64_t	 ids[] = { 5, 9, 11, 20 };

	(void)state;
	assert_false(plan_leave_half(&part));
	assert_int_equal(plan_split(&part, ids, 4), 0);
	assert_true(plan_leave_half(&part));
	assert_int_equal(part.after, 9);
	assert_int_equal(part.n, 3);
	assert_int_equal(part.nbounds, 1);
	assert_int_equal(part.bounds[0], 20);
	assert_true(plan_leave_half(&part));
	assert_int_equal(part.after, 20);
	assert_false(plan_leave_half(&part));
}

static void
what_an_answer_has_brought_needs_no_call(void **state)
{
	struct plan	 p = plan_of(53, 10);

	(void)state;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 2);
	p.parts[WB_TEXTS].answered = 50;
	p.parts[WB_TEXTS].n = 10;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 1);
	p.parts[WB_TEXTS].n = 50;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 1);
	p.parts[WB_TEXTS].answered = 53;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 0);
}

static void
without_jam_one_call_looks_for_texts(void **state)
{
	struct plan	 p = plan_of(438, 10);

	(void)state;
	p.no_jam = true;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 1);
	p.parts[WB_TEXTS].good = true;
	assert_int_equal(plan_calls(&p, WB_TEXTS), 9);
}

/* 44 batches of figures, and as many of texts. */
static void
rests_between_batches_are_foreseen(void **state)
{
	const int64_t	 now[WB_METHOD__MAX] = { 0 };
	const int64_t	 step[WB_METHOD__MAX] = { 20500, 20500 };
	struct plan	 p = plan_of(438, 10);

	(void)state;
	assert_int_equal(plan_eta_ms(&p, now, step, 100), 164000);
	assert_int_equal(plan_eta_ms(&p, now, step, 5000), 87 * 5000);
	p.no_jam = true;
	assert_int_equal(plan_eta_ms(&p, now, step, 5000), 43 * 5000);
	p.parts[WB_FUNNEL].n = 430;
	assert_int_equal(plan_eta_ms(&p, now, step, 5000), 0);
}

static void
a_checkpoint_brings_the_plan_back(void **state)
{
	struct arena	*a = arena_new();
	struct json	*checkpoint = json_new_obj(a);
	struct plan	 p = plan_of(438, 7), q;
	int64_t		 ids[] = { 5, 9, 11, 20 };

	(void)state;
	assert_int_equal(plan_read(&q, a, checkpoint), -1);
	p.failed = true;
	p.parts[WB_FUNNEL].done = true;
	plan_advance(&p.parts[WB_TEXTS], 4, 30);
	assert_int_equal(plan_split(&p.parts[WB_TEXTS], ids, 4), 0);
	p.parts[WB_TEXTS].off = "no_jam";
	p.parts[WB_TEXTS].why = "because";
	plan_write(&p, a, checkpoint);
	assert_int_equal(plan_read(&q, a, checkpoint), 0);
	assert_string_equal(q.period.end, "2026-01-30");
	assert_int_equal(q.total, 438);
	assert_int_equal(q.batch, 7);
	assert_true(q.failed && !q.all && q.parts[WB_FUNNEL].done);
	assert_int_equal(q.parts[WB_TEXTS].n, 30);
	assert_int_equal(q.parts[WB_TEXTS].nbounds, 2);
	assert_int_equal(q.parts[WB_TEXTS].bounds[0], 9);
	assert_int_equal(q.parts[WB_TEXTS].bounds[1], 20);
	assert_string_equal(q.parts[WB_TEXTS].off, "no_jam");
	arena_free(a);
}

static void
a_token_says_what_it_is(void **state)
{
	struct arena	*a = arena_new();
	struct token	 t;

	(void)state;
	/* {"acc":1,"exp":1800000000,"oid":4100} */
	token_read(&t, a, "x.eyJhY2MiOjEsImV4cCI6MTgwMDAwMDAwMCwib2lkIjo0MTAwfQ"
	    ".y");
	assert_string_equal(t.kind, "base");
	assert_int_equal(t.expires_s, 1800000000);
	assert_string_equal(t.seller, "oid 4100");
	/* {"acc":3,"sid":"abc","exp":-5} */
	token_read(&t, a, "x.eyJhY2MiOjMsInNpZCI6ImFiYyIsImV4cCI6LTV9.y");
	assert_string_equal(t.kind, "personal");
	assert_int_equal(t.expires_s, -1);
	assert_string_equal(t.seller, "sid abc");
	arena_free(a);
}

static void
what_is_no_token_says_nothing(void **state)
{
	static const char *const texts[] = { "", "abc", "a.b", "..", "a.!!.c",
	    "a.e30.c", "a.W10.c", "a.eyJhY2MiOiJ4In0.c", "a.eyJhY2MiOjl9.c",
	    "\xff.\xff.\xff" };
	struct arena	*a = arena_new();
	struct token	 t;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		token_read(&t, a, texts[i]);
		assert_string_equal(t.kind, "unknown");
		assert_int_equal(t.expires_s, -1);
		assert_null(t.seller);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(
		    four_hundred_thirty_eight_products_are_ten_calls),
		cmocka_unit_test(a_list_has_so_many_pages),
		cmocka_unit_test(a_base_token_takes_eight_hours_and_more),
		cmocka_unit_test(
		    texts_are_asked_for_by_the_week_when_more_is_refused),
		cmocka_unit_test(
		    a_week_that_only_halves_are_taken_for_shows_nothing),
		cmocka_unit_test(done_is_what_both_parts_have_passed),
		cmocka_unit_test(one_bad_product_among_fifty_is_found),
		cmocka_unit_test(halving_comes_to_an_end),
		cmocka_unit_test(an_empty_half_is_left_for_the_next),
		cmocka_unit_test(what_an_answer_has_brought_needs_no_call),
		cmocka_unit_test(without_jam_one_call_looks_for_texts),
		cmocka_unit_test(rests_between_batches_are_foreseen),
		cmocka_unit_test(a_checkpoint_brings_the_plan_back),
		cmocka_unit_test(a_token_says_what_it_is),
		cmocka_unit_test(what_is_no_token_says_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
