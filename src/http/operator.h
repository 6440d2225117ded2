#ifndef OPERATOR_H
#define OPERATOR_H

#include "core/compiler.h"

struct req;

/*
 * An operator, whom nginx has let in: sets req.operator to the name that it
 * says and returns 0, or the status of what was answered.  What could change
 * something is refused when another site's page sent it, because browsers add
 * the operator's password by themselves (DESIGN, section 6).
 */
int	operator_check(struct req *) MUST_CHECK;

#endif
