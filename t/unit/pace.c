/* How many calls may run at once, and what a budget keeps back. */

#include "net/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/budget.h"

/* Rounds of equal calls until n have been made, each as wide as it may be. */
static int
rounds(int start, int max, int n)
{
	struct pace	 p;
	int		 count = 0;

	pace_init(&p, start, max);
	while (n > 0) {
		int	 wide = p.cap;

		for (int i = 0; i < wide; i++)
			pace_good(&p);
		n -= wide;
		count++;
	}
	return count;
}

static void
it_rises_by_one_a_round_up_to_its_maximum(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 2, 4);
	assert_int_equal(p.cap, 2);
	pace_good(&p);
	assert_int_equal(p.cap, 2);
	pace_good(&p);
	assert_int_equal(p.cap, 3);
	for (int i = 0; i < 100; i++)
		pace_good(&p);
	assert_int_equal(p.cap, 4);
}

static void
what_a_careful_start_costs(void **state)
{
	(void)state;
	assert_int_equal(rounds(8, 8, 48), 6);
	assert_int_equal(rounds(6, 8, 48), 7);
	assert_int_equal(rounds(6, 8, 67), 9);
	assert_int_equal(rounds(8, 8, 67), 9);
}

static void
trouble_halves_it_and_never_ends_it(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 8, 8);
	pace_trouble(&p);
	assert_int_equal(p.cap, 4);
	for (int i = 0; i < 3; i++)
		pace_good(&p);
	pace_trouble(&p);
	assert_int_equal(p.cap, 2);
	for (int i = 0; i < 5; i++)
		pace_trouble(&p);
	assert_int_equal(p.cap, 1);
	pace_good(&p);
	assert_int_equal(p.cap, 2);
}

static void
a_start_above_the_maximum_is_the_maximum(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 6, 2);
	assert_int_equal(p.cap, 2);
}

static void
jobs_leave_the_reserve_but_never_all(void **state)
{
	struct budget	 b = { .rate = 10, .burst = 10, .reserve = 20 };

	(void)state;
	assert_int_equal(budget_share(&b, true), 10);
	assert_int_equal(budget_share(&b, false), 8);
	b.reserve = 21;		/* a part of a call is a call */
	assert_int_equal(budget_share(&b, false), 7);
	b.reserve = 0;
	assert_int_equal(budget_share(&b, false), 10);
	b.reserve = 90;
	b.burst = 1;
	assert_int_equal(budget_share(&b, false), 1);
	b.burst = 3;
	assert_int_equal(budget_share(&b, false), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_rises_by_one_a_round_up_to_its_maximum),
		cmocka_unit_test(what_a_careful_start_costs),
		cmocka_unit_test(trouble_halves_it_and_never_ends_it),
		cmocka_unit_test(a_start_above_the_maximum_is_the_maximum),
		cmocka_unit_test(jobs_leave_the_reserve_but_never_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
