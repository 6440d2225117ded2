/*
 * The settings: what is taken, what is refused and with which words, and that
 * conf/lockstep.conf.example says what the table says.  The example is looked
 * for below $srcdir, or below the first argument.
 */

#include "core/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/log.h"

#define DB	"[db]\nurl = postgresql:///x\n"

static const char	*srcdir = ".";
static char		 dir[64];
static char		 path[80];
static char		 secret_path[80];
static char		 err[CONF_ERR_SIZE];

static void
write_file(const char *to, const char *content)
{
	FILE	*f = fopen(to, "w");

	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

/* Loads a file with this content; what is loaded is the caller's. */
static struct conf *
load(const char *content)
{
	write_file(path, content);
	return conf_load(path, err);
}

static struct conf *
load_good(const char *content)
{
	struct conf	*c = load(content);

	if (c == NULL)
		print_error("%s\n", err);
	assert_non_null(c);
	assert_string_equal(err, "");
	return c;
}

/* That content is refused with exactly these words after "path:". */
static void
assert_refused(const char *content, const char *want)
{
	size_t	 n = strlen(path);

	assert_null(load(content));
	assert_memory_equal(err, path, n);
	assert_int_equal(err[n], ':');
	assert_string_equal(err + n + 1, want);
}

/* The environment with this one variable is refused with these words. */
static void
assert_env_refused(const char *name, const char *value, const char *want)
{
	assert_int_equal(setenv(name, value, 1), 0);
	assert_null(load(DB));
	unsetenv(name);
	assert_string_equal(err, want);
}

/* What conf_print() says; the caller frees it. */
static char *
printed(const struct conf *c)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	assert_non_null(f);
	conf_print(c, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/lockstep-conf.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/conf", dir);
	snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(secret_path);
	return rmdir(dir);
}

static void
every_setting_but_the_database_has_a_default(void **state)
{
	struct conf	*c = load_good(DB);

	(void)state;
	assert_string_equal(c->run_dir, "/run/lockstep");
	assert_string_equal(c->log_file, "-");
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->socket_mode, 0660);
	assert_string_equal(c->socket_group, "");
	assert_string_equal(c->db_url, "postgresql:///x");
	assert_int_equal(c->db_timeout_ms, 1500);
	assert_true(c->db_prepare);
	assert_int_equal(c->body_max, 262144);
	assert_int_equal(c->jobs_keep_ms, INT64_C(90) * 24 * 3600 * 1000);
	assert_string_equal(c->partner_url, "https://partner-api.yelp.com");
	assert_int_equal(c->sync_wait_max_ms, 300000);
	conf_free(c);
	conf_free(NULL);
}

static void
a_second_url_means_a_pool(void **state)
{
	struct conf	*c = load_good(DB);

	(void)state;
	assert_string_equal(c->db_direct_url, "");
	assert_false(conf_has_pool(c));
	conf_free(c);
	c = load_good(DB "direct_url = postgresql:///x\n");
	assert_false(conf_has_pool(c));
	conf_free(c);
	c = load_good(DB "direct_url = postgresql:///y\n");
	assert_string_equal(c->db_direct_url, "postgresql:///y");
	assert_true(conf_has_pool(c));
	conf_free(c);
	setenv("LOCKSTEP_DB_DIRECT_URL_FILE", secret_path, 1);
	write_file(secret_path, "postgresql:///z\n");
	c = load_good(DB);
	unsetenv("LOCKSTEP_DB_DIRECT_URL_FILE");
	unlink(secret_path);
	assert_string_equal(c->db_direct_url, "postgresql:///z");
	assert_true(conf_has_pool(c));
	conf_free(c);
}

static void
the_database_must_be_set(void **state)
{
	(void)state;
	assert_null(load(""));
	assert_string_equal(err, "db.url: must be set");
	assert_null(load("[db]\nurl =\n"));
	assert_string_equal(err, "db.url: must be set");
}

static void
a_file_that_is_not_there_is_refused(void **state)
{
	(void)state;
	assert_null(conf_load("/nonexistent/conf", err));
	assert_string_equal(err,
	    "/nonexistent/conf: No such file or directory");
	assert_null(conf_load(dir, err));
	assert_non_null(strstr(err, "directory"));
}

