/* The key file, the hashes and the seal. */

#include "core/secret.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/arena.h"

#define KEY	"000102030405060708090a0b0c0d0e0f" \
		"101112131415161718191a1b1c1d1e1f"
#define OTHER	"ff0102030405060708090a0b0c0d0e0f" \
		"101112131415161718191a1b1c1d1e1f"

#define B(s)	((struct bytes){ s, sizeof(s) - 1 })

static struct arena	*a;
static char		 dir[64];
static char		 path[80];

static void
write_key(const char *text, mode_t mode)
{
	FILE	*f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void
load(const char *text)
{
	const char	*why;

	write_key(text, 0600);
	assert_int_equal(secret_load(path, &why), 0);
}

static void
assert_refused(const char *text, mode_t mode, const char *word)
{
	const char	*why = NULL;

	write_key(text, mode);
	assert_int_equal(secret_load(path, &why), -1);
	assert_non_null(strstr(why, path));
	assert_non_null(strstr(why, word));
	assert_null(strstr(why, "0001020304"));
}

static int
setup(void **state)
{
	(void)state;
	a = arena_new();
	snprintf(dir, sizeof(dir), "/tmp/lockstep-secret.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	load(KEY "\n");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	arena_free(a);
	return 0;
}

static void
a_key_is_read_with_and_without_newline(void **state)
{
	(void)state;
	load(KEY);
	load(KEY "\n");
	load("ABCDEFabcdef0123456789ABCDEF0123"
	    "ABCDEFabcdef0123456789ABCDEF0123");
}

static void
a_bad_key_file_is_refused_with_a_reason(void **state)
{
	(void)state;
	assert_refused("", 0600, "keygen");
	assert_refused("0", 0600, "64 hex digits");
	assert_refused(KEY "0", 0600, "64 hex digits");
	assert_refused(KEY "\n\n", 0600, "64 hex digits");
	assert_refused(KEY KEY, 0600, "64 hex digits");
	assert_refused(" " KEY, 0600, "64 hex digits");
	assert_refused("x00102030405060708090a0b0c0d0e0f"
	    "101112131415161718191a1b1c1d1e1f", 0600, "64 hex digits");
	assert_refused(KEY, 0640, "chmod 600");
	assert_refused(KEY, 0604, "chmod 600");
	assert_refused(KEY, 0620, "chmod 600");
}

static void
a_missing_key_file_says_how_to_make_one(void **state)
{
	const char	*why = NULL;
	char		 command[128];

	(void)state;
	unlink(path);
	assert_int_equal(secret_load(path, &why), -1);
	snprintf(command, sizeof(command), "lockstep keygen %s", path);
	assert_non_null(strstr(why, command));
	assert_int_equal(secret_load(dir, &why), -1);
}

static void
a_key_that_fails_to_load_leaves_the_old_one(void **state)
{
	unsigned char	 before[SECRET_HASH_SIZE], after[SECRET_HASH_SIZE];

	(void)state;
	secret_hash("test", B("x"), before);
	assert_refused("short", 0600, "64 hex digits");
	secret_hash("test", B("x"), after);
	assert_memory_equal(before, after, sizeof(before));
}

static void
a_fresh_key_is_private_and_never_written_over(void **state)
{
	const char	*why = NULL;
	struct stat	 st;
	mode_t		 mask = umask(0);

	(void)state;
	unlink(path);
	assert_int_equal(secret_make(path, &why), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(secret_load(path, &why), 0);
	assert_int_equal(secret_make(path, &why), -1);
	assert_non_null(strstr(why, "already"));
	assert_int_equal(secret_load(path, &why), 0);
}

static void
a_login_hash_depends_on_name_password_and_key(void **state)
{
	unsigned char	 h[5][SECRET_HASH_SIZE];
	int		 i, k;

	(void)state;
	secret_login_hash(B("ab"), B("c"), h[0]);
	secret_login_hash(B("a"), B("bc"), h[1]);
	secret_login_hash(B("ab"), B("d"), h[2]);
	secret_login_hash(B("ab\0"), B("c"), h[3]);
	load(OTHER);
	secret_login_hash(B("ab"), B("c"), h[4]);
	for (i = 0; i < 5; i++) {
		for (k = 0; k < i; k++)
			assert_int_equal(secret_equal(h[i], h[k],
			    SECRET_HASH_SIZE), 0);
	}
	load(KEY);
	secret_login_hash(B("ab"), B("c"), h[1]);
	assert_int_equal(secret_equal(h[0], h[1], SECRET_HASH_SIZE), 1);
}

static void
a_hash_depends_on_its_purpose(void **state)
{
	unsigned char	 one[SECRET_HASH_SIZE], two[SECRET_HASH_SIZE];

	(void)state;
	secret_hash("etag", B("x"), one);
	secret_hash("12345678", B("x"), two);
	assert_memory_not_equal(one, two, sizeof(one));
	secret_hash("etag", (struct bytes){ NULL, 0 }, two);
	assert_memory_not_equal(one, two, sizeof(one));
}

/*
 * What is stored must be known again by every later version: these are of
 * BLAKE2b computed apart from this code.
 */
static void
stored_forms_do_not_change(void **state)
{
	unsigned char	 h[SECRET_HASH_SIZE];
	char		 hex[2 * SECRET_HASH_SIZE + 1];
	int		 i;

	(void)state;
	secret_login_hash(B("user"), B("password"), h);
	for (i = 0; i < SECRET_HASH_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", h[i]);
	assert_string_equal(hex, "d63f985fc3b27453f044ee64356abac1"
	    "e5b804688e95287a9aaa1f68e8a06d3f");
}

static void
a_seal_opens_for_its_owner_only(void **state)
{
	struct bytes	 sealed, plain = { NULL, 0 };

	(void)state;
	sealed = secret_seal(a, B("pass\0word"), B("owner"));
	assert_int_equal(sealed.len, 1 + 24 + 9 + 16);
	assert_int_equal(secret_open(a, sealed, B("other"), &plain), -1);
	assert_null(plain.p);
	assert_int_equal(secret_open(a, sealed, B("owner"), &plain), 0);
	assert_int_equal(plain.len, 9);
	assert_memory_equal(plain.p, "pass\0word", 10);
	load(OTHER);
	assert_int_equal(secret_open(a, sealed, B("owner"), &plain), -1);
}

static void
an_empty_secret_can_be_sealed(void **state)
{
	struct bytes	 sealed, plain = { NULL, 9 };

	(void)state;
	sealed = secret_seal(a, (struct bytes){ NULL, 0 }, B(""));
	assert_int_equal(secret_open(a, sealed, B(""), &plain), 0);
	assert_int_equal(plain.len, 0);
	assert_string_equal(plain.p, "");
}

static void
two_seals_of_one_thing_differ(void **state)
{
	struct bytes	 one = secret_seal(a, B("x"), B("o"));
	struct bytes	 two = secret_seal(a, B("x"), B("o"));

	(void)state;
	assert_memory_not_equal(one.p, two.p, one.len);
}

static void
a_seal_with_any_byte_changed_or_cut_does_not_open(void **state)
{
	struct bytes	 sealed = secret_seal(a, B("word"), B("o")), plain;
	char		*copy;
	size_t		 i;

	(void)state;
	for (i = 0; i < sealed.len; i++) {
		copy = arena_strndup(a, sealed.p, sealed.len);
		copy[i] ^= 1;
		assert_int_equal(secret_open(a,
		    (struct bytes){ copy, sealed.len }, B("o"), &plain), -1);
		assert_int_equal(secret_open(a,
		    (struct bytes){ sealed.p, i }, B("o"), &plain), -1);
	}
}

static void
random_hex_has_its_length_and_differs(void **state)
{
	char	 one[34], two[34];

	(void)state;
	secret_random_hex(one, 33);
	secret_random_hex(two, 33);
	assert_int_equal(strlen(one), 33);
	assert_int_equal(strspn(one, "0123456789abcdef"), 33);
	assert_string_not_equal(one, two);
	secret_random_hex(one, 0);
	assert_string_equal(one, "");
}

static void
assert_base64(const char *plain, const char *text)
{
	struct bytes	 b = { plain, strlen(plain) }, back;

	assert_string_equal(base64_encode(a, b), text);
	assert_int_equal(base64_decode(a, text, 100, &back), 0);
	assert_int_equal(back.len, b.len);
	assert_memory_equal(back.p, plain, b.len + 1);
}

static void
base64_is_that_of_the_rfc(void **state)
{
	(void)state;
	assert_base64("", "");
	assert_base64("f", "Zg==");
	assert_base64("fo", "Zm8=");
	assert_base64("foo", "Zm9v");
	assert_base64("foob", "Zm9vYg==");
	assert_base64("fooba", "Zm9vYmE=");
	assert_base64("foobar", "Zm9vYmFy");
	assert_base64("\xff\xef\xbe", "/+++");
}

static void
base64_that_is_none_or_too_long_is_refused(void **state)
{
	const char	*bad[] = { "Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v ",
	    " Zm9v", "Zm 9v", "Zm9v\n", "Zm9-", "Zm9_", "====", "=", "Zg==Zg==",
	    "Zm9vYg==x", "Zm9\xc3" };
	struct bytes	 out;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(base64_decode(a, bad[i], 100, &out), -1);
	assert_int_equal(base64_decode(a, "Zm9vYmFy", 5, &out), -1);
	assert_int_equal(base64_decode(a, "Zm9vYmFy", 6, &out), 0);
	assert_int_equal(base64_decode(a, "Zg==", 0, &out), -1);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_key_is_read_with_and_without_newline),
		T(a_bad_key_file_is_refused_with_a_reason),
		T(a_missing_key_file_says_how_to_make_one),
		T(a_key_that_fails_to_load_leaves_the_old_one),
		T(a_fresh_key_is_private_and_never_written_over),
		T(a_login_hash_depends_on_name_password_and_key),
		T(a_hash_depends_on_its_purpose),
		T(stored_forms_do_not_change),
		T(a_seal_opens_for_its_owner_only),
		T(an_empty_secret_can_be_sealed),
		T(two_seals_of_one_thing_differ),
		T(a_seal_with_any_byte_changed_or_cut_does_not_open),
		T(random_hex_has_its_length_and_differs),
		T(base64_is_that_of_the_rfc),
		T(base64_that_is_none_or_too_long_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
