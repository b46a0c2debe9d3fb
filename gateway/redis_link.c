/* SPDX-License-Identifier: Apache-2.0 */
/* A stream to Redis: from a URL to bytes that come and go.
 *
 * Written on libuv's own streams, and not on hiredis' asynchronous context and its libuv adapter.
 * Those of version 0.14, which Debian has, look up names on the loop, drop the errors that uv_poll
 * reports (so that a refused or reset connection never calls back), and can't show the reply to a
 * PING on a subscribed connection. What hiredis is good at, parsing replies, is left to its reader,
 * in redis_conn.
 *
 * A link is used for one connection and then closed. It outlives redis_link_close() until libuv has
 * let go of the handle and of a write under way.
 */

#include "gateway/redis_link.h"

#include "gateway/redis_url.h"
#include "gateway/resolve.h"
#include "protocol/xalloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 64 << 10 };

struct redis_link {
    uv_loop_t *loop;
    const struct redis_url *url;
    const struct redis_link_events *events; /* NULL: closed */
    void *context;
    unsigned attempt;

    struct resolve *resolve; /* while a name is looked up; there's no handle yet */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    bool has_handle;
    uv_connect_t connect;
    uv_write_t write;
    struct redis_out writing; /* not empty: a write is under way */
    char buffer[READ_BYTES];
};

static void free_link(struct redis_link *link)
{
    redis_out_deinit(&link->writing);
    free(link);
}

static void handle_closed(uv_handle_t *handle)
{
    free_link(handle->data);
}

/* Tells that the link is of no more use. The link may be gone afterwards. */
static void report_broken(struct redis_link *link, int error)
{
    if (link->events)
        link->events->broken(link->context, uv_strerror(error));
}

/* --- reading and writing --- */

static void handle_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct redis_link *link = handle->data;

    *buffer = uv_buf_init(link->buffer, sizeof(link->buffer));
}

static void handle_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct redis_link *link = stream->data;

    if (length < 0)
        report_broken(link, (int)length);
    else if (length > 0 && link->events)
        link->events->read(link->context, buffer->base, (size_t)length);
}

static void handle_written(uv_write_t *request, int status)
{
    struct redis_link *link = request->data;

    redis_out_consume(&link->writing, link->writing.length);
    if (status < 0)
        report_broken(link, status);
    else if (link->events)
        link->events->drained(link->context);
}

int redis_link_write(struct redis_link *link, struct redis_out *out)
{
    uv_buf_t buffer = uv_buf_init(out->data, (unsigned)out->length);
    int written;

    if (out->length == 0 || link->writing.length > 0)
        return 0;
    written = uv_try_write(&link->stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN)
        return written;
    redis_out_consume(out, written > 0 ? (size_t)written : 0);
    if (out->length == 0)
        return 0;

    struct redis_out empty = link->writing;
    link->writing = *out;
    *out = empty;
    buffer = uv_buf_init(link->writing.data, (unsigned)link->writing.length);
    link->write.data = link;
    return uv_write(&link->write, &link->stream, &buffer, 1, handle_written);
}

size_t redis_link_pending(const struct redis_link *link)
{
    return link->writing.length;
}

/* --- opening and closing --- */

static void handle_connected(uv_connect_t *request, int status)
{
    struct redis_link *link = request->data;

    if (!link->events)
        return;
    if (status == 0)
        status = uv_read_start(&link->stream, handle_alloc, handle_read);
    if (status < 0)
        report_broken(link, status);
    else
        link->events->open(link->context);
}

static const struct addrinfo *choose(const struct addrinfo *addresses, unsigned attempt)
{
    unsigned count = 0;
    const struct addrinfo *a;

    for (a = addresses; a; a = a->ai_next)
        count++;
    for (a = addresses, attempt %= count; attempt > 0; attempt--)
        a = a->ai_next;
    return a;
}

static void handle_addresses(void *context, int error, const struct addrinfo *addresses)
{
    struct redis_link *link = context;

    link->resolve = NULL;
    if (error == 0) {
        uv_tcp_init(link->loop, &link->tcp);
        link->handle.data = link;
        link->has_handle = true;
        uv_tcp_nodelay(&link->tcp, 1);
        error = uv_tcp_connect(&link->connect, &link->tcp,
                               choose(addresses, link->attempt)->ai_addr, handle_connected);
    }
    if (error < 0)
        report_broken(link, error);
}

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_url *url, unsigned attempt,
                                   const struct redis_link_events *events, void *context)
{
    struct redis_link *link = xcalloc(1, sizeof(*link));

    link->loop = loop;
    link->url = url;
    link->attempt = attempt;
    link->events = events;
    link->context = context;
    link->connect.data = link;
    if (url->path) {
        uv_pipe_init(loop, &link->pipe, 0);
        link->handle.data = link;
        link->has_handle = true;
        uv_pipe_connect(&link->connect, &link->pipe, url->path, handle_connected);
        return link;
    }
    link->resolve = resolve_start(loop, url->host, url->port, handle_addresses, link);
    if (!link->resolve) {
        free_link(link);
        return NULL;
    }
    return link;
}

struct redis_link *redis_link_close(struct redis_link *link)
{
    if (!link)
        return NULL;
    link->events = NULL;
    resolve_cancel(link->resolve);
    if (link->has_handle)
        uv_close(&link->handle, handle_closed);
    else
        free_link(link);
    return NULL;
}
