/*
 * The plan of a pass, played against a partner that is a number: rows 0 to
 * rows - 1, and what it says its total is.
 */

#include "programs/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/json.h"

#define LIMIT		40
#define ROWS_MAX	1000

static struct arena	*a;
static struct pages	 p;

/* The partner. */
static int64_t		 rows;		/* that it has */
static int64_t		 says;		/* that it says it has */
static int64_t		 most;		/* rows a page, whatever is asked */
static int		 calls;
static int		 times[ROWS_MAX];	/* each row was read */

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	pages_init(&p, LIMIT);
	rows = says = 0;
	most = LIMIT;
	calls = 0;
	memset(times, 0, sizeof(times));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pages_free(&p);
	arena_free(a);
	return 0;
}

static void
partner(int64_t n)
{
	rows = says = n;
}

static void
again(int64_t limit_of_partner, int64_t n)
{
	pages_free(&p);
	pages_init(&p, LIMIT);
	most = limit_of_partner;
	calls = 0;
	memset(times, 0, sizeof(times));
	partner(n);
}

static size_t
take(void)
{
	size_t	 i;

	assert_true(pages_next(&p, 0, &i));
	assert_int_equal(pages_at(&p, i)->state, PAGE_FLYING);
	return i;
}

/* The partner answers page i; what pages_read() said. */
static bool
answer(size_t i)
{
	struct page	*page = pages_at(&p, i);
	int64_t		 got = page->limit < most ? page->limit : most;

	calls++;
	if (page->offset + got > rows)
		got = page->offset < rows ? rows - page->offset : 0;
	for (int64_t k = 0; k < got; k++)
		times[page->offset + k]++;
	return pages_read(&p, i, got, says);
}

/* Up to at_once pages under way, the last one asked for answers first. */
static void
walk(size_t at_once)
{
	size_t	 flying[64], n = 0;

	while (pages_open(&p)) {
		while (n < at_once && pages_next(&p, 0, &flying[n]))
			n++;
		if (n == 0) {
			/* What was left lay past the end. */
			assert_false(pages_open(&p));
			return;
		}
		assert_true(answer(flying[--n]));
		assert_true(calls < 2000);
	}
}

static void
assert_each_row_once(void)
{
	for (int64_t i = 0; i < rows; i++)
		assert_int_equal(times[i], 1);
}

static void
assert_covered(const char *text)
{
	assert_string_equal(json_dump(a, pages_print(&p, a)), text);
}

static struct json *
parse(const char *text)
{
	const char	*why;
	struct json	*j = json_parse(a, text, strlen(text), &why);

	assert_non_null(j);
	return j;
}

static void
every_row_of_any_total_is_read_once(void **state)
{
	static const size_t	 at_once[] = { 1, 3, 8, 64 };

	(void)state;
	for (size_t w = 0; w < 4; w++)
		for (int64_t n = 0; n <= 300; n++) {
			again(LIMIT, n);
			walk(at_once[w]);
			assert_each_row_once();
			assert_false(p.moved);
			assert_true(p.end_seen);
			assert_int_equal(pages_lost_rows(&p), 0);
			/* One past a full last page, to see the end. */
			assert_int_equal(calls, n / LIMIT + 1);
		}
}

static void
a_partner_that_gives_less_than_asked_is_followed(void **state)
{
	static const int64_t	 steps[] = { 1, 7, 20, 25, 39 };

	(void)state;
	for (size_t s = 0; s < 5; s++)
		for (int64_t n = 0; n <= 200; n += 13) {
			again(steps[s], n);
			walk(8);
			assert_each_row_once();
			assert_int_equal(pages_lost_rows(&p), 0);
		}
}

static void
a_total_known_before_plans_all_pages_at_once(void **state)
{
	size_t	 i;

	(void)state;
	partner(130);
	pages_expect(&p, 130);
	for (int64_t offset = 0; offset < 160; offset += LIMIT)
		assert_int_equal(pages_at(&p, take())->offset, offset);
	assert_false(pages_next(&p, 0, &i));
	for (i = 0; i < 4; i++)
		assert_true(answer(i));
	assert_false(pages_open(&p));
	assert_each_row_once();
	pages_expect(&p, -1);
	assert_false(pages_open(&p));
}

