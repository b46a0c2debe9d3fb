/* SPDX-License-Identifier: Apache-2.0 */
/* Running a uv loop in a test until something has happened. */
#ifndef TESTS_STORE_LOOP_H
#define TESTS_STORE_LOOP_H

#include <stdbool.h>
#include <uv.h>

static void handle_loop_timeout(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void handle_loop_check(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

/* Runs the loop until `*value` reaches `wanted`; false if it hasn't after `timeout_ms`. */
static inline bool loop_wait(uv_loop_t *loop, const int *value, int wanted, uint64_t timeout_ms)
{
    bool late = false, closed = false;
    uv_timer_t timer;

    uv_timer_init(loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, handle_loop_timeout, timeout_ms, 0);
    while (*value < wanted && !late)
        uv_run(loop, UV_RUN_ONCE);
    timer.data = &closed;
    uv_close((uv_handle_t *)&timer, handle_loop_check);
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

#endif
