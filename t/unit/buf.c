/* A growing run of bytes with a bound. */

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
bytes_are_appended_and_followed_by_a_nul(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 100);
	assert_null(b.data);
	assert_int_equal(buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(buf_addstr(&b, "cd"), 0);
	assert_int_equal(buf_printf(&b, "%d", 42), 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "a\0bcd42", 8);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void
it_holds_max_bytes_and_not_one_more(void **state)
{
	struct buf	 b;
	int		 i;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(buf_add(&b, "x", 1), 0);
	assert_int_equal(buf_add(&b, "x", 1), -1);
	assert_int_equal(buf_addstr(&b, "x"), -1);
	assert_int_equal(buf_printf(&b, "%s", "x"), -1);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_int_equal(b.len, 1000);
	assert_int_equal(strlen(b.data), 1000);
	buf_free(&b);
}

static void
what_would_pass_max_leaves_it_as_it_was(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_addstr(&b, "abcde"), 0);
	assert_int_equal(buf_addstr(&b, "fghi"), -1);
	assert_int_equal(buf_printf(&b, "%s", "fghi"), -1);
	assert_int_equal(buf_add(&b, "x", SIZE_MAX), -1);
	assert_string_equal(b.data, "abcde");
	assert_int_equal(buf_addstr(&b, "fgh"), 0);
	assert_string_equal(b.data, "abcdefgh");
	buf_free(&b);
}

static void
dropping_keeps_the_rest(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 100);
	buf_drop(&b, 0);
	assert_int_equal(buf_addstr(&b, "hello world"), 0);
	buf_drop(&b, 6);
	assert_string_equal(b.data, "world");
	assert_int_equal(b.len, 5);
	buf_drop(&b, 5);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static void
a_reset_keeps_the_memory(void **state)
{
	struct buf	 b;
	char		*before;

	(void)state;
	buf_init(&b, 100);
	buf_reset(&b);
	assert_int_equal(buf_addstr(&b, "hello"), 0);
	before = b.data;
	buf_reset(&b);
	assert_string_equal(b.data, "");
	assert_int_equal(buf_addstr(&b, "again"), 0);
	assert_ptr_equal(b.data, before);
	assert_string_equal(b.data, "again");
	buf_free(&b);
}

static void
it_is_usable_again_after_free(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(buf_addstr(&b, "abc"), 0);
	buf_free(&b);
	assert_int_equal(buf_addstr(&b, "defg"), -1);
	assert_int_equal(buf_addstr(&b, "def"), 0);
	assert_string_equal(b.data, "def");
	buf_free(&b);
}

static void
no_bound_at_all_is_a_bound_too(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_add(&b, "x", SIZE_MAX), -1);
	assert_int_equal(buf_printf(&b, "%05000d", 1), 0);
	assert_int_equal(b.len, 5000);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_appended_and_followed_by_a_nul),
		cmocka_unit_test(it_holds_max_bytes_and_not_one_more),
		cmocka_unit_test(what_would_pass_max_leaves_it_as_it_was),
		cmocka_unit_test(dropping_keeps_the_rest),
		cmocka_unit_test(a_reset_keeps_the_memory),
		cmocka_unit_test(it_is_usable_again_after_free),
		cmocka_unit_test(no_bound_at_all_is_a_bound_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
