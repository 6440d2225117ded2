#ifndef AUTH_H
#define AUTH_H

#include "core/compiler.h"
#include "core/secret.h"
#include "http/problem.h"

struct req;

#define AUTH_USER_MAX		255
#define AUTH_PASSWORD_MAX	1024

/*
 * The user and password of the Authorization header (RFC 7617): opaque bytes,
 * in the arena.  0, or 401 when there is none that can be read, with the
 * problem in the answer.
 */
int	auth_basic(struct req *, struct bytes *user, struct bytes *password)
	    MUST_CHECK;

/*
 * Answers 401 with a challenge; without one when the request says
 * X-Requested-With, so that browsers open no dialog over a page's own form.
 */
int	auth_refuse(struct req *, enum problem, const char *detail);

#endif
