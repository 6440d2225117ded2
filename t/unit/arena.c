/* Memory by lifetime: what one reset gives back, and in which order. */

#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char	 order[8];

static void
note(void *letter)
{
	strncat(order, letter, 1);
}

static struct arena	*late;

static void
defer_more(void *letter)
{
	arena_defer(late, note, letter);
}

static int
setup(void **state)
{
	*state = arena_new();
	order[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void
memory_is_zeroed_also_when_it_is_used_again(void **state)
{
	const char	 zero[100] = { 0 };
	size_t		 i;
	char		*p;

	for (i = 0; i < 3; i++) {
		p = arena_alloc(*state, sizeof(zero));
		assert_memory_equal(p, zero, sizeof(zero));
		memset(p, 0xff, sizeof(zero));
		arena_reset(*state);
	}
}

static void
memory_is_aligned_for_any_type(void **state)
{
	size_t	 n;
	void	*p;

	for (n = 0; n < 70; n++) {
		p = arena_alloc(*state, n);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	}
	p = arena_alloc(*state, 100000);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
}

static void
pieces_of_all_sizes_do_not_overlap(void **state)
{
	unsigned char	*p[200];
	size_t		 i, k, size;

	for (i = 0; i < 200; i++) {
		size = i * 97 + 1;
		p[i] = memset(arena_alloc(*state, size), (int)i, size);
	}
	for (i = 0; i < 200; i++) {
		for (k = 0; k < i * 97 + 1; k++)
			assert_int_equal(p[i][k], i);
	}
}

static void
one_chunk_is_kept_over_a_reset(void **state)
{
	void	*first = arena_alloc(*state, 10);
	int	 i;

	for (i = 0; i < 1000; i++)
		arena_alloc(*state, 1000);
	arena_alloc(*state, 1000000);
	arena_reset(*state);
	assert_ptr_equal(arena_alloc(*state, 10), first);
}

static void
deferred_calls_run_newest_first_and_once(void **state)
{
	arena_defer(*state, note, "a");
	arena_defer(*state, note, "b");
	arena_defer(*state, note, "c");
	assert_string_equal(order, "");
	arena_reset(*state);
	assert_string_equal(order, "cba");
	arena_reset(*state);
	assert_string_equal(order, "cba");
}

static void
a_deferred_call_may_defer_another(void **state)
{
	late = *state;
	arena_defer(*state, defer_more, "z");
	arena_reset(*state);
	assert_string_equal(order, "z");
}

static void
freeing_runs_what_was_deferred(void **state)
{
	struct arena	*a = arena_new();

	(void)state;
	arena_defer(a, note, "f");
	arena_free(a);
	arena_free(NULL);
	assert_string_equal(order, "f");
}

static void
strings_are_copied(void **state)
{
	char	 text[] = "lockstep";
	char	*whole = arena_strdup(*state, text);
	char	*part = arena_strndup(*state, text, 4);
	char	*none = arena_strndup(*state, NULL, 0);

	memset(text, 'x', sizeof(text) - 1);
	assert_string_equal(whole, "lockstep");
	assert_string_equal(part, "lock");
	assert_string_equal(none, "");
}

static void
printf_takes_a_text_of_any_length(void **state)
{
	char	*s = arena_printf(*state, "%0*d|%s", 50000, 7, "end");

	assert_int_equal(strlen(s), 50004);
	assert_string_equal(s + 49999, "7|end");
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(memory_is_zeroed_also_when_it_is_used_again),
		T(memory_is_aligned_for_any_type),
		T(pieces_of_all_sizes_do_not_overlap),
		T(one_chunk_is_kept_over_a_reset),
		T(deferred_calls_run_newest_first_and_once),
		T(a_deferred_call_may_defer_another),
		T(freeing_runs_what_was_deferred),
		T(strings_are_copied),
		T(printf_takes_a_text_of_any_length),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
