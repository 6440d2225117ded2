/*
 * The key file, keyed hashes and the seal, over libsodium.  From the key of
 * the file a subkey is derived for each purpose, so that what is learned of
 * one helps nobody with another.
 *
 * A seal is: version byte, nonce (24 bytes, random), ciphertext with its tag
 * (16 bytes) of XChaCha20-Poly1305.  The owner is authenticated with it.
 */

#include "core/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/log.h"

#define KEY_SIZE	crypto_kdf_KEYBYTES
#define KEY_DIGITS	(KEY_SIZE * 2)
#define SEAL_VERSION	1
#define NONCE_SIZE	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE	crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
			"abcdefghijklmnopqrstuvwxyz0123456789+/="
#define SEAL_OVERHEAD	(1 + NONCE_SIZE + TAG_SIZE)

/* Numbers of subkeys: they decide what is stored, so they never change. */
enum subkey { SUBKEY_LOGIN = 1, SUBKEY_SEAL = 2, SUBKEY_HASH = 3 };

/* In a page of its own, read-only and kept out of core dumps. */
static unsigned char	*master_key;

static int	say(const char **, const char *, ...) PRINTF_LIKE(2, 3);

/* Puts the words into *why; returns -1 for the caller to return. */
static int
say(const char **why, const char *fmt, ...)
{
	static char	 words[PATH_MAX + 256];
	va_list		 ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	*why = words;
	return -1;
}

static void
library_start(void)
{
	if (sodium_init() == -1)
		fatal("secret: libsodium does not start");
}

/* All of the open file up to size bytes; -1 with errno. */
static ssize_t
read_all(int fd, char *to, size_t size)
{
	size_t	 len = 0;
	ssize_t	 n;

	while (len < size) {
		n = read(fd, to + len, size - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int
check_mode(int fd, const char *path, const char **why)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return say(why, "key file %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return say(why, "key file %s: not a regular file", path);
	if ((st.st_mode & 077) != 0)
		return say(why, "key file %s: open to group or others, mode "
		    "%04o; make it private with: chmod 600 %s", path,
		    (unsigned int)st.st_mode & 07777, path);
	return 0;
}

static int
parse_key(const char *text, size_t len, unsigned char key[KEY_SIZE])
{
	size_t	 n;

	if (len == KEY_DIGITS + 1 && text[len - 1] == '\n')
		len--;
	if (len != KEY_DIGITS)
		return -1;
	if (sodium_hex2bin(key, KEY_SIZE, text, len, NULL, &n, NULL) == -1 ||
	    n != KEY_SIZE)
		return -1;
	return 0;
}

/* Reads into key; the caller has it wiped also when this fails. */
static int
read_key(int fd, const char *path, unsigned char key[KEY_SIZE],
    const char **why)
{
	char	 text[KEY_DIGITS + 2];
	ssize_t	 n;
	int	 rc;

	if (check_mode(fd, path, why) == -1)
		return -1;
	if ((n = read_all(fd, text, sizeof(text))) == -1)
		return say(why, "key file %s: %s", path, strerror(errno));
	rc = parse_key(text, (size_t)n, key);
	sodium_memzero(text, sizeof(text));
	if (rc == -1)
		return say(why, "key file %s: must be %d hex digits; make a "
		    "fresh one elsewhere with: lockstep keygen PATH", path,
		    (int)KEY_DIGITS);
	return 0;
}

int
secret_load(const char *path, const char **why)
{
	unsigned char	*key;
	int		 fd, rc;

	library_start();
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 && errno == ENOENT)
		return say(why, "key file %s: not there; make one with: "
		    "lockstep keygen %s", path, path);
	if (fd == -1)
		return say(why, "key file %s: %s", path, strerror(errno));
	if ((key = sodium_malloc(KEY_SIZE)) == NULL)
		fatal("secret: out of memory", F_ERRNO);

	rc = read_key(fd, path, key, why);
	close(fd);
	if (rc == -1) {
		sodium_free(key);
		return -1;
	}
	(void)sodium_mprotect_readonly(key);
	sodium_free(master_key);
	master_key = key;
	return 0;
}

static int
write_key(int fd)
{
	unsigned char	 key[KEY_SIZE];
	char		 text[KEY_DIGITS + 1];
	ssize_t		 n;

	crypto_kdf_keygen(key);
	sodium_bin2hex(text, sizeof(text), key, sizeof(key));
	text[KEY_DIGITS] = '\n';
	n = write(fd, text, sizeof(text));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	if (n != -1 && n != (ssize_t)sizeof(text)) {
		errno = ENOSPC;
		return -1;
	}
	return n == -1 ? -1 : fsync(fd);
}

int
secret_make(const char *path, const char **why)
{
	int	 fd, rc, saved;

	library_start();
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 && errno == EEXIST)
		return say(why, "key file %s: is there already, and what was "
		    "sealed with it would be lost", path);
	if (fd == -1)
		return say(why, "key file %s: %s", path, strerror(errno));

	rc = write_key(fd);
	saved = errno;
	if (close(fd) == -1 && rc == 0) {
		saved = errno;
		rc = -1;
	}
	if (rc == -1) {
		unlink(path);
		return say(why, "key file %s: %s", path, strerror(saved));
	}
	return 0;
}

/* The caller wipes key. */
static void
derive(enum subkey number, const char *purpose, unsigned char key[KEY_SIZE])
{
	char	 context[crypto_kdf_CONTEXTBYTES] = { 0 };
	size_t	 len = strlen(purpose);

	assert(master_key != NULL);
	assert(len <= sizeof(context));
	memcpy(context, purpose, len);
	crypto_kdf_derive_from_key(key, KEY_SIZE, number, context, master_key);
}

/* Each length goes in before its bytes, or ("ab", "c") were ("a", "bc"). */
static void
hash_parts(const unsigned char key[KEY_SIZE], const struct bytes *parts,
    size_t n, unsigned char out[SECRET_HASH_SIZE])
{
	crypto_generichash_state	 state;
	unsigned char			 len[8];
	size_t				 i, shift;

	crypto_generichash_init(&state, key, KEY_SIZE, SECRET_HASH_SIZE);
	for (i = 0; i < n; i++) {
		for (shift = 0; shift < sizeof(len); shift++)
			len[shift] = (uint64_t)parts[i].len >> (8 * shift) &
			    0xff;
		crypto_generichash_update(&state, len, sizeof(len));
		crypto_generichash_update(&state,
		    (const unsigned char *)parts[i].p, parts[i].len);
	}
	crypto_generichash_final(&state, out, SECRET_HASH_SIZE);
	sodium_memzero(&state, sizeof(state));
}

void
secret_login_hash(struct bytes user, struct bytes password,
    unsigned char out[SECRET_HASH_SIZE])
{
	const struct bytes	 parts[] = { user, password };
	unsigned char		 key[KEY_SIZE];

	derive(SUBKEY_LOGIN, "login", key);
	hash_parts(key, parts, nitems(parts), out);
	sodium_memzero(key, sizeof(key));
}

void
secret_hash(const char *purpose, struct bytes thing,
    unsigned char out[SECRET_HASH_SIZE])
{
	unsigned char	 key[KEY_SIZE];

	derive(SUBKEY_HASH, purpose, key);
	hash_parts(key, &thing, 1, out);
	sodium_memzero(key, sizeof(key));
}

void
secret_digest(struct bytes thing, unsigned char out[SECRET_HASH_SIZE])
{
	crypto_generichash(out, SECRET_HASH_SIZE,
	    (const unsigned char *)thing.p, thing.len, NULL, 0);
}

int
secret_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

struct bytes
secret_seal(struct arena *a, struct bytes plain, struct bytes owner)
{
	unsigned char		 key[KEY_SIZE];
	unsigned char		*out;
	unsigned long long	 len;

	out = arena_alloc(a, SEAL_OVERHEAD + plain.len);
	out[0] = SEAL_VERSION;
	randombytes_buf(out + 1, NONCE_SIZE);
	derive(SUBKEY_SEAL, "seal", key);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + NONCE_SIZE, &len,
	    (const unsigned char *)plain.p, plain.len,
	    (const unsigned char *)owner.p, owner.len, NULL, out + 1, key);
	sodium_memzero(key, sizeof(key));
	return (struct bytes){ (char *)out, 1 + NONCE_SIZE + (size_t)len };
}

