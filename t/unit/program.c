/*
 * From the partner's element to the registry's columns: every variant of
 * partner contract, sections 2 and 8, that reaches them.
 */

#include "programs/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/json.h"

/* As in contract section 2, with what the registry keeps. */
#define FULL \
	"{\"program_id\":\"pR0gAAAAAAAAAAAAAAA041\",\"program_type\":\"CPC\"," \
	"\"program_status\":\"ACTIVE\"," \
	"\"program_pause_status\":\"NOT_PAUSED\"," \
	"\"start_date\":\"2025-03-01\",\"end_date\":\"9999-12-31\"," \
	"\"businesses\":[{\"yelp_business_id\":\"b1zAAAAAAAAAAAAAAAA007\"," \
	"\"partner_business_id\":\"own-7\"}]," \
	"\"program_metrics\":{\"budget\":31999,\"currency\":\"USD\"}," \
	"\"active_features\":[\"AD_GOAL\"],\"brand_new\":{\"x\":[1]}}"

static struct arena	*a;
static struct program	 p;
static const char	*why;

static int
setup(void **state)
{
	char		 path[] = "/tmp/lockstep-program.XXXXXX";
	int		 fd = mkstemp(path), rc;
	const char	*reason;

	(void)state;
	if (fd == -1 || dprintf(fd, "%064d\n", 7) != 65)
		return -1;
	close(fd);
	rc = secret_load(path, &reason);
	unlink(path);
	a = arena_new();
	return rc;
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
	const char	*reason = "";
	struct json	*j = json_parse(a, text, strlen(text), &reason);

	if (j == NULL)
		fail_msg("%s: %s", reason, text);
	return j;
}

static int
read_text(const char *text)
{
	why = NULL;
	return program_read(&p, a, parse(text), &why);
}

static void
assert_read(const char *text)
{
	if (read_text(text) == -1)
		fail_msg("refused (%s): %s", why, text);
}

static void
assert_refused(const char *text, const char *word)
{
	if (read_text(text) == 0)
		fail_msg("taken: %s", text);
	assert_non_null(strstr(why, word));
}

/* An element with an id and these members. */
static const char *
with(const char *members)
{
	return arena_printf(a, "{\"program_id\":\"p1\",%s}", members);
}

static const char *
id_of(size_t n)
{
	char	*id = arena_alloc(a, n + 1);

	memset(id, 'x', n);
	return id;
}

static void
dates_are_days_from_1970(void **state)
{
	static const struct {
		const char	*text;
		int32_t		 days;
	} good[] = {
		{ "1970-01-01", 0 }, { "1969-12-31", -1 }, { "1970-02-01", 31 },
		{ "2000-01-01", 10957 }, { "2000-02-29", 11016 },
		{ "2000-03-01", 11017 }, { "2024-02-29", 19782 },
		{ "2025-12-31", 20453 }, { "2100-03-01", 47541 },
		{ "9999-12-31", 2932896 }, { "0001-01-01", -719162 },
		{ "1900-03-01", -25508 },
	};
	int32_t	 days;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(program_date(good[i].text, &days), 0);
		assert_int_equal(days, good[i].days);
	}
}

static void
every_day_follows_the_one_before(void **state)
{
	static const int	 lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	int32_t			 days, last = -1;
	char			 text[32];

	(void)state;
	for (int y = 1970; y <= 2110; y++)
		for (int m = 1; m <= 12; m++) {
			int	 leap = m == 2 && y % 4 == 0 && y != 2100;

			for (int d = 1; d <= lengths[m - 1] + leap; d++) {
				snprintf(text, sizeof(text), "%04d-%02d-%02d",
				    y, m, d);
				assert_int_equal(program_date(text, &days), 0);
				assert_int_equal(days, ++last);
			}
		}
}

static void
what_is_no_date_is_none(void **state)
{
	static const char *const	 bad[] = {
		"", "soon", "2025", "2025-06", "2025-6-30", "2025-06-3",
		"2025-06-300", "2025-00-10", "2025-13-10", "2025-01-00",
		"2025-01-32", "2025-02-29", "1900-02-29", "2100-02-29",
		"2025-04-31", "0000-01-01", "-001-01-01", "+025-01-01",
		"2025/01/01", "2025-01/01", "20250101", "2025-01-01 ",
		" 2025-01-01", "2025-01-01T00:00", "2025- 1-01", "2025--1-01",
		"2025-01--1", "20-4-01-01", "2025-1-001", "02025-01-1",
		"12345-01-01", "2025-01-0x", "YYYY-MM-DD",
	};
	int32_t	 days = 4711;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (program_date(bad[i], &days) != -1)
			fail_msg("taken for a date: %s", bad[i]);
}

