/* Only UTF-8 gets in, and its characters are counted as people count them. */

#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/compiler.h"

static void
characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(utf8_length("", 0), 0);
	assert_int_equal(utf8_length("abc", 3), 3);
	assert_int_equal(utf8_length("\xc3\xa9\xe2\x82\xac", 5), 2);
	assert_int_equal(utf8_length("\xf0\x9f\x8d\x8b!", 5), 2);
	assert_int_equal(utf8_length("\xed\x9f\xbf\xee\x80\x80", 6), 2);
	assert_int_equal(utf8_length("\xf4\x8f\xbf\xbf", 4), 1);
}

static void
what_is_not_utf8_is_refused(void **state)
{
	static const char *const	bad[] = {
		"\x80", "a\xbf", "\xc3", "\xc3(", "\xe2\x82", "\xe2\x82\x28",
		"\xf0\x9f\x8d", "\xff", "\xfe",
		"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
		"\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf",	/* too long */
		"\xed\xa0\x80", "\xed\xbf\xbf",		/* surrogates */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80",	/* beyond Unicode */
	};

	(void)state;
	for (size_t i = 0; i < nitems(bad); i++)
		assert_int_equal(utf8_length(bad[i], strlen(bad[i])), -1);
	assert_int_equal(utf8_length("a\0b", 3), -1);
}

static void
controls_are_seen(void **state)
{
	static const char *const	bad[] = { "\t", "a\n", "\x1f", "\x7f",
		"\xc2\x80", "a\xc2\x9f" };
	static const char *const	good[] = { "", " ", "a b", "\xc2\xa0",
		"\xc3\x80", "\xe2\x80\x80" };

	(void)state;
	for (size_t i = 0; i < nitems(bad); i++)
		assert_true(utf8_has_control(bad[i], strlen(bad[i])));
	for (size_t i = 0; i < nitems(good); i++)
		assert_false(utf8_has_control(good[i], strlen(good[i])));
}

static void
utf16_becomes_utf8(void **state)
{
	static const char	text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x8b";
	char			out[32];

	(void)state;
	assert_int_equal(utf8_from_16("a\0\xe9\0\xac\x20\x3c\xd8\x4b\xdf", 10,
	    false, out), sizeof(text) - 1);
	assert_memory_equal(out, text, sizeof(text) - 1);
	assert_int_equal(utf8_from_16("\0a\0\xe9\x20\xac\xd8\x3c\xdf\x4b", 10,
	    true, out), sizeof(text) - 1);
	assert_memory_equal(out, text, sizeof(text) - 1);
	assert_int_equal(utf8_from_16("", 0, true, out), 0);
	assert_int_equal(utf8_from_16("\0a\0", 3, true, out), -1);
	assert_int_equal(utf8_from_16("\xd8\x3c", 2, true, out), -1);
	assert_int_equal(utf8_from_16("\xd8\x3c\0a", 4, true, out), -1);
	assert_int_equal(utf8_from_16("\xdf\x4b", 2, true, out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(controls_are_seen),
		cmocka_unit_test(utf16_becomes_utf8),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
