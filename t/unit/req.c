/*
 * The border: request lines and query parameters as clients send them, and
 * worse.  What of FastCGI is used is replaced, so no server is needed.
 */

#include "http/req.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/json.h"
#include "http/fcgi.h"
#include "http/route.h"

static struct arena	*a;
static struct req	 r;
static const char	*uri, *method, *length, *sent;

const char *
fcgi_param(const struct fcgi *f, const char *name)
{
	(void)f;
	return strcmp(name, "REQUEST_URI") == 0 ? uri :
	    strcmp(name, "REQUEST_METHOD") == 0 ? method :
	    strcmp(name, "CONTENT_LENGTH") == 0 ? length : NULL;
}

int
fcgi_body(struct fcgi *f, struct buf *b)
{
	(void)f;
	return sent != NULL ? buf_add(b, sent, strlen(sent)) : -1;
}

int
fcgi_write(struct fcgi *f, const void *p, size_t n)
{
	(void)f;
	(void)p;
	(void)n;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	memset(&r, 0, sizeof(r));
	method = "GET";
	length = sent = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&r.body);
	arena_free(a);
	return 0;
}

static int
parse(const char *text)
{
	/* Without anything behind it, for the sanitizer. */
	char	*exact = strdup(text);

	assert_non_null(exact);
	buf_free(&r.body);
	memset(&r, 0, sizeof(r));
	buf_init(&r.body, 65536);
	r.arena = a;
	r.rid = "r1";
	uri = exact;
	arena_defer(a, free, exact);
	return req_parse(&r);
}

static void
assert_parsed(const char *text)
{
	int	 status = parse(text);

	if (status != 0)
		fail_msg("%s: %d %s", text, status, r.body.data);
}

/* A member of the problem that was answered; NULL when it is not there. */
static const char *
told(const char *key)
{
	const char	*why;

	return json_text(json_get(json_parse(a, r.body.data, r.body.len, &why),
	    key));
}

static void
assert_refused(int got, int status, const char *code)
{
	assert_int_equal(got, status);
	assert_int_equal(r.status, status);
	assert_string_equal(told("code"), code);
	assert_string_equal(told("instance"), "r1");
}

/* A 400 that names the field. */
static void
assert_field(int got, const char *field)
{
	assert_refused(got, 400, "bad_field");
	assert_string_equal(told("field"), field);
	assert_non_null(strstr(told("detail"), field));
}

static void
a_path_becomes_its_segments(void **state)
{
	(void)state;
	assert_parsed("/api/jobs/7?x=1");
	assert_int_equal(r.nsegments, 3);
	assert_string_equal(r.segments[0], "api");
	assert_string_equal(r.segments[2], "7");
	assert_string_equal(r.path, "/api/jobs/7");
	assert_parsed("/");
	assert_int_equal(r.nsegments, 1);
	assert_string_equal(r.segments[0], "");
	assert_parsed("/api/");
	assert_int_equal(r.nsegments, 2);
	assert_string_equal(r.segments[1], "");
	assert_parsed("//api//jobs");
	assert_int_equal(r.nsegments, 4);
	assert_parsed("/a%2Fb/%C3%A4+%2b#fragment?no=query");
	assert_string_equal(r.segments[0], "a/b");
	assert_string_equal(r.segments[1], "\xc3\xa4++");
	assert_int_equal(r.nquery, 0);
}

