/* What api hands to stream comes out as it went in, and nothing else does. */

#include "events/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UUID	"0123abcd-4567-89ab-cdef-0123456789ab"
#define GOOD	"job=" UUID "&as=sse&account=7&after=3&until=1800000000&rid=r1"

static int
parse(const char *query, struct handover *h)
{
	return handover_parse(query, strlen(query), h);
}

static void
it_comes_out_as_it_went_in(void **state)
{
	struct handover	in = { .job = UUID, .as = HANDOVER_ANSWER,
	    .account = 42, .after = 9, .until_s = 1800000000, .rid = "r-1" };
	struct handover	out;
	struct buf	b;

	(void)state;
	buf_init(&b, 1024);
	assert_int_equal(handover_print(&b, &in), 0);
	assert_int_equal(parse(strchr(b.data, '?') + 1, &out), 0);
	assert_string_equal(out.job, UUID);
	assert_int_equal(out.as, HANDOVER_ANSWER);
	assert_int_equal(out.account, 42);
	assert_int_equal(out.after, 9);
	assert_int_equal(out.until_s, 1800000000);
	assert_string_equal(out.rid, "r-1");
	buf_free(&b);
}

static void
an_accounts_events_come_out_as_they_went_in(void **state)
{
	struct handover	in = { .what = HANDOVER_EVENTS, .epoch = "0123abcd",
	    .account = 42, .after = 900000000000, .until_s = 1800000000,
	    .rid = "r-1" };
	struct handover	out;
	struct buf	b;

	(void)state;
	buf_init(&b, 1024);
	assert_int_equal(handover_print(&b, &in), 0);
	assert_int_equal(parse(strchr(b.data, '?') + 1, &out), 0);
	assert_int_equal(out.what, HANDOVER_EVENTS);
	assert_int_equal(out.as, HANDOVER_SSE);
	assert_string_equal(out.job, "");
	assert_string_equal(out.epoch, "0123abcd");
	assert_int_equal(out.account, 42);
	assert_int_equal(out.after, 900000000000);

	in.epoch[0] = '\0';
	buf_reset(&b);
	assert_int_equal(handover_print(&b, &in), 0);
	assert_int_equal(parse(strchr(b.data, '?') + 1, &out), 0);
	assert_int_equal(out.what, HANDOVER_EVENTS);
	assert_string_equal(out.epoch, "");
	buf_free(&b);
}

static void
order_escapes_and_strangers_do_not_matter(void **state)
{
	struct handover	h;

	(void)state;
	assert_int_equal(parse("new=x&until=1&account=0&as=sse&job="
	    "0123ABCD-4567-89ab-cdef-0123456789ab&", &h), 0);
	assert_string_equal(h.job, UUID);
	assert_int_equal(h.as, HANDOVER_SSE);
	assert_int_equal(h.account, 0);
	assert_int_equal(h.after, 0);
	assert_string_equal(h.rid, "");
}

static void
what_is_missing_or_malformed_is_refused(void **state)
{
	static const char *const	bad[] = {
		"", "&", "job", "job=" UUID,
		"as=sse&account=7&until=1",
		"job=" UUID "&account=7&until=1",
		"job=" UUID "&as=sse&until=1",
		"job=" UUID "&as=sse&account=7",
		"job=" UUID "&as=both&account=7&until=1",
		"job=" UUID "&as=sse&account=-7&until=1",
		"job=" UUID "&as=sse&account=&until=1",
		"job=" UUID "&as=sse&account=7x&until=1",
		"job=" UUID "&as=sse&account=9999999999999999999&until=1",
		"job=" UUID "0&as=sse&account=7&until=1",
		GOOD "&account=8", GOOD "&job=" UUID,
		GOOD "&x", "job=%", "job=%4", "job=%zz", "job=%00",
		"job=" UUID "%00&as=sse&account=7&until=1",
		"job=" UUID "%0a&as=sse&account=7&until=1",
		GOOD "&epoch=", GOOD "&epoch=0123abcd",
		"epoch=&as=answer&account=7&until=1",
		"epoch=&as=sse&account=0&until=1",
		"epoch=0123abc&as=sse&account=7&until=1",
		"epoch=0123abcde&as=sse&account=7&until=1",
		"epoch=0123ABCD&as=sse&account=7&until=1",
		"epoch=%0a123abcd&as=sse&account=7&until=1",
	};
	struct handover	h;
	size_t		i;

	(void)state;
	assert_int_equal(parse(GOOD, &h), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], &h), -1);
}

static void
a_request_id_cannot_smuggle_anything(void **state)
{
	static const char	base[] =
	    "job=" UUID "&as=sse&account=7&until=1&rid=";
	static const char *const	bad[] = { "a%22b", "a%20b", "a%26b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};
	struct handover	h = { .job = UUID, .rid = "a\"&account=8" };
	struct buf	b;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char	q[512];

		strcpy(q, base);
		strcat(q, bad[i]);
		assert_int_equal(parse(q, &h), 0);
		assert_string_equal(h.rid, "");
	}
	strcpy(h.rid, "a\"&account=8");
	buf_init(&b, 1024);
	assert_int_equal(handover_print(&b, &h), 0);
	assert_null(strstr(b.data, "account=8"));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_out_as_it_went_in),
		cmocka_unit_test(an_accounts_events_come_out_as_they_went_in),
		cmocka_unit_test(order_escapes_and_strangers_do_not_matter),
		cmocka_unit_test(what_is_missing_or_malformed_is_refused),
		cmocka_unit_test(a_request_id_cannot_smuggle_anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
