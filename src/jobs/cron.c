/* Reading cron expressions, and walking the calendar with them. */
#include "jobs/cron.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NAME_LEN	3
/* 29 February comes after eight years at the latest (1896 and 1904). */
#define YEARS_MAX	9

struct field {
	int			 min, max;
	const char *const	*names;		/* of min, min + 1, ... */
	const char		*bad;
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu",
	"fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
	[MINUTE] = { 0, 59, NULL, "bad minute" },
	[HOUR] = { 0, 23, NULL, "bad hour" },
	[DAY] = { 1, 31, NULL, "bad day of the month" },
	[MONTH] = { 1, 12, month_names, "bad month" },
	/* Sunday is 7 as well. */
	[WEEKDAY] = { 0, 7, day_names, "bad day of the week" },
};

static const struct {
	const char	*name;
	const char	*text;
} macros[] = {
	{ "@hourly", "0 * * * *" },
	{ "@daily", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" },
	{ "@yearly", "0 0 1 1 *" },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
parse_number(const char **p, int *out)
{
	int	n = 0, digits = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (++digits > 4)
			return -1;
		n = n * 10 + (**p - '0');
	}
	*out = n;
	return digits > 0 ? 0 : -1;
}

/* A number or a name, within the field's bounds. */
static int
parse_value(const char **p, const struct field *f, int *out)
{
	for (int i = 0; f->names != NULL && f->names[i] != NULL; i++) {
		if (strncasecmp(*p, f->names[i], NAME_LEN) == 0) {
			*p += NAME_LEN;
			*out = f->min + i;
			return 0;
		}
	}
	return parse_number(p, out) == 0 && *out >= f->min &&
	    *out <= f->max ? 0 : -1;
}

/* One element of a list: *, a, a-b, each but a alone with /step. */
static int
parse_element(const char **p, const struct field *f, uint64_t *bits)
{
	int	from = f->min, to = f->max, step = 1;
	bool	single = false;

	if (**p == '*') {
		(*p)++;
	} else {
		if (parse_value(p, f, &from) == -1)
			return -1;
		single = **p != '-';
		to = from;
		if (!single) {
			(*p)++;
			if (parse_value(p, f, &to) == -1 || to < from)
				return -1;
		}
	}
	if (**p == '/') {
		(*p)++;
		if (single || parse_number(p, &step) == -1 || step < 1)
			return -1;
	}
	for (int i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return 0;
}

/* A field up to the blank after it; *any when it begins with a star. */
static int
parse_field(const char **p, const struct field *f, uint64_t *bits, bool *any)
{
	*bits = 0;
	*any = **p == '*';
	while (parse_element(p, f, bits) == 0) {
		if (**p != ',')
			return **p == '\0' || is_blank(**p) ? 0 : -1;
		(*p)++;
	}
	return -1;
}

static const char *
expand(const char *text)
{
	for (size_t i = 0; i < nitems(macros); i++)
		if (strcmp(text, macros[i].name) == 0)
			return macros[i].text;
	return text;
}

int
cron_parse(struct cron *c, const char *text, const char **why)
{
	uint64_t	 bits[FIELDS];
	bool		 any[FIELDS];
	const char	*p = expand(text);

	for (int i = 0; i < FIELDS; i++) {
		while (is_blank(*p))
			p++;
		*why = *p == '\0' ? "fewer than five fields" : fields[i].bad;
		if (parse_field(&p, &fields[i], &bits[i], &any[i]) == -1)
			return -1;
	}
	while (is_blank(*p))
		p++;
	*why = "more than five fields";
	if (*p != '\0')
		return -1;
	c->minutes = bits[MINUTE];
	c->hours = (uint32_t)bits[HOUR];
	c->days = (uint32_t)bits[DAY];
	c->months = (uint32_t)bits[MONTH];
	c->weekdays = (uint32_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
	c->every_day = any[DAY];
	c->every_weekday = any[WEEKDAY];
	c->every_hour = c->hours == 0xffffff;
	return 0;
}

static int
days_in(int year, int month)
{
	static const int	 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };
	bool			 leap = (year % 4 == 0 && year % 100 != 0) ||
				     year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* 0 is Sunday.  Sakamoto's method. */
static int
weekday_of(const struct cron_time *t)
{
	static const int	 shift[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2,
		4 };
	int			 y = t->year - (t->month < 3);

	return (y + y / 4 - y / 100 + y / 400 + shift[t->month - 1] +
	    t->day) % 7;
}

/* As crontab(5): a field that begins with * leaves the day to the other. */
static bool
day_matches(const struct cron *c, const struct cron_time *t)
{
	bool	 day = c->days >> t->day & 1;
	bool	 weekday = c->weekdays >> weekday_of(t) & 1;

	if (!(c->months >> t->month & 1))
		return false;
	return c->every_day || c->every_weekday ? day && weekday :
	    day || weekday;
}

static void
to_next_day(struct cron_time *t)
{
	t->hour = t->minute = 0;
	if (++t->day <= days_in(t->year, t->month))
		return;
	t->day = 1;
	if (++t->month <= 12)
		return;
	t->month = 1;
	t->year++;
}

/* The first time of this day, from t on, that it is due at. */
static bool
find_in_day(const struct cron *c, struct cron_time *t)
{
	for (; t->hour < 24; t->hour++, t->minute = 0) {
		if (!(c->hours >> t->hour & 1))
			continue;
		for (; t->minute < 60; t->minute++)
			if (c->minutes >> t->minute & 1)
				return true;
	}
	return false;
}

int
cron_next(const struct cron *c, struct cron_time after,
    struct cron_time *next)
{
	struct cron_time	t = after;

	t.minute++;
	while (t.year <= after.year + YEARS_MAX) {
		if (day_matches(c, &t) && find_in_day(c, &t)) {
			*next = t;
			return 0;
		}
		to_next_day(&t);
	}
	return -1;
}
