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
#include "data/db.h"

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

static void
assert_text(enum program_column column, const char *want)
{
	assert_true(p.values[column].present);
	assert_string_equal(p.values[column].text, want);
}

static void
assert_number(enum program_column column, int64_t want)
{
	assert_true(p.values[column].present);
	assert_null(p.values[column].text);
	assert_int_equal(p.values[column].number, want);
}

static void
assert_null_value(enum program_column column)
{
	if (p.values[column].present)
		fail_msg("column %d is there", (int)column);
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
	assert_text(PROGRAM_ID, "pR0gAAAAAAAAAAAAAAA041");
	assert_text(PROGRAM_TYPE, "CPC");
	assert_text(PROGRAM_STATUS, "ACTIVE");
	assert_text(PROGRAM_PAUSE, "NOT_PAUSED");
	assert_number(PROGRAM_START, 20148);
	assert_number(PROGRAM_END, 2932896);
	assert_text(PROGRAM_PARTNER_BUSINESS, "own-7");
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
		"\"start_date\":20250101,\"end_date\":[]}",
		"{\"program_id\":\"p1\",\"businesses\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		assert_read(bare[i]);
		assert_null_value(PROGRAM_TYPE);
		assert_null_value(PROGRAM_STATUS);
		assert_null_value(PROGRAM_PAUSE);
		assert_null_value(PROGRAM_START);
		assert_null_value(PROGRAM_END);
		assert_null_value(PROGRAM_PARTNER_BUSINESS);
		assert_int_equal(p.nbusinesses, 0);
	}
}

static void
a_bad_date_takes_nothing_else_with_it(void **state)
{
	(void)state;
	assert_read(with("\"start_date\":\"2025-13-45\","
	    "\"end_date\":\"2025-06-30\",\"program_type\":\"EP\""));
	assert_null_value(PROGRAM_START);
	assert_number(PROGRAM_END, 20269);
	assert_text(PROGRAM_TYPE, "EP");
	assert_read(with("\"start_date\":\"2024-02-01\","
	    "\"end_date\":\"soon\""));
	assert_number(PROGRAM_START, 19754);
	assert_null_value(PROGRAM_END);
}

static void
words_nobody_has_documented_are_kept(void **state)
{
	(void)state;
	assert_read(with("\"program_type\":\"HOLOGRAM\","
	    "\"program_status\":\"TERMINATED\","
	    "\"program_pause_status\":\"\\u2603\""));
	assert_text(PROGRAM_TYPE, "HOLOGRAM");
	assert_text(PROGRAM_STATUS, "TERMINATED");
	assert_text(PROGRAM_PAUSE, "\xe2\x98\x83");
	assert_read(with("\"program_type\":\"\""));
	assert_text(PROGRAM_TYPE, "");
}

