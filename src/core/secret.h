#ifndef SECRET_H
#define SECRET_H

#include <stddef.h>

#include "core/compiler.h"

/*
 * The key file and what is made with it, over libsodium, which is named in
 * secret.c alone.  The master key never leaves that file; subkeys are derived
 * from it, one a purpose.
 */
struct arena;

#define SECRET_HASH_SIZE	32

/* A run of bytes that may hold anything, NUL included. */
struct bytes {
	const char	*p;
	size_t		 len;
};

/*
 * Reads the key from path (64 hex digits, not readable for group or others).
 * -1 with *why in words, good until the next call; then the key that was
 * loaded before, if any, stays.  Must have succeeded before anything below.
 */
int	secret_load(const char *path, const char **why) MUST_CHECK;

/* Writes a fresh key to path, which must not exist (mode 0600).  -1, *why. */
int	secret_make(const char *path, const char **why) MUST_CHECK;

/*
 * The keyed hash by which a login is known again: of user and password both,
 * so that neither can be looked for without the key.
 */
void	secret_login_hash(struct bytes user, struct bytes password,
	    unsigned char out[SECRET_HASH_SIZE]);

/* The keyed hash of one thing under a purpose of up to 8 bytes. */
void	secret_hash(const char *purpose, struct bytes,
	    unsigned char out[SECRET_HASH_SIZE]);

/*
 * Without any key: the same on every host and under every key, for telling
 * whether something that is no secret has changed.
 */
void	secret_digest(struct bytes, unsigned char out[SECRET_HASH_SIZE]);

/* 1 when the n bytes are the same, 0 when not, in constant time. */
int	secret_equal(const void *, const void *, size_t n) MUST_CHECK;

/*
 * Seals plain so that only this key opens it, and only for the same owner
 * (authenticated, not kept inside).  The result is in the arena.
 */
struct bytes	secret_seal(struct arena *, struct bytes plain,
		    struct bytes owner);

/*
 * The plain bytes in the arena, wiped at its reset and followed by a NUL; -1
 * when it was not sealed so.
 */
int	secret_open(struct arena *, struct bytes sealed, struct bytes owner,
	    struct bytes *plain) MUST_CHECK;

/* n random hex digits and a NUL into out. */
void	secret_random_hex(char *out, size_t n);

/*
 * RFC 4648 base64, section 4, with padding.  Decoding: -1 when it is none, or
 * longer than max bytes.  What is decoded is followed by a NUL.
 */
char	*base64_encode(struct arena *, struct bytes);
int	base64_decode(struct arena *, const char *, size_t max,
	    struct bytes *) MUST_CHECK;

#endif
