/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS connection.
 *
 *     client  <- TLS ->  fd [link] plain_fd  <- socket pair ->  handshake.c, then libwebsockets
 *
 * Everything behind a link sees an ordinary socket with plain text on it. What is read at one side
 * is offered to the other at once. What that one does not take is kept, at most one chunk each way,
 * and nothing more is read until it is gone: so a slow reader is felt by the writer, as it would be
 * without TLS, and a link that has nothing to carry has no buffers.
 *
 * The ends. When the client sends no more (close_notify or FIN), the pair is shut down for writing,
 * and the gateway may still answer. When the gateway sends no more, the rest goes out, then a
 * close_notify and a FIN; then the link waits a moment for the client's own, since closing a socket
 * with unread bytes resets it, and the client would lose a close frame that is on its way. A client
 * that does not even take the rest is dropped at a deadline. A broken connection is dropped at
 * once: the gateway sees the end of the pair.
 */
#include "gateway/tls_link.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/handshake.h"
#include "gateway/node.h"
#include "gateway/timer_wheel.h"
#include "protocol/xalloc.h"

enum {
    /* Of the pair, both ways. As of the listener's sockets: what the kernel swallows, we don't
     * notice. */
    PAIR_BUFFER_BYTES = 64 * 1024,
    FLUSH_MS = 10000, /* for the rest, when the gateway is done with the client */
    LINGER_MS = 1000, /* for the client's FIN after ours */
};

enum link_state {
    LINK_OPEN,    /* bytes go both ways */
    LINK_GOODBYE, /* everything was sent but our close_notify */
    LINK_LINGER,  /* our FIN was sent; what still comes in is thrown away */
};

/* What the other side did not take yet. */
struct carried {
    char *data; /* NULL = nothing */
    size_t offset, length;
};

struct tls_link {
    struct tls_links *links;
    struct list_node link; /* tls_links::all */
    enum link_state state;
    SSL *ssl;
    int fd, plain_fd;
    uv_poll_t socket, plain;
    int socket_events, plain_events; /* what each is watched for */
    unsigned open_handles;
    struct timer_entry deadline;
    struct carried inbound, outbound; /* towards the gateway, towards the client */
    bool read_wants_write;            /* SSL_read() waits until the socket is writable */
    bool write_wants_read;            /* and the other way round: RFC 8446 section 4.6.3 */
    bool client_ended;                /* the client sends no more */
    bool plain_ended;                 /* the gateway sends no more, and all of it was read */
    bool plain_hung_up;               /* it sends no more, but there may be unread bytes */
    bool plain_deaf;                  /* it takes no more: what the client sends is thrown away */
};

/* --- ending --- */

static void handle_closed(uv_handle_t *handle)
{
    struct tls_link *link = handle->data;
    if (!--link->open_handles)
        free(link);
}

static void close_socket(uv_poll_t *poll, int fd)
{
    uv_close((uv_handle_t *)poll, handle_closed);
    close(fd); /* libuv stopped watching it in uv_close() */
}

static void drop(struct tls_link *link)
{
    timer_wheel_cancel(&link->deadline);
    list_remove(&link->link);
    SSL_free(link->ssl);
    free(link->inbound.data);
    free(link->outbound.data);
    close_socket(&link->plain, link->plain_fd);
    close_socket(&link->socket, link->fd);
}

static void handle_deadline(struct timer_entry *entry)
{
    drop(container_of(entry, struct tls_link, deadline));
}

static void set_deadline(struct tls_link *link, uint64_t delay_ms)
{
    timer_wheel_arm(link->links->node->wheel, &link->deadline, delay_ms, handle_deadline);
}

/* --- watching --- */

static void handle_socket(uv_poll_t *poll, int status, int events);
static void handle_plain(uv_poll_t *poll, int status, int events);

/* Changing costs two system calls, asking for the same nothing. */
static void watch(uv_poll_t *poll, int *watched, int events, uv_poll_cb handle)
{
    if (*watched == events)
        return;
    *watched = events;
    if (events)
        uv_poll_start(poll, events, handle);
    else
        uv_poll_stop(poll);
}

static void watch_socket(struct tls_link *link, int events)
{
    watch(&link->socket, &link->socket_events, events, handle_socket);
}

static void watch_plain(struct tls_link *link, int events)
{
    watch(&link->plain, &link->plain_events, events, handle_plain);
}

/* A hang-up is reported for as long as it lasts, so it is watched for only once. It is watched for
 * even if nothing is read: a client too slow for its own bytes must not keep the link. */
