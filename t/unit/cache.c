/* Finished bodies: what is found again, and what goes when there is no room. */

#include "http/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nine bodies of this size fit, with what the cache needs for itself. */
#define ROOM		100000
#define BODY		10000
#define FITTING		9

static struct cache	*c;
static char		 body[ROOM];

static int
fresh(void **state)
{
	(void)state;
	c = cache_new(ROOM);
	memset(body, 'x', sizeof(body));
	return 0;
}

/* Forgets all of it through the front door: nothing else frees a cache. */
static int
forget(void **state)
{
	(void)state;
	for (int64_t account = 0; account < 50; account++)
		cache_put(c, account, "list", -1, body, sizeof(body));
	cache_put(c, 1, "other", -1, body, sizeof(body));
	free(c);
	return 0;
}

static void
put(int64_t account, int64_t version, const char *text)
{
	cache_put(c, account, "list", version, text, strlen(text));
}

static void
assert_kept(int64_t account, int64_t version, const char *text)
{
	size_t		 n = 0;
	const char	*got = cache_get(c, account, "list", version, &n);

	assert_non_null(got);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, n);
}

static int
is_kept(int64_t account)
{
	size_t	 n;

	return cache_get(c, account, "list", 1, &n) != NULL;
}

static void
a_body_comes_back_as_a_copy(void **state)
{
	char	 text[] = "{\"total\":1}";

	(void)state;
	put(1, 5, text);
	memset(text, '#', sizeof(text) - 1);
	assert_kept(1, 5, "{\"total\":1}");
	assert_kept(1, 5, "{\"total\":1}");
	put(2, 5, "");
	assert_kept(2, 5, "");
}

static void
another_version_account_or_kind_is_another_body(void **state)
{
	size_t	 n;

	(void)state;
	put(1, 5, "five");
	assert_null(cache_get(c, 1, "list", 6, &n));
	assert_null(cache_get(c, 1, "list", 4, &n));
	assert_null(cache_get(c, 2, "list", 5, &n));
	assert_null(cache_get(c, 11, "list", 5, &n));
	assert_null(cache_get(c, 1, "other", 5, &n));
	cache_put(c, 1, "other", 5, "else", 4);
	assert_kept(1, 5, "five");
}

static void
a_newer_version_takes_the_place_of_the_older(void **state)
{
	size_t	 n;

	(void)state;
	put(1, 5, "five");
	put(1, 6, "six");
	assert_null(cache_get(c, 1, "list", 5, &n));
	assert_kept(1, 6, "six");
	/* If the old ones stayed, the others would have to go. */
	for (int64_t account = 2; account <= FITTING; account++)
		cache_put(c, account, "list", 1, body, BODY);
	for (int64_t version = 7; version < 100; version++)
		cache_put(c, 1, "list", version, body, BODY);
	for (int64_t account = 2; account <= FITTING; account++)
		assert_true(is_kept(account));
}

static void
the_least_recently_used_goes_first(void **state)
{
	(void)state;
	for (int64_t account = 1; account <= FITTING; account++)
		cache_put(c, account, "list", 1, body, BODY);
	assert_true(is_kept(1));	/* used just now */
	cache_put(c, 20, "list", 1, body, BODY);
	cache_put(c, 21, "list", 1, body, BODY);
	assert_true(is_kept(1));
	assert_false(is_kept(2));
	assert_false(is_kept(3));
	for (int64_t account = 4; account <= FITTING; account++)
		assert_true(is_kept(account));
	assert_true(is_kept(20));
	assert_true(is_kept(21));
}

static void
it_never_holds_more_than_its_bound(void **state)
{
	size_t	 held = 0;

	(void)state;
	for (int64_t account = 0; account < 50; account++) {
		cache_put(c, account, "list", 1, body, BODY);
		assert_true(is_kept(account));
	}
	for (int64_t account = 0; account < 50; account++)
		held += is_kept(account) ? BODY : 0;
	assert_int_equal(held, FITTING * BODY);
}

static void
one_body_cannot_push_out_all_others(void **state)
{
	size_t	 n;

	(void)state;
	put(1, 1, "small");
	cache_put(c, 2, "list", 1, body, ROOM / 4 + 1);
	assert_false(is_kept(2));
	assert_kept(1, 1, "small");
	/* Nor does it leave the version before it to be found. */
	cache_put(c, 1, "list", 2, body, ROOM / 4 + 1);
	assert_null(cache_get(c, 1, "list", 1, &n));
	assert_null(cache_get(c, 1, "list", 2, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_body_comes_back_as_a_copy,
		    fresh, forget),
		cmocka_unit_test_setup_teardown(
		    another_version_account_or_kind_is_another_body,
		    fresh, forget),
		cmocka_unit_test_setup_teardown(
		    a_newer_version_takes_the_place_of_the_older,
		    fresh, forget),
		cmocka_unit_test_setup_teardown(
		    the_least_recently_used_goes_first, fresh, forget),
		cmocka_unit_test_setup_teardown(
		    it_never_holds_more_than_its_bound, fresh, forget),
		cmocka_unit_test_setup_teardown(
		    one_body_cannot_push_out_all_others, fresh, forget),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
