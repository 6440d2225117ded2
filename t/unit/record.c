/* FastCGI records: whatever the peer sends, only what is whole is believed. */

#include "events/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID	1

/* Appends a record as a peer would send it. */
static void
put(struct buf *b, int type, int id, const void *data, size_t n, int padding)
{
	unsigned char	h[8] = { 1, (unsigned char)type,
	    (unsigned char)(id >> 8), (unsigned char)id,
	    (unsigned char)(n >> 8), (unsigned char)n,
	    (unsigned char)padding, 0 };
	char		zeros[256] = { 0 };

	assert_int_equal(buf_add(b, h, sizeof(h)), 0);
	assert_int_equal(buf_add(b, data, n), 0);
	assert_int_equal(buf_add(b, zeros, (size_t)padding), 0);
}

static void
put_begin(struct buf *b, int id, int role)
{
	unsigned char	body[8] = { (unsigned char)(role >> 8),
	    (unsigned char)role, 1 };

	put(b, 1, id, body, sizeof(body), 0);
}

static const char	params[] = "\014\003QUERY_STRINGa=b" "\001\001XY";

/* A whole request of nginx's kind. */
static void
put_request(struct buf *b)
{
	buf_init(b, 1 << 20);
	put_begin(b, ID, 1);
	put(b, 4, ID, params, sizeof(params) - 1, 5);
	put(b, 4, ID, "", 0, 0);
	put(b, 5, ID, "", 0, 0);
}

static enum record_news
feed_all(struct record_reader *r, const struct buf *b, size_t *used)
{
	record_init(r);
	return record_feed(r, b->data, b->len, used);
}

static void
expect(const struct buf *b, enum record_news news)
{
	struct record_reader	r;
	size_t			used;

	assert_int_equal(feed_all(&r, b, &used), news);
	record_free(&r);
}

static void
assert_param(const struct buf *p, const char *name, const char *value)
{
	const char	*v;
	size_t		 n;

	assert_int_equal(record_param(p, name, &v, &n), 0);
	assert_int_equal(n, strlen(value));
	assert_memory_equal(v, value, n);
}

static void
a_whole_request_is_read(void **state)
{
	struct record_reader	r;
	struct buf		b;
	size_t			used;

	(void)state;
	put_request(&b);
	assert_int_equal(feed_all(&r, &b, &used), RECORD_REQUEST);
	assert_int_equal(used, b.len - 8);
	assert_int_equal(r.id, ID);
	assert_param(&r.params, "QUERY_STRING", "a=b");
	assert_param(&r.params, "X", "Y");
	assert_int_equal(record_feed(&r, b.data + used, 8, &used),
	    RECORD_MORE);
	record_free(&r);
	buf_free(&b);
}

static void
a_request_cut_at_any_byte_only_waits(void **state)
{
	struct record_reader	r;
	struct buf		b;
	size_t			used, whole, i;
	char			*copy;

	(void)state;
	put_request(&b);
	whole = b.len - 8;
	for (i = 0; i < whole; i++) {
		/* Of exact size, for the sanitizer to see a byte beyond. */
		copy = malloc(i + 1);
		memcpy(copy, b.data, i);
		record_init(&r);
		assert_int_equal(record_feed(&r, copy, i, &used), RECORD_MORE);
		assert_int_equal(used, i);
		assert_int_equal(record_feed(&r, b.data + i, whole - i, &used),
		    RECORD_REQUEST);
		record_free(&r);
		free(copy);
	}
	buf_free(&b);
}

static void
a_request_in_single_bytes_is_read(void **state)
{
	struct record_reader	r;
	struct buf		b;
	size_t			used, i;
	enum record_news	news = RECORD_MORE;

	(void)state;
	put_request(&b);
	record_init(&r);
	for (i = 0; i < b.len && news == RECORD_MORE; i++)
		news = record_feed(&r, b.data + i, 1, &used);
	assert_int_equal(news, RECORD_REQUEST);
	assert_int_equal(i, b.len - 8);
	assert_param(&r.params, "QUERY_STRING", "a=b");
	record_free(&r);
	buf_free(&b);
}

