/* What a log line may look like, whatever is put into it. */

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char	 dir[64];
static char	 path[80];
static char	 moved[80];
static char	 text[65536];

/* All that was written to the file at from. */
static const char *
written(const char *from)
{
	FILE	*f = fopen(from, "r");
	size_t	 n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

/* The one line that was written, from level= on and without the newline. */
static const char *
line(void)
{
	char	*newline, *level;

	written(path);
	assert_int_equal(truncate(path, 0), 0);
	newline = strchr(text, '\n');
	assert_non_null(newline);
	assert_int_equal(newline[1], '\0');
	*newline = '\0';
	level = strstr(text, " level=");
	assert_non_null(level);
	return level + 1;
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/lockstep-log.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	return log_open(path);
}

static int
teardown(void **state)
{
	(void)state;
	log_set_level(LOG_INFO);
	log_set_worker(NULL);
	log_set_request(NULL);
	log_set_job(NULL);
	log_set_account(0);
	unlink(path);
	unlink(moved);
	rmdir(dir);
	return log_open("-");
}

static void
a_line_needs_no_fields(void **state)
{
	(void)state;
	log_info("sync: start");
	assert_string_equal(line(), "level=info msg=\"sync: start\"");
}

static void
fields_follow_the_message(void **state)
{
	const char	 array[] = "r1.example";

	(void)state;
	errno = ENOENT;
	log_warn("sync: giving up", F_STR("host", array), F_INT("tries", 4),
	    F_SEC("took", 1.23456), F_STR("none", NULL), F_ERRNO);
	assert_string_equal(line(), "level=warn msg=\"sync: giving up\" "
	    "host=r1.example tries=4 took=1.235 none=\"\" "
	    "err=\"No such file or directory\"");
}

static void
a_line_begins_with_the_time(void **state)
{
	unsigned int	 part[7];
	char		 z;

	(void)state;
	log_info("x: y");
	assert_int_equal(sscanf(written(path),
	    "ts=%4u-%2u-%2uT%2u:%2u:%2u.%3u%c level=", part, part + 1, part + 2,
	    part + 3, part + 4, part + 5, part + 6, &z), 8);
	assert_int_equal(z, 'Z');
	assert_int_equal(strcspn(text, " "), 27);
}

static void
what_is_in_hand_is_in_each_line_until_changed(void **state)
{
	(void)state;
	log_set_worker("jobs/0");
	log_set_request("7f3a");
	log_set_job("b0b1");
	log_set_account(9007199254740991);
	log_error("x: y");
	assert_string_equal(line(), "level=error worker=jobs/0 rid=7f3a "
	    "job=b0b1 account=9007199254740991 msg=\"x: y\"");
	log_set_request(NULL);
	log_set_job(NULL);
	log_set_account(0);
	log_error("x: y");
	assert_string_equal(line(), "level=error worker=jobs/0 msg=\"x: y\"");
}

static void
what_is_in_hand_is_copied_and_bounded(void **state)
{
	char	 rid[200];

	(void)state;
	memset(rid, 'r', sizeof(rid));
	rid[199] = '\0';
	log_set_request(rid);
	memset(rid, 'x', 10);
	log_info("x: y");
	assert_non_null(strstr(line(), " rid=rrrrrrrrrr"));
}

static void
assert_value(const char *value, const char *want)
{
	char	 whole[4096];

	log_info("x: y", F_STR("v", value), F_INT("end", 1));
	snprintf(whole, sizeof(whole), "level=info msg=\"x: y\" v=%s end=1",
	    want);
	assert_string_equal(line(), whole);
}

static void
a_value_is_quoted_when_it_must_be(void **state)
{
	(void)state;
	assert_value("plain", "plain");
	assert_value("/a/b?c&d,e;f:g@h.i", "/a/b?c&d,e;f:g@h.i");
	assert_value("", "\"\"");
	assert_value("a b", "\"a b\"");
	assert_value("a=b", "\"a=b\"");
	assert_value("a\"b", "\"a\\\"b\"");
	assert_value("a\\b", "\"a\\\\b\"");
}

static void
a_value_cannot_make_a_second_line_or_field(void **state)
{
	(void)state;
	assert_value("a\nlevel=error", "\"a\\nlevel=error\"");
	assert_value("\r\n\t", "\"\\r\\n\\t\"");
	assert_value("x\" level=error", "\"x\\\" level=error\"");
	assert_value("x\\", "\"x\\\\\"");
	assert_value("\033[31m\177\001", "\"\\x1b[31m\\x7f\\x01\"");
}

static void
utf8_stays_and_what_is_none_is_escaped(void **state)
{
	(void)state;
	assert_value("\xc3\xa9", "\"\xc3\xa9\"");
	assert_value("\xe2\x82\xac", "\"\xe2\x82\xac\"");
	assert_value("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
	assert_value("\xff", "\"\\xff\"");
	assert_value("\xc3", "\"\\xc3\"");
	assert_value("\xe2\x82", "\"\\xe2\\x82\"");
	assert_value("\xf0\x9f\x98", "\"\\xf0\\x9f\\x98\"");
	assert_value("\xc3\"", "\"\\xc3\\\"\"");
	assert_value("\xc0\xaf", "\"\\xc0\\xaf\"");
	assert_value("\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\"");
	assert_value("\xed\xa0\x80", "\"\\xed\\xa0\\x80\"");
	assert_value("\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"");
}

static void
other_line_breaks_of_unicode_are_escaped(void **state)
{
	(void)state;
	assert_value("\xc2\x85", "\"\\xc2\\x85\"");
	assert_value("\xc2\xa0", "\"\xc2\xa0\"");
	assert_value("\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\"");
	assert_value("\xe2\x80\xa9", "\"\\xe2\\x80\\xa9\"");
	assert_value("\xe2\x80\xaa", "\"\xe2\x80\xaa\"");
}

static void
a_long_value_is_cut_and_its_quote_closed(void **state)
{
	char		 big[20001];
	const char	*l;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[20000] = '\0';
	log_info("x: y", F_STR("v", big), F_INT("end", 1));
	l = line();
	assert_true(strlen(l) < 1200);
	assert_non_null(strstr(l, "aaa...\" end=1"));

	memset(big, '\n', sizeof(big) - 1);
	log_info("x: y", F_STR("v", big), F_INT("end", 1));
	assert_non_null(strstr(line(), "\\n\\n...\" end=1"));
}

static void
a_line_stays_within_what_a_pipe_takes_at_once(void **state)
{
	char		 big[20001];
	const char	*l;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[20000] = '\0';
	log_info("x: y", F_STR("a", big), F_STR("b", big), F_STR("c", big),
	    F_STR("d", big), F_STR("e", big), F_INT("end", 1));
	l = line();
	assert_true(strlen(text) < 4096);
	assert_non_null(strstr(l, " c=\""));
	assert_null(strstr(l, " d=\""));
	assert_non_null(strstr(l, "\" end=1"));
}

static void
lines_below_the_level_are_not_written(void **state)
{
	int	 asked = 0;

	(void)state;
	log_debug("x: y", F_INT("n", ++asked));
	assert_string_equal(written(path), "");
	assert_int_equal(asked, 0);
	log_set_level(LOG_DEBUG);
	log_debug("x: y", F_INT("n", ++asked));
	assert_string_equal(line(), "level=debug msg=\"x: y\" n=1");
	log_set_level(LOG_ERROR);
	log_warn("x: y");
	assert_string_equal(written(path), "");
	assert_false(log_wants(LOG_WARN));
	assert_true(log_wants(LOG_ERROR));
}

static void
errno_is_preserved(void **state)
{
	(void)state;
	errno = EXDEV;
	log_info("x: y", F_ERRNO);
	assert_int_equal(errno, EXDEV);
}

static void
a_file_is_appended_to_and_private(void **state)
{
	struct stat	 st;

	(void)state;
	log_info("x: one");
	assert_int_equal(log_open(path), 0);
	log_info("x: two");
	assert_non_null(strstr(written(path), "x: one"));
	assert_non_null(strstr(text, "x: two"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void
a_file_that_cannot_be_opened_leaves_the_old_one(void **state)
{
	(void)state;
	assert_int_equal(log_open("/nonexistent/log"), -1);
	assert_int_equal(errno, ENOENT);
	log_info("x: y");
	assert_string_equal(line(), "level=info msg=\"x: y\"");
}

static void
reopening_follows_a_file_that_was_moved(void **state)
{
	(void)state;
	log_info("x: one");
	assert_int_equal(rename(path, moved), 0);
	log_info("x: two");
	log_reopen();
	log_info("x: three");
	assert_non_null(strstr(written(moved), "x: two"));
	assert_null(strstr(text, "x: three"));
	assert_string_equal(line(), "level=info msg=\"x: three\"");
}

static void
reopening_that_fails_keeps_the_old_file(void **state)
{
	(void)state;
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	log_reopen();
	log_info("x: after");
	assert_int_equal(rmdir(path), 0);
	assert_non_null(strstr(written(moved), "log: reopen"));
	assert_non_null(strstr(text, "x: after"));
}

static void
fatal_logs_and_exits_with_1(void **state)
{
	pid_t	 pid;
	int	 status;

	(void)state;
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		errno = EACCES;
		fatal("key: open", F_STR("path", "/k"), F_ERRNO);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(line(), "level=error msg=\"key: open\" path=/k "
	    "err=\"Permission denied\"");
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_line_needs_no_fields),
		T(fields_follow_the_message),
		T(a_line_begins_with_the_time),
		T(what_is_in_hand_is_in_each_line_until_changed),
		T(what_is_in_hand_is_copied_and_bounded),
		T(a_value_is_quoted_when_it_must_be),
		T(a_value_cannot_make_a_second_line_or_field),
		T(utf8_stays_and_what_is_none_is_escaped),
		T(other_line_breaks_of_unicode_are_escaped),
		T(a_long_value_is_cut_and_its_quote_closed),
		T(a_line_stays_within_what_a_pipe_takes_at_once),
		T(lines_below_the_level_are_not_written),
		T(errno_is_preserved),
		T(a_file_is_appended_to_and_private),
		T(a_file_that_cannot_be_opened_leaves_the_old_one),
		T(reopening_follows_a_file_that_was_moved),
		T(reopening_that_fails_keeps_the_old_file),
		T(fatal_logs_and_exits_with_1),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
