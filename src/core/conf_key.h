#ifndef CONF_KEY_H
#define CONF_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * One setting: its name, type, range and default, and its value as text.  Which
 * there are, and where they are read from, is conf.c's.
 */
struct conf;

#define CONF_WHY_SIZE		128
#define CONF_NUMBER_SIZE	32

/* Of ranges: durations are in milliseconds, sizes in bytes. */
#define CONF_SEC		INT64_C(1000)
#define CONF_MIN		(60 * CONF_SEC)
#define CONF_HOUR		(60 * CONF_MIN)
#define CONF_DAY		(24 * CONF_HOUR)
#define CONF_KB		INT64_C(1024)
#define CONF_MB		(1024 * CONF_KB)

enum conf_type {
	CONF_STRING,
	CONF_PATH,		/* absolute */
	CONF_LOG_FILE,		/* the same, or "-" */
	CONF_URL,
	CONF_SECRET,		/* a string that is never shown */
	CONF_INT,
	CONF_MODE,
	CONF_MSEC,
	CONF_SIZE,
	CONF_BOOL,
	CONF_LEVEL,
};

struct conf_key {
	const char	*name;		/* "section.key", or "key" */
	enum conf_type	 type;
	size_t		 offset;	/* in struct conf */
	const char	*def;		/* NULL: must be set */
	int64_t		 min, max;	/* of numbers; ms, bytes */
	const char	*help;
};

/*
 * Puts a value, as it is written in the file, to its place in a conf that was
 * zeroed at first; texts are copied, and what was there is freed.  -1 when it
 * is not of the type or range, with why in words that hold nothing of it.
 */
int		 conf_key_put(const struct conf_key *, struct conf *,
		    const char *text, char why[CONF_WHY_SIZE]) MUST_CHECK;

/* The value as it is written in the file: the text itself, or number[]. */
const char	*conf_key_text(const struct conf_key *, const struct conf *,
		    char number[CONF_NUMBER_SIZE]);

/* Frees a text; that of a secret is wiped before. */
void		 conf_key_free(const struct conf_key *, struct conf *);

#endif
