/* Pages that come again as they were are known; whatever differs is not. */

#include "programs/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "programs/program.h"

static struct arena	*a;
static struct digest	 d;

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	digest_open(&d, (struct bytes){ NULL, 0 });
	digest_begin(&d, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	digest_close(&d);
	arena_free(a);
	return 0;
}

/* A page of these ids, each a letter, whose values are all that byte. */
static bool
page(const char *ids, int value)
{
	unsigned char	 hash[PROGRAM_HASH_SIZE];

	memset(hash, value, sizeof(hash));
	for (const char *p = ids; *p != '\0'; p++)
		digest_program(&d, (char[]){ *p, '\0' }, hash);
	return digest_page(&d, true);
}

static int
order(const void *x, const void *y)
{
	return memcmp(x, y, DIGEST_SIZE);
}

/* What was read is what the next reading knows, as digest_keep() keeps it. */
static void
next_reading(void)
{
	char	*kept = arena_alloc(a, d.read.len + 1);
	size_t	 n = d.read.len;

	if (n > 0) {
		memcpy(kept, d.read.data, n);
		qsort(kept, n / DIGEST_SIZE, DIGEST_SIZE, order);
	}
	digest_close(&d);
	digest_open(&d, (struct bytes){ kept, n });
	digest_begin(&d, true);
}

static void
a_first_reading_knows_nothing(void **state)
{
	(void)state;
	assert_false(page("abc", 1));
	assert_false(page("", 1));
}

static void
pages_that_come_again_are_known(void **state)
{
	(void)state;
	page("abc", 1);
	page("de", 1);
	page("", 1);
	next_reading();
	assert_true(page("de", 1));
	assert_true(page("abc", 1));
	assert_true(page("", 1));
}

static void
whatever_differs_is_not(void **state)
{
	(void)state;
	page("abc", 1);
	next_reading();
	assert_false(page("abc", 2));
	assert_false(page("acb", 1));
	assert_false(page("ab", 1));
	assert_false(page("abcd", 1));
	assert_false(page("", 1));
	assert_true(page("abc", 1));
}

static void
a_page_with_a_program_that_cannot_be_read_is_never_known(void **state)
{
	unsigned char	 hash[PROGRAM_HASH_SIZE] = { 0 };

	(void)state;
	digest_program(&d, "a", hash);
	assert_false(digest_page(&d, false));
	assert_true(d.partial);
	next_reading();
	digest_program(&d, "a", hash);
	assert_false(digest_page(&d, false));
}

static void
once_the_registry_is_written_nothing_is_known(void **state)
{
	(void)state;
	page("abc", 1);
	next_reading();
	digest_forget(&d);
	assert_false(page("abc", 1));
	digest_begin(&d, true);
	assert_false(page("abc", 1));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(a_first_reading_knows_nothing,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    pages_that_come_again_are_known, setup, teardown),
		cmocka_unit_test_setup_teardown(whatever_differs_is_not,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_page_with_a_program_that_cannot_be_read_is_never_known,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    once_the_registry_is_written_nothing_is_known,
		    setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
