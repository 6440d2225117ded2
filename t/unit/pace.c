/* The cap on concurrency: down at once, up slowly, never out of bounds. */

#include "net/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
good(struct pace *p, int n)
{
	while (n-- > 0)
		pace_good(p);
}

static void
it_starts_at_what_is_allowed(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 8);
	assert_int_equal(p.cap, 8);
	good(&p, 1000);
	assert_int_equal(p.cap, 8);
}

static void
each_trouble_halves_it_down_to_one(void **state)
{
	static const int	 caps[] = { 6, 3, 1, 1, 1 };
	struct pace		 p;

	(void)state;
	pace_init(&p, 13);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		pace_trouble(&p);
		assert_int_equal(p.cap, caps[i]);
	}
}

static void
a_capful_of_good_answers_raises_it_by_one(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 8);
	pace_trouble(&p);
	for (int cap = 4; cap < 8; cap++) {
		good(&p, cap - 1);
		assert_int_equal(p.cap, cap);
		good(&p, 1);
		assert_int_equal(p.cap, cap + 1);
	}
	good(&p, 100);
	assert_int_equal(p.cap, 8);
}

static void
trouble_takes_back_what_was_earned(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 8);
	pace_trouble(&p);
	good(&p, 3);
	pace_trouble(&p);
	assert_int_equal(p.cap, 2);
	good(&p, 1);
	assert_int_equal(p.cap, 2);
	good(&p, 1);
	assert_int_equal(p.cap, 3);
}

static void
one_at_a_time_stays_possible(void **state)
{
	struct pace	 p;

	(void)state;
	pace_init(&p, 1);
	pace_trouble(&p);
	good(&p, 10);
	assert_int_equal(p.cap, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_at_what_is_allowed),
		cmocka_unit_test(each_trouble_halves_it_down_to_one),
		cmocka_unit_test(a_capful_of_good_answers_raises_it_by_one),
		cmocka_unit_test(trouble_takes_back_what_was_earned),
		cmocka_unit_test(one_at_a_time_stays_possible),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
