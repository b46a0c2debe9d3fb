/* SPDX-License-Identifier: Apache-2.0 */
/* How long the event loop is kept from its other work by one turn
 *
 * A turn of the loop runs the callbacks of everything that became ready, one after the other; what
 * becomes ready meanwhile waits until the turn is over. So the busy time of a turn is what one
 * client can be kept waiting for by the others, and a blocking call shows in it at once. A timer
 * that measures its own lateness would see only the stalls that it happens to fall into.
 *
 * A prepare handle is called once a turn, just before the loop sleeps. libuv runs the callbacks of
 * sockets inside its poll phase, so a pair of prepare and check cannot tell sleep from work;
 * libuv's own account of its idle time can: busy = time since the last prepare - idle time since
 * then. */
#include "gateway/loop_lag.h"

#include <stdint.h>
#include <stdlib.h>

#include "gateway/metrics.h"
#include "protocol/list.h"
#include "protocol/xalloc.h"

struct loop_lag {
    uv_prepare_t prepare;
    uv_timer_t window;
    uint64_t turn_ns, idle_ns; /* both clocks at the last prepare; 0 before the first */
    double max_s, last_max_s;  /* of this window and the one before */
    unsigned open_handles;
};

static void observe(struct loop_lag *lag, double busy_s)
{
    metrics_observe(METRIC_EVENT_LOOP_LAG_SECONDS, busy_s);
    if (busy_s > lag->max_s) {
        lag->max_s = busy_s;
        metrics_set(METRIC_EVENT_LOOP_LAG_MAX_SECONDS, loop_lag_max_s(lag));
    }
}

/* What the program did before its loop turned first is not the loop's lag. */
static void handle_prepare(uv_prepare_t *prepare)
{
    struct loop_lag *lag = container_of(prepare, struct loop_lag, prepare);
    uint64_t now_ns = uv_hrtime(), idle_ns = uv_metrics_idle_time(prepare->loop);
    uint64_t turn = now_ns - lag->turn_ns, idle = idle_ns - lag->idle_ns;

    if (lag->turn_ns > 0)
        observe(lag, turn > idle ? (double)(turn - idle) / 1e9 : 0);
    lag->turn_ns = now_ns;
    lag->idle_ns = idle_ns;
}

static void handle_window(uv_timer_t *timer)
{
    struct loop_lag *lag = container_of(timer, struct loop_lag, window);

    lag->last_max_s = lag->max_s;
    lag->max_s = 0;
    metrics_set(METRIC_EVENT_LOOP_LAG_MAX_SECONDS, loop_lag_max_s(lag));
}

struct loop_lag *loop_lag_new(uv_loop_t *loop)
{
    struct loop_lag *lag = xcalloc(1, sizeof(*lag));

    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_prepare_init(loop, &lag->prepare);
    uv_timer_init(loop, &lag->window);
    uv_prepare_start(&lag->prepare, handle_prepare);
    uv_timer_start(&lag->window, handle_window, LOOP_LAG_WINDOW_MS, LOOP_LAG_WINDOW_MS);
    uv_unref((uv_handle_t *)&lag->prepare);
    uv_unref((uv_handle_t *)&lag->window);
    lag->open_handles = 2;
    return lag;
}

static void handle_closed(uv_handle_t *handle)
{
    struct loop_lag *lag = handle->data;

    if (--lag->open_handles == 0)
        free(lag);
}

struct loop_lag *loop_lag_free(struct loop_lag *lag)
{
    if (!lag)
        return NULL;
    lag->prepare.data = lag->window.data = lag;
    uv_close((uv_handle_t *)&lag->prepare, handle_closed);
    uv_close((uv_handle_t *)&lag->window, handle_closed);
    return NULL;
}

double loop_lag_max_s(const struct loop_lag *lag)
{
    return lag->max_s > lag->last_max_s ? lag->max_s : lag->last_max_s;
}
