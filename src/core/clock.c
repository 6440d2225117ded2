/* The two clocks: one for deadlines, one for people and other hosts. */

#include "core/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t
now_ms(clockid_t clock)
{
	struct timespec	 ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}

char *
clock_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
	struct tm	 tm;
	time_t		 s = wall_ms / 1000;
	unsigned int	 ms;
	size_t		 n;

	if (wall_ms % 1000 < 0)
		s--;
	ms = (unsigned int)(wall_ms - (int64_t)s * 1000) % 1000;
	if (gmtime_r(&s, &tm) == NULL ||
	    (n = strftime(out, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &tm)) == 0)
		n = 0;
	snprintf(out + n, CLOCK_ISO_SIZE - n, ".%03uZ", ms);
	return out;
}

int
clock_left_ms(int64_t deadline_ms)
{
	int64_t	 left = deadline_ms - clock_mono_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