static void
values_of_each_type_are_read(void **state)
{
	struct conf	*c = load_good("run_dir = /r\nrequest_timeout=1min\n"
	    "body_max = 1m\n\n; comment\n# comment\n"
	    "[log]\nfile = /var/log/x\nlevel = debug\n"
	    "[socket]\nmode = 600\ngroup = www-data\n"
	    DB "prepare = off\ntimeout = 250ms\n"
	    "[jobs]\nkeep = 2d\nlease = 30s\n[auth]\nlifetime = 2h\n"
	    "[partner]\nurl = http://127.0.0.1:8080/base//\nretries = 0\n");

	(void)state;
	assert_string_equal(c->run_dir, "/r");
	assert_int_equal(c->request_timeout_ms, 60000);
	assert_int_equal(c->body_max, 1048576);
	assert_string_equal(c->log_file, "/var/log/x");
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->socket_mode, 0600);
	assert_string_equal(c->socket_group, "www-data");
	assert_false(c->db_prepare);
	assert_int_equal(c->db_timeout_ms, 250);
	assert_int_equal(c->jobs_keep_ms, 172800000);
	assert_int_equal(c->auth_lifetime_ms, 7200000);
	assert_string_equal(c->partner_url, "http://127.0.0.1:8080/base");
	assert_int_equal(c->partner_retries, 0);
	conf_free(c);
}

static void
unknown_keys_are_refused_with_their_line(void **state)
{
	(void)state;
	assert_refused("\n[api]\nworker = 4\n",
	    "3: api.worker: no such setting");
	assert_refused("workers = 4\n", "1: workers: no such setting");
	assert_refused("api.workers = 4\n", "1: api.workers: no such setting");
	assert_refused("[apis]\nworkers = 4\n",
	    "2: apis.workers: no such setting");
	assert_refused("[log]\nrun_dir = /x\n",
	    "2: log.run_dir: no such setting");
}

static void
a_key_is_set_once(void **state)
{
	(void)state;
	assert_refused("[api]\nworkers = 4\nworkers = 4\n",
	    "3: api.workers: is set twice");
	assert_refused("[api]\nworkers = 4\n[log]\n[api]\nworkers = 5\n",
	    "5: api.workers: is set twice");
}

static void
the_first_mistake_is_the_one_named(void **state)
{
	(void)state;
	assert_refused("[api]\nworkers = x\nworker = 4\n[live\n",
	    "2: api.workers: must be a whole number from 1 to 256");
}

static void
what_is_no_line_of_a_file_is_refused(void **state)
{
	(void)state;
	assert_refused(DB "workers\n", "3: must be [section] or key = value");
	assert_refused(DB "[api\n", "3: must be [section] or key = value");
}

static void
an_indented_line_is_a_line_of_its_own(void **state)
{
	struct conf	*c = load_good(DB "\ttimeout = 2s\n  [api]\n"
	    "    workers = 7\n");

	(void)state;
	assert_string_equal(c->db_url, "postgresql:///x");
	assert_int_equal(c->db_timeout_ms, 2000);
	assert_int_equal(c->api_workers, 7);
	conf_free(c);
}

static void
a_line_too_long_is_refused_not_split(void **state)
{
	char	 content[1000];

	(void)state;
	snprintf(content, sizeof(content), "# x\nrun_dir = /%0*d\n", 180, 1);
	conf_free(load(content));
	assert_string_equal(err, "db.url: must be set");

	snprintf(content, sizeof(content), "# x\nrun_dir = /%0*d\n", 500, 1);
	assert_null(load(content));
	assert_non_null(strstr(err, ":2: line is longer than "));
}

static void
whole_numbers_are_digits_within_their_range(void **state)
{
	const char	*bad[] = { "0", "257", "-1", "+4", "4.0", "4x", "", "x",
	    "0x4", "99999999999999999999", "4 5", "4 # four" };
	char		 content[100];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		snprintf(content, sizeof(content), "[api]\nworkers = %s\n",
		    bad[i]);
		assert_refused(content, "2: api.workers: must be a whole "
		    "number from 1 to 256");
	}
	conf_free(load_good(DB "[api]\nworkers = 1\n"));
	conf_free(load_good(DB "[api]\nworkers = 256\n"));
}

static void
durations_need_a_unit(void **state)
{
	const char	*bad[] = { "500", "99ms", "61s", "2min", "1 s", "1S",
	    "1sec", "-1s", "1.5s", "s", "", "9223372036854775807d",
	    "99999999999999999999ms" };
	char		 content[100];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		snprintf(content, sizeof(content), "[db]\ntimeout = %s\n",
		    bad[i]);
		assert_refused(content, "2: db.timeout: must be a duration "
		    "with its unit (ms, s, min, h, d) from 100ms to 1min");
	}
}

