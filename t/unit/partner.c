/*
 * What the partner's answers mean: every row and every envelope of partner
 * contract, section 6, as a call that has ended.
 */

#include "programs/partner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"

#define B(s)	((struct bytes){ s, sizeof(s) - 1 })

static struct arena		*a;
static struct upstream_call	 call;

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

/* A call that ended so; body may be NULL: nothing came. */
static struct upstream_call *
ended(enum upstream_result result, long status, const char *body)
{
	memset(&call, 0, sizeof(call));
	buf_init(&call.body, 1u << 20);
	call.result = result;
	call.status = status;
	call.retry_after_ms = -1;
	if (body != NULL)
		assert_int_equal(buf_add(&call.body, body, strlen(body)), 0);
	return &call;
}

static struct partner_page
list(long status, const char *body)
{
	return partner_list_read(ended(UPSTREAM_OK, status, body), a);
}

static struct partner_detail
info(long status, const char *body)
{
	static const char *const	 ids[] = { "p1" };
	struct partner_detail		 detail;

	partner_info_read(ended(UPSTREAM_OK, status, body), a, ids, 1,
	    &detail);
	return detail;
}

/* A list and a program info that were answered so both mean this. */
static void
assert_says(long status, const char *body, enum partner_says says,
    const char *word)
{
	struct partner_page	 page = list(status, body);
	struct partner_detail	 detail;

	assert_int_equal(page.says, says);
	if (strstr(page.why, word) == NULL)
		fail_msg("no \"%s\" in \"%s\"", word, page.why);
	assert_null(call.body.data);
	detail = info(status, body);
	assert_int_equal(detail.says, says);
	assert_null(detail.program);
	assert_non_null(strstr(detail.why, word));
	assert_null(call.body.data);
}

/* Every envelope that an error may come in, and none. */
static const struct {
	const char	*body;
	const char	*word;		/* of the partner's, to be passed on */
} envelopes[] = {
	{ "{\"error\":{\"id\":\"ACCESS_DENIED\",\"description\":"
	    "\"You are not.\",\"http_code\":403}}", "You are not" },
	{ "{\"error\":{\"id\":\"ACCESS_DENIED\",\"description\":"
	    "\"You are not.\",\"http_code\":\"403\"}}", "You are not" },
	{ "{\"error\":{\"id\":\"ACCESS_DENIED\"}}", "ACCESS_DENIED" },
	{ "{\"error\":{\"code\":\"401_UNAUTHORIZED\",\"description\":"
	    "\"Could not.\"}}", "Could not" },
	{ "{\"error\":{\"code\":\"TOO_MANY_REQUESTS_PER_SECOND\"}}",
	    "TOO_MANY_REQUESTS_PER_SECOND" },
	{ "{\"programs\":[],\"errors\":[{\"id\":\"X\",\"description\":"
	    "\"Supplied.\"}]}", "Supplied" },
	{ "{\"errors\":[{\"error_code\":\"E7\",\"error_message\":"
	    "\"Generic.\",\"more_info\":\"url\"}]}", "Generic" },
	{ "{\"errors\":[{\"error_code\":\"E7\"}]}", "E7" },
	{ "{\"error\":{\"description\":null,\"id\":\"NULLED\"}}", "NULLED" },
	{ "{\"error\":{}}", "answered" },
	{ "{\"error\":\"a text\"}", "answered" },
	{ "{\"error\":null,\"errors\":{}}", "answered" },
	{ "{\"error\":{\"description\":{\"a\":1}}}", "answered" },
	{ "{\"errors\":[]}", "answered" },
	{ "{\"errors\":[\"text\"]}", "answered" },
	{ "[]", "answered" }, { "{}", "answered" }, { "null", "answered" },
	{ "", "answered" }, { "\xff\xfe", "answered" }, { NULL, "answered" },
	{ "<html><h1>We'll be right back</h1>", "answered" },
	{ "{\"error\":{\"id\":\"CUT", "answered" },
};

