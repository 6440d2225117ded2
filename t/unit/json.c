/* The JSON reader against what partners and strangers send, and the writer. */

#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/buf.h"

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

	if (j == NULL)
		assert_non_null(why);
	return j;
}

static void
assert_whole(const char *number, int64_t want)
{
	struct json	*j = parse(arena_printf(a, "[%s]", number));
	int64_t		 n = -7;

	assert_non_null(j);
	assert_int_equal(json_whole(json_at(j, 0), &n), 0);
	assert_true(n == want);
}

static void
assert_not_whole(const char *value)
{
	struct json	*j = parse(arena_printf(a, "[%s]", value));
	int64_t		 n = -7;

	assert_non_null(j);
	assert_int_equal(json_whole(json_at(j, 0), &n), -1);
	assert_true(n == -7);
}

static void
members_are_read_by_type(void **state)
{
	struct json	*j = parse("{\"s\":\"x\",\"t\":true,\"f\":false,"
	    "\"z\":null,\"l\":[1,2],\"o\":{\"k\":\"v\"}}");
	bool		 truth;

	(void)state;
	assert_true(json_is_obj(j));
	assert_string_equal(json_text(json_get(j, "s")), "x");
	assert_int_equal(json_truth(json_get(j, "t"), &truth), 0);
	assert_true(truth);
	assert_int_equal(json_truth(json_get(j, "f"), &truth), 0);
	assert_false(truth);
	assert_true(json_flag(j, "t"));
	assert_false(json_flag(j, "f"));
	assert_true(json_is_nil(json_get(j, "z")));
	assert_true(json_is_arr(json_get(j, "l")));
	assert_int_equal(json_count(json_get(j, "l")), 2);
	assert_string_equal(json_text(json_get(json_get(j, "o"), "k")), "v");
}

static void
what_is_absent_reads_as_the_wrong_type(void **state)
{
	struct json	*j = parse("{\"s\":\"x\"}");
	int64_t		 n;
	bool		 truth;

	(void)state;
	assert_null(json_get(j, "no"));
	assert_null(json_get(NULL, "no"));
	assert_null(json_get(json_get(j, "s"), "no"));
	assert_null(json_at(j, 0));
	assert_null(json_at(NULL, 0));
	assert_null(json_text(NULL));
	assert_null(json_text(j));
	assert_int_equal(json_count(NULL), 0);
	assert_int_equal(json_count(j), 0);
	assert_false(json_is_arr(NULL));
	assert_false(json_is_obj(NULL));
	assert_true(json_is_nil(NULL));
	assert_int_equal(json_whole(NULL, &n), -1);
	assert_int_equal(json_truth(NULL, &truth), -1);
	assert_int_equal(json_truth(json_get(j, "s"), &truth), -1);
	assert_false(json_flag(j, "s"));
	assert_false(json_flag(j, "no"));
	assert_false(json_flag(NULL, "no"));
}

static void
a_whole_number_may_come_with_a_point(void **state)
{
	(void)state;
	assert_whole("1000000", 1000000);
	assert_whole("1000000.0", 1000000);
	assert_whole("-3.0", -3);
	assert_whole("-0.0", 0);
	assert_whole("1e6", 1000000);
	assert_whole("9223372036854775807", INT64_MAX);
	assert_whole("-9223372036854775808", INT64_MIN);
	assert_whole("9007199254740992.0", INT64_C(9007199254740992));
}

static void
fractions_and_what_is_no_number_are_not_whole(void **state)
{
	(void)state;
	assert_not_whole("0.5");
	assert_not_whole("1000000.01");
	assert_not_whole("9007199254740994.0");
	assert_not_whole("1e300");
	assert_not_whole("-1e300");
	assert_not_whole("\"1\"");
	assert_not_whole("true");
	assert_not_whole("null");
	assert_not_whole("[1]");
}

static void
what_is_not_one_object_or_array_is_refused(void **state)
{
	const char	*bad[] = { "", " ", "1", "\"x\"", "null", "{", "[1,",
	    "{\"a\":1}x", "{}{}", "{a:1}", "[1 2]", "[01]", "[1,]",
	    "<html></html>", "[nan]", "['x']", "[\"\n\"]", "]" };
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++)
		assert_null(parse(bad[i]));
}

static void
what_is_not_utf8_is_refused(void **state)
{
	const char	*bad[] = { "[\"\xff\"]", "[\"\xc0\xaf\"]",
	    "[\"\xed\xa0\x80\"]", "[\"\\ud800\"]", "[\"\xe2\x82\"]" };
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++)
		assert_null(parse(bad[i]));
}

static void
a_nul_is_refused_raw_and_escaped(void **state)
{
	const char	*why;

	(void)state;
	assert_null(parse("[\"a\\u0000b\"]"));
	assert_null(parse("{\"a\\u0000b\":1}"));
	assert_null(json_parse(a, "[\"a\0b\"]", 7, &why));
	assert_null(json_parse(a, "[1]\0", 4, &why));
}