static void
sizes_need_a_unit(void **state)
{
	(void)state;
	assert_refused("body_max = 65536\n", "1: body_max: must be a size with "
	    "its unit (k, m) from 1k to 8m");
	assert_refused("body_max = 9m\n", "1: body_max: must be a size with "
	    "its unit (k, m) from 1k to 8m");
	assert_refused("body_max = 64kb\n", "1: body_max: must be a size with "
	    "its unit (k, m) from 1k to 8m");
	conf_free(load_good("body_max = 8192k\n" DB));
}

static void
choices_are_named_when_refused(void **state)
{
	(void)state;
	assert_refused("[db]\nprepare = yes\n",
	    "2: db.prepare: must be on or off");
	assert_refused("[log]\nlevel = notice\n",
	    "2: log.level: must be debug, info, warn or error");
	assert_refused("[socket]\nmode = 0668\n",
	    "2: socket.mode: must be an octal mode from 0600 to 0777");
	assert_refused("[socket]\nmode = 1777\n",
	    "2: socket.mode: must be an octal mode from 0600 to 0777");
}

static void
paths_are_absolute(void **state)
{
	(void)state;
	assert_refused("run_dir = run\n",
	    "1: run_dir: must be an absolute path");
	assert_refused("run_dir =\n", "1: run_dir: must be an absolute path");
	assert_refused("run_dir = -\n", "1: run_dir: must be an absolute path");
	assert_refused("[log]\nfile = log\n",
	    "2: log.file: must be an absolute path, or -");
	assert_refused("run_dir = /a\tb\n",
	    "1: run_dir: must not hold control characters");
}

static void
urls_are_plain_http_without_a_login(void **state)
{
	(void)state;
	assert_refused("[partner]\nurl = ftp://x\n",
	    "2: partner.url: must begin with https:// or http://");
	assert_refused("[partner]\nurl = partner.example\n",
	    "2: partner.url: must begin with https:// or http://");
	assert_refused("[partner]\nurl = https:///\n",
	    "2: partner.url: must name a host");
	assert_refused("[partner]\nurl = https://\n",
	    "2: partner.url: must name a host");
	assert_refused("[partner]\nurl = https://u:p@x/\n",
	    "2: partner.url: must hold no user name or password");
	assert_refused("[partner]\nurl = https://x/?a=b\n",
	    "2: partner.url: must be a host, a port and a path at most");
	assert_refused("[partner]\nurl = https://x y\n",
	    "2: partner.url: must be a host, a port and a path at most");
}

static void
settings_must_go_together(void **state)
{
	(void)state;
	assert_null(load(DB "[jobs]\nlease = 10s\nheartbeat = 5s\n"));
	assert_string_equal(err,
	    "jobs.heartbeat: must be less than half of jobs.lease");
	assert_null(load("request_timeout = 10s\n" DB));
	assert_string_equal(err,
	    "live.deadline: must be less than request_timeout");
	conf_free(load_good(DB "[jobs]\nlease = 10001ms\nheartbeat = 5s\n"));
}

static void
the_environment_overrides_the_file(void **state)
{
	struct conf	*c;

	(void)state;
	setenv("LOCKSTEP_DB_URL", "postgresql:///env", 1);
	setenv("LOCKSTEP_RUN_DIR", "/env", 1);
	setenv("LOCKSTEP_LOG_FILE", "/env/log", 1);
	setenv("LOCKSTEP_AUTH_REFUSALS_PER_NAME", "9", 1);
	setenv("LOCKSTEP_BUILD", "anything", 1);
	c = load_good("run_dir = /file\n" DB);
	unsetenv("LOCKSTEP_DB_URL");
	unsetenv("LOCKSTEP_RUN_DIR");
	unsetenv("LOCKSTEP_LOG_FILE");
	unsetenv("LOCKSTEP_AUTH_REFUSALS_PER_NAME");
	unsetenv("LOCKSTEP_BUILD");
	assert_string_equal(c->db_url, "postgresql:///env");
	assert_string_equal(c->run_dir, "/env");
	assert_string_equal(c->log_file, "/env/log");
	assert_int_equal(c->auth_refusals_per_name, 9);
	conf_free(c);
}