static void watch_open(struct tls_link *link)
{
    bool reads = !link->client_ended && !link->inbound.data;
    int socket = 0, plain = 0;

    if ((reads && !link->read_wants_write) || link->write_wants_read)
        socket |= UV_READABLE;
    if ((link->outbound.data && !link->write_wants_read) || link->read_wants_write)
        socket |= UV_WRITABLE;
    if (!link->outbound.data)
        plain |= UV_READABLE;
    if (link->inbound.data)
        plain |= UV_WRITABLE;
    if (!link->plain_hung_up)
        plain |= UV_DISCONNECT;
    watch_socket(link, socket);
    watch_plain(link, plain);
}

/* --- what waits --- */

static void carry(struct carried *carried, const char *data, size_t length)
{
    *carried = (struct carried){.data = xmemdup(data, length), .length = length};
}

static void forget(struct carried *carried)
{
    free(carried->data);
    *carried = (struct carried){0};
}

/* --- from the client to the gateway --- */

static void go_deaf(struct tls_link *link)
{
    link->plain_deaf = true;
    forget(&link->inbound);
}

/* Returns how much was taken. */
static size_t offer_gateway(struct tls_link *link, const char *data, size_t length)
{
    if (link->plain_deaf)
        return length;
    ssize_t n = send(link->plain_fd, data, length, MSG_NOSIGNAL);
    if (n >= 0)
        return (size_t)n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    go_deaf(link);
    return length;
}

/* True: nothing waits any more. */
static bool flush_inbound(struct tls_link *link)
{
    struct carried *waiting = &link->inbound;

    if (waiting->data) {
        waiting->offset +=
            offer_gateway(link, waiting->data + waiting->offset, waiting->length - waiting->offset);
        if (waiting->offset == waiting->length)
            forget(waiting);
    }
    return !waiting->data;
}

static void end_inbound(struct tls_link *link)
{
    link->client_ended = true;
    if (!link->plain_deaf)
        shutdown(link->plain_fd, SHUT_WR);
    go_deaf(link);
}

/* False: the connection is broken. */
static bool read_stopped(struct tls_link *link, int result)
{
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return true;
    case SSL_ERROR_WANT_WRITE:
        link->read_wants_write = true;
        return true;
    case SSL_ERROR_ZERO_RETURN:
        end_inbound(link);
        return true;
    default:
        return false;
    }
}

/* Reads on while OpenSSL holds bytes that no event will announce; the socket's own are the next
 * event's, so that one busy client does not keep the others waiting. */
static bool carry_inbound(struct tls_link *link)
{
    char *chunk = link->links->scratch;

    link->read_wants_write = false;
    while (flush_inbound(link) && !link->client_ended) {
        ERR_clear_error();
        int n = SSL_read(link->ssl, chunk, TLS_LINK_CHUNK_BYTES);
        if (n <= 0)
            return read_stopped(link, n);
        size_t length = (size_t)n, taken = offer_gateway(link, chunk, length);
        if (taken < length)
            carry(&link->inbound, chunk + taken, length - taken);
        else if (link->plain_deaf || !SSL_has_pending(link->ssl))
            break;
    }
    return true;
}

/* --- from the gateway to the client --- */

enum offer { OFFER_TAKEN, OFFER_LATER, OFFER_BROKEN };

/* A chunk is one record, so it is taken whole or not at all. When it was not, OpenSSL has begun
 * with it and must be offered the same bytes again. */
