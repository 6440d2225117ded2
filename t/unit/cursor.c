/* A cursor comes back as it was, to the list it was made for and no other. */

#include "http/cursor.h"

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
#include "core/compiler.h"
#include "core/secret.h"

#define SCOPE	"7 -budget&q=a"

static struct arena	*a;

static int
set_up(void **state)
{
	char		 dir[] = "/tmp/cursor-XXXXXX";
	char		 path[64];
	const char	*why;
	int		 rc;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	rc = secret_make(path, &why) | secret_load(path, &why);
	unlink(path);
	rmdir(dir);
	a = arena_new();
	return rc;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void
same(const struct cursor *in)
{
	struct cursor	 out;
	char		*text = cursor_make(a, SCOPE, in);

	assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(text));
	assert_int_equal(cursor_read(a, SCOPE, text, &out), 0);
	assert_int_equal(out.has_number, in->has_number);
	if (in->has_number)
		assert_true(out.number == in->number);
	if (in->words == NULL)
		assert_null(out.words);
	else
		assert_string_equal(out.words, in->words);
	assert_string_equal(out.id, in->id);
}

static void
every_kind_of_key_comes_back(void **state)
{
	char	 longest[1021];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	same(&(struct cursor){ .has_number = true, .number = 0, .id = "p" });
	same(&(struct cursor){ .has_number = true, .number = INT64_MIN,
	    .id = "-1" });
	same(&(struct cursor){ .has_number = true, .number = INT64_MAX,
	    .id = "9" });
	same(&(struct cursor){ .words = "", .id = "id" });
	same(&(struct cursor){ .words = "12:3 caf\xc3\xa9", .id = "4:id" });
	same(&(struct cursor){ .words = longest, .id = "i" });
	same(&(struct cursor){ .id = "alone" });
}

static void
it_opens_no_other_list(void **state)
{
	static const char *const	other[] = { "", "8 -budget&q=a",
		"7 budget&q=a", "7 -budget&q=b", "7 -budget", SCOPE " " };
	struct cursor	 c = { .has_number = true, .number = 5, .id = "p" };
	char		*text = cursor_make(a, SCOPE, &c);

	(void)state;
	for (size_t i = 0; i < nitems(other); i++)
		assert_int_equal(cursor_read(a, other[i], text, &c), -1);
	/* What ends the scope cannot begin the place. */
	text = cursor_make(a, "ab", &(struct cursor){ .id = "p" });
	assert_int_equal(cursor_read(a, "a", text, &c), -1);
}

static void
nothing_that_was_touched_is_taken(void **state)
{
	static const char	digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct cursor	 c = { .words = "key", .id = "program-1" };
	char		*text = cursor_make(a, SCOPE, &c);
	size_t		 n = strlen(text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char	*forged = arena_strdup(a, text);

		forged[i] = digits[(size_t)(strchr(digits, text[i]) - digits +
		    32) % 64];
		assert_int_equal(cursor_read(a, SCOPE, forged, &c), -1);
		assert_int_equal(cursor_read(a, SCOPE, arena_strndup(a, text,
		    i), &c), -1);
	}
	assert_int_equal(cursor_read(a, SCOPE, arena_printf(a, "%sAAAA",
	    text), &c), -1);
}

static void
what_is_no_cursor_at_all_is_refused(void **state)
{
	static const char *const	bad[] = { "", "A", "AA", "AAAA", "=",
		"====", "++++", "////", "a b", "\xc3\xa9", "%00",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	struct cursor	 c;
	char		*huge = arena_alloc(a, 100001);

	(void)state;
	memset(huge, 'A', 100000);
	for (size_t i = 0; i < nitems(bad); i++)
		assert_int_equal(cursor_read(a, SCOPE, bad[i], &c), -1);
	assert_int_equal(cursor_read(a, SCOPE, huge, &c), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_comes_back),
		cmocka_unit_test(it_opens_no_other_list),
		cmocka_unit_test(nothing_that_was_touched_is_taken),
		cmocka_unit_test(what_is_no_cursor_at_all_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cursor", tests, set_up, tear_down);
}