static void
an_element_becomes_columns(void **state)
{
	(void)state;
	assert_read(FULL);
	assert_string_equal(p.id, "pR0gAAAAAAAAAAAAAAA041");
	assert_string_equal(p.type, "CPC");
	assert_string_equal(p.status, "ACTIVE");
	assert_string_equal(p.pause, "NOT_PAUSED");
	assert_true(p.has_start);
	assert_int_equal(p.start, 20148);
	assert_true(p.has_end);
	assert_int_equal(p.end, 2932896);
	assert_string_equal(p.partner_business, "own-7");
	assert_int_equal(p.nbusinesses, 1);
	assert_string_equal(p.businesses[0], "b1zAAAAAAAAAAAAAAAA007");
}

static void
what_is_absent_or_null_stays_absent(void **state)
{
	static const char *const	 bare[] = {
		"{\"program_id\":\"p1\"}",
		"{\"program_id\":\"p1\",\"program_type\":null,"
		"\"program_status\":null,\"program_pause_status\":null,"
		"\"start_date\":null,\"end_date\":null,\"businesses\":null}",
		"{\"program_id\":\"p1\",\"program_type\":7,"
		"\"program_status\":{},\"program_pause_status\":true,"
		"\"start_date\":20250101,\"end_date\":[],\"businesses\":{}}",
		"{\"program_id\":\"p1\",\"businesses\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		assert_read(bare[i]);
		assert_null(p.type);
		assert_null(p.status);
		assert_null(p.pause);
		assert_false(p.has_start);
		assert_false(p.has_end);
		assert_null(p.partner_business);
		assert_int_equal(p.nbusinesses, 0);
	}
}

static void
a_bad_date_takes_nothing_else_with_it(void **state)
{
	(void)state;
	assert_read(with("\"start_date\":\"2025-13-45\","
	    "\"end_date\":\"2025-06-30\",\"program_type\":\"EP\""));
	assert_false(p.has_start);
	assert_true(p.has_end);
	assert_int_equal(p.end, 20269);
	assert_string_equal(p.type, "EP");
	assert_read(with("\"start_date\":\"2024-02-01\","
	    "\"end_date\":\"soon\""));
	assert_true(p.has_start);
	assert_int_equal(p.start, 19754);
	assert_false(p.has_end);
}

static void
words_nobody_has_documented_are_kept(void **state)
{
	(void)state;
	assert_read(with("\"program_type\":\"HOLOGRAM\","
	    "\"program_status\":\"TERMINATED\","
	    "\"program_pause_status\":\"\\u2603\""));
	assert_string_equal(p.type, "HOLOGRAM");
	assert_string_equal(p.status, "TERMINATED");
	assert_string_equal(p.pause, "\xe2\x98\x83");
	assert_read(with("\"program_type\":\"\""));
	assert_string_equal(p.type, "");
}

static void
ids_as_the_partner_makes_them(void **state)
{
	(void)state;
	assert_read("{\"program_id\":\"-startsWithADash_00000\"}");
	assert_string_equal(p.id, "-startsWithADash_00000");
	assert_read("{\"program_id\":\"x\"}");
	assert_read(arena_printf(a, "{\"program_id\":\"%s\"}", id_of(100)));
	assert_int_equal(strlen(p.id), 100);
}

static void
without_a_usable_id_there_is_no_program(void **state)
{
	(void)state;
	assert_refused("{}", "program_id");
	assert_refused("[]", "program_id");
	assert_refused("{\"program_id\":null}", "program_id");
	assert_refused("{\"program_id\":\"\"}", "program_id");
	assert_refused("{\"program_id\":41}", "program_id");
	assert_refused("{\"program_id\":[\"p1\"]}", "program_id");
	assert_refused("{\"program_id\":\"a b\"}", "program_id");
	assert_refused("{\"program_id\":\"a/../b\"}", "program_id");
	assert_refused("{\"program_id\":\"a,b\"}", "program_id");
	assert_refused("{\"program_id\":\"a\\n\"}", "program_id");
	assert_refused("{\"program_id\":\"caf\\u00e9\"}", "program_id");
	assert_refused(arena_printf(a, "{\"program_id\":\"%s\"}", id_of(101)),
	    "program_id");
	assert_int_equal(program_read(&p, a, NULL, &why), -1);
}

