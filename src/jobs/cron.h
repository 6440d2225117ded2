#ifndef CRON_H
#define CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * Cron expressions: five fields (minute, hour, day of the month, month, day of
 * the week), as crontab(5) has them.  Pure: times are what a clock on the wall
 * shows; which moments these are is for PostgreSQL to say.
 */
struct cron {
	uint64_t	 minutes;	/* bit n: at minute n */
	uint32_t	 hours;
	uint32_t	 days;		/* bits 1 to 31 */
	uint32_t	 months;	/* bits 1 to 12 */
	uint32_t	 weekdays;	/* bits 0 (Sunday) to 6 */
	bool		 every_day;	/* of the month: "*" */
	bool		 every_weekday;
	bool		 every_hour;	/* goes by elapsed time */
};

struct cron_time {
	int	year;
	int	month;		/* 1 to 12 */
	int	day;		/* 1 to 31 */
	int	hour;
	int	minute;
};

/*
 * Reads an expression: numbers, names of months and days in English, "*",
 * ranges, steps and lists, or @hourly, @daily, @weekly, @monthly, @yearly.  -1
 * when it is none, with *why in words (static).
 */
int	cron_parse(struct cron *, const char *text, const char **why)
	    MUST_CHECK;

/*
 * The first time after this one at which it is due.  Where both the day of
 * the month and that of the week are limited, either will do.  -1: never.
 */
int	cron_next(const struct cron *, struct cron_time after,
	    struct cron_time *next) MUST_CHECK;

#endif
