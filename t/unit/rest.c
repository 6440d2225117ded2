/* What is left of an answer, and what it is in a later turn. */

#include "analytics/rest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/json.h"

static struct arena	*a;

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static struct json *
parse(const char *text)
{
	const char	*why = NULL;
	struct json	*j = json_parse(a, text, strlen(text), &why);

	assert_non_null(j);
	return j;
}

static void
a_rest_is_an_answer_again(void **state)
{
	const int64_t		 asked[] = { 5, 9007199254740993 };
	const struct wb_answer	 answer = { .says = WB_OK, .currency = "RUB",
		.rows = parse("[{\"nmId\":5},{\"nmId\":7}]") };
	struct json		*kept = rest_of(a, &answer, asked, 2);
	struct wb_answer	 again;
	int64_t			*ids;

	(void)state;
	assert_int_equal(rest_read(a, parse(json_dump(a, kept)), &again,
	    &ids), 2);
	assert_int_equal(again.says, WB_OK);
	assert_string_equal(again.currency, "RUB");
	assert_string_equal(json_dump(a, again.rows),
	    "[{\"nmId\":5},{\"nmId\":7}]");
	assert_memory_equal(ids, asked, sizeof(asked));
}

static void
a_page_is_kept_without_ids_and_money_without_a_name(void **state)
{
	const struct wb_answer	 answer = { .says = WB_OK,
		.rows = parse("[]") };
	struct wb_answer	 again;
	int64_t			*ids;

	(void)state;
	assert_int_equal(rest_read(a, parse(json_dump(a, rest_of(a, &answer,
	    NULL, 0))), &again, &ids), 0);
	assert_null(again.currency);
	assert_int_equal(json_count(again.rows), 0);
}

/* Saving a batch writes the checkpoint anew, with another rest or none. */
static void
it_outlives_the_checkpoint_that_it_was_in(void **state)
{
	struct json		*checkpoint = parse("{\"kept\":{\"ids\":[3],"
				    "\"rows\":[{\"nmId\":3}],"
				    "\"currency\":\"RUB\"}}");
	struct wb_answer	 again;
	int64_t			*ids;

	(void)state;
	assert_int_equal(rest_read(a, json_get(checkpoint, "kept"), &again,
	    &ids), 1);
	json_put(checkpoint, "kept", NULL);
	assert_string_equal(again.currency, "RUB");
	assert_string_equal(json_dump(a, again.rows), "[{\"nmId\":3}]");
	assert_int_equal(ids[0], 3);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_rest_is_an_answer_again),
		cmocka_unit_test(
		    a_page_is_kept_without_ids_and_money_without_a_name),
		cmocka_unit_test(it_outlives_the_checkpoint_that_it_was_in),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rest", tests, setup, teardown);
}
