/*
 * A setting's value: from text, in its type and range, to its place, and to
 * text again.
 */
#include "core/conf_key.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

/* Largest first: a value is printed in the first that divides it. */
struct unit {
	const char	*name;
	int64_t		 factor;
};
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit size_units[] = {
	{ "m", CONF_MB }, { "k", CONF_KB }, { NULL, 0 }
};
static const struct unit msec_units[] = {
	{ "d", CONF_DAY }, { "h", CONF_HOUR }, { "min", CONF_MIN }, { "s", CONF_SEC }, { "ms", 1 },
	{ NULL, 0 }
};

static bool
is_text(const struct conf_key *k)
{
	return k->type <= CONF_SECRET;
}

static const char **
text_at(const struct conf *c, const struct conf_key *k)
{
	return (const char **)((char *)(uintptr_t)c + k->offset);
}

static const struct unit *
units_of(const struct conf_key *k)
{
	if (k->type == CONF_MSEC)
		return msec_units;
	if (k->type == CONF_SIZE)
		return size_units;
	return plain_units;
}

static int64_t
get_number(const struct conf *c, const struct conf_key *k)
{
	const char	*p = (const char *)c + k->offset;

	if (k->type == CONF_BOOL)
		return *(const bool *)p;
	return *(const int64_t *)p;
}

static void
put_number(struct conf *c, const struct conf_key *k, int64_t n)
{
	char	*p = (char *)c + k->offset;

	if (k->type == CONF_BOOL)
		*(bool *)p = n != 0;
	else
		*(int64_t *)p = n;
}

/* A number as it is written in the file. */
static char *
format_number(const struct conf_key *k, int64_t n, char out[CONF_NUMBER_SIZE])
{
	const struct unit	*u = units_of(k);

	if (k->type == CONF_BOOL) {
		snprintf(out, CONF_NUMBER_SIZE, "%s", n != 0 ? "on" : "off");
	} else if (k->type == CONF_LEVEL) {
		snprintf(out, CONF_NUMBER_SIZE, "%s",
		    log_level_name((enum log_level)n));
	} else if (k->type == CONF_MODE) {
		snprintf(out, CONF_NUMBER_SIZE, "%04llo",
		    (unsigned long long)n);
	} else {
		while (n % u->factor != 0 && u[1].name != NULL)
			u++;
		snprintf(out, CONF_NUMBER_SIZE, "%lld%s",
		    (long long)(n / u->factor), u->name);
	}
	return out;
}

/* Digits and a unit, nothing else: no sign, no blanks. */
static int
parse_units(const char *s, int base, const struct unit *u, int64_t *out)
{
	char		*end;
	long long	 n;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	n = strtoll(s, &end, base);
	while (u->name != NULL && strcmp(end, u->name) != 0)
		u++;
	if (errno != 0 || u->name == NULL || n > INT64_MAX / u->factor)
		return -1;
	*out = n * u->factor;
	return 0;
}

static int
parse_number(const struct conf_key *k, const char *s, int64_t *out)
{
	char	 name[CONF_NUMBER_SIZE];
	int64_t	 n;

	if (k->type == CONF_BOOL || k->type == CONF_LEVEL) {
		for (n = k->min; n <= k->max; n++) {
			if (strcmp(s, format_number(k, n, name)) == 0) {
				*out = n;
				return 0;
			}
		}
		return -1;
	}
	if (parse_units(s, k->type == CONF_MODE ? 8 : 10, units_of(k),
	    out) == -1)
		return -1;
	return *out < k->min || *out > k->max ? -1 : 0;
}

/* Always -1. */
static int
refuse(char *why, const char *words)
{
	snprintf(why, CONF_WHY_SIZE, "%s", words);
	return -1;
}

static int
refuse_number(const struct conf_key *k, char *why)
{
	static const char *const kinds[] = {
		[CONF_INT] = "a whole number",
		[CONF_MODE] = "an octal mode",
		[CONF_MSEC] = "a duration with its unit (ms, s, min, h, d)",
		[CONF_SIZE] = "a size with its unit (k, m)",
	};
	char	 min[CONF_NUMBER_SIZE], max[CONF_NUMBER_SIZE];

	if (k->type == CONF_BOOL)
		return refuse(why, "must be on or off");
	if (k->type == CONF_LEVEL)
		return refuse(why, "must be debug, info, warn or error");
	snprintf(why, CONF_WHY_SIZE, "must be %s from %s to %s",
	    kinds[k->type], format_number(k, k->min, min),
	    format_number(k, k->max, max));
	return -1;
}

static int
check_url(const char *s, char *why)
{
	const char	*host, *p;

	if (strncmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (strncmp(s, "http://", 7) == 0)
		host = s + 7;
	else
		return refuse(why, "must begin with https:// or http://");
	if (*host == '\0' || strchr("/:?#", *host) != NULL)
		return refuse(why, "must name a host");
	if (strchr(host, '@') != NULL)
		return refuse(why, "must hold no user name or password");
	for (p = host; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || *p == '?' || *p == '#')
			return refuse(why, "must be a host, a port and "
			    "a path at most");
	}
	return 0;
}

static int
check_text(const struct conf_key *k, const char *s, char *why)
{
	const char	*p;

	for (p = s; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			return refuse(why, "must not hold control characters");
	}
	if (k->type == CONF_URL)
		return check_url(s, why);
	if (k->type == CONF_PATH && *s != '/')
		return refuse(why, "must be an absolute path");
	if (k->type == CONF_LOG_FILE && *s != '/' && strcmp(s, "-") != 0)
		return refuse(why, "must be an absolute path, or -");
	return 0;
}

static void
put_text(struct conf *c, const struct conf_key *k, const char *s)
{
	const char	**to = text_at(c, k);
	size_t		  len = strlen(s);
	char		 *copy;

	while (k->type == CONF_URL && len > 0 && s[len - 1] == '/')
		len--;
	if ((copy = strndup(s, len)) == NULL)
		fatal("conf: out of memory");
	free((char *)(uintptr_t)*to);
	*to = copy;
}

int
conf_key_put(const struct conf_key *k, struct conf *c, const char *s,
    char why[CONF_WHY_SIZE])
{
	int64_t	 n;

	if (is_text(k)) {
		if (check_text(k, s, why) == -1)
			return -1;
		put_text(c, k, s);
		return 0;
	}
	if (parse_number(k, s, &n) == -1)
		return refuse_number(k, why);
	put_number(c, k, n);
	return 0;
}

const char *
conf_key_text(const struct conf_key *k, const struct conf *c,
    char number[CONF_NUMBER_SIZE])
{
	return is_text(k) ? *text_at(c, k) :
	    format_number(k, get_number(c, k), number);
}

void
conf_key_free(const struct conf_key *k, struct conf *c)
{
	char	*text;

	if (!is_text(k))
		return;
	text = (char *)(uintptr_t)*text_at(c, k);
	if (text != NULL && k->type == CONF_SECRET)
		explicit_bzero(text, strlen(text));
	free(text);
}
