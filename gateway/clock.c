/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks. */

#include "gateway/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;

    /* Both clocks exist on every Linux: the call can't fail. */
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000u;
}

uint64_t clock_now_us(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000u;
}

int64_t clock_unix_us(void)
{
    return (int64_t)(read_ns(CLOCK_REALTIME) / 1000u);
}
