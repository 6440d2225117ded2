/* What a client says of what it has and wants: If-None-Match and Accept. */

#include "http/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/req.h"

static void
a_tag_is_found_in_every_form(void **state)
{
	static const char *const	good[] = {
		"W/\"ab\"", "\"ab\"", " \"ab\" ", "\"x\", \"ab\"",
		"W/\"x\",W/\"ab\"", "\"x\" ,\t\"ab\", \"y\"", ", \"ab\"",
		"\"x,\\\", \"ab\"", "*", " * ",
	};

	(void)state;
	for (size_t i = 0; i < nitems(good); i++) {
		assert_true(etag_matches(good[i], "W/\"ab\""));
		assert_true(etag_matches(good[i], "\"ab\""));
	}
}

static void
nothing_else_is_taken_for_it(void **state)
{
	static const char *const	bad[] = {
		"", " ", ",", "ab", "\"a\"", "\"abc\"", "\"ab", "ab\"",
		"w/\"ab\"", "W/ab", "\"AB\"", "\"x\" \"ab", "*, *x", "**",
		"\"x\"\"ab\"", "\"x\"; \"ab\"", "x \"ab\"",
	};

	(void)state;
	for (size_t i = 0; i < nitems(bad); i++)
		assert_false(etag_matches(bad[i], "W/\"ab\""));
}

static void
csv_is_sent_to_who_likes_it_better(void **state)
{
	static const char *const	csv[] = {
		"text/csv", "TEXT/CSV", "text/csv;q=0.1", "text/csv, */*",
		"text/csv;header=present", "text/csv; q=0.9, */*;q=0.8",
		"text/csv, application/json;q=0.9", "text/html,text/csv",
		"application/json;q=0, text/csv;q=0.1",
	};
	static const char *const	json[] = {
		"", "*/*", "application/json", "text/*", "text/csvx",
		"text/csv;q=0", "text/csv;q=0.0, */*",
		"application/json, text/csv", "text/csv, application/json",
		"text/csv;q=0.5, application/json;q=0.6",
		"text/csv;q=0.5, */*", "xtext/csv",
	};

	(void)state;
	for (size_t i = 0; i < nitems(csv); i++)
		assert_true(accept_prefers(csv[i], "text/csv"));
	for (size_t i = 0; i < nitems(json); i++)
		assert_false(accept_prefers(json[i], "text/csv"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_is_found_in_every_form),
		cmocka_unit_test(nothing_else_is_taken_for_it),
		cmocka_unit_test(csv_is_sent_to_who_likes_it_better),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("etag", tests, NULL, NULL);
}