static const struct {
	long			 status;
	enum partner_says	 says;
} statuses[] = {
	{ 400, PARTNER_BAD_REQUEST }, { 401, PARTNER_BAD_LOGIN },
	{ 402, PARTNER_REJECTED }, { 403, PARTNER_NO_ACCESS },
	{ 404, PARTNER_REJECTED }, { 405, PARTNER_REJECTED },
	{ 408, PARTNER_TIMEOUT }, { 409, PARTNER_REJECTED },
	{ 410, PARTNER_REJECTED }, { 422, PARTNER_REJECTED },
	{ 429, PARTNER_LIMITED }, { 499, PARTNER_REJECTED },
	{ 500, PARTNER_BROKEN }, { 501, PARTNER_BROKEN },
	{ 502, PARTNER_BROKEN }, { 503, PARTNER_UNAVAILABLE },
	{ 504, PARTNER_TIMEOUT }, { 520, PARTNER_BROKEN },
	{ 599, PARTNER_BROKEN },
	/* Nothing that the contract knows, and no page. */
	{ 100, PARTNER_GARBLED }, { 201, PARTNER_GARBLED },
	{ 202, PARTNER_GARBLED }, { 204, PARTNER_GARBLED },
	{ 301, PARTNER_GARBLED }, { 304, PARTNER_GARBLED },
};

static void
each_status_means_one_thing_in_any_envelope(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof(statuses) / sizeof(statuses[0]); s++)
		for (size_t e = 0;
		    e < sizeof(envelopes) / sizeof(envelopes[0]); e++) {
			assert_says(statuses[s].status, envelopes[e].body,
			    statuses[s].says, envelopes[e].word);
			assert_says(statuses[s].status, envelopes[e].body,
			    statuses[s].says, arena_printf(a, "%ld",
			    statuses[s].status));
		}
}

static void
a_good_status_with_a_bad_body_is_garbled(void **state)
{
	static const char *const	 bodies[] = {
		"", "null", "[]", "[{\"program_id\":\"p1\"}]", "true", "\"x\"",
		"<!DOCTYPE html><h1>We'll be right back</h1>",
		"{\"total\":1,\"payment_programs\":[{\"program_id\":\"p1",
		"{\"total\":1,\"payment_programs\":[]}}", "\xff",
		"{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\\u0000\"}", "{}",
		"{} {}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_says(200, bodies[i], PARTNER_GARBLED, "");
	assert_says(200, NULL, PARTNER_GARBLED, "");
}

static void
a_body_nested_too_deep_is_garbled(void **state)
{
	char	 deep[4096];

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_says(200, deep, PARTNER_GARBLED, "deep");
	assert_says(500, deep, PARTNER_BROKEN, "500");
}

static void
an_answer_that_never_came_whole_is_told_by_how(void **state)
{
	static const struct {
		enum upstream_result	 result;
		enum partner_says	 says;
		const char		*word;
	} ends[] = {
		{ UPSTREAM_TIMEOUT, PARTNER_TIMEOUT, "in time" },
		{ UPSTREAM_UNREACHABLE, PARTNER_BROKEN, "how it broke" },
		{ UPSTREAM_TOO_BIG, PARTNER_GARBLED, "how it broke" },
		{ UPSTREAM_PENDING, PARTNER_BROKEN, "how it broke" },
		{ UPSTREAM_HELD, PARTNER_LIMITED, "how it broke" },
	};

	static const char *const	 ids[] = { "p1", "p2" };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct partner_page	 page;
		struct partner_detail	 details[2];
		/* Good as far as it came, or a status alone. */
		const char		*body = "{\"total\":0,"
		    "\"payment_programs\":[],\"programs\":[]}";

		ended(ends[i].result, 200, body);
		strcpy(call.why, "how it broke");
		page = partner_list_read(&call, a);
		assert_int_equal(page.says, ends[i].says);
		assert_non_null(strstr(page.why, ends[i].word));
		assert_null(call.body.data);
		ended(ends[i].result, 0, NULL);
		strcpy(call.why, "how it broke");
		partner_info_read(&call, a, ids, 2, details);
		/* The call may be gone by the time that it is told. */
		strcpy(call.why, "----");
		for (size_t d = 0; d < 2; d++) {
			assert_int_equal(details[d].says, ends[i].says);
			assert_null(details[d].program);
			assert_non_null(strstr(details[d].why, ends[i].word));
		}
	}
}