static void
ids_as_the_partner_makes_them(void **state)
{
	(void)state;
	assert_read("{\"program_id\":\"-startsWithADash_00000\"}");
	assert_text(PROGRAM_ID, "-startsWithADash_00000");
	assert_read("{\"program_id\":\"x\"}");
	assert_read(arena_printf(a, "{\"program_id\":\"%s\"}", id_of(100)));
	assert_int_equal(strlen(program_id(&p)), 100);
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
	assert_null_value(PROGRAM_PARTNER_BUSINESS);
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
	    "\"program_metrics\":{\"unknown\":5}")));
	assert_true(same_hash(with("\"start_date\":\"soon\""),
	    with("\"start_date\":null")));
	assert_true(same_hash(with("\"program_metrics\":null"),
	    with("\"program_metrics\":{\"budget\":null}")));
	assert_true(same_hash(with("\"program_metrics\":{\"budget\":7}"),
	    with("\"program_metrics\":{\"budget\":7.0}")));
	/* The members of an object have no order; the elements of a list do. */
	assert_true(same_hash(with("\"future_budget_changes\":"
	    "[{\"new_budget\":2,\"old_budget\":1}]"),
	    with("\"future_budget_changes\":"
	    "[{ \"old_budget\":1, \"new_budget\":2}]")));
	/* Empty is not absent. */
	assert_false(same_hash(with("\"businesses\":[]"),
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

/* Metrics are whole cents and counts; what is not said is not zero. */
static const struct {
	const char		*key;
	enum program_column	 column;
} metrics[] = {
	{ "budget", PROGRAM_BUDGET },
	{ "max_bid", PROGRAM_MAX_BID },
	{ "billed_impressions", PROGRAM_IMPRESSIONS },
	{ "billed_clicks", PROGRAM_CLICKS },
	{ "ad_cost", PROGRAM_AD_COST },
};
#define NMETRICS	(sizeof(metrics) / sizeof(metrics[0]))

static const enum program_column	 of_metrics[] = { PROGRAM_BUDGET,
	PROGRAM_CURRENCY, PROGRAM_AUTOBID, PROGRAM_MAX_BID,
	PROGRAM_IMPRESSIONS, PROGRAM_CLICKS, PROGRAM_AD_COST,
	PROGRAM_FEE_PERIOD };
#define NOF_METRICS	(sizeof(of_metrics) / sizeof(of_metrics[0]))

static const char *
with_metrics(const char *members)
{
	return with(arena_printf(a, "\"program_metrics\":{%s}", members));
}

static const char *
with_upgrade(const char *members)
{
	return with(arena_printf(a, "\"page_upgrade_info\":{%s}", members));
}

static void
all_metrics_become_columns(void **state)
{
	(void)state;
	assert_read(with_metrics("\"budget\":31999,\"currency\":\"USD\","
	    "\"is_autobid\":false,\"max_bid\":250,"
	    "\"billed_impressions\":4120,\"billed_clicks\":37,"
	    "\"ad_cost\":20450,\"fee_period\":\"Calendar Month\""));
	assert_number(PROGRAM_BUDGET, 31999);
	assert_text(PROGRAM_CURRENCY, "USD");
	assert_number(PROGRAM_AUTOBID, 0);
	assert_number(PROGRAM_MAX_BID, 250);
	assert_number(PROGRAM_IMPRESSIONS, 4120);
	assert_number(PROGRAM_CLICKS, 37);
	assert_number(PROGRAM_AD_COST, 20450);
	assert_text(PROGRAM_FEE_PERIOD, "Calendar Month");
	assert_read(with_metrics("\"is_autobid\":true"));
	assert_number(PROGRAM_AUTOBID, 1);
}

static void
metrics_that_are_not_there_are_null(void **state)
{
	static const char *const	 none[] = { "\"x\":1",
		"\"program_metrics\":null", "\"program_metrics\":{}",
		"\"program_metrics\":{\"budget\":null,\"currency\":null,"
		"\"is_autobid\":null,\"max_bid\":null,"
		"\"billed_impressions\":null,\"billed_clicks\":null,"
		"\"ad_cost\":null,\"fee_period\":null}" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_read(with(none[i]));
		for (size_t k = 0; k < NOF_METRICS; k++)
			assert_null_value(of_metrics[k]);
	}
}

static void
one_metric_alone_leaves_the_others_null(void **state)
{
	(void)state;
	for (size_t i = 0; i < NMETRICS; i++) {
		assert_read(with_metrics(arena_printf(a, "\"%s\":5",
		    metrics[i].key)));
		for (size_t k = 0; k < NOF_METRICS; k++)
			if (of_metrics[k] == metrics[i].column)
				assert_number(of_metrics[k], 5);
			else
				assert_null_value(of_metrics[k]);
	}
}

static void
zero_is_not_null(void **state)
{
	(void)state;
	for (size_t i = 0; i < NMETRICS; i++) {
		const char	*zero = with_metrics(arena_printf(a,
		    "\"%s\":0", metrics[i].key));

		assert_read(zero);
		assert_number(metrics[i].column, 0);
		assert_false(same_hash(zero, with_metrics(arena_printf(a,
		    "\"%s\":null", metrics[i].key))));
	}
	assert_false(same_hash(with_metrics("\"is_autobid\":false"),
	    with_metrics("\"is_autobid\":null")));
	assert_false(same_hash(with_upgrade("\"cost\":0"),
	    with_upgrade("\"cost\":null")));
}

static void
whole_numbers_in_any_form_and_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < NMETRICS; i++) {
		assert_read(with_metrics(arena_printf(a, "\"%s\":1000000.0",
		    metrics[i].key)));
		assert_number(metrics[i].column, 1000000);
		assert_read(with_metrics(arena_printf(a, "\"%s\":2147483648",
		    metrics[i].key)));
		assert_number(metrics[i].column, 2147483648);
	}
}

