#include "core/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

static atomic_llong faked_us = -1;

void clock_fake(int64_t now_us)
{
    atomic_store(&faked_us, now_us);
}

static int64_t clock_read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_us(void)
{
    int64_t faked = atomic_load(&faked_us);
    return faked >= 0 ? faked : clock_read_ns(CLOCK_REALTIME) / 1000;
}

int64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

int64_t clock_monotonic_ns(void)
{
    int64_t faked = atomic_load(&faked_us);
    return faked >= 0 ? faked * 1000 : clock_read_ns(CLOCK_MONOTONIC);
}

int64_t clock_cpu_ns(void)
{
    return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

bool clock_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return true;
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL) != EINTR;
}
