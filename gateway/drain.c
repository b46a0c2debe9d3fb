/* SPDX-License-Identifier: Apache-2.0 */
/*
 * If all clients were closed at once they would all come to the other nodes at once. So each tick
 * closes its share of those that are left.
 */
#include "gateway/drain.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/handshake.h"
#include "gateway/listener.h"
#include "gateway/log.h"
#include "gateway/node.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "protocol/xalloc.h"

enum {
    TICK_MS = 100,
    LINGER_MS = 2000, /* for close handshakes and requests after the window */
    RETRY_MS = 250,   /* clients come back to another node soon; they add jitter themselves */
};

struct drain {
    struct node *node;
    struct timer_entry timer;
    uint64_t ends_ms;
    size_t cursor;
    void (*done)(void *context);
    void *context;
};

static void close_share(struct drain *drain, uint64_t now_ms)
{
    struct node *node = drain->node;
    uint64_t left_ms = drain->ends_ms > now_ms ? drain->ends_ms - now_ms : 0;
    size_t ticks = (size_t)(left_ms / TICK_MS) + 1;
    size_t share = (node->sessions.used + ticks - 1) / ticks;

    while (share--) {
        struct session *session = handle_next(&node->sessions, &drain->cursor);
        if (!session)
            drain->cursor = 0;
        else
            session_close(session, CLOSE_DRAIN, RETRY_MS);
    }
}

static void handle_tick(struct timer_entry *entry)
{
    struct drain *drain = container_of(entry, struct drain, timer);
    struct node *node = drain->node;
    uint64_t now_ms = clock_now_ms();

    if (!node->sessions.used || now_ms > drain->ends_ms + LINGER_MS) {
        drain->done(drain->context);
        return;
    }
    close_share(drain, now_ms);
    timer_wheel_arm(node->wheel, &drain->timer, TICK_MS, handle_tick);
}

struct drain *drain_start(struct node *node, void (*done)(void *context), void *context)
{
    struct drain *drain = xcalloc(1, sizeof(*drain));
    uint64_t window_ms = (uint64_t)node->config->drain.window_s * 1000;

    log_notice("draining", LOG_INT("sessions", node->sessions.used),
               LOG_INT("window_s", node->config->drain.window_s));
    sd_notify(0, "STOPPING=1\nSTATUS=Draining");
    node->draining = true;
    drain->node = node;
    drain->done = done;
    drain->context = context;
    drain->ends_ms = clock_now_ms() + window_ms;
    timer_entry_init(&drain->timer);
    listener_close(node->public_listener);
    node->public_listener = NULL;
    timer_wheel_arm(node->wheel, &drain->timer, 1, handle_tick);
    return drain;
}

struct drain *drain_free(struct drain *drain)
{
    if (!drain)
        return NULL;
    timer_wheel_cancel(&drain->timer);
    free(drain);
    return NULL;
}
