/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a libpq socket to become ready. */
#pragma once

#include <stdbool.h>
#include <uv.h>

/* Embedded. `events` are UV_READABLE and UV_WRITABLE; on an error of the socket both are told, and
 * libpq will meet the error itself. */
struct pg_watch {
    uv_loop_t *loop;
    uv_poll_t *poll; /* freed by its close callback */
    int events;
    void (*ready)(void *context, int events);
    void *context;
};

void pg_watch_init(struct pg_watch *watch, uv_loop_t *loop,
                   void (*ready)(void *context, int events), void *context);

/* Starts to watch, or changes the events of what is watched. False: it can't be. */
bool pg_watch_start(struct pg_watch *watch, int socket, int events);

/* No ready() comes after it. Must come before libpq may close the socket. */
void pg_watch_stop(struct pg_watch *watch);
