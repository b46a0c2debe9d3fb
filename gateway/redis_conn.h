/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to Redis on a uv loop: logs in, watches over itself, reconnects. */
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct redis_conn;
struct redis_url;

/* `reply`, of any type, is borrowed for the call; NULL: the connection was lost before it came. */
typedef void (*redis_reply_fn)(void *context, const redisReply *reply);

struct redis_conn_options {
    const struct redis_url *url; /* borrowed for the connection's life, as is the next */
    const char *password;        /* overrides the URL's; or NULL */
    const char *client_name;     /* seen in CLIENT LIST */
    void *context;
    void (*on_up)(void *context);
    /* It was up and is lost, or a try has failed. */
    void (*on_down)(void *context, bool was_up, const char *reason);
    /* NULL: an ordinary connection, each command has its reply. Else a subscribing one: all that
     * comes once it is up goes here, and commands' own callbacks must be NULL. */
    void (*on_push)(void *context, const redisReply *push);
};

/* `options` are copied. Connects at once, and again with backoff for as long as it lives. */
struct redis_conn *redis_conn_new(uv_loop_t *loop, const struct redis_conn_options *options);

bool redis_conn_up(const struct redis_conn *conn);

/* Appends a command; it is written with all others of this turn of the loop. `done` (may be NULL)
 * is called once, later. False: not up, or Redis doesn't keep up and the buffers are full; `done`
 * gets NULL. */
bool redis_conn_command(struct redis_conn *conn, size_t argc, const char *const *argv,
                        const size_t *argv_bytes, redis_reply_fn done, void *context);

/* Tries once to write what is left, gives up what waits for a reply (NULL), frees the connection,
 * then calls `closed`; all of it later, from the loop. No on_down comes. */
void redis_conn_close(struct redis_conn *conn, void (*closed)(void *context), void *context);
