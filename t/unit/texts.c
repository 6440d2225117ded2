/* Rows of an answer by product, and the search texts that are made of them. */

#include "analytics/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analytics/index.h"
#include "analytics/wb.h"
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

static struct index *
index_of(const char *rows)
{
	const char		*why = NULL;
	const struct wb_answer	 answer = { .says = WB_OK,
		.rows = json_parse(a, rows, strlen(rows), &why) };

	assert_non_null(answer.rows);
	return index_new(a, &answer, WB_TEXTS);
}

/* The product's texts, in order: "red shoe, shoe". */
static void
assert_texts(const struct index *x, int64_t id, const char *want)
{
	const char	*text = texts_of(a, x, id), *why = NULL, *got = "";
	struct json	*list = json_parse(a, text, strlen(text), &why);

	assert_true(json_is_arr(list));
	for (size_t i = 0; i < json_count(list); i++)
		got = arena_printf(a, "%s%s%s", got, i > 0 ? ", " : "",
		    json_text(json_get(json_at(list, i), "query")));
	assert_string_equal(got, want);
}

static void
rows_are_found_by_product_in_the_order_of_the_answer(void **state)
{
	struct index	*x = index_of("[{\"nmId\":9,\"k\":0},{\"nmId\":2},"
			    "{\"nmId\":9,\"k\":1},{\"nmId\":0},{},7,"
			    "{\"nmId\":5}]");
	size_t		 at = index_find(x, 9);
	int64_t		 k = -1;

	(void)state;
	assert_int_equal(index_count(x), 4);
	assert_int_equal(index_find(x, 2), 0);
	assert_int_equal(index_find(x, 5), 1);
	assert_int_equal(at, 2);
	assert_int_equal(index_id(x, 3), 9);
	assert_int_equal(json_whole(json_get(index_row(x, at), "k"), &k), 0);
	assert_int_equal(k, 0);
	assert_int_equal(index_find(x, 1), 4);
	assert_int_equal(index_find(x, 6), 4);
	assert_int_equal(index_find(x, 10), 4);
}

static void
no_rows_have_no_products(void **state)
{
	struct index	*x = index_of("[]");

	(void)state;
	assert_int_equal(index_count(x), 0);
	assert_int_equal(index_find(x, 1), 0);
	assert_texts(x, 1, "");
}

static void
texts_stand_by_how_often_the_card_was_opened(void **state)
{
	struct index	*x = index_of(
	    "[{\"nmId\":1,\"text\":\"few\",\"openCard\":{\"current\":2}},"
	    "{\"nmId\":2,\"text\":\"other\",\"openCard\":{\"current\":50}},"
	    "{\"nmId\":1,\"text\":\"unknown\"},"
	    "{\"nmId\":1,\"text\":\"b\",\"openCard\":{\"current\":7}},"
	    "{\"nmId\":1,\"text\":\"a\",\"openCard\":{\"current\":7}},"
	    "{\"nmId\":1,\"text\":\"\",\"openCard\":{\"current\":99}},"
	    "{\"nmId\":1,\"text\":\"most\",\"openCard\":{\"current\":30}}]");

	(void)state;
	assert_texts(x, 1, "most, b, a, few, unknown");
	assert_texts(x, 2, "other");
	assert_texts(x, 3, "");
}

static void
of_a_text_that_came_twice_the_first_row_counts(void **state)
{
	struct index	*x = index_of(
	    "[{\"nmId\":1,\"text\":\"shoe\",\"openCard\":{\"current\":3}},"
	    "{\"nmId\":1,\"text\":\"boot\",\"openCard\":{\"current\":5}},"
	    "{\"nmId\":1,\"text\":\"shoe\",\"openCard\":{\"current\":9}}]");

	(void)state;
	assert_texts(x, 1, "boot, shoe");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(
		    rows_are_found_by_product_in_the_order_of_the_answer),
		cmocka_unit_test(no_rows_have_no_products),
		cmocka_unit_test(texts_stand_by_how_often_the_card_was_opened),
		cmocka_unit_test(
		    of_a_text_that_came_twice_the_first_row_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("texts", tests, setup, teardown);
}