static void
a_bad_path_is_refused(void **state)
{
	static const char *const	 bad[] = {
		"/%", "/%2", "/%zz", "/%2g", "/a%", "/%%", "/%00", "/a%00b",
		"/%0a", "/%7f", "/%1b[2J", "/a\tb", "/a\x01", "api", "*",
		"http://host/api", "/a/%",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(parse(bad[i]), 400, "bad_path");
	assert_refused(parse("/1/2/3/4/5/6/7/8/9"), 404, "not_found");
	assert_parsed("/1/2/3/4/5/6/7/8");
	uri = NULL;
	r.nsegments = 0;
	assert_int_equal(req_parse(&r), 400);
}

static void
a_request_line_has_a_bound(void **state)
{
	char	 longest[8192 + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[8192] = '\0';
	assert_parsed(longest);
	longest[8192] = 'a';
	longest[8193] = '\0';
	assert_refused(parse(longest), 400, "bad_path");
}

static void
a_query_becomes_its_parameters(void **state)
{
	(void)state;
	assert_parsed("/a?b=1&c=%26%3d&d&e=&&f=a+b&=x&g=1=2&");
	assert_int_equal(r.nquery, 7);
	assert_string_equal(r.query[0].name, "b");
	assert_string_equal(r.query[0].value, "1");
	assert_string_equal(r.query[1].value, "&=");
	assert_string_equal(r.query[2].name, "d");
	assert_string_equal(r.query[2].value, "");
	assert_string_equal(r.query[3].value, "");
	assert_string_equal(r.query[4].value, "a b");
	assert_string_equal(r.query[5].name, "");
	assert_string_equal(r.query[6].value, "1=2");
	assert_parsed("/a?");
	assert_int_equal(r.nquery, 0);
	assert_parsed("/a?b=?c=d");
	assert_string_equal(r.query[0].value, "?c=d");
}

static void
a_bad_query_is_refused(void **state)
{
	static const char *const	 bad[] = {
		"/a?b=%", "/a?b=%4", "/a?b=%xy", "/a?%=1", "/a?b=1&c=%f",
		"/a?%00=1", "/a?limit%00x=1", "/a?a%0ab=1",
	};
	char				 many[256] = "/a?";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(parse(bad[i]), 400, "bad_query");
	for (int i = 0; i < REQ_QUERY_MAX; i++)
		strcat(many, "b=1&");
	assert_parsed(many);
	assert_int_equal(r.nquery, REQ_QUERY_MAX);
	strcat(many, "b=1");
	assert_refused(parse(many), 400, "bad_query");
}

static void
methods_are_known_by_name_and_case(void **state)
{
	static const struct {
		const char	*name;
		enum method	 method;
	} all[] = {
		{ "GET", METHOD_GET }, { "HEAD", METHOD_GET },
		{ "POST", METHOD_POST }, { "PUT", METHOD_PUT },
		{ "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
		{ "get", METHOD_OTHER }, { "GETS", METHOD_OTHER },
		{ "OPTIONS", METHOD_OTHER }, { "", METHOD_OTHER },
		{ NULL, METHOD_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		method = all[i].name;
		assert_parsed("/a");
		assert_int_equal(r.method, all[i].method);
		assert_non_null(r.method_name);
	}
}

static void
a_length_is_a_number_or_refused(void **state)
{
	static const char *const	 bad[] = {
		"-1", "+1", " 1", "1 ", "0x10", "ten", "1.5",
		"99999999999999999999", "1,1",
	};

	(void)state;
	assert_parsed("/a");
	assert_int_equal(r.content_length, 0);
	length = "";
	assert_parsed("/a");
	length = "65536";
	assert_parsed("/a");
	assert_int_equal(r.content_length, 65536);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		length = bad[i];
		assert_refused(parse("/a"), 400, "bad_length");
	}
}

static int
get_int(const char *query, int64_t *out)
{
	assert_parsed(arena_printf(a, "/a?%s", query));
	return req_int(&r, "limit", 20, 1, 40, out);
}

static void
a_number_within_its_range_is_taken(void **state)
{
	static const struct {
		const char	*query;
		int64_t		 n;
	} good[] = {
		{ "", 20 }, { "offset=7", 20 }, { "Limit=7", 20 },
		{ "limit=1", 1 }, { "limit=40", 40 }, { "limit=007", 7 },
		{ "limit=%33", 3 }, { "x=limit=5&limit=6", 6 },
		{ "%6cimit=8", 8 },
	};
	int64_t	 n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(get_int(good[i].query, &n), 0);
		assert_int_equal(n, good[i].n);
	}
	assert_parsed("/a?offset=-5");
	assert_int_equal(req_int(&r, "offset", 0, -9, 9, &n), 0);
	assert_int_equal(n, -5);
}

static void
any_other_number_is_refused_by_name(void **state)
{
	static const char *const	 bad[] = {
		"limit=", "limit", "limit=0", "limit=41", "limit=-1",
		"limit=ten", "limit=1.5", "limit=1e1", "limit=0x10",
		"limit=+5", "limit=%205", "limit=5%20", "limit=5%00",
		"limit=%00", "limit=5%0a", "limit=5%09", "limit=--5",
		"limit=-", "limit=9223372036854775808", "limit=1;2",
		"limit=-9223372036854775809", "limit=99999999999999999999999",
		"limit=5&limit=5", "limit=5&offset=1&limit=6",
		"limit=5&%6cimit=5", "limit=%d9%a5", "limit=\xef\xbc\x95",
		"limit=%ff", "limit=5,5", "limit[]=5&limit=x",
	};
	int64_t	 n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_field(get_int(bad[i], &n), "limit");
}

static void
a_word_is_one_of_the_list(void **state)
{
	static const char *const	 words[] = { "ALL", "PAST", NULL };
	static const char *const	 bad[] = { "status=", "status=past",
		"status=PAST ", "status=PASTA", "status=PAS", "status=%00",
		"status=PAST%00", "status=PAST&status=PAST",
		"status=ALL,PAST" };
	const char			*word;

	(void)state;
	assert_parsed("/a");
	assert_int_equal(req_word(&r, "status", words, "ALL", &word), 0);
	assert_string_equal(word, "ALL");
	assert_parsed("/a?status=PAST");
	assert_int_equal(req_word(&r, "status", words, "ALL", &word), 0);
	assert_string_equal(word, "PAST");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_parsed(arena_printf(a, "/a?%s", bad[i]));
		assert_field(req_word(&r, "status", words, "ALL", &word),
		    "status");
	}
	assert_parsed("/a?status=X");
	assert_int_equal(req_word(&r, "status", words, "ALL", &word), 400);
	assert_non_null(strstr(told("detail"), "ALL, PAST"));
}

static void
an_id_is_of_the_partners_letters(void **state)
{
	static const char *const	 bad[] = { "id=", "id", "id=a/b",
		"id=a%2fb", "id=..", "id=a b", "id=a+b", "id=%00", "id=a%00",
		"id=%c3%a4", "id='", "id=a,b", "id=a&id=b", "id=a%0d%0ab" };
	char				 text[120];
	const char			*id;

	(void)state;
	assert_parsed("/a");
	assert_int_equal(req_id(&r, "id", &id), 0);
	assert_null(id);
	assert_parsed("/a?id=-_azAZ09");
	assert_int_equal(req_id(&r, "id", &id), 0);
	assert_string_equal(id, "-_azAZ09");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_parsed(arena_printf(a, "/a?%s", bad[i]));
		assert_field(req_id(&r, "id", &id), "id");
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "/a?id=", 6);
	text[106] = '\0';
	assert_parsed(text);
	assert_int_equal(req_id(&r, "id", &id), 0);
	text[106] = 'x';
	text[107] = '\0';
	assert_parsed(text);
	assert_field(req_id(&r, "id", &id), "id");
}