static void
texts_have_a_bound(void **state)
{
	static const char *const	 keys[] = { "program_type",
		"program_status", "program_pause_status" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_read(with(arena_printf(a, "\"%s\":\"%s\"", keys[i],
		    id_of(PROGRAM_TEXT_MAX))));
		assert_refused(with(arena_printf(a, "\"%s\":\"%s\"", keys[i],
		    id_of(PROGRAM_TEXT_MAX + 1))), "too long");
	}
	assert_refused(with(arena_printf(a, "\"businesses\":"
	    "[{\"partner_business_id\":\"%s\"}]",
	    id_of(PROGRAM_TEXT_MAX + 1))), "too long");
}

static void
all_businesses_count_each_once(void **state)
{
	(void)state;
	assert_read(with("\"businesses\":[{\"yelp_business_id\":\"b2\","
	    "\"partner_business_id\":null},{\"yelp_business_id\":\"-b1\","
	    "\"partner_business_id\":\"x\"},{\"yelp_business_id\":\"b2\"},"
	    "{\"yelp_business_id\":\"b3\"}]"));
	assert_int_equal(p.nbusinesses, 3);
	assert_string_equal(p.businesses[0], "b2");
	assert_string_equal(p.businesses[1], "-b1");
	assert_string_equal(p.businesses[2], "b3");
	assert_null(p.partner_business);
}

static void
what_is_no_business_is_left_out(void **state)
{
	(void)state;
	assert_read(with("\"businesses\":[null,5,\"b0\",[],{},"
	    "{\"yelp_business_id\":null},{\"yelp_business_id\":\"\"},"
	    "{\"yelp_business_id\":\"a b\"},{\"yelp_business_id\":7},"
	    "{\"yelp_business_id\":\"b1\"}]"));
	assert_int_equal(p.nbusinesses, 1);
	assert_string_equal(p.businesses[0], "b1");
}

static void
a_program_cannot_have_businesses_without_end(void **state)
{
	struct json	*element = parse("{\"program_id\":\"p1\"}");
	struct json	*list = json_new_arr(a);

	(void)state;
	for (int i = 0; i < PROGRAM_BUSINESSES_MAX + 50; i++) {
		struct json	*b = json_new_obj(a);

		json_put_text(b, "yelp_business_id",
		    arena_printf(a, "b%d", i));
		json_push(list, b);
	}
	json_put(element, "businesses", list);
	assert_int_equal(program_read(&p, a, element, &why), 0);
	assert_int_equal(p.nbusinesses, PROGRAM_BUSINESSES_MAX);
}

/* Do two elements look the same to the registry? */
static int
same_hash(const char *one, const char *other)
{
	unsigned char	 first[PROGRAM_HASH_SIZE];

	assert_read(one);
	memcpy(first, p.hash, sizeof(first));
	assert_read(other);
	return memcmp(first, p.hash, sizeof(first)) == 0;
}

static void
the_hash_is_of_what_is_kept(void **state)
{
	(void)state;
	assert_true(same_hash(FULL, FULL));
	/* Order, spaces and members that the registry does not have. */
	assert_true(same_hash(with("\"program_type\":\"CPC\","
	    "\"program_status\":\"ACTIVE\""), with("\"program_status\": "
	    "\"ACTIVE\",\"program_type\":\"CPC\",\"unknown\":1,"
	    "\"program_metrics\":{\"budget\":5}")));
	assert_true(same_hash(with("\"start_date\":\"soon\""),
	    with("\"start_date\":null")));
	assert_true(same_hash(with("\"businesses\":[]"),
	    with("\"x\":1")));
}

