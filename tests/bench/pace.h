/* SPDX-License-Identifier: Apache-2.0 */
/* An open loop: calls at an even rate, whatever the called one does */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* One call that is due; `due_ns` is when it was, on uv_hrtime()'s clock. */
typedef void (*pace_fn)(void *context, uint64_t due_ns);

/* Embedded. */
struct pace {
    uv_poll_t poll;
    int fd; /* a timerfd: libuv's own timers know milliseconds only */
    bool running;
    double rate; /* calls a second */
    uint64_t started_ns, done;
    pace_fn call;
    void *context;
};

/* Returns 0 or -errno. */
int pace_init(struct pace *pace, uv_loop_t *loop, pace_fn call, void *context);

/* Starts anew at `rate` calls a second. */
void pace_start(struct pace *pace, double rate);
void pace_stop(struct pace *pace);