static void
a_fraction_of_a_cent_is_refused(void **state)
{
	static const char *const	 bad[] = { "0.5", "31999.01", "-0.25",
		"1e300", "\"31999\"", "true", "[]", "{}" };

	(void)state;
	for (size_t i = 0; i < NMETRICS; i++)
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
			assert_refused(with_metrics(arena_printf(a,
			    "\"%s\":%s", metrics[i].key, bad[k])),
			    metrics[i].key);
	assert_refused(with_metrics("\"budget\":31999.5"),
	    "is not a whole number");
	assert_refused(with_metrics("\"is_autobid\":1"), "is_autobid");
	assert_refused(with_metrics("\"is_autobid\":\"true\""),
	    "neither true nor false");
}

static void
defect_21_dollars_become_cents(void **state)
{
	static const struct {
		const char	*dollars;
		int64_t		 cents;
	} good[] = {
		{ "8.24", 824 }, { "30", 3000 }, { "30.0", 3000 }, { "0", 0 },
		{ "0.01", 1 }, { "0.07", 7 }, { "0.29", 29 }, { "1.15", 115 },
		{ "19.99", 1999 }, { "29.99", 2999 }, { "1.1", 110 },
		{ "4.35", 435 }, { "-8.24", -824 }, { "1234567.89", 123456789 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_read(with_upgrade(arena_printf(a,
		    "\"monthly_rate\":%s", good[i].dollars)));
		assert_number(PROGRAM_UPGRADE_RATE, good[i].cents);
		assert_null_value(PROGRAM_UPGRADE_COST);
		assert_read(with_upgrade(arena_printf(a, "\"cost\":%s",
		    good[i].dollars)));
		assert_number(PROGRAM_UPGRADE_COST, good[i].cents);
		assert_null_value(PROGRAM_UPGRADE_RATE);
	}
	assert_read(with("\"page_upgrade_info\":null"));
	assert_null_value(PROGRAM_UPGRADE_RATE);
	assert_null_value(PROGRAM_UPGRADE_COST);
}

static void
defect_19_every_cent_to_a_hundred_is_exact(void **state)
{
	char	 text[32];

	(void)state;
	for (int cents = 0; cents <= 10000; cents++) {
		snprintf(text, sizeof(text), "\"cost\":%d.%02d", cents / 100,
		    cents % 100);
		assert_read(with_upgrade(text));
		assert_number(PROGRAM_UPGRADE_COST, cents);
	}
}

static void
dollars_that_are_no_cents_are_refused(void **state)
{
	(void)state;
	assert_refused(with_upgrade("\"cost\":8.245"),
	    "cost has a fraction of a cent");
	assert_refused(with_upgrade("\"monthly_rate\":0.001"),
	    "monthly_rate");
	assert_refused(with_upgrade("\"cost\":1e13"), "cost");
	assert_refused(with_upgrade("\"cost\":\"8.24\""), "cost");
}

static const struct {
	const char		*key;
	enum program_column	 column;
} lists[] = {
	{ "active_features", PROGRAM_ACTIVE_FEATURES },
	{ "available_features", PROGRAM_AVAILABLE_FEATURES },
	{ "businesses", PROGRAM_BUSINESSES },
	{ "future_budget_changes", PROGRAM_BUDGET_CHANGES },
	{ "ad_categories", PROGRAM_AD_CATEGORIES },
};

static void
lists_are_kept_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char	*key = lists[i].key;

		assert_read(with(arena_printf(a, "\"%s\":[\"A\",\"\\u00f1\","
		    "{\"z\":8.24,\"b\":null}]", key)));
		assert_text(lists[i].column,
		    "[\"A\",\"\xc3\xb1\",{\"b\":null,\"z\":8.24}]");
		assert_read(with(arena_printf(a, "\"%s\":[]", key)));
		assert_text(lists[i].column, "[]");
		assert_read(with(arena_printf(a, "\"%s\":null", key)));
		assert_null_value(lists[i].column);
		assert_read(with("\"x\":1"));
		assert_null_value(lists[i].column);
		assert_refused(with(arena_printf(a, "\"%s\":{}", key)), key);
		assert_refused(with(arena_printf(a, "\"%s\":\"A\"", key)),
		    "is not a list");
		assert_refused(with(arena_printf(a, "\"%s\":[\"%s\"]", key,
		    id_of(PROGRAM_JSON_MAX))), "too long");
	}
}

