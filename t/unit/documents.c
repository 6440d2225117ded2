/* Distinct JSON texts, each once, and the numbers by which rows name them. */

#include "data/documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/db.h"

static struct documents	 d;

static int
setup(void **state)
{
	(void)state;
	documents_init(&d);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	documents_free(&d);
	return 0;
}

static void
none_are_an_empty_array(void **state)
{
	(void)state;
	assert_string_equal(documents_arg(&d).p, "[]");
}

static void
each_has_the_number_of_its_place(void **state)
{
	(void)state;
	assert_int_equal(documents_add(&d, "[\"a\"]"), 0);
	assert_int_equal(documents_add(&d, "[]"), 1);
	assert_int_equal(documents_add(&d, "{\"b\":[1]}"), 2);
	assert_string_equal(documents_arg(&d).p, "[[\"a\"],[],{\"b\":[1]}]");
}

static void
the_same_text_is_sent_once(void **state)
{
	char	 again[] = "[\"a\"]";

	(void)state;
	assert_int_equal(documents_add(&d, "[\"a\"]"), 0);
	assert_int_equal(documents_add(&d, "[]"), 1);
	assert_int_equal(documents_add(&d, again), 0);
	assert_int_equal(documents_add(&d, "[\"a\", 1]"), 2);
	assert_string_equal(documents_arg(&d).p, "[[\"a\"],[],[\"a\", 1]]");
}

static void
too_much_makes_the_call_fail(void **state)
{
	size_t	 n = 40u << 20;
	char	*one = malloc(n + 1), *other = malloc(n + 1);

	(void)state;
	assert_true(one != NULL && other != NULL);
	memset(one, '1', n);
	memset(other, '2', n);
	one[n] = other[n] = '\0';
	documents_add(&d, one);
	documents_add(&d, other);
	assert_true(documents_arg(&d).broken);
	documents_free(&d);
	free(one);
	free(other);
	documents_init(&d);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(none_are_an_empty_array, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    each_has_the_number_of_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_text_is_sent_once,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(too_much_makes_the_call_fail,
		    setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