static void
the_environment_is_held_to_the_same_rules(void **state)
{
	(void)state;
	assert_env_refused("LOCKSTEP_API_WORKERS", "0",
	    "LOCKSTEP_API_WORKERS: must be a whole number from 1 to 256");
	assert_env_refused("LOCKSTEP_API_WORKER", "4",
	    "LOCKSTEP_API_WORKER: no such setting");
	assert_env_refused("LOCKSTEP_API_WORKERS_FILE", "/x",
	    "LOCKSTEP_API_WORKERS_FILE: no such setting");
	assert_env_refused("LOCKSTEP_", "4", "LOCKSTEP_: no such setting");
	assert_env_refused("LOCKSTEP_BUILDS", "4",
	    "LOCKSTEP_BUILDS: no such setting");
	assert_env_refused("LOCKSTEP_DB_URL", "a\nb",
	    "LOCKSTEP_DB_URL: must not hold control characters");
}

static void
a_secret_may_come_from_a_file(void **state)
{
	struct conf	*c;

	(void)state;
	setenv("LOCKSTEP_DB_URL_FILE", secret_path, 1);
	write_file(secret_path, "postgresql:///secret\n");
	c = load_good("");
	assert_string_equal(c->db_url, "postgresql:///secret");
	conf_free(c);

	write_file(secret_path, "postgresql:///bare");
	c = load_good(DB);
	assert_string_equal(c->db_url, "postgresql:///bare");
	conf_free(c);

	write_file(secret_path, "two\nlines\n");
	assert_null(load(DB));
	assert_string_equal(err,
	    "LOCKSTEP_DB_URL_FILE: must not hold control characters");

	assert_int_equal(truncate(secret_path, 5000), 0);
	assert_null(load(DB));
	assert_non_null(strstr(err, "longer than 4096 bytes"));

	unlink(secret_path);
	assert_null(load(DB));
	assert_non_null(strstr(err, "LOCKSTEP_DB_URL_FILE: /"));
	assert_non_null(strstr(err, "No such file"));
	unsetenv("LOCKSTEP_DB_URL_FILE");
}

static void
a_secret_cannot_come_both_ways(void **state)
{
	(void)state;
	setenv("LOCKSTEP_DB_URL", "postgresql:///hunter2", 1);
	assert_env_refused("LOCKSTEP_DB_URL_FILE", "/x", "LOCKSTEP_DB_URL_FILE:"
	    " cannot be set together with LOCKSTEP_DB_URL");
	unsetenv("LOCKSTEP_DB_URL");
}

static void
secrets_are_masked_when_printed(void **state)
{
	struct conf	*c = load_good("[db]\nurl = postgresql://u:hunter2@\n"
			    "direct_url = postgresql://d:hunter2@\n");
	char		*text = printed(c);

	(void)state;
	assert_null(strstr(text, "hunter2"));
	assert_null(strstr(text, "postgresql://"));
	assert_non_null(strstr(text, "\n[db]\n"));
	assert_non_null(strstr(text, "\nurl = ********\n"));
	assert_non_null(strstr(text, "\ndirect_url = ********\n"));
	free(text);
	conf_free(c);
}

static void
what_is_printed_loads_again_as_the_same(void **state)
{
	struct conf	*c = load_good(DB "timeout = 1001ms\n"
	    "[partner]\nretry_base = 1ms\nbody_max = 65k\n"
	    "[stream]\nmax_age = 24h\n[socket]\nmode = 0777\n");
	char		*first = printed(c), *second;

	(void)state;
	conf_free(c);
	c = load_good(first);
	second = printed(c);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "timeout = 1001ms\n"));
	assert_non_null(strstr(first, "body_max = 65k\n"));
	assert_non_null(strstr(first, "max_age = 1d\n"));
	assert_non_null(strstr(first, "mode = 0777\n"));
	free(first);
	free(second);
	conf_free(c);
}

/* Whether the line is #key = value, a default shown but not set. */
static bool
is_commented_key(const char *line)
{
	size_t	 n;

	if (*line != '#')
		return false;
	n = strspn(line + 1, "abcdefghijklmnopqrstuvwxyz_");
	return n > 0 && strncmp(line + 1 + n, " =", 2) == 0;
}

