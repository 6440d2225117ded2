/* Backoff with jitter. */
#include "net/retry.h"

#include <stdlib.h>

#define RETRY_MAX_MS	60000

int64_t
retry_delay_ms(int failed, int64_t base_ms)
{
	int64_t	 ms = base_ms;

	for (int i = 1; i < failed && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	ms += arc4random_uniform((uint32_t)(ms / 2) + 1);
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}
