/*
 * Columns as PostgreSQL's binary arrays, byte for byte: what is wrong here the
 * server takes for other rows.
 */

#include "data/column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/db.h"

static struct column	 c;
/* As much as a column holds with its header, and one byte. */
static char		 huge[(64u << 20) + 1];

static void
start(enum column_type type)
{
	column_init(&c, type);
}

/* The parameter is these n bytes, of that array type; ends the column. */
static void
assert_array(const char *bytes, size_t n, unsigned int type)
{
	struct db_arg	 arg = column_arg(&c);

	assert_int_equal(arg.type, type);
	assert_true(arg.binary);
	assert_int_equal(arg.len, n);
	assert_memory_equal(arg.p, bytes, n);
	column_free(&c);
}

#define ASSERT_ARRAY(bytes, type) \
	assert_array(bytes, sizeof(bytes) - 1, type)

/* One dimension, has-null flag, element type, length, first index 1. */
#define HEADER(null, element, n) \
	"\0\0\0\1" "\0\0\0" null "\0\0" element "\0\0\0" n "\0\0\0\1"
#define NIL	"\377\377\377\377"

static void
no_rows_are_an_empty_array(void **state)
{
	(void)state;
	start(COLUMN_TEXT);
	ASSERT_ARRAY(HEADER("\0", "\0\x19", "\0"), 1009);
}

static void
texts_and_nulls(void **state)
{
	(void)state;
	start(COLUMN_TEXT);
	column_text(&c, "ab");
	column_text(&c, NULL);
	column_text(&c, "");
	column_null(&c);
	ASSERT_ARRAY(HEADER("\1", "\0\x19", "\4")
	    "\0\0\0\2" "ab" NIL "\0\0\0\0" NIL, 1009);
}

static void
without_a_null_the_flag_says_so(void **state)
{
	(void)state;
	start(COLUMN_TEXT);
	column_text(&c, "\xc3\xa4");
	ASSERT_ARRAY(HEADER("\0", "\0\x19", "\1") "\0\0\0\2\xc3\xa4", 1009);
}

static void
numbers_are_big_endian(void **state)
{
	(void)state;
	start(COLUMN_INT4);
	column_int(&c, 258);
	column_int(&c, -2);
	ASSERT_ARRAY(HEADER("\0", "\0\x17", "\2")
	    "\0\0\0\4" "\0\0\1\2" "\0\0\0\4" "\377\377\377\376", 1007);
	start(COLUMN_INT8);
	column_int(&c, 0x0102030405060708);
	column_int(&c, INT64_MIN);
	ASSERT_ARRAY(HEADER("\0", "\0\x14", "\2")
	    "\0\0\0\10" "\1\2\3\4\5\6\7\10"
	    "\0\0\0\10" "\200\0\0\0\0\0\0\0", 1016);
}

static void
a_column_of_numbers_is_made_at_once(void **state)
{
	const int64_t	 numbers[] = { 1, 258, -1 };

	(void)state;
	c = column_ints(numbers, 3);
	ASSERT_ARRAY(HEADER("\0", "\0\x14", "\3")
	    "\0\0\0\10" "\0\0\0\0\0\0\0\1"
	    "\0\0\0\10" "\0\0\0\0\0\0\1\2"
	    "\0\0\0\10" "\377\377\377\377\377\377\377\377", 1016);
}

static void
booleans_are_a_byte(void **state)
{
	(void)state;
	start(COLUMN_BOOL);
	column_bool(&c, true);
	column_bool(&c, false);
	column_null(&c);
	ASSERT_ARRAY(HEADER("\1", "\0\x10", "\3")
	    "\0\0\0\1\1" "\0\0\0\1\0" NIL, 1000);
}

static void
dates_are_days_from_2000(void **state)
{
	(void)state;
	start(COLUMN_DATE);
	column_date(&c, 10957);		/* 2000-01-01 */
	column_date(&c, 0);		/* 1970-01-01 */
	column_date(&c, 2932896);	/* 9999-12-31 */
	ASSERT_ARRAY(HEADER("\0", "\x04\x3a", "\3")
	    "\0\0\0\4" "\0\0\0\0" "\0\0\0\4" "\377\377\325\063"
	    "\0\0\0\4" "\0\x2c\x95\xd3", 1182);
}

static void
bytes_may_be_any(void **state)
{
	(void)state;
	start(COLUMN_BYTEA);
	column_bytes(&c, (struct bytes){ "\0\1\377", 3 });
	column_bytes(&c, (struct bytes){ "", 0 });
	ASSERT_ARRAY(HEADER("\0", "\0\x11", "\2")
	    "\0\0\0\3\0\1\377" "\0\0\0\0", 1001);
}

static void
json_has_its_version_before_it(void **state)
{
	(void)state;
	start(COLUMN_JSONB);
	column_text(&c, "[]");
	column_text(&c, NULL);
	ASSERT_ARRAY(HEADER("\1", "\x0e\xda", "\2")
	    "\0\0\0\3\1[]" NIL, 3807);
}

static void
rows_may_follow_after_the_parameter_was_made(void **state)
{
	(void)state;
	start(COLUMN_TEXT);
	column_text(&c, "a");
	(void)column_arg(&c);
	column_text(&c, "b");
	ASSERT_ARRAY(HEADER("\0", "\0\x19", "\2")
	    "\0\0\0\1a" "\0\0\0\1b", 1009);
}

/* Cut silently, some rows would be lost or shifted against other columns. */
static void
what_is_too_much_is_sql_null(void **state)
{
	struct db_arg	 arg;

	(void)state;
	start(COLUMN_BYTEA);
	column_bytes(&c, (struct bytes){ "before", 6 });
	column_bytes(&c, (struct bytes){ huge, sizeof(huge) });
	column_bytes(&c, (struct bytes){ "after", 5 });
	arg = column_arg(&c);
	assert_null(arg.p);
	column_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rows_are_an_empty_array),
		cmocka_unit_test(texts_and_nulls),
		cmocka_unit_test(without_a_null_the_flag_says_so),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(a_column_of_numbers_is_made_at_once),
		cmocka_unit_test(booleans_are_a_byte),
		cmocka_unit_test(dates_are_days_from_2000),
		cmocka_unit_test(bytes_may_be_any),
		cmocka_unit_test(json_has_its_version_before_it),
		cmocka_unit_test(rows_may_follow_after_the_parameter_was_made),
		cmocka_unit_test(what_is_too_much_is_sql_null),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
