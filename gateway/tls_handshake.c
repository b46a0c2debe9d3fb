/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake is over before the connection costs more than its SSL object: a client that never
 * finishes it has no socket pair and no HTTP state. */
#include "gateway/tls_handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/timer_wheel.h"
#include "gateway/tls_link.h"
#include "protocol/xalloc.h"

/* What SSL_accept() came to. */
enum progress { PROGRESS_DONE, PROGRESS_READ, PROGRESS_WRITE, PROGRESS_FAILED, PROGRESS_LOST };

struct tls_handshake {
    struct tls_links *links;
    struct list_node link; /* tls_handshakes::all */
    struct connection *connection;
    SSL *ssl;
    int fd;
    uv_poll_t poll;
    int events; /* that the poll waits for */
    struct timer_entry deadline;
};

/* --- ending --- */

static void handle_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Socket, SSL object and connection go on without it. */
static void leave(struct tls_handshake *handshake)
{
    timer_wheel_cancel(&handshake->deadline);
    list_remove(&handshake->link);
    uv_close((uv_handle_t *)&handshake->poll, handle_poll_closed);
}

static void drop(struct tls_handshake *handshake)
{
    leave(handshake);
    connection_free(handshake->connection);
    SSL_free(handshake->ssl);
    close(handshake->fd);
}

static void fail(struct tls_handshake *handshake, const char *reason)
{
    metrics_handshake_failed("tls");
    log_limited(LOG_LEVEL_INFO, "TLS handshake failed", LOG_STR("reason", reason));
    drop(handshake);
}

/* Who connects and goes away without a byte only checked the port: that is no failure. */
static void lose(struct tls_handshake *handshake)
{
    if (BIO_number_read(SSL_get_rbio(handshake->ssl)))
        fail(handshake, "connection lost");
    else
        drop(handshake);
}

static void handle_deadline(struct timer_entry *entry)
{
    metrics_handshake_failed("timeout");
    log_limited(LOG_LEVEL_DEBUG, "TLS handshake timed out");
    drop(container_of(entry, struct tls_handshake, deadline));
}

static void finish(struct tls_handshake *handshake)
{
    leave(handshake);
    int error =
        tls_link_start(handshake->links, handshake->ssl, handshake->connection, handshake->fd);
    if (!error)
        return;
    metrics_handshake_failed("tls");
    log_limited(LOG_LEVEL_ERROR, "no socket pair for TLS; raise the limit of descriptors",
                LOG_ERRNO(error));
    connection_free(handshake->connection);
    SSL_free(handshake->ssl);
    close(handshake->fd);
}

/* --- going on --- */

static enum progress accept_client(SSL *ssl)
{
    ERR_clear_error();
    int n = SSL_accept(ssl);
    if (n == 1)
        return PROGRESS_DONE;
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return PROGRESS_READ;
    case SSL_ERROR_WANT_WRITE:
        return PROGRESS_WRITE;
    case SSL_ERROR_SSL:
        return PROGRESS_FAILED;
    default:
        return PROGRESS_LOST;
    }
}

static void go_on(struct tls_handshake *handshake);

/* An error of the socket is left to OpenSSL to find: it has read what came before. */
static void handle_event(uv_poll_t *poll, int status, int events)
{
    struct tls_handshake *handshake = poll->data;
    (void)events;

    if (status < 0)
        handshake->events = 0; /* libuv stops watching a socket that has an error */
    go_on(handshake);
}

static void wait_for(struct tls_handshake *handshake, int events)
{
    if (handshake->events != events)
        uv_poll_start(&handshake->poll, events, handle_event);
    handshake->events = events;
}

static void go_on(struct tls_handshake *handshake)
{
    switch (accept_client(handshake->ssl)) {
    case PROGRESS_DONE:
        finish(handshake);
        break;
    case PROGRESS_READ:
        wait_for(handshake, UV_READABLE);
        break;
    case PROGRESS_WRITE:
        wait_for(handshake, UV_WRITABLE);
        break;
    case PROGRESS_FAILED:
        fail(handshake, ERR_reason_error_string(ERR_peek_error()));
        break;
    case PROGRESS_LOST:
        lose(handshake);
        break;
    }
}

/* --- life --- */

void tls_handshake_start(struct tls_handshakes *handshakes, SSL_CTX *context,
                         struct connection *connection, int fd)
{
    struct node *node = handshakes->links->node;
    struct tls_handshake *handshake = xcalloc(1, sizeof(*handshake));

    handshake->links = handshakes->links;
    handshake->connection = connection;
    handshake->fd = fd;
    list_init(&handshake->link);
    list_append(&handshakes->all, &handshake->link);
    timer_entry_init(&handshake->deadline);
    uv_poll_init(node->loop, &handshake->poll, fd);
    handshake->poll.data = handshake;
    handshake->ssl = SSL_new(context);
    if (!handshake->ssl || !SSL_set_fd(handshake->ssl, fd)) {
        fail(handshake, "out of memory");
        return;
    }
    timer_wheel_arm(node->wheel, &handshake->deadline,
                    (uint64_t)node->config->http.header_timeout_ms, handle_deadline);
    wait_for(handshake, UV_READABLE);
}

void tls_handshakes_init(struct tls_handshakes *handshakes, struct tls_links *links)
{
    handshakes->links = links;
    list_init(&handshakes->all);
}

void tls_handshakes_deinit(struct tls_handshakes *handshakes)
{
    while (!list_empty(&handshakes->all))
        drop(container_of(list_first(&handshakes->all), struct tls_handshake, link));
}
