#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_ISO_SIZE	32

/* Milliseconds on a clock that only goes forward: for deadlines. */
int64_t	clock_mono_ms(void);

/* Milliseconds since 1970, UTC: for what people and other hosts read. */
int64_t	clock_wall_ms(void);

/*
 * Writes wall-clock milliseconds as 2026-01-02T03:04:05.678Z into out and
 * returns out.
 */
char	*clock_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE]);

/* How long until a clock_mono_ms() deadline, never below 0, at most INT_MAX. */
int	clock_left_ms(int64_t deadline_ms);

#endif
