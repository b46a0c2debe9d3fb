/* SPDX-License-Identifier: Apache-2.0 */
/* Running a uv loop in a test until something has happened. */
#pragma once

#include "gateway/clock.h"

#include <stdbool.h>
#include <uv.h>

enum { LOOP_TICK_MS = 5 };

static void handle_loop_tick(uv_timer_t *timer)
{
}

static void handle_loop_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

/* Runs the loop until `*value` reaches `wanted`; false if it hasn't after `timeout_ms`. */
static inline bool loop_wait(uv_loop_t *loop, const int *value, int wanted, uint64_t timeout_ms)
{
    uint64_t end_ms = clock_now_ms() + timeout_ms;
    bool closed = false;
    uv_timer_t timer;

    /* What we wait for may happen in a timer, after which uv_run() still waits for the next event:
     * let there be one soon. */
    uv_timer_init(loop, &timer);
    timer.data = &closed;
    uv_timer_start(&timer, handle_loop_tick, 0, LOOP_TICK_MS);
    while (*value < wanted && clock_now_ms() < end_ms)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, handle_loop_closed);
    while (!closed)
        uv_run(loop, UV_RUN_NOWAIT);
    return *value >= wanted;
}

/* Just lets time pass. */
static inline void loop_sleep(uv_loop_t *loop, uint64_t ms)
{
    const int never = 0;

    loop_wait(loop, &never, 1, ms);
}
