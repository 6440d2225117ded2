/* The text of an event stream, and the id that comes back from it. */

#include "events/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UUID	"0123abcd-4567-89ab-cdef-0123456789ab"

static void
assert_frame(const char *data, const char *frame)
{
	struct buf	 b;
	size_t		 n = strlen(data);
	char		*exact = malloc(n + 1);

	/* Without its NUL, for the sanitizer to see a byte beyond. */
	memcpy(exact, data, n);
	exact = realloc(exact, n > 0 ? n : 1);
	buf_init(&b, 1024);
	assert_int_equal(sse_event(&b, "x.1", exact, n), 0);
	assert_string_equal(b.data, frame);
	buf_free(&b);
	free(exact);
}

static void
each_line_gets_its_own_data_field(void **state)
{
	(void)state;
	assert_frame("{}", "id: x.1\ndata: {}\n\n");
	assert_frame("a\nb", "id: x.1\ndata: a\ndata: b\n\n");
	assert_frame("a\r\nb\rc", "id: x.1\ndata: a\ndata: b\ndata: c\n\n");
	assert_frame("a\n\nb", "id: x.1\ndata: a\ndata: \ndata: b\n\n");
	assert_frame("a\n", "id: x.1\ndata: a\ndata: \n\n");
	assert_frame("", "id: x.1\ndata: \n\n");
}

static void
an_id_cannot_smuggle_a_line_break(void **state)
{
	struct buf	b;

	(void)state;
	assert_true(sse_id_valid("7"));
	assert_false(sse_id_valid(""));
	assert_false(sse_id_valid("7\n8"));
	assert_false(sse_id_valid("7\r8"));
	buf_init(&b, 1024);
	assert_int_equal(sse_event(&b, "7\ndata: x", "y", 1), -1);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static void
a_full_buffer_is_told(void **state)
{
	struct buf	b;

	(void)state;
	buf_init(&b, 12);
	assert_int_equal(sse_event(&b, "1", "longer than that", 16), -1);
	buf_free(&b);
}

static void
comments_and_pauses_are_lines_of_their_own(void **state)
{
	struct buf	b;

	(void)state;
	buf_init(&b, 1024);
	assert_int_equal(sse_comment(&b, "ping"), 0);
	assert_int_equal(sse_retry(&b, 1500), 0);
	assert_string_equal(b.data, ": ping\n\nretry: 1500\n\n");
	buf_free(&b);
}

static void
an_id_comes_back_as_it_went(void **state)
{
	struct sse_id	id;
	char		text[SSE_ID_SIZE];

	(void)state;
	assert_int_equal(sse_id_parse(UUID ".17", &id), 0);
	assert_string_equal(id.job, UUID);
	assert_int_equal(id.n, 17);
	assert_string_equal(sse_id_print(&id, text), UUID ".17");
	assert_int_equal(sse_id_parse(UUID ".0", &id), 0);
	assert_int_equal(id.n, 0);
	assert_int_equal(sse_id_parse(UUID ".2147483647", &id), 0);
	assert_int_equal(id.n, 2147483647);
	assert_int_equal(
	    sse_id_parse("0123ABCD-4567-89AB-CDEF-0123456789AB.1", &id), 0);
	assert_string_equal(id.job, UUID);
}

static void
what_is_no_id_of_ours_is_refused(void **state)
{
	static const char *const	bad[] = {
		"", "17", ".17", UUID, UUID ".", UUID "-1", UUID ".-1",
		UUID ".+1", UUID ". 1", UUID ".1 ", UUID ".1x", UUID ".01",
		UUID ".1.2", UUID ".2147483648", UUID ".99999999999",
		UUID ".99999999999999999999999999999999999999999999",
		UUID ".1\n", "x" UUID ".1", " " UUID ".1",
		"0123abcd04567-89ab-cdef-0123456789ab.1",
		"0123abcg-4567-89ab-cdef-0123456789ab.1",
		"{0123abcd-4567-89ab-cdef-0123456789a.1",
	};
	struct sse_id	id;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sse_id_parse(bad[i], &id), -1);
}

static void
a_place_comes_back_as_it_went(void **state)
{
	struct sse_place	place;
	char			text[SSE_ID_SIZE];
	struct buf		b;

	(void)state;
	assert_int_equal(sse_place_parse("0123abcd.17", &place), 0);
	assert_string_equal(place.epoch, "0123abcd");
	assert_int_equal(place.seq, 17);
	assert_string_equal(sse_place_print(&place, text), "0123abcd.17");
	assert_int_equal(sse_place_parse("00000000.0", &place), 0);
	assert_int_equal(
	    sse_place_parse("ffffffff.999999999999999999", &place), 0);
	assert_int_equal(place.seq, 999999999999999999);
	buf_init(&b, 100);
	assert_int_equal(sse_mark(&b, text), 0);
	assert_string_equal(b.data, "id: 0123abcd.17\n\n");
	assert_int_equal(sse_mark(&b, "a\nb"), -1);
	buf_free(&b);
}

static void
what_is_no_place_is_refused(void **state)
{
	static const char *const	bad[] = {
		"", ".", "0123abcd", "0123abcd.", "0123abcd.-1",
		"0123abcd.01", "0123abcd.1x", "0123abcd.1.2", "0123abc.1",
		"0123abcde.1", "0123ABCD.1", "0123abcg.1", " 0123abcd.1",
		"0123abcd.1000000000000000000", "0123abcd.1\n", UUID ".1",
	};
	struct sse_place	place;
	size_t			i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sse_place_parse(bad[i], &place), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_gets_its_own_data_field),
		cmocka_unit_test(an_id_cannot_smuggle_a_line_break),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(comments_and_pauses_are_lines_of_their_own),
		cmocka_unit_test(an_id_comes_back_as_it_went),
		cmocka_unit_test(what_is_no_id_of_ours_is_refused),
		cmocka_unit_test(a_place_comes_back_as_it_went),
		cmocka_unit_test(what_is_no_place_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