static enum offer offer_client(struct tls_link *link, const char *data, size_t length)
{
    link->write_wants_read = false;
    ERR_clear_error();
    int n = SSL_write(link->ssl, data, (int)length);
    if (n > 0)
        return OFFER_TAKEN;
    switch (SSL_get_error(link->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        link->write_wants_read = true;
        return OFFER_LATER;
    case SSL_ERROR_WANT_WRITE:
        return OFFER_LATER;
    default:
        return OFFER_BROKEN;
    }
}

static enum offer flush_outbound(struct tls_link *link)
{
    if (!link->outbound.data)
        return OFFER_TAKEN;
    enum offer offer = offer_client(link, link->outbound.data, link->outbound.length);
    if (offer == OFFER_TAKEN)
        forget(&link->outbound);
    return offer;
}

/* 0 = the gateway's end, -1 = nothing there now. */
static ssize_t read_gateway(struct tls_link *link)
{
    ssize_t n = recv(link->plain_fd, link->links->scratch, TLS_LINK_CHUNK_BYTES, 0);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return 0; /* it closed with bytes unread: ECONNRESET, after all that it had sent */
    return n;
}

/* False: the connection is broken. */
static bool carry_outbound(struct tls_link *link)
{
    enum offer offer = flush_outbound(link);

    while (offer == OFFER_TAKEN && !link->plain_ended) {
        ssize_t n = read_gateway(link);
        if (n < 0)
            break;
        if (!n) {
            link->plain_ended = true;
            break;
        }
        offer = offer_client(link, link->links->scratch, (size_t)n);
        if (offer == OFFER_LATER)
            carry(&link->outbound, link->links->scratch, (size_t)n);
        if (n < TLS_LINK_CHUNK_BYTES)
            break; /* that was all */
    }
    return offer != OFFER_BROKEN;
}

/* --- the ends --- */

static void linger(struct tls_link *link)
{
    ssize_t n = recv(link->fd, link->links->scratch, TLS_LINK_CHUNK_BYTES, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        drop(link);
}

static void say_goodbye(struct tls_link *link)
{
    ERR_clear_error();
    int n = SSL_shutdown(link->ssl);
    if (n < 0 && SSL_get_error(link->ssl, n) == SSL_ERROR_WANT_WRITE) {
        watch_socket(link, UV_WRITABLE);
        return;
    }
    if (n < 0 || link->client_ended) {
        drop(link);
        return;
    }
    shutdown(link->fd, SHUT_WR);
    link->state = LINK_LINGER;
    watch_socket(link, UV_READABLE);
    set_deadline(link, LINGER_MS);
}

static void hang_up(struct tls_link *link)
{
    if (!link->plain_hung_up)
        set_deadline(link, FLUSH_MS);
    link->plain_hung_up = true;
}

static void pump(struct tls_link *link, bool inbound, bool outbound)
{
    if ((inbound && !carry_inbound(link)) || (outbound && !carry_outbound(link))) {
        drop(link);
        return;
    }
    if (!link->plain_ended || link->outbound.data) {
        watch_open(link);
        return;
    }
    hang_up(link);
    watch_plain(link, 0);
    link->state = LINK_GOODBYE;
    say_goodbye(link);
}

/* --- the loop's events --- */

static void handle_socket(uv_poll_t *poll, int status, int events)
{
    struct tls_link *link = poll->data;
    bool readable = events & UV_READABLE, writable = events & UV_WRITABLE;

    if (status < 0) {
        drop(link);
        return;
    }
    switch (link->state) {
    case LINK_OPEN:
        pump(link, readable || (writable && link->read_wants_write),
             writable || (readable && link->write_wants_read));
        break;
    case LINK_GOODBYE:
        say_goodbye(link);
        break;
    case LINK_LINGER:
        linger(link);
        break;
    }
}

/* An error means that the gateway has closed the pair with bytes unread. It is taken off the
 * socket, so that what the gateway had sent before can be read as usual. */
static void handle_plain(uv_poll_t *poll, int status, int events)
{
    struct tls_link *link = poll->data;
    int error;
    socklen_t length = sizeof(error);

    if (status < 0) {
        link->plain_events = 0; /* libuv stops watching a socket that has an error */
        getsockopt(link->plain_fd, SOL_SOCKET, SO_ERROR, &error, &length);
        go_deaf(link);
    }
    if (status < 0 || (events & UV_DISCONNECT))
        hang_up(link);
    pump(link, events & UV_WRITABLE, !link->outbound.data);
}

/* --- life --- */

static void open_poll(struct tls_link *link, uv_poll_t *poll, int fd)
{
    uv_poll_init(link->links->node->loop, poll, fd);
    poll->data = link;
    link->open_handles++;
}

static struct tls_link *link_new(struct tls_links *links, SSL *ssl, int fd, int plain_fd)
{
    struct tls_link *link = xcalloc(1, sizeof(*link));

    link->links = links;
    link->ssl = ssl;
    link->fd = fd;
    link->plain_fd = plain_fd;
    list_init(&link->link);
    list_append(&links->all, &link->link);
    timer_entry_init(&link->deadline);
    open_poll(link, &link->socket, fd);
    open_poll(link, &link->plain, plain_fd);
    return link;
}

/* The first request often came with the client's last message of the handshake: then OpenSSL has
 * it, and no event will announce it. */
int tls_link_start(struct tls_links *links, SSL *ssl, struct connection *connection, int fd)
{
    int fds[2], bytes = PAIR_BUFFER_BYTES;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
        return -errno;
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    struct tls_link *link = link_new(links, ssl, fd, fds[0]);
    handshake_start(connection, fds[1]);
    pump(link, true, false);
    return 0;
}

void tls_links_init(struct tls_links *links, struct node *node)
{
    links->node = node;
    list_init(&links->all);
    links->scratch = xmalloc(TLS_LINK_CHUNK_BYTES);
}

void tls_links_deinit(struct tls_links *links)
{
    while (!list_empty(&links->all))
        drop(container_of(list_first(&links->all), struct tls_link, link));
    free(links->scratch);
}