static void
an_old_total_too_high_costs_empty_pages_and_no_loss(void **state)
{
	(void)state;
	partner(90);
	pages_expect(&p, 400);
	walk(8);
	assert_each_row_once();
	assert_false(p.moved);
	assert_int_equal(pages_lost_rows(&p), 0);
}

static void
an_old_total_too_low_is_caught_up(void **state)
{
	(void)state;
	partner(400);
	pages_expect(&p, 90);
	walk(8);
	assert_each_row_once();
	assert_false(p.moved);
}

static void
rows_behind_the_total_are_found(void **state)
{
	(void)state;
	for (int64_t n = 81; n < 200; n += 9) {
		again(LIMIT, n);
		says = 80;
		walk(8);
		assert_each_row_once();
	}
}

static void
a_total_that_moves_is_noticed(void **state)
{
	(void)state;
	partner(100);
	assert_true(answer(take()));
	assert_false(p.moved);
	says = rows = 101;
	walk(8);
	assert_true(p.moved);
	assert_each_row_once();
}

static void
a_total_that_grows_gets_its_pages(void **state)
{
	(void)state;
	partner(60);
	assert_true(answer(take()));
	partner(260);
	walk(8);
	assert_each_row_once();
}

static void
a_total_that_falls_loses_nothing(void **state)
{
	(void)state;
	partner(260);
	assert_true(answer(take()));
	partner(60);
	walk(8);
	assert_each_row_once();
	assert_int_equal(pages_lost_rows(&p), 0);
}

static void
a_page_that_is_empty_before_the_end_is_no_page(void **state)
{
	size_t	 i;

	(void)state;
	partner(100);
	assert_true(answer(take()));
	i = take();
	assert_false(pages_read(&p, i, 0, says));
	assert_int_equal(pages_at(&p, i)->state, PAGE_FLYING);
	assert_true(pages_open(&p));
	pages_retry(&p, i, 0);
	walk(1);
	assert_each_row_once();
	/* Also the first one, also when nothing else is known. */
	again(LIMIT, 0);
	assert_false(pages_read(&p, take(), 0, 1));
}

static void
a_failed_page_waits_for_its_time(void **state)
{
	size_t	 first, i;

	(void)state;
	partner(120);
	pages_expect(&p, 120);
	first = take();
	assert_int_equal(pages_due_ms(&p), 0);
	pages_retry(&p, first, 5000);
	assert_int_equal(pages_at(&p, first)->failed, 1);
	assert_true(pages_next(&p, 4999, &i));
	assert_int_equal(pages_at(&p, i)->offset, 40);
	assert_true(pages_next(&p, 4999, &i));
	assert_int_equal(pages_at(&p, i)->offset, 80);
	assert_false(pages_next(&p, 4999, &i));
	assert_int_equal(pages_due_ms(&p), 5000);
	assert_true(pages_next(&p, 5000, &i));
	assert_int_equal(i, first);
	assert_int_equal(pages_due_ms(&p), -1);
	assert_true(pages_open(&p));
}

static void
a_page_held_back_has_not_failed(void **state)
{
	size_t	 i, k;

	(void)state;
	i = take();
	pages_hold(&p, i, 700);
	assert_int_equal(pages_at(&p, i)->failed, 0);
	assert_int_equal(pages_due_ms(&p), 700);
	assert_false(pages_next(&p, 699, &k));
	assert_true(pages_next(&p, 700, &k));
	assert_int_equal(k, i);
}

static void
what_is_lost_is_counted_in_rows(void **state)
{
	size_t	 i;

	(void)state;
	partner(100);
	assert_true(answer(take()));
	pages_lose(&p, take());
	assert_int_equal(pages_lost_rows(&p), 40);
	i = take();
	assert_int_equal(pages_at(&p, i)->offset, 80);
	pages_lose(&p, i);
	assert_int_equal(pages_lost_rows(&p), 60);
	assert_false(pages_open(&p));
	assert_covered("[[0,40]]");
}