static void
the_first_business_has_columns_of_its_own(void **state)
{
	(void)state;
	assert_read(FULL);
	assert_text(PROGRAM_BUSINESS, "b1zAAAAAAAAAAAAAAAA007");
	assert_text(PROGRAM_PARTNER_BUSINESS, "own-7");
	assert_read(with("\"businesses\":[{\"yelp_business_id\":\"\"},"
	    "{\"yelp_business_id\":\"b2\"}]"));
	assert_null_value(PROGRAM_BUSINESS);
	assert_read(with("\"ad_campaign_id\":\"c1\""));
	assert_text(PROGRAM_CAMPAIGN, "c1");
	assert_null_value(PROGRAM_BUSINESS);
}

static void
every_column_changes_the_hash(void **state)
{
	static const char *const	 members[][2] = {
		[PROGRAM_BUSINESS] = { "\"businesses\":"
		    "[{\"yelp_business_id\":\"b1\"}]",
		    "\"businesses\":[{\"yelp_business_id\":\"b2\"}]" },
		[PROGRAM_PARTNER_BUSINESS] = { "\"businesses\":"
		    "[{\"partner_business_id\":\"b1\"}]",
		    "\"businesses\":[{\"partner_business_id\":\"b2\"}]" },
		[PROGRAM_TYPE] = { "\"program_type\":\"BP\"",
		    "\"program_type\":\"EP\"" },
		[PROGRAM_STATUS] = { "\"program_status\":\"ACTIVE\"",
		    "\"program_status\":\"INACTIVE\"" },
		[PROGRAM_PAUSE] = { "\"program_pause_status\":\"PAUSED\"",
		    "\"program_pause_status\":\"NOT_PAUSED\"" },
		[PROGRAM_START] = { "\"start_date\":\"2025-01-01\"",
		    "\"start_date\":\"2025-01-02\"" },
		[PROGRAM_END] = { "\"end_date\":\"2025-01-01\"",
		    "\"end_date\":\"2025-01-02\"" },
		[PROGRAM_BUDGET] = { "\"program_metrics\":{\"budget\":1}",
		    "\"program_metrics\":{\"budget\":2}" },
		[PROGRAM_CURRENCY] = {
		    "\"program_metrics\":{\"currency\":\"USD\"}",
		    "\"program_metrics\":{\"currency\":\"CAD\"}" },
		[PROGRAM_AUTOBID] = {
		    "\"program_metrics\":{\"is_autobid\":true}",
		    "\"program_metrics\":{\"is_autobid\":false}" },
		[PROGRAM_MAX_BID] = { "\"program_metrics\":{\"max_bid\":1}",
		    "\"program_metrics\":{\"max_bid\":2}" },
		[PROGRAM_IMPRESSIONS] = {
		    "\"program_metrics\":{\"billed_impressions\":1}",
		    "\"program_metrics\":{\"billed_impressions\":2}" },
		[PROGRAM_CLICKS] = {
		    "\"program_metrics\":{\"billed_clicks\":1}",
		    "\"program_metrics\":{\"billed_clicks\":2}" },
		[PROGRAM_AD_COST] = { "\"program_metrics\":{\"ad_cost\":1}",
		    "\"program_metrics\":{\"ad_cost\":2}" },
		[PROGRAM_FEE_PERIOD] = {
		    "\"program_metrics\":{\"fee_period\":\"A\"}",
		    "\"program_metrics\":{\"fee_period\":\"B\"}" },
		[PROGRAM_ACTIVE_FEATURES] = { "\"active_features\":[]",
		    "\"active_features\":[\"A\"]" },
		[PROGRAM_AVAILABLE_FEATURES] = { "\"available_features\":[]",
		    "\"available_features\":[\"A\"]" },
		[PROGRAM_BUSINESSES] = { "\"businesses\":[]",
		    "\"businesses\":[null,{\"yelp_business_id\":\"b1\"}]" },
		[PROGRAM_BUDGET_CHANGES] = { "\"future_budget_changes\":[]",
		    "\"future_budget_changes\":[{\"new_budget\":1}]" },
		[PROGRAM_UPGRADE_RATE] = {
		    "\"page_upgrade_info\":{\"monthly_rate\":1}",
		    "\"page_upgrade_info\":{\"monthly_rate\":1.01}" },
		[PROGRAM_UPGRADE_COST] = { "\"page_upgrade_info\":{\"cost\":1}",
		    "\"page_upgrade_info\":{\"cost\":1.01}" },
		[PROGRAM_AD_CATEGORIES] = { "\"ad_categories\":[]",
		    "\"ad_categories\":[\"A\"]" },
		[PROGRAM_CAMPAIGN] = { "\"ad_campaign_id\":\"A\"",
		    "\"ad_campaign_id\":\"B\"" },
	};

	(void)state;
	assert_int_equal(sizeof(members) / sizeof(members[0]), PROGRAM__MAX);
	assert_false(same_hash("{\"program_id\":\"p1\"}",
	    "{\"program_id\":\"p2\"}"));
	for (int i = PROGRAM_ID + 1; i < PROGRAM__MAX; i++)
		for (int k = 0; k < 2; k++) {
			assert_read(with(members[i][k]));
			assert_true(p.values[i].present);
			if (same_hash(with(members[i][k]), with("\"x\":1")) ||
			    same_hash(with(members[i][0]),
			    with(members[i][1])))
				fail_msg("column %d is not in the hash", i);
		}
	/* Each column's place counts: the same number elsewhere is another. */
	for (size_t i = 0; i < NMETRICS; i++)
		for (size_t k = 0; k < NMETRICS; k++)
			assert_int_equal(same_hash(
			    with_metrics(arena_printf(a, "\"%s\":5",
			    metrics[i].key)),
			    with_metrics(arena_printf(a, "\"%s\":5",
			    metrics[k].key))), i == k);
}

