/* clock.h: time. Tests may stand the clocks still with clock_fake(). */
#ifndef SURFBOARD_BASE_CLOCK_H
#define SURFBOARD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_now_us(void);
int64_t clock_now_ms(void);
/* Monotonic nanoseconds, for durations and deadlines. */
int64_t clock_monotonic_ns(void);
/* User + system CPU time of this process, in nanoseconds (never faked). */
int64_t clock_cpu_ns(void);
/* Sleeps; returns early, with false, when a signal came. */
bool clock_sleep_ms(int64_t ms);

/* From now on clock_now_* and clock_monotonic_ns answer `now_us`; clock_fake(-1) ends it. */
void clock_fake(int64_t now_us);

#endif