/* A room of len bytes that is wiped when the arena is reset. */
struct room {
	size_t		 len;
	unsigned char	 p[];
};

static void
wipe(void *room)
{
	struct room	*r = room;

	sodium_memzero(r->p, r->len);
}

static struct room *
room_new(struct arena *a, size_t len)
{
	struct room	*r;

	r = arena_alloc(a, sizeof(*r) + len + 1);
	r->len = len;
	arena_defer(a, wipe, r);
	return r;
}

int
secret_open(struct arena *a, struct bytes sealed, struct bytes owner,
    struct bytes *plain)
{
	const unsigned char	*in = (const unsigned char *)sealed.p;
	unsigned char		 key[KEY_SIZE];
	struct room		*room;
	int			 rc;

	if (sealed.len < SEAL_OVERHEAD || in[0] != SEAL_VERSION)
		return -1;
	room = room_new(a, sealed.len - SEAL_OVERHEAD);
	derive(SUBKEY_SEAL, "seal", key);
	rc = crypto_aead_xchacha20poly1305_ietf_decrypt(room->p, NULL, NULL,
	    in + 1 + NONCE_SIZE, sealed.len - 1 - NONCE_SIZE,
	    (const unsigned char *)owner.p, owner.len, in + 1, key);
	sodium_memzero(key, sizeof(key));
	if (rc == -1)
		return -1;
	*plain = (struct bytes){ (char *)room->p, room->len };
	return 0;
}

void
secret_random_hex(char *out, size_t n)
{
	size_t	 i;

	library_start();
	randombytes_buf(out, n);
	for (i = 0; i < n; i++)
		out[i] = "0123456789abcdef"[out[i] & 15];
	out[n] = '\0';
}

char *
base64_encode(struct arena *a, struct bytes b)
{
	const int	 variant = sodium_base64_VARIANT_ORIGINAL;
	size_t		 size;
	char		*out;

	if (b.len > SIZE_MAX / 2)
		fatal("secret: out of memory");
	size = sodium_base64_encoded_len(b.len, variant);
	out = arena_alloc(a, size);
	return sodium_bin2base64(out, size, (const unsigned char *)b.p, b.len,
	    variant);
}

int
base64_decode(struct arena *a, const char *text, size_t max, struct bytes *out)
{
	size_t		 len = strlen(text), size = len / 4 * 3;
	struct room	*room;

	/* libsodium 1.0.18 takes some bytes above 0x7f for digits. */
	if (strspn(text, BASE64_CHARS) != len)
		return -1;
	if (size > max)
		size = max;
	room = room_new(a, size);
	if (sodium_base642bin(room->p, size, text, len, NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == -1)
		return -1;
	*out = (struct bytes){ (char *)room->p, len };
	return 0;
}