/* Whether the part of the hash that is over the businesses is the same. */
static bool
same_links(const char *one, const char *other)
{
	unsigned char	 first[PROGRAM_LINKS_HASH_SIZE];

	assert_read(one);
	memcpy(first, p.hash, sizeof(first));
	assert_read(other);
	return memcmp(first, p.hash, sizeof(first)) == 0;
}

static void
the_hash_begins_with_that_of_the_businesses(void **state)
{
	(void)state;
	assert_true(same_links(with("\"program_type\":\"BP\""),
	    with("\"program_type\":\"CPC\"")));
	assert_true(same_links(with("\"businesses\":null"),
	    with("\"program_type\":\"CPC\"")));
	assert_false(same_links(
	    with("\"businesses\":[{\"yelp_business_id\":\"b1\"}]"),
	    with("\"businesses\":[{\"yelp_business_id\":\"b2\"}]")));
	assert_false(same_links(
	    with("\"businesses\":[{\"yelp_business_id\":\"b1\"}]"),
	    with("\"program_type\":\"CPC\"")));
}

static void
a_batch_has_a_row_for_each_program(void **state)
{
	struct program_batch	 b;

	(void)state;
	program_batch_init(&b);
	assert_read(FULL);
	program_batch_add(&b, &p);
	program_batch_link(&b, &p);
	assert_read(with("\"businesses\":[{\"yelp_business_id\":\"b1\"},"
	    "{\"yelp_business_id\":\"b2\"},{\"yelp_business_id\":\"b3\"}]"));
	program_batch_add(&b, &p);
	program_batch_link(&b, &p);
	assert_read("{\"program_id\":\"bare\"}");
	program_batch_add(&b, &p);
	program_batch_link(&b, &p);
	assert_int_equal(b.n, 3);
	assert_int_equal(b.relinked.n, 3);
	for (int i = 0; i < PROGRAM__MAX; i++) {
		assert_int_equal(b.columns[i].n, 3);
		/* The bare one has an id and nothing else. */
		assert_int_equal(b.columns[i].has_null, i != PROGRAM_ID);
	}
	assert_int_equal(b.hash.n, 3);
	assert_false(b.hash.has_null);
	/* One and three and none. */
	assert_int_equal(b.link_program.n, 4);
	assert_int_equal(b.link_business.n, 4);
	program_batch_free(&b);
}

