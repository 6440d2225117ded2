#ifndef RETRY_H
#define RETRY_H

#include <stdint.h>

/*
 * How long to wait before the next try, in milliseconds: base_ms doubled for
 * each try that failed (1 the first time) and up to half of that on top by
 * chance, so that many callers do not come back together.  Never over a
 * minute.
 */
int64_t	retry_delay_ms(int failed, int64_t base_ms);

#endif