static void
params_may_come_in_several_records(void **state)
{
	struct record_reader	r;
	struct buf		b;
	size_t			used;

	(void)state;
	buf_init(&b, 1 << 20);
	put_begin(&b, ID, 1);
	put(&b, 4, ID, params, 5, 255);
	put(&b, 4, ID, params + 5, sizeof(params) - 6, 1);
	put(&b, 4, ID, "", 0, 8);
	assert_int_equal(feed_all(&r, &b, &used), RECORD_REQUEST);
	assert_int_equal(used, b.len);
	assert_param(&r.params, "QUERY_STRING", "a=b");
	record_free(&r);
	buf_free(&b);
}

static void
too_many_params_are_refused(void **state)
{
	static char	 big[65535];
	struct buf	 b;

	(void)state;
	buf_init(&b, 1 << 20);
	put_begin(&b, ID, 1);
	put(&b, 4, ID, big, sizeof(big), 0);
	expect(&b, RECORD_MORE);
	put(&b, 4, ID, big, 1, 0);
	expect(&b, RECORD_MORE);
	put(&b, 4, ID, big, 1, 0);
	expect(&b, RECORD_BAD);
	buf_free(&b);
}

/* One record of a request that has begun. */
static void
expect_after_begin(int type, int id, size_t n, enum record_news news)
{
	static char	 zeros[65535];
	struct buf	 b;

	buf_init(&b, 1 << 20);
	put_begin(&b, ID, 1);
	put(&b, type, id, zeros, n, 3);
	expect(&b, news);
	buf_free(&b);
}

static void
management_and_foreign_records_are_passed_over(void **state)
{
	(void)state;
	expect_after_begin(9, 0, 40, RECORD_MORE);
	expect_after_begin(11, 0, 8, RECORD_MORE);
	expect_after_begin(77, 0, 65535, RECORD_MORE);
	expect_after_begin(4, 2, 65535, RECORD_MORE);
	expect_after_begin(4, 2, 0, RECORD_MORE);
	expect_after_begin(2, 2, 0, RECORD_MORE);
}

static void
an_abort_is_told(void **state)
{
	(void)state;
	expect_after_begin(2, ID, 0, RECORD_ABORT);
}

static void
what_a_responder_does_not_get_is_refused(void **state)
{
	int	type;

	(void)state;
	for (type = 0; type < 256; type++)
		if (type != 2 && type != 4 && type != 5 && type != 8)
			expect_after_begin(type, ID, 8, RECORD_BAD);
}

static void
a_begin_of_another_kind_is_refused(void **state)
{
	struct buf	b;

	(void)state;
	buf_init(&b, 1 << 20);
	put_begin(&b, ID, 2);
	expect(&b, RECORD_BAD);
	buf_reset(&b);
	put_begin(&b, 0, 1);
	expect(&b, RECORD_BAD);
	buf_reset(&b);
	put(&b, 1, ID, "\0\1\0\0\0\0\0\0\0", 9, 0);
	expect(&b, RECORD_BAD);
	buf_reset(&b);
	put(&b, 1, ID, "", 0, 0);
	expect(&b, RECORD_BAD);
	buf_reset(&b);
	put_begin(&b, ID, 1);
	put_begin(&b, 2, 1);
	expect(&b, RECORD_BAD);
	buf_free(&b);
}

static void
garbage_is_refused(void **state)
{
	struct record_reader	r;
	unsigned int		seed = 4711;
	unsigned char		noise[512];
	size_t			used, i, round;

	(void)state;
	record_init(&r);
	assert_int_equal(record_feed(&r, "GET / HTTP/1.1\r\n", 16, &used),
	    RECORD_BAD);
	record_free(&r);
	for (round = 0; round < 5000; round++) {
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (unsigned char)rand_r(&seed);
		noise[0] = 1;
		noise[1] = (unsigned char)(1 + round % 11);
		record_init(&r);
		if (record_feed(&r, noise, sizeof(noise), &used) ==
		    RECORD_MORE)
			assert_int_equal(used, sizeof(noise));
		record_free(&r);
	}
}

static void
params_after_their_end_are_refused(void **state)
{
	struct record_reader	r;
	struct buf		b;
	size_t			used;

	(void)state;
	put_request(&b);
	put(&b, 4, ID, params, sizeof(params) - 1, 0);
	assert_int_equal(feed_all(&r, &b, &used), RECORD_REQUEST);
	assert_int_equal(record_feed(&r, b.data + used, b.len - used, &used),
	    RECORD_BAD);
	record_free(&r);
	buf_free(&b);
}