static void
lists_of_a_batch_are_sent_once_each(void **state)
{
	struct program_batch	 b;

	(void)state;
	program_batch_init(&b);
	for (int i = 0; i < 3; i++) {
		assert_read(with("\"active_features\":[\"x\"],"
		    "\"available_features\":[\"y\",\"x\"],"
		    "\"ad_categories\":[\"x\"]"));
		program_batch_add(&b, &p);
	}
	assert_string_equal(documents_arg(&b.lists).p,
	    "[[\"x\"],[\"y\",\"x\"]]");
	program_batch_free(&b);
}

static void
links_that_stay_are_not_sent(void **state)
{
	struct program_batch	 b;

	(void)state;
	program_batch_init(&b);
	assert_read(FULL);
	program_batch_add(&b, &p);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.hash.n, 1);
	assert_int_equal(b.relinked.n, 0);
	assert_int_equal(b.link_program.n, 0);
	assert_int_equal(b.link_business.n, 0);
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
		cmocka_unit_test(all_metrics_become_columns),
		cmocka_unit_test(metrics_that_are_not_there_are_null),
		cmocka_unit_test(one_metric_alone_leaves_the_others_null),
		cmocka_unit_test(zero_is_not_null),
		cmocka_unit_test(whole_numbers_in_any_form_and_size),
		cmocka_unit_test(a_fraction_of_a_cent_is_refused),
		cmocka_unit_test(defect_21_dollars_become_cents),
		cmocka_unit_test(defect_19_every_cent_to_a_hundred_is_exact),
		cmocka_unit_test(dollars_that_are_no_cents_are_refused),
		cmocka_unit_test(lists_are_kept_as_they_are),
		cmocka_unit_test(the_first_business_has_columns_of_its_own),
		cmocka_unit_test(every_column_changes_the_hash),
		cmocka_unit_test(the_hash_begins_with_that_of_the_businesses),
		cmocka_unit_test(a_batch_has_a_row_for_each_program),
		cmocka_unit_test(lists_of_a_batch_are_sent_once_each),
		cmocka_unit_test(links_that_stay_are_not_sent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("program", tests, setup, teardown);
}
