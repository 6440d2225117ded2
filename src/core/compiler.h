#ifndef COMPILER_H
#define COMPILER_H

/* What we ask of gcc and clang beyond C11. */

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN	__attribute__((noreturn))

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#endif