static void
a_page_is_its_rows_and_its_total(void **state)
{
	struct partner_page	 page;

	(void)state;
	page = list(200, "{\"program_status\":\"ALL\",\"total\":2671,"
	    "\"offset\":40,\"limit\":40,\"payment_programs\":"
	    "[{\"program_id\":\"p1\"},{\"program_id\":\"p2\"}]}");
	assert_int_equal(page.says, PARTNER_OK);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.total, 2671);
	assert_string_equal(json_text(json_get(json_at(page.programs, 1),
	    "program_id")), "p2");
	assert_null(call.body.data);
	/* Echoes may be missing, numbers be reals, errors empty. */
	page = list(200, "{\"total\":3.0,\"payment_programs\":[],"
	    "\"errors\":[],\"new\":null}");
	assert_int_equal(page.says, PARTNER_OK);
	assert_int_equal(page.count, 0);
	assert_int_equal(page.total, 3);
	page = list(200, "{\"total\":2000000,\"payment_programs\":[]}");
	assert_int_equal(page.says, PARTNER_OK);
}

static void
a_page_without_rows_or_total_is_garbled_not_empty(void **state)
{
	static const char *const	 bodies[] = {
		"{\"total\":5}",
		"{\"total\":5,\"payment_programs\":null}",
		"{\"total\":5,\"payment_programs\":{}}",
		"{\"total\":5,\"payment_programs\":\"\"}",
		"{\"total\":5,\"programs\":[]}",
		"{\"payment_programs\":[]}",
		"{\"total\":null,\"payment_programs\":[]}",
		"{\"total\":\"5\",\"payment_programs\":[]}",
		"{\"total\":5.5,\"payment_programs\":[]}",
		"{\"total\":-1,\"payment_programs\":[]}",
		"{\"total\":1e300,\"payment_programs\":[]}",
		"{\"total\":2000001,\"payment_programs\":[]}",
		"{\"total\":9223372036854775807,\"payment_programs\":[]}",
		"{\"total_count\":5,\"payment_programs\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct partner_page	 page = list(200, bodies[i]);

		assert_int_equal(page.says, PARTNER_GARBLED);
		assert_non_null(page.why);
	}
}

static void
a_program_is_the_one_that_was_asked_for(void **state)
{
	struct partner_detail	 detail;

	(void)state;
	detail = info(200, "{\"programs\":[{\"program_id\":\"p1\","
	    "\"yelp_business_id\":\"b1\"}],\"errors\":[]}");
	assert_int_equal(detail.says, PARTNER_OK);
	assert_string_equal(json_text(json_get(detail.program,
	    "yelp_business_id")), "b1");
	detail = info(200, "{\"programs\":[{\"program_id\":\"p1\"}]}");
	assert_int_equal(detail.says, PARTNER_OK);
	detail = info(200, "{\"programs\":[{\"program_id\":\"p10\"}]}");
	assert_int_equal(detail.says, PARTNER_GARBLED);
	assert_null(detail.program);
	detail = info(200, "{\"programs\":[{\"program_id\":null}]}");
	assert_int_equal(detail.says, PARTNER_GARBLED);
}