static void
each_thing_that_is_kept_changes_the_hash(void **state)
{
	static const char *const	 different[] = {
		"\"x\":1",
		"\"program_type\":\"CPC\"",
		"\"program_type\":\"EP\"",
		"\"program_type\":\"\"",
		"\"program_status\":\"CPC\"",
		"\"program_pause_status\":\"CPC\"",
		"\"program_type\":\"CP\",\"program_status\":\"C\"",
		"\"program_type\":\"C\",\"program_status\":\"PC\"",
		"\"start_date\":\"2025-01-01\"",
		"\"start_date\":\"2025-01-02\"",
		"\"start_date\":\"1970-01-01\"",
		"\"end_date\":\"2025-01-01\"",
		"\"end_date\":\"9999-12-31\"",
		"\"businesses\":[{\"yelp_business_id\":\"b1\"}]",
		"\"businesses\":[{\"yelp_business_id\":\"b2\"}]",
		"\"businesses\":[{\"partner_business_id\":\"b1\"}]",
		"\"businesses\":[{\"yelp_business_id\":\"b1\","
		"\"partner_business_id\":\"b1\"}]",
		"\"businesses\":[{\"yelp_business_id\":\"b1\"},"
		"{\"yelp_business_id\":\"b2\"}]",
		"\"businesses\":[{\"yelp_business_id\":\"b2\"},"
		"{\"yelp_business_id\":\"b1\"}]",
		"\"businesses\":[{\"yelp_business_id\":\"b1b2\"}]",
	};
	size_t	 n = sizeof(different) / sizeof(different[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (same_hash(with(different[i]),
			    with(different[k])) != (i == k))
				fail_msg("%s and %s", different[i],
				    different[k]);
}

/* How long the fields are must not matter to what they are. */
static void
a_text_cannot_pass_for_two(void **state)
{
	(void)state;
	assert_false(same_hash(with("\"program_type\":\"A;1:B\""),
	    with("\"program_type\":\"A\",\"program_status\":\"B\"")));
	assert_false(same_hash(with("\"program_type\":\"\""),
	    with("\"program_type\":null")));
}

static void
a_batch_has_a_row_for_each_program(void **state)
{
	struct program_batch	 b;

	(void)state;
	program_batch_init(&b);
	assert_read(FULL);
	program_batch_add(&b, 0, &p);
	assert_read(with("\"businesses\":[{\"yelp_business_id\":\"b1\"},"
	    "{\"yelp_business_id\":\"b2\"},{\"yelp_business_id\":\"b3\"}]"));
	program_batch_add(&b, 3, &p);
	assert_read("{\"program_id\":\"bare\"}");
	program_batch_add(&b, 3, &p);
	assert_int_equal(b.n, 3);
	for (int i = 0; i < PROGRAM_LINK_PROGRAM; i++)
		assert_int_equal(b.columns[i].n, 3);
	/* One and three and none. */
	assert_int_equal(b.columns[PROGRAM_LINK_PROGRAM].n, 4);
	assert_int_equal(b.columns[PROGRAM_LINK_BUSINESS].n, 4);
	assert_false(b.columns[PROGRAM_ID].has_null);
	assert_false(b.columns[PROGRAM_HASH].has_null);
	assert_true(b.columns[PROGRAM_BUSINESS].has_null);
	assert_true(b.columns[PROGRAM_TYPE].has_null);
	assert_true(b.columns[PROGRAM_START].has_null);
	program_batch_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_days_from_1970),
		cmocka_unit_test(every_day_follows_the_one_before),
		cmocka_unit_test(what_is_no_date_is_none),
		cmocka_unit_test(an_element_becomes_columns),
		cmocka_unit_test(what_is_absent_or_null_stays_absent),
		cmocka_unit_test(a_bad_date_takes_nothing_else_with_it),
		cmocka_unit_test(words_nobody_has_documented_are_kept),
		cmocka_unit_test(ids_as_the_partner_makes_them),
		cmocka_unit_test(without_a_usable_id_there_is_no_program),
		cmocka_unit_test(texts_have_a_bound),
		cmocka_unit_test(all_businesses_count_each_once),
		cmocka_unit_test(what_is_no_business_is_left_out),
		cmocka_unit_test(a_program_cannot_have_businesses_without_end),
		cmocka_unit_test(the_hash_is_of_what_is_kept),
		cmocka_unit_test(each_thing_that_is_kept_changes_the_hash),
		cmocka_unit_test(a_text_cannot_pass_for_two),
		cmocka_unit_test(a_batch_has_a_row_for_each_program),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("program", tests, setup, teardown);
}
