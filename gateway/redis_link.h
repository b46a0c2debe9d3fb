/* SPDX-License-Identifier: Apache-2.0 */
/* A stream to Redis: from a URL to bytes that come and go. */
#pragma once

#include "gateway/redis_out.h"

#include <uv.h>

struct redis_link;
struct redis_url;

/* None is called from inside redis_link_open() or redis_link_write(), none after
 * redis_link_close(), which they may call. */
struct redis_link_events {
    void (*open)(void *context);
    void (*read)(void *context, const char *data, size_t length);
    void (*drained)(void *context); /* what redis_link_write() took has been written */
    void (*broken)(void *context, const char *reason); /* or couldn't be opened */
};

/* Begins to connect. `url` and `events` are borrowed for the link's life. `attempt` counts the
 * tries: each takes the next of a name's addresses. NULL: it can't even begin. */
struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_url *url, unsigned attempt,
                                   const struct redis_link_events *events, void *context);

/* Writes at once as much of `out` as the socket takes. What is left is taken over, leaving `out`
 * empty, until drained() comes; before that a call does nothing. 0, or libuv's error code. */
int redis_link_write(struct redis_link *link, struct redis_out *out);

/* Bytes that were taken over and aren't written. */
size_t redis_link_pending(const struct redis_link *link);

/* Frees itself later. NULL is fine; returns NULL. */
struct redis_link *redis_link_close(struct redis_link *link);