static void
half_a_page_lost_is_half_a_page(void **state)
{
	(void)state;
	partner(100);
	most = 25;
	pages_expect(&p, 40);
	assert_true(answer(take()));
	for (size_t i; pages_next(&p, 0, &i);) {
		if (pages_at(&p, i)->offset == 25)
			pages_lose(&p, i);
		else
			assert_true(answer(i));
	}
	assert_int_equal(pages_lost_rows(&p), 15);
	assert_covered("[[0,25],[40,100]]");
}

static void
what_lies_past_the_end_cannot_be_lost(void **state)
{
	size_t	 late[3];

	(void)state;
	partner(80);
	pages_expect(&p, 200);
	assert_true(answer(take()));
	assert_true(answer(take()));
	for (int i = 0; i < 3; i++)
		late[i] = take();
	for (int i = 0; i < 3; i++)
		pages_lose(&p, late[i]);
	assert_false(pages_open(&p));
	assert_int_equal(pages_lost_rows(&p), 0);
}

static void
past_an_end_that_was_seen_nothing_is_asked(void **state)
{
	size_t	 i;

	(void)state;
	partner(90);
	pages_expect(&p, 400);
	walk(1);
	assert_int_equal(calls, 3);
	assert_each_row_once();
	assert_covered("[[0,90]]");
	assert_int_equal(pages_lost_rows(&p), 0);
	/* Not so while nobody has seen it. */
	again(LIMIT, 80);
	pages_expect(&p, 400);
	walk(1);
	assert_int_equal(calls, 3);
	/* Nor for a page before it that has to be asked for again. */
	again(LIMIT, 90);
	pages_expect(&p, 400);
	i = take();
	assert_true(answer(take()));
	assert_true(answer(take()));
	pages_retry(&p, i, 0);
	walk(1);
	assert_each_row_once();
}

static void
the_first_page_lost_leaves_the_number_unknown(void **state)
{
	(void)state;
	pages_lose(&p, take());
	assert_false(pages_open(&p));
	assert_int_equal(p.total, -1);
	assert_covered("[]");
}

static void
giving_up_ends_what_has_not_begun(void **state)
{
	size_t	 i;

	(void)state;
	partner(200);
	pages_expect(&p, 200);
	i = take();
	pages_lose_rest(&p);
	assert_true(pages_open(&p));
	assert_true(answer(i));
	assert_false(pages_open(&p));
	assert_int_equal(pages_lost_rows(&p), 160);
}

static void
neighbours_are_noted_as_one_range(void **state)
{
	size_t	 i[5];

	(void)state;
	partner(200);
	pages_expect(&p, 200);
	for (int k = 0; k < 5; k++)
		i[k] = take();
	assert_covered("[]");
	assert_true(answer(i[3]));
	assert_covered("[[120,160]]");
	assert_true(answer(i[0]));
	assert_covered("[[0,40],[120,160]]");
	assert_true(answer(i[1]));
	assert_covered("[[0,80],[120,160]]");
	assert_true(answer(i[2]));
	assert_covered("[[0,160]]");
}

/*
 * Reads k pages in an order that seed chooses, stops, goes on from what was
 * noted: no row is read twice, none is missed, also behind the total.
 */
static void
stop_and_resume(int64_t n, int64_t step, int k, unsigned int seed)
{
	struct json	*noted;
	int64_t		 total;

	again(step, n);
	/* A partner that also cuts pages short leaves no way to tell. */
	if (step == LIMIT && n > 60)
		says = n - n % 3 * 10;
	assert_true(answer(take()));
	pages_expect(&p, says);
	while (k-- > 0 && p.ntodo > 0) {
		size_t	 skip[64], nskip = 0, i;

		for (int s = rand_r(&seed) % 5; s > 0 && p.ntodo > 1; s--)
			skip[nskip++] = take();
		i = take();
		assert_true(answer(i));
		while (nskip > 0)
			pages_hold(&p, skip[--nskip], 0);
	}
	noted = pages_print(&p, a);
	total = p.total;
	pages_free(&p);
	pages_init(&p, LIMIT);
	pages_resume(&p, noted, total);
	walk(3);
	assert_each_row_once();
	assert_false(p.moved);
}

