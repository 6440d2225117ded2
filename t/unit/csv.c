/* A cell holds whatever it likes, and a spreadsheet runs none of it. */

#include "core/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"

static void
check(int (*cell)(struct buf *, const char *, int), const char *in,
    const char *out)
{
	struct buf	 b;

	buf_init(&b, 1024);
	assert_int_equal(cell(&b, in, 0), 0);
	assert_string_equal(b.data, out);
	buf_free(&b);
}

static void
cells_are_quoted_when_they_must_be(void **state)
{
	(void)state;
	check(csv_text, NULL, ",");
	check(csv_text, "", ",");
	check(csv_text, "plain text", "plain text,");
	check(csv_text, "a,b", "\"a,b\",");
	check(csv_text, "say \"hi\"", "\"say \"\"hi\"\"\",");
	check(csv_text, "\"", "\"\"\"\",");
	check(csv_text, "a\nb", "\"a\nb\",");
	check(csv_text, "a\rb", "\"a\rb\",");
	check(csv_text, "caf\xc3\xa9", "caf\xc3\xa9,");
}

static void
a_text_never_begins_like_a_formula(void **state)
{
	(void)state;
	check(csv_text, "=1+1", "'=1+1,");
	check(csv_text, "+1", "'+1,");
	check(csv_text, "-1", "'-1,");
	check(csv_text, "@x", "'@x,");
	check(csv_text, "\tx", "'\tx,");
	check(csv_text, "\r=1", "\"'\r=1\",");
	check(csv_text, "=A1,\"b\"", "\"'=A1,\"\"b\"\"\",");
	check(csv_text, "a=1", "a=1,");
	check(csv_plain, "-12", "-12,");
}

static void
the_last_cell_ends_the_line(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 1024);
	assert_int_equal(csv_text(&b, "a", 0), 0);
	assert_int_equal(csv_plain(&b, NULL, 0), 0);
	assert_int_equal(csv_plain(&b, "7", 1), 0);
	assert_string_equal(b.data, "a,,7\r\n");
	buf_free(&b);
}

static void
what_does_not_fit_is_told(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(csv_text(&b, "abcd", 0), -1);
	buf_free(&b);
	buf_init(&b, 4);
	assert_int_equal(csv_text(&b, "=bcd", 0), -1);
	buf_free(&b);
}

/* The records of a text: "line:cell" each, "-" behind it where all is empty. */
static void
read_is(const char *text, const char *wanted)
{
	struct csv_reader	 r = { .at = text, .end = text + strlen(text) };
	struct csv_record	 record;
	char			 all[200] = "";
	int			 rc;

	while ((rc = csv_read(&r, &record)) == 1)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "%s%d:%.*s%s", *all == '\0' ? "" : " ",
		    (int)record.line, (int)record.len, record.cell,
		    record.empty ? "-" : "");
	if (rc == -1)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "!%d",
		    (int)record.line);
	assert_string_equal(all, wanted);
}

static void
the_first_cell_of_each_record_is_read(void **state)
{
	(void)state;
	read_is("", "");
	read_is("1", "1:1");
	read_is("1,a\n2;b\n3\tc\n", "1:1 2:2 3:3");
	read_is("1\r2\r\n3\r", "1:1 2:2 3:3");
	read_is("1\n\r\n\r2", "1:1 2:- 3:- 4:2");
	read_is(" 1 , 2\n,2\n;;\n", "1:1 2: 3:-");
	read_is("\"1\",\"a\"\"b\"\n\" 2 \" ;x", "1:1 2:2");
	read_is("1,\"a\nb\r\n\"\n2", "1:1 4:2");
	read_is("1,6\" nails\n2", "1:1 2:2");
}

static void
quotes_that_do_not_match_are_told(void **state)
{
	(void)state;
	read_is("1\n2,\"a\n3\n", "1:1!2");
	read_is("1\n\"2\"x\n3\n", "1:1!2");
	read_is("1,\"a\n2,\"b\n3", "!1");
	read_is("\"", "!1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_quoted_when_they_must_be),
		cmocka_unit_test(a_text_never_begins_like_a_formula),
		cmocka_unit_test(the_last_cell_ends_the_line),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(the_first_cell_of_each_record_is_read),
		cmocka_unit_test(quotes_that_do_not_match_are_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