/* The example into to, its commented keys made live if so asked. */
static void
copy_example(const char *to, bool uncomment)
{
	char	 from[4096], line[1024];
	FILE	*in, *out;

	snprintf(from, sizeof(from), "%s/conf/lockstep.conf.example", srcdir);
	if ((in = fopen(from, "r")) == NULL)
		fail_msg("%s: cannot be opened; is srcdir set?", from);
	out = fopen(to, "w");
	assert_non_null(out);
	while (fgets(line, sizeof(line), in) != NULL)
		fputs(line + (uncomment && is_commented_key(line)), out);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* The next line of text that is no comment and not empty; moves on *text. */
static bool
next_setting(const char **text, char *line, size_t size)
{
	size_t	 n;

	while (**text != '\0') {
		n = strcspn(*text, "\n");
		snprintf(line, size, "%.*s", (int)n, *text);
		*text += n + ((*text)[n] == '\n');
		if (n > 0 && line[0] != '#')
			return true;
	}
	return false;
}

static char *
slurp(const char *from)
{
	static char	 text[65536];
	FILE		*f = fopen(from, "r");
	size_t		 n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static void
the_example_loads_as_it_stands(void **state)
{
	struct conf	*c;

	(void)state;
	copy_example(path, false);
	c = conf_load(path, err);
	assert_string_equal(err, "");
	assert_non_null(c);
	conf_free(c);
}

static void
the_example_shows_the_defaults(void **state)
{
	struct conf	*c = load_good(DB);
	char		*defaults = printed(c), *shown;

	(void)state;
	conf_free(c);
	copy_example(path, true);
	c = conf_load(path, err);
	assert_string_equal(err, "");
	assert_non_null(c);
	shown = printed(c);
	assert_string_equal(shown, defaults);
	free(shown);
	free(defaults);
	conf_free(c);
}

/* Same sections and keys in the same order: none is missing, none is left. */
static void
the_example_has_every_setting_of_the_table(void **state)
{
	struct conf	*c = load_good(DB);
	char		*table = printed(c), want[256], have[256];
	const char	*t = table, *e;

	(void)state;
	conf_free(c);
	copy_example(path, true);
	e = slurp(path);
	while (next_setting(&t, want, sizeof(want))) {
		if (!next_setting(&e, have, sizeof(have)))
			fail_msg("the example ends before %s", want);
		want[strcspn(want, " =")] = '\0';
		have[strcspn(have, " =")] = '\0';
		assert_string_equal(have, want);
	}
	assert_false(next_setting(&e, have, sizeof(have)));
	free(table);
}

static void
the_example_leaves_only_required_settings_live(void **state)
{
	char		 line[256];
	const char	*e;

	(void)state;
	copy_example(path, false);
	e = slurp(path);
	while (next_setting(&e, line, sizeof(line))) {
		if (line[0] != '[')
			assert_memory_equal(line, "url = ", 6);
	}
}

int
main(int argc, char *argv[])
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_setting_but_the_database_has_a_default),
		T(a_second_url_means_a_pool),
		T(the_database_must_be_set),
		T(a_file_that_is_not_there_is_refused),
		T(values_of_each_type_are_read),
		T(unknown_keys_are_refused_with_their_line),
		T(a_key_is_set_once),
		T(the_first_mistake_is_the_one_named),
		T(what_is_no_line_of_a_file_is_refused),
		T(an_indented_line_is_a_line_of_its_own),
		T(a_line_too_long_is_refused_not_split),
		T(whole_numbers_are_digits_within_their_range),
		T(durations_need_a_unit),
		T(sizes_need_a_unit),
		T(choices_are_named_when_refused),
		T(paths_are_absolute),
		T(urls_are_plain_http_without_a_login),
		T(settings_must_go_together),
		T(the_environment_overrides_the_file),
		T(the_environment_is_held_to_the_same_rules),
		T(a_secret_may_come_from_a_file),
		T(a_secret_cannot_come_both_ways),
		T(secrets_are_masked_when_printed),
		T(what_is_printed_loads_again_as_the_same),
		T(the_example_loads_as_it_stands),
		T(the_example_shows_the_defaults),
		T(the_example_has_every_setting_of_the_table),
		T(the_example_leaves_only_required_settings_live),
	};
	char	**e;

	if (argc > 1)
		srcdir = argv[1];
	else if (getenv("srcdir") != NULL)
		srcdir = getenv("srcdir");

	/* Settings of whoever runs the tests are not what is tested. */
	for (e = environ; *e != NULL; ) {
		char	 name[256];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*e, "="), *e);
		if (strncmp(name, "LOCKSTEP_", 9) != 0 || unsetenv(name) == -1)
			e++;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