static void
a_pass_goes_on_from_wherever_it_stopped(void **state)
{
	static const int64_t	 steps[] = { 40, 25, 7 };

	(void)state;
	for (size_t s = 0; s < 3; s++)
		for (int64_t n = 40; n <= 240; n += 10)
			for (int k = 0; k < 9; k++)
				for (unsigned int seed = 1; seed < 9; seed++)
					stop_and_resume(n, steps[s], k, seed);
}

static void
the_end_is_looked_past_after_a_stop_too(void **state)
{
	(void)state;
	/* All but the second page was read, and 90 rows are not announced. */
	partner(210);
	says = 120;
	pages_resume(&p, parse("[[0,40],[80,120]]"), 120);
	walk(2);
	for (int64_t i = 40; i < 80; i++)
		assert_int_equal(times[i], 1);
	for (int64_t i = 120; i < 210; i++)
		assert_int_equal(times[i], 1);
	/* Everything announced was read. */
	again(LIMIT, 210);
	says = 120;
	pages_resume(&p, parse("[[0,120]]"), 120);
	walk(2);
	for (int64_t i = 120; i < 210; i++)
		assert_int_equal(times[i], 1);
}

static void
resuming_from_nothing_is_a_beginning(void **state)
{
	(void)state;
	partner(90);
	pages_resume(&p, parse("[]"), 90);
	walk(4);
	assert_each_row_once();
	again(LIMIT, 90);
	pages_resume(&p, NULL, 90);
	walk(4);
	assert_each_row_once();
	again(LIMIT, 0);
	pages_resume(&p, parse("[]"), 0);
	walk(4);
	assert_int_equal(calls, 1);
}

static void
ranges_that_make_no_sense_are_read_again(void **state)
{
	static const char *const	 noted[] = {
		"[[40,0]]", "[[40,40]]", "[[-80,40]]", "[[0]]", "[[]]", "[5]",
		"[\"x\"]", "[[\"0\",\"40\"]]", "[[0.5,40]]", "[null]", "{}",
		"[[80,90],[0,40]]", "[[0,40],[20,60]]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++) {
		again(LIMIT, 90);
		pages_resume(&p, parse(noted[i]), 90);
		walk(4);
		for (int64_t k = 0; k < rows; k++)
			assert_true(times[k] == 1 ||
			    (times[k] == 0 && ((i == 11 && k >= 80) ||
			    (i == 12 && k < 40))));
	}
}

static void
a_total_out_of_this_world_is_bounded(void **state)
{
	(void)state;
	pages_expect(&p, INT64_MAX);
	assert_true(p.too_long);
	assert_true(p.n <= 50000);
	again(LIMIT, 40);
	says = INT64_MAX - 5;
	assert_true(answer(take()));
	assert_true(p.too_long);
	assert_true(pages_open(&p));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_of_any_total_is_read_once),
		TEST(a_partner_that_gives_less_than_asked_is_followed),
		TEST(a_total_known_before_plans_all_pages_at_once),
		TEST(an_old_total_too_high_costs_empty_pages_and_no_loss),
		TEST(an_old_total_too_low_is_caught_up),
		TEST(rows_behind_the_total_are_found),
		TEST(a_total_that_moves_is_noticed),
		TEST(a_total_that_grows_gets_its_pages),
		TEST(a_total_that_falls_loses_nothing),
		TEST(a_page_that_is_empty_before_the_end_is_no_page),
		TEST(a_failed_page_waits_for_its_time),
		TEST(a_page_held_back_has_not_failed),
		TEST(what_is_lost_is_counted_in_rows),
		TEST(half_a_page_lost_is_half_a_page),
		TEST(what_lies_past_the_end_cannot_be_lost),
		TEST(past_an_end_that_was_seen_nothing_is_asked),
		TEST(the_first_page_lost_leaves_the_number_unknown),
		TEST(giving_up_ends_what_has_not_begun),
		TEST(neighbours_are_noted_as_one_range),
		TEST(a_pass_goes_on_from_wherever_it_stopped),
		TEST(the_end_is_looked_past_after_a_stop_too),
		TEST(resuming_from_nothing_is_a_beginning),
		TEST(ranges_that_make_no_sense_are_read_again),
		TEST(a_total_out_of_this_world_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