/* No input, however it is made, may be more than refused. */
/* A text as it came, or not at all. */
static void
a_text_is_characters_without_controls(void **state)
{
	static const char *const	 bad[] = { "q=", "q", "q=%0a", "q=%7f",
		"q=%ff", "q=%c3", "q=%ed%a0%80", "q=abcdef", "q=a&q=b",
		"q=%c3%a4%c3%a4%c3%a4%c3%a4%c3%a4%c3%a4" };
	const char			*text;

	(void)state;
	assert_parsed("/a");
	assert_int_equal(req_text(&r, "q", 5, &text), 0);
	assert_null(text);
	assert_parsed("/a?q=%c3%a4%c3%a4%c3%a4%c3%a4%c3%a4");
	assert_int_equal(req_text(&r, "q", 5, &text), 0);
	assert_string_equal(text, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	assert_parsed("/a?q=%25'%22_%5c");
	assert_int_equal(req_text(&r, "q", 5, &text), 0);
	assert_string_equal(text, "%'\"_\\");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_parsed(arena_printf(a, "/a?%s", bad[i]));
		assert_field(req_text(&r, "q", 5, &text), "q");
	}
}

static void
a_body_is_a_json_object_or_refused(void **state)
{
	static const struct route	 route = { .body_max = 16 };
	static const char *const	 bad[] = { "", "[]", "null", "{\"a\":",
		"{} {}", "\xff", "{\"a\":\"0123456789\"}", NULL };
	struct json			*body;
	int64_t				 n;

	(void)state;
	assert_parsed("/a");
	r.route = &route;
	sent = "{\"a\":123456789}";
	assert_int_equal(req_json(&r, &body), 0);
	assert_int_equal(json_whole(json_get(body, "a"), &n), 0);
	assert_int_equal(n, 123456789);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_parsed("/a");
		r.route = &route;
		sent = bad[i];
		assert_refused(req_json(&r, &body), 400, "bad_body");
	}
}

static void
nothing_breaks_it(void **state)
{
	static const char	 alphabet[] = "/?&=%+#0aF\x01\x7f\xff;limit";
	unsigned int		 seed = 1;
	int64_t			 n;
	const char		*id;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char	 text[64];
		int	 len = rand_r(&seed) % 60;

		for (int k = 0; k < len; k++)
			text[k] = alphabet[rand_r(&seed) %
			    (sizeof(alphabet) - 1)];
		text[0] = '/';
		text[len] = '\0';
		if (parse(len > 0 ? text : "") == 0) {
			(void)!req_int(&r, "limit", 1, 0, 9, &n);
			(void)!req_id(&r, "a", &id);
		}
		if (i % 100 == 0)
			arena_reset(a);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_becomes_its_segments),
		TEST(a_bad_path_is_refused),
		TEST(a_request_line_has_a_bound),
		TEST(a_query_becomes_its_parameters),
		TEST(a_bad_query_is_refused),
		TEST(methods_are_known_by_name_and_case),
		TEST(a_length_is_a_number_or_refused),
		TEST(a_number_within_its_range_is_taken),
		TEST(any_other_number_is_refused_by_name),
		TEST(a_word_is_one_of_the_list),
		TEST(an_id_is_of_the_partners_letters),
		TEST(a_text_is_characters_without_controls),
		TEST(a_body_is_a_json_object_or_refused),
		TEST(nothing_breaks_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("req", tests, NULL, NULL);
}
