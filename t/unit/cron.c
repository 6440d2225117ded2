/* Cron expressions: what is one, and when it is due next. */

#include "jobs/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
assert_next(const char *text, const char *after, const char *want)
{
	struct cron		 c;
	struct cron_time	 t, n;
	const char		*why;
	char			 got[32] = "never";

	assert_int_equal(cron_parse(&c, text, &why), 0);
	assert_int_equal(sscanf(after, "%d-%d-%d %d:%d", &t.year, &t.month,
	    &t.day, &t.hour, &t.minute), 5);
	if (cron_next(&c, t, &n) == 0)
		snprintf(got, sizeof(got), "%04d-%02d-%02d %02d:%02d", n.year,
		    n.month, n.day, n.hour, n.minute);
	assert_string_equal(got, want);
}

static void
assert_bad(const char *text, const char *want)
{
	struct cron	 c;
	const char	*why = "";

	assert_int_equal(cron_parse(&c, text, &why), -1);
	assert_string_equal(why, want);
}

static void
a_time_is_followed_by_the_next_one_never_by_itself(void **state)
{
	(void)state;
	assert_next("*/30 * * * *", "2026-11-20 12:00", "2026-11-20 12:30");
	assert_next("*/30 * * * *", "2026-11-20 12:29", "2026-11-20 12:30");
	assert_next("*/30 * * * *", "2026-11-20 12:30", "2026-11-20 13:00");
	assert_next("*/30 * * * *", "2026-12-31 23:45", "2027-01-01 00:00");
	assert_next("0 3 * * *", "2026-11-20 03:00", "2026-11-21 03:00");
	assert_next("59 23 * * *", "2026-11-20 23:59", "2026-11-21 23:59");
	assert_next("* * * * *", "2026-11-20 23:59", "2026-11-21 00:00");
}

static void
lists_ranges_steps_and_names_are_understood(void **state)
{
	(void)state;
	assert_next("5,10-12,40-59/10 * * * *", "2026-11-20 00:05",
	    "2026-11-20 00:10");
	assert_next("5,10-12,40-59/10 * * * *", "2026-11-20 00:12",
	    "2026-11-20 00:40");
	assert_next("5,10-12,40-59/10 * * * *", "2026-11-20 00:40",
	    "2026-11-20 00:50");
	assert_next("5,10-12,40-59/10 * * * *", "2026-11-20 00:50",
	    "2026-11-20 01:05");
	assert_next("0 9 * FEB-mar Mon", "2026-11-20 00:00",
	    "2027-02-01 09:00");
	assert_next(" 0\t9  * * fri ", "2026-11-20 09:00",
	    "2026-11-27 09:00");
	assert_next("0 0 * * 7", "2026-11-20 00:00", "2026-11-22 00:00");
	assert_next("0 0 * * 5-7", "2026-11-21 00:00", "2026-11-22 00:00");
	assert_next("@weekly", "2026-11-20 00:00", "2026-11-22 00:00");
	assert_next("@monthly", "2026-11-20 00:00", "2026-12-01 00:00");
	assert_next("@yearly", "2026-11-20 00:00", "2027-01-01 00:00");
	assert_next("@daily", "2026-11-20 00:00", "2026-11-21 00:00");
	assert_next("@hourly", "2026-11-20 00:00", "2026-11-20 01:00");
}

static void
either_day_will_do_when_both_are_limited(void **state)
{
	(void)state;
	assert_next("0 0 13 * fri", "2026-11-01 00:00", "2026-11-06 00:00");
	assert_next("0 0 10 * fri", "2026-11-06 00:00", "2026-11-10 00:00");
	/* A star with a step limits, but is a star to this rule. */
	assert_next("0 0 */2 * fri", "2026-11-06 00:00", "2026-11-13 00:00");
}

static void
the_calendar_is_right(void **state)
{
	(void)state;
	assert_next("0 0 31 * *", "2026-11-01 00:00", "2026-12-31 00:00");
	assert_next("0 0 29 2 *", "2026-11-01 00:00", "2028-02-29 00:00");
	assert_next("0 0 29 2 *", "2096-02-29 00:00", "2104-02-29 00:00");
	assert_next("0 0 30 2 *", "2026-11-01 00:00", "never");
	assert_next("0 0 31 4,6,9,11 *", "2026-11-01 00:00", "never");
	assert_next("0 0 * * tue", "2000-02-28 12:00", "2000-02-29 00:00");
}

static void
what_is_no_expression_is_refused(void **state)
{
	(void)state;
	assert_bad("", "fewer than five fields");
	assert_bad("* * * *", "fewer than five fields");
	assert_bad("* * * * * *", "more than five fields");
	assert_bad("60 * * * *", "bad minute");
	assert_bad("-1 * * * *", "bad minute");
	assert_bad("5- * * * *", "bad minute");
	assert_bad("9-5 * * * *", "bad minute");
	assert_bad("5, * * * *", "bad minute");
	assert_bad("*/0 * * * *", "bad minute");
	assert_bad("5/10 * * * *", "bad minute");
	assert_bad("99999999999 * * * *", "bad minute");
	assert_bad("* 24 * * *", "bad hour");
	assert_bad("* * 0 * *", "bad day of the month");
	assert_bad("* * 32 * *", "bad day of the month");
	assert_bad("* * * 13 *", "bad month");
	assert_bad("* * * janx *", "bad month");
	assert_bad("* * * * 8", "bad day of the week");
	assert_bad("* * mon * *", "bad day of the month");
	assert_bad("@sometimes", "bad minute");
	assert_bad("*a * * * *", "bad minute");
}

static void
what_runs_every_hour_is_known(void **state)
{
	struct cron	 c;
	const char	*why;

	(void)state;
	assert_int_equal(cron_parse(&c, "*/30 * * * *", &why), 0);
	assert_true(c.every_hour);
	assert_int_equal(cron_parse(&c, "0 0-23 * * *", &why), 0);
	assert_true(c.every_hour);
	assert_int_equal(cron_parse(&c, "0 */2 * * *", &why), 0);
	assert_false(c.every_hour);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_time_is_followed_by_the_next_one_never_by_itself),
		cmocka_unit_test(lists_ranges_steps_and_names_are_understood),
		cmocka_unit_test(either_day_will_do_when_both_are_limited),
		cmocka_unit_test(the_calendar_is_right),
		cmocka_unit_test(what_is_no_expression_is_refused),
		cmocka_unit_test(what_runs_every_hour_is_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cron", tests, NULL, NULL);
}