/* n arrays in one another. */
static char *
nested(size_t n)
{
	char	*s = arena_alloc(a, 2 * n + 1);

	memset(s, '[', n);
	memset(s + n, ']', n);
	return s;
}

static void
nesting_is_bounded(void **state)
{
	const char	*why;
	char		*deep = nested(JSON_DEPTH_MAX + 1);

	(void)state;
	assert_non_null(parse(nested(JSON_DEPTH_MAX)));
	assert_null(json_parse(a, deep, strlen(deep), &why));
	assert_string_equal(why, "nested too deep");
	assert_null(parse(nested(1000000)));
}

static void
brackets_in_strings_do_not_nest(void **state)
{
	struct json	*j;
	char		*open = arena_alloc(a, 1001);

	(void)state;
	memset(open, '[', 1000);
	j = parse(arena_printf(a, "[\"\\\"%s\\\\\",\"%s\"]", open, open));
	assert_non_null(j);
	assert_int_equal(json_count(j), 2);
	assert_null(parse("[\"\\"));
}

static void
of_a_key_that_is_there_twice_the_last_counts(void **state)
{
	struct json	*j = parse("{\"k\":\"first\",\"k\":\"last\"}");

	(void)state;
	assert_string_equal(json_text(json_get(j, "k")), "last");
}

static void
the_reason_quotes_nothing_of_the_text(void **state)
{
	const char	*text = "{\"password\": hunter2}", *why = NULL;

	(void)state;
	assert_null(json_parse(a, text, strlen(text), &why));
	assert_non_null(why);
	assert_null(strstr(why, "hunter"));
	assert_non_null(strstr(why, "line 1"));
}

static void
what_is_made_is_printed_compact_and_in_order(void **state)
{
	struct json	*o = json_new_obj(a), *l = json_new_arr(a);

	(void)state;
	json_put_text(o, "text", "a\"b\n\xc3\xa9");
	json_put_int(o, "int", INT64_MIN);
	json_put_bool(o, "yes", true);
	json_put_nil(o, "nil");
	json_put_text(o, "absent", NULL);
	json_put_text(o, "bytes", "\xff");
	json_push(l, parse("{\"k\":1.5}"));
	json_push(l, NULL);
	json_put(o, "list", l);
	json_put(o, "none", NULL);
	assert_string_equal(json_dump(a, o),
	    "{\"text\":\"a\\\"b\\n\xc3\xa9\",\"int\":-9223372036854775808,"
	    "\"yes\":true,\"nil\":null,\"absent\":null,\"bytes\":null,"
	    "\"list\":[{\"k\":1.5},null],\"none\":null}");
}

static void
a_part_of_one_document_may_be_put_into_another(void **state)
{
	struct arena	*other = arena_new();
	const char	*text = "{\"k\":{\"in\":\"side\"}}", *why;
	struct json	*o = json_new_obj(a), *from;

	(void)state;
	from = json_parse(other, text, strlen(text), &why);
	assert_non_null(from);
	json_put(o, "part", json_get(from, "k"));
	arena_free(other);
	assert_string_equal(json_dump(a, o), "{\"part\":{\"in\":\"side\"}}");
}

static void
merging_replaces_and_adds(void **state)
{
	struct json	*o = parse("{\"a\":1,\"b\":2}");

	(void)state;
	json_merge(o, parse("{\"b\":3,\"c\":4}"));
	json_merge(o, NULL);
	assert_string_equal(json_dump(a, o), "{\"a\":1,\"b\":3,\"c\":4}");
}

static void
printing_into_a_full_buf_leaves_it_as_it_was(void **state)
{
	struct json	*o = parse("{\"key\":\"value\"}");
	struct buf	 b;

	(void)state;
	buf_init(&b, 20);
	assert_int_equal(buf_addstr(&b, "data: "), 0);
	assert_int_equal(json_print(o, &b), -1);
	assert_string_equal(b.data, "data: ");
	assert_int_equal(b.len, 6);
	buf_drop(&b, 5);
	assert_int_equal(json_print(o, &b), 0);
	assert_string_equal(b.data, " {\"key\":\"value\"}");
	assert_int_equal(json_print(json_get(o, "key"), &b), -1);
	buf_reset(&b);
	assert_int_equal(json_print(json_get(o, "key"), &b), 0);
	assert_string_equal(b.data, "\"value\"");
	buf_free(&b);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(members_are_read_by_type),
		T(what_is_absent_reads_as_the_wrong_type),
		T(a_whole_number_may_come_with_a_point),
		T(fractions_and_what_is_no_number_are_not_whole),
		T(what_is_not_one_object_or_array_is_refused),
		T(what_is_not_utf8_is_refused),
		T(a_nul_is_refused_raw_and_escaped),
		T(nesting_is_bounded),
		T(brackets_in_strings_do_not_nest),
		T(of_a_key_that_is_there_twice_the_last_counts),
		T(the_reason_quotes_nothing_of_the_text),
		T(what_is_made_is_printed_compact_and_in_order),
		T(a_part_of_one_document_may_be_put_into_another),
		T(merging_replaces_and_adds),
		T(printing_into_a_full_buf_leaves_it_as_it_was),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
