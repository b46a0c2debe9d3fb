/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is due is counted from the start, never from the last call: a generator that was late makes
 * up for it, so that a slow server cannot slow its own load down.
 */
#include "tests/bench/pace.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    NS_PER_S = 1000000000,
    TICK_NS = 250000, /* at high rates several calls share a wake-up */
};

static void arm(struct pace *pace)
{
    uint64_t next_ns =
        pace->started_ns + (uint64_t)((double)(pace->done + 1) * NS_PER_S / pace->rate);
    uint64_t soonest_ns = uv_hrtime() + TICK_NS;

    if (pace->rate * TICK_NS > NS_PER_S && next_ns < soonest_ns)
        next_ns = soonest_ns;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(next_ns / NS_PER_S), .tv_nsec = (long)(next_ns % NS_PER_S)},
    };
    timerfd_settime(pace->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void handle_due(uv_poll_t *poll, int status, int events)
{
    struct pace *pace = poll->data;
    uint64_t expirations;

    (void)status;
    (void)events;
    if (read(pace->fd, &expirations, sizeof(expirations)) < 0)
        return;
    uint64_t elapsed_ns = uv_hrtime() - pace->started_ns;
    uint64_t due = (uint64_t)((double)elapsed_ns / NS_PER_S * pace->rate);
    while (pace->running && pace->done < due) {
        pace->done++;
        uint64_t offset_ns = (uint64_t)((double)pace->done * NS_PER_S / pace->rate);
        pace->call(pace->context, pace->started_ns + offset_ns);
    }
    if (pace->running)
        arm(pace);
}

int pace_init(struct pace *pace, uv_loop_t *loop, pace_fn call, void *context)
{
    *pace = (struct pace){.call = call, .context = context};
    pace->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (pace->fd < 0)
        return -errno;
    int error = uv_poll_init(loop, &pace->poll, pace->fd);
    pace->poll.data = pace;
    return error;
}

void pace_start(struct pace *pace, double rate)
{
    pace->rate = rate;
    pace->started_ns = uv_hrtime();
    pace->done = 0;
    pace->running = true;
    uv_poll_start(&pace->poll, UV_READABLE, handle_due);
    arm(pace);
}

void pace_stop(struct pace *pace)
{
    pace->running = false;
    uv_poll_stop(&pace->poll);
}
