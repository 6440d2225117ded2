/* How long to wait before the next try. */

#include "net/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DRAWS	2000

/* The least and the most of many draws. */
static void
draw(int failed, int64_t base_ms, int64_t *least, int64_t *most)
{
	*least = INT64_MAX;
	*most = -1;
	for (int i = 0; i < DRAWS; i++) {
		int64_t	 ms = retry_delay_ms(failed, base_ms);

		*least = ms < *least ? ms : *least;
		*most = ms > *most ? ms : *most;
	}
}

static void
each_failure_doubles_the_wait(void **state)
{
	int64_t	 least, most, base_ms = 1000;

	(void)state;
	for (int failed = 1; failed <= 5; failed++, base_ms *= 2) {
		draw(failed, 1000, &least, &most);
		assert_in_range(least, base_ms, base_ms + base_ms / 20);
		assert_in_range(most, base_ms + base_ms * 45 / 100,
		    base_ms + base_ms / 2);
	}
}

static void
chance_keeps_callers_apart(void **state)
{
	int	 seen[51] = { 0 }, different = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++)
		seen[retry_delay_ms(1, 100) - 100] = 1;
	for (size_t i = 0; i < 51; i++)
		different += seen[i];
	assert_true(different > 40);
}

static void
no_wait_is_over_a_minute(void **state)
{
	static const int	 failures[] = { 6, 7, 8, 10, 64, 1000000 };
	int64_t			 least, most;

	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		draw(failures[i], 60000, &least, &most);
		assert_true(least > 0);
		assert_true(most <= 60000);
		draw(failures[i], INT64_MAX / 2, &least, &most);
		assert_true(least > 0);
		assert_true(most <= 60000);
	}
}

static void
the_longest_wait_is_left_to_chance_too(void **state)
{
	int64_t	 least, most;

	(void)state;
	draw(10, 1000, &least, &most);
	assert_true(least < most);
	assert_true(least >= 30000);
}

static void
the_smallest_base_waits_at_all(void **state)
{
	int64_t	 least, most;

	(void)state;
	draw(1, 1, &least, &most);
	assert_int_equal(least, 1);
	assert_int_equal(most, 1);
	draw(0, 10, &least, &most);
	assert_in_range(least, 10, 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_doubles_the_wait),
		cmocka_unit_test(chance_keeps_callers_apart),
		cmocka_unit_test(no_wait_is_over_a_minute),
		cmocka_unit_test(the_longest_wait_is_left_to_chance_too),
		cmocka_unit_test(the_smallest_base_waits_at_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