static void
a_body_is_thrown_away(void **state)
{
	static char		body[65535];
	struct record_reader	r;
	struct buf		b;
	size_t			used;

	(void)state;
	put_request(&b);
	put(&b, 5, ID, body, sizeof(body), 200);
	assert_int_equal(feed_all(&r, &b, &used), RECORD_REQUEST);
	record_free(&r);
	assert_int_equal(record_feed(&r, b.data + used, b.len - used, &used),
	    RECORD_MORE);
	assert_int_equal(r.params.len, 0);
	buf_free(&b);
}

static void
long_lengths_are_read(void **state)
{
	const char	*v;
	char		 name[200];
	struct buf	 p;
	size_t		 n;

	(void)state;
	buf_init(&p, 4096);
	memset(name, 'N', sizeof(name));
	name[199] = '\0';
	assert_int_equal(buf_add(&p, "\x80\0\0\xc7\x80\0\0\2", 8), 0);
	assert_int_equal(buf_addstr(&p, name), 0);
	assert_int_equal(buf_addstr(&p, "ok"), 0);
	assert_int_equal(buf_add(&p, "\1\x80\0\0\1xy", 7), 0);
	assert_param(&p, name, "ok");
	assert_param(&p, "x", "y");
	assert_int_equal(record_param(&p, "absent", &v, &n), -1);
	buf_free(&p);
}

static void
lengths_that_lead_outside_are_refused(void **state)
{
	static const struct {
		const char	*p;
		size_t		 n;
	} bad[] = {
		{ "\1", 1 }, { "\1\1x", 3 }, { "\1\x80\0\0", 4 },
		{ "\x80\0\0", 3 }, { "\x80\0\0\1", 4 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xffx", 9 },
		{ "\xff\xff\xff\xff\1x", 6 }, { "\1\xff\xff\xff\xffx", 6 },
		{ "\2\2x", 3 }, { "", 0 },
	};
	const char	*v;
	struct buf	 p;
	size_t		 i, n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&p, 64);
		assert_int_equal(buf_add(&p, bad[i].p, bad[i].n), 0);
		assert_int_equal(record_param(&p, "x", &v, &n), -1);
		buf_free(&p);
	}
}

static void
output_is_cut_into_records(void **state)
{
	static char	 big[70000];
	struct buf	 b;

	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(record_stdout(&b, 258, big, sizeof(big)), 0);
	assert_int_equal(b.len, record_stdout_size(sizeof(big)));
	assert_memory_equal(b.data, "\1\6\1\2\xff\xff\0\0", 8);
	assert_memory_equal(b.data + 8 + 65535, "\1\6\1\2\x11\x71\0\0", 8);
	buf_free(&b);
}

static void
an_end_closes_the_output_first(void **state)
{
	struct buf	b;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(record_end(&b, 1), 0);
	assert_int_equal(b.len, 24);
	assert_memory_equal(b.data,
	    "\1\6\0\1\0\0\0\0\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0", 24);
	buf_free(&b);
}

static void
what_does_not_fit_is_not_begun(void **state)
{
	struct buf	b;

	(void)state;
	buf_init(&b, 12);
	assert_int_equal(record_stdout(&b, 1, "hello", 5), -1);
	assert_int_equal(b.len, 0);
	assert_int_equal(record_stdout(&b, 1, "hell", 4), 0);
	assert_int_equal(record_end(&b, 1), -1);
	assert_int_equal(b.len, 12);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_request_is_read),
		cmocka_unit_test(a_request_cut_at_any_byte_only_waits),
		cmocka_unit_test(a_request_in_single_bytes_is_read),
		cmocka_unit_test(params_may_come_in_several_records),
		cmocka_unit_test(too_many_params_are_refused),
		cmocka_unit_test(management_and_foreign_records_are_passed_over),
		cmocka_unit_test(an_abort_is_told),
		cmocka_unit_test(what_a_responder_does_not_get_is_refused),
		cmocka_unit_test(a_begin_of_another_kind_is_refused),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(params_after_their_end_are_refused),
		cmocka_unit_test(a_body_is_thrown_away),
		cmocka_unit_test(long_lengths_are_read),
		cmocka_unit_test(lengths_that_lead_outside_are_refused),
		cmocka_unit_test(output_is_cut_into_records),
		cmocka_unit_test(an_end_closes_the_output_first),
		cmocka_unit_test(what_does_not_fit_is_not_begun),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
