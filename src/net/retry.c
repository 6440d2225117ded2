/* Backoff with jitter. */
#include "net/retry.h"

#include <stdlib.h>

/* A minute with the jitter: the longest waits need it as well. */
#define DOUBLED_MAX_MS	40000

int64_t
retry_delay_ms(int failed, int64_t base_ms)
{
	int64_t	 ms = base_ms;

	for (int i = 1; i < failed && ms < DOUBLED_MAX_MS; i++)
		ms *= 2;
	if (ms > DOUBLED_MAX_MS)
		ms = DOUBLED_MAX_MS;
	return ms + arc4random_uniform((uint32_t)(ms / 2) + 1);
}