static void
an_unknown_id_is_told_by_its_name_alone(void **state)
{
	static const char *const	 others[] = {
		"{\"programs\":[],\"errors\":[{\"id\":\"SOMETHING_ELSE\"}]}",
		"{\"programs\":[],\"errors\":[]}",
		"{\"programs\":[]}",
		"{\"programs\":null,\"errors\":"
		"[{\"id\":\"INVALID_PROGRAM_ID\"}]}",
		"{\"errors\":[{\"id\":\"INVALID_PROGRAM_ID\"}]}",
		"{\"programs\":[],\"errors\":[{\"description\":"
		"\"INVALID_PROGRAM_ID\"}]}",
		"{\"error\":{\"id\":\"INVALID_PROGRAM_ID\"}}",
	};
	struct partner_detail		 detail;

	(void)state;
	detail = info(200, "{\"programs\":[],\"errors\":[{\"id\":"
	    "\"INVALID_PROGRAM_ID\",\"description\":"
	    "\"Supplied program ID does not exist.\"}]}");
	assert_int_equal(detail.says, PARTNER_UNKNOWN_ID);
	assert_non_null(strstr(detail.why, "does not exist"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(info(200, others[i]).says, PARTNER_GARBLED);
}

/* What of three ids, p1 to p3, a 200 with these programs and errors says. */
static void
assert_three(const char *programs, const char *errors,
    enum partner_says p1, enum partner_says p2, enum partner_says p3)
{
	static const char *const	 ids[] = { "p1", "p2", "p3" };
	const enum partner_says		 expected[] = { p1, p2, p3 };
	struct partner_detail		 details[3];

	partner_info_read(ended(UPSTREAM_OK, 200, arena_printf(a,
	    "{\"programs\":[%s],\"errors\":[%s]}", programs, errors)), a,
	    ids, 3, details);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(details[i].says, expected[i]);
		if (expected[i] != PARTNER_OK) {
			assert_null(details[i].program);
			assert_non_null(details[i].why);
			continue;
		}
		assert_string_equal(json_text(json_get(details[i].program,
		    "program_id")), ids[i]);
	}
}

/* An error does not say which id it means: it is counted, never guessed. */
static void
each_of_many_ids_gets_its_own_answer(void **state)
{
	const char	*p1 = "{\"program_id\":\"p1\"}";
	const char	*others = "{\"program_id\":\"p3\"},"
	    "{\"program_id\":\"p1\"}";
	const char	*unknown = "{\"id\":\"INVALID_PROGRAM_ID\"}";
	const char	*twice = "{\"id\":\"INVALID_PROGRAM_ID\"},"
	    "{\"id\":\"INVALID_PROGRAM_ID\"}";
	const char	*mixed = "{\"id\":\"INVALID_PROGRAM_ID\"},"
	    "{\"id\":\"SOMETHING_ELSE\"}";

	(void)state;
	assert_three("{\"program_id\":\"p2\"},{\"program_id\":\"p3\"},"
	    "{\"program_id\":\"p1\"}", "", PARTNER_OK, PARTNER_OK,
	    PARTNER_OK);
	assert_three(others, unknown, PARTNER_OK, PARTNER_UNKNOWN_ID,
	    PARTNER_OK);
	assert_three(others, "", PARTNER_OK, PARTNER_GARBLED, PARTNER_OK);
	assert_three(others, twice, PARTNER_OK, PARTNER_GARBLED, PARTNER_OK);
	assert_three(p1, twice, PARTNER_OK, PARTNER_UNKNOWN_ID,
	    PARTNER_UNKNOWN_ID);
	assert_three(p1, unknown, PARTNER_OK, PARTNER_GARBLED,
	    PARTNER_GARBLED);
	assert_three(p1, mixed, PARTNER_OK, PARTNER_GARBLED, PARTNER_GARBLED);
	assert_three("", unknown, PARTNER_GARBLED, PARTNER_GARBLED,
	    PARTNER_GARBLED);
}

/* What the answer about business b1 and b2 says of each. */
static void
assert_names(long status, const char *body, enum partner_says whole,
    enum partner_says b1, enum partner_says b2)
{
	static const char *const	 ids[] = { "b1", "b2" };
	struct partner_name		 names[2];
	const char			*why;

	assert_int_equal(partner_names_read(ended(UPSTREAM_OK, status, body),
	    a, ids, 2, names, &why), whole);
	assert_null(call.body.data);
	if (whole != PARTNER_OK)
		assert_non_null(why);
	assert_int_equal(names[0].says, b1);
	assert_int_equal(names[1].says, b2);
	if (b1 == PARTNER_OK)
		assert_string_equal(names[0].name, "One");
	else
		assert_null(names[0].name);
	assert_null(names[1].url);
}

#define ONE	"{\"yelp_business_id\":\"b1\",\"name\":\"One\"}"
#define ABSENT	PARTNER_UNKNOWN_ID

/* "Absent" and "try later" differ, and an id is never a name. */
static void
a_business_has_a_name_or_none_or_is_asked_for_later(void **state)
{
	(void)state;
	assert_names(200, "{\"businesses\":[" ONE ",{\"yelp_business_id\":"
	    "\"b2\",\"name\":\"Two\"}]}", PARTNER_OK, PARTNER_OK,
	    PARTNER_OK);
	assert_names(200, "{\"businesses\":[" ONE "]}", PARTNER_OK,
	    PARTNER_OK, ABSENT);
	assert_names(200, "{\"businesses\":[" ONE "],\"errors\":"
	    "[{\"id\":\"INVALID_BUSINESS_ID\"}]}", PARTNER_OK, PARTNER_OK,
	    ABSENT);
	assert_names(200, "{\"businesses\":[" ONE "],\"errors\":"
	    "[{\"id\":\"SOMETHING_ELSE\"}]}", PARTNER_OK, PARTNER_OK,
	    PARTNER_GARBLED);
	assert_names(200, "{\"businesses\":[" ONE ",{\"yelp_business_id\":"
	    "\"b2\",\"name\":\"b2\"}]}", PARTNER_OK, PARTNER_OK, ABSENT);
	assert_names(200, "{\"businesses\":[{\"yelp_business_id\":\"b1\","
	    "\"name\":\"\"},{\"yelp_business_id\":\"b2\",\"name\":7}]}",
	    PARTNER_OK, ABSENT, ABSENT);
	assert_names(200, "{}", PARTNER_GARBLED, PARTNER_GARBLED,
	    PARTNER_GARBLED);
	assert_names(403, "{}", PARTNER_NO_ACCESS, PARTNER_NO_ACCESS,
	    PARTNER_NO_ACCESS);
	assert_names(503, NULL, PARTNER_UNAVAILABLE, PARTNER_UNAVAILABLE,
	    PARTNER_UNAVAILABLE);
}

/* For how long a call that ended so asks for quiet. */
static void
assert_silence(long status, int64_t retry_after_ms, int64_t least,
    int64_t most)
{
	struct conf	 conf = { .partner_retry_base_ms = 1000 };

	ended(UPSTREAM_OK, status, NULL);
	call.retry_after_ms = retry_after_ms;
	assert_in_range(partner_silence_ms(&conf, &call), least, most);
}

static void
the_partner_is_left_alone_for_as_long_as_it_says(void **state)
{
	(void)state;
	assert_silence(429, 7000, 7000, 7000);
	assert_silence(503, 7000, 7000, 7000);
	assert_silence(429, INT64_MAX, 86400000, 86400000);
	assert_silence(429, -1, 1, 3000);
	assert_silence(429, 0, 1, 3000);
	assert_silence(503, -1, 0, 0);
	assert_silence(200, 7000, 0, 0);
	assert_silence(500, 7000, 0, 0);
}

/* Cut inside a character it would be no text for the database or for JSON. */
static void
the_partners_words_are_cut_between_characters(void **state)
{
	struct json	*error, *body, *out;
	const char	*why, *kept;
	char		 text[1000];

	(void)state;
	for (size_t lead = 0; lead < 8; lead++) {
		memset(text, 'x', sizeof(text));
		strcpy(text + lead, "");
		for (int i = 0; i < 100; i++)
			strcat(text, i % 2 ? "\xc3\xa9" : "\xf0\x9f\x90\xab");
		body = json_new_obj(a);
		error = json_new_obj(a);
		json_put_text(error, "description", text);
		json_put(body, "error", error);
		why = list(500, json_dump(a, body)).why;
		assert_true(strlen(why) < 300);
		out = json_new_obj(a);
		json_put_text(out, "detail", why);
		kept = json_text(json_get(out, "detail"));
		assert_non_null(kept);
		assert_non_null(strstr(kept, "\xf0\x9f\x90\xab\xc3\xa9"));
	}
}

/* They are put into a sentence of ours, which ends by itself. */
static void
the_partners_full_stop_is_left_out(void **state)
{
	static const struct {
		const char	*description;
		const char	*why;
	} all[] = {
		{ "Went wrong.", "the partner answered 500: Went wrong" },
		{ "Went...", "the partner answered 500: Went" },
		{ "1.5 times", "the partner answered 500: 1.5 times" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_string_equal(list(500, arena_printf(a, "{\"error\":"
		    "{\"description\":\"%s\"}}", all[i].description)).why,
		    all[i].why);
}

static void
what_may_be_tried_again(void **state)
{
	static const struct {
		enum partner_says	 says;
		int			 transient;
		int			 overload;
		enum problem		 problem;
	} all[] = {
		{ PARTNER_BAD_LOGIN, 0, 0, PROBLEM_LOGIN_WRONG },
		{ PARTNER_NO_ACCESS, 0, 1, PROBLEM_NO_ACCESS },
		{ PARTNER_LIMITED, 1, 1, PROBLEM_PARTNER_LIMITED },
		{ PARTNER_BROKEN, 1, 1, PROBLEM_PARTNER_ERROR },
		{ PARTNER_UNAVAILABLE, 1, 1, PROBLEM_PARTNER_UNAVAILABLE },
		{ PARTNER_TIMEOUT, 1, 1, PROBLEM_PARTNER_TIMEOUT },
		{ PARTNER_GARBLED, 1, 0, PROBLEM_PARTNER_ERROR },
		{ PARTNER_BAD_REQUEST, 0, 0, PROBLEM_PARTNER_REFUSED },
		{ PARTNER_REJECTED, 0, 0, PROBLEM_PARTNER_REFUSED },
		{ PARTNER_UNKNOWN_ID, 0, 0, PROBLEM_PARTNER_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(!!partner_is_transient(all[i].says),
		    all[i].transient);
		assert_int_equal(!!partner_is_overload(all[i].says),
		    all[i].overload);
		assert_int_equal(partner_problem(all[i].says), all[i].problem);
	}
}

static void
a_login_is_encoded_byte_by_byte(void **state)
{
	char	 user[255], password[1024];

	(void)state;
	/* RFC 7617, section 2, and what real names hold. */
	assert_string_equal(partner_authorization(a, B("Aladdin"),
	    B("open sesame")), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_string_equal(partner_authorization(a, B("a$&#\\\0\xff"),
	    B("x:y")), "Basic YSQmI1wA/zp4Onk=");
	memset(user, 'u', sizeof(user));
	memset(password, 'p', sizeof(password));
	assert_int_equal(strlen(partner_authorization(a,
	    (struct bytes){ user, sizeof(user) },
	    (struct bytes){ password, sizeof(password) })),
	    6 + (255 + 1 + 1024 + 2) / 3 * 4);
}

static void
a_call_says_all_that_it_needs(void **state)
{
	static const char *const	 ids[] = { "-a_Z9", "b", "c" };
	struct conf			 conf = {
		.partner_url = "http://127.0.0.1:1/base",
		.partner_body_max = 12345
	};

	(void)state;
	memset(&call, 0, sizeof(call));
	partner_list(&call, a, &conf, "Basic eA==", 1880, 20, "ALL", 77);
	assert_string_equal(call.url, "http://127.0.0.1:1/base/programs/v1"
	    "?offset=1880&limit=20&program_status=ALL");
	assert_string_equal(call.authorization, "Basic eA==");
	assert_int_equal(call.deadline_ms, 77);
	assert_int_equal(call.body_max, 12345);
	partner_info(&call, a, &conf, "Basic eA==",
	    partner_ids(a, ids, 1), 78);
	assert_string_equal(call.url,
	    "http://127.0.0.1:1/base/v1/programs/info/-a_Z9");
	assert_int_equal(call.deadline_ms, 78);
	partner_info(&call, a, &conf, "Basic eA==",
	    partner_ids(a, ids, 3), 78);
	assert_string_equal(call.url,
	    "http://127.0.0.1:1/base/v1/programs/info/-a_Z9,b,c");
	partner_names(&call, a, &conf, "Basic eA==",
	    partner_ids(a, ids, 2), 79);
	assert_string_equal(call.url,
	    "http://127.0.0.1:1/base/v1/business_info/-a_Z9,b");
	assert_int_equal(call.deadline_ms, 79);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_status_means_one_thing_in_any_envelope),
		TEST(a_good_status_with_a_bad_body_is_garbled),
		TEST(a_body_nested_too_deep_is_garbled),
		TEST(an_answer_that_never_came_whole_is_told_by_how),
		TEST(a_page_is_its_rows_and_its_total),
		TEST(a_page_without_rows_or_total_is_garbled_not_empty),
		TEST(a_program_is_the_one_that_was_asked_for),
		TEST(an_unknown_id_is_told_by_its_name_alone),
		TEST(each_of_many_ids_gets_its_own_answer),
		TEST(a_business_has_a_name_or_none_or_is_asked_for_later),
		TEST(the_partner_is_left_alone_for_as_long_as_it_says),
		TEST(the_partners_words_are_cut_between_characters),
		TEST(the_partners_full_stop_is_left_out),
		TEST(what_may_be_tried_again),
		TEST(a_login_is_encoded_byte_by_byte),
		TEST(a_call_says_all_that_it_needs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("partner", tests, NULL, NULL);
}
