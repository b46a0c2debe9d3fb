/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a libpq socket to become ready.
 *
 * A uv_poll_t can't be told to take another socket, and it is freed only in a later turn of the
 * loop. So it is an object of its own, made for each socket and left to itself when it is stopped,
 * and whoever watches can be freed at any time.
 */

#include "gateway/pg_watch.h"

#include "protocol/xalloc.h"

#include <stdlib.h>

static void handle_poll(uv_poll_t *poll, int status, int events)
{
    struct pg_watch *watch = poll->data;

    if (watch)
        watch->ready(watch->context, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

void pg_watch_init(struct pg_watch *watch, uv_loop_t *loop,
                   void (*ready)(void *context, int events), void *context)
{
    *watch = (struct pg_watch){.loop = loop, .ready = ready, .context = context};
}

static bool open_poll(struct pg_watch *watch, int socket)
{
    uv_poll_t *poll = xcalloc(1, sizeof(*poll));

    if (uv_poll_init_socket(watch->loop, poll, socket) < 0) {
        free(poll);
        return false;
    }
    poll->data = watch;
    watch->poll = poll;
    return true;
}

bool pg_watch_start(struct pg_watch *watch, int socket, int events)
{
    if (watch->events == events)
        return true;
    if (!watch->poll && !open_poll(watch, socket))
        return false;
    watch->events = events;
    return uv_poll_start(watch->poll, events, handle_poll) == 0;
}

void pg_watch_stop(struct pg_watch *watch)
{
    if (!watch->poll)
        return;
    watch->poll->data = NULL;
    uv_close((uv_handle_t *)watch->poll, handle_closed);
    watch->poll = NULL;
    watch->events = 0;
}
