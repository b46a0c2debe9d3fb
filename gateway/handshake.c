/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake.
 *
 * libwebsockets accepts heads that we don't want and can't hold a token of a browser (its list of
 * subprotocols ends at 126 bytes). So the head is judged here first. It is only peeked at: a plain
 * request stays in the socket, where the library finds it (it loses its way in a body that is
 * handed to it in a buffer). An upgrade is taken out and told to the library in a canonical form
 * that keeps only what it needs for its answer: tokens, cookies and extensions stay behind.
 */
#include "gateway/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/address.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/handover.h"
#include "gateway/handshake_check.h"
#include "gateway/http_head.h"
#include "gateway/jwt.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/timer_wheel.h"
#include "gateway/transport.h"
#include "protocol/event.h"
#include "protocol/json_writer.h"
#include "protocol/xalloc.h"

enum {
    LINGER_MS = 1000,
    DRAINING_RETRY_MS = 1000,
    PEEK_AGAIN_MS = 20, /* after half a head: what was peeked at would wake us at once */
};

struct handshake {
    struct node *node;
    struct connection *connection; /* NULL once it was handed on or refused */
    int fd;
    uv_poll_t poll;
    struct timer_entry deadline, again;
    char *upgrade; /* the canonical upgrade and what followed it; NULL for a plain request */
    size_t upgrade_length;
    bool adopt;            /* what to do when the handle is closed */
    struct list_node link; /* node::handshakes */
};

/* --- ending --- */

static void handle_poll_closed(uv_handle_t *handle)
{
    struct handshake *handshake = handle->data;

    if (handshake->adopt) {
        handover_add(handshake->node->handover, handshake->connection, handshake->fd,
                     handshake->upgrade, handshake->upgrade_length);
    } else {
        close(handshake->fd);
        free(handshake->upgrade);
    }
    free(handshake);
}

static void finish(struct handshake *handshake, bool adopt)
{
    handshake->adopt = adopt;
    if (!adopt)
        handshake->connection = connection_free(handshake->connection);
    timer_wheel_cancel(&handshake->deadline);
    timer_wheel_cancel(&handshake->again);
    list_remove(&handshake->link);
    uv_poll_stop(&handshake->poll);
    uv_close((uv_handle_t *)&handshake->poll, handle_poll_closed);
}

/* Reads and forgets what the client still sends, so that its answer is not lost in a reset. */
static void handle_linger(uv_poll_t *poll, int status, int events)
{
    struct handshake *handshake = poll->data;
    char waste[4096];
    (void)events;

    ssize_t n = status < 0 ? 0 : recv(handshake->fd, waste, sizeof(waste), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        finish(handshake, false);
}

static void handle_linger_end(struct timer_entry *entry)
{
    finish(container_of(entry, struct handshake, deadline), false);
}

static void linger(struct handshake *handshake)
{
    shutdown(handshake->fd, SHUT_WR);
    uv_poll_start(&handshake->poll, UV_READABLE, handle_linger);
    timer_wheel_arm(handshake->node->wheel, &handshake->deadline, LINGER_MS, handle_linger_end);
}

/* --- refusing --- */

static const char *extra_headers(int status)
{
    switch (status) {
    case 401:
        return "WWW-Authenticate: Bearer\r\n";
    case 405:
        return "Allow: GET\r\n";
    case 426:
        return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    }
    return "";
}

static const char *status_text(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 426:
        return "Upgrade Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    }
    return "Error";
}

/* `retry_after_ms` 0: nothing is said of it. */
static void refuse_for(struct handshake *handshake, const struct handshake_refusal *refusal,
                       int64_t retry_after_ms)
{
    struct json_writer *json = &handshake->node->json;
    char head[512], retry_after[40] = "";

    metrics_handshake_failed(refusal->reason);
    log_limited(LOG_LEVEL_INFO, "handshake refused", LOG_INT("status", refusal->status),
                LOG_STR("reason", refusal->reason));
    if (!refusal->status) {
        finish(handshake, false);
        return;
    }
    event_error(json, EVENT_BODY, refusal->code, refusal->reason, NULL, retry_after_ms);
    if (retry_after_ms)
        snprintf(retry_after, sizeof(retry_after), "Retry-After: %" PRId64 "\r\n",
                 (retry_after_ms + 999) / 1000);
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %d %s\r\nServer: chatgate\r\nConnection: close\r\n%s%s"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                          refusal->status, status_text(refusal->status),
                          extra_headers(refusal->status), retry_after, json_length(json));
    /* A fresh socket's buffer holds a page; if not, the client was not going to read it. */
    (void)!send(handshake->fd, head, (size_t)length, MSG_NOSIGNAL | MSG_MORE);
    (void)!send(handshake->fd, json_text(json), json_length(json), MSG_NOSIGNAL);
    json_writer_reset(json);
    linger(handshake);
}

static void refuse(struct handshake *handshake, const struct handshake_refusal *refusal)
{
    refuse_for(handshake, refusal, 0);
}

static void refuse_with(struct handshake *handshake, int status, enum error_code code,
                        const char *reason)
{
    refuse(handshake, &(struct handshake_refusal){status, code, reason});
}

/* --- accepting --- */

/* Takes what was peeked at out of the socket, and keeps what the library is told of it. */
static void take_upgrade(struct handshake *handshake, const struct http_head *head,
                         const struct handshake_upgrade *upgrade, char *peeked, size_t length)
{
    struct http_slice key = http_head_get(head, "sec-websocket-key");
    size_t rest = length - head->length, room = head->length + 256 + rest;
    char *text = xmalloc(room);

    int start = snprintf(text, room,
                         "GET " HANDSHAKE_WEBSOCKET_PATH " HTTP/1.1\r\nHost: %.*s\r\n"
                         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\n%s\r\n",
                         (int)head->host.length, head->host.data, (int)key.length, key.data,
                         upgrade->offered_subprotocol
                             ? "Sec-WebSocket-Protocol: " HANDSHAKE_SUBPROTOCOL "\r\n"
                             : "");
    memcpy(text + start, peeked + head->length, rest);
    handshake->upgrade = text;
    handshake->upgrade_length = (size_t)start + rest;
    (void)!recv(handshake->fd, peeked, length, 0); /* it is there: it was peeked at */
}

/* False: refused. */
static bool authenticate(struct handshake *handshake, struct http_slice token)
{
    struct connection *connection = handshake->connection;
    struct jwt_claims claims;

    if (!token.data)
        return true;
    enum jwt_result result = jwt_verify(handshake->node->keys, token.data, token.length,
                                        clock_unix_us() / 1000000, &claims);
    if (result == JWT_OK) {
        struct jwt_grant grant = jwt_grant_of(&claims);
        connection->grant = xmemdup(&grant, sizeof(grant));
        return true;
    }
    refuse_with(handshake, 401, result == JWT_EXPIRED ? ERROR_TOKEN_EXPIRED : ERROR_UNAUTHORIZED,
                jwt_result_name(result));
    return false;
}

static void refuse_unavailable(struct handshake *handshake, const char *reason,
                               int64_t retry_after_ms)
{
    refuse_for(handshake, &(struct handshake_refusal){503, ERROR_UNAVAILABLE, reason},
               retry_after_ms);
}

/* One of the places that there are a second; a client of our own TLS took its when it was accepted.
 * False: refused. */
static bool take_place(struct handshake *handshake)
{
    struct node *node = handshake->node;
    uint32_t random = 0;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    int64_t wait_ms = admission_take(&node->admission, (int64_t)clock_now_ms(),
                                     node->config->limits.handshakes_per_s,
                                     node->config->limits.handshake_burst, random);
    if (wait_ms)
        refuse_unavailable(handshake, "limits.handshakes_per_s", wait_ms);
    return !wait_ms;
}

/* Takes the client's place in the counts, if it has none yet, or says that there is none. */
static bool admit(struct handshake *handshake, const struct http_head *head, bool upgrade)
{
    struct connection *connection = handshake->connection;
    struct node *node = handshake->node;
    const struct config *config = node->config;

    if (upgrade && node->draining) {
        refuse_unavailable(handshake, "draining", DRAINING_RETRY_MS);
        return false;
    }
    if (connection->admin)
        return true;
    if (connection->proxied) {
        address_of_client(&connection->address, head, config->http.trusted_proxies);
        connection->surplus =
            connection_enter_address(connection) > (size_t)config->limits.connections_per_ip;
    }
    if (connection->surplus) {
        refuse_with(handshake, 429, ERROR_RATE_LIMITED, "connections_per_ip");
        return false;
    }
    return !upgrade || connection->tls || take_place(handshake);
}

static void judge(struct handshake *handshake, const struct http_head *head, char *peeked,
                  size_t length)
{
    const char *origins = handshake->node->config->http.allowed_origins;
    struct handshake_upgrade upgrade;
    struct handshake_refusal refusal;

    if (handshake_refuse_request(head, origins, &upgrade, &refusal)) {
        refuse(handshake, &refusal);
        return;
    }
    if (upgrade.wanted && handshake->connection->admin) {
        refuse_with(handshake, 404, ERROR_NOT_FOUND, "http.path");
        return;
    }
    if (!admit(handshake, head, upgrade.wanted) || !authenticate(handshake, upgrade.token))
        return;
    if (upgrade.wanted) {
        handshake->connection->checked = true;
        take_upgrade(handshake, head, &upgrade, peeked, length);
    }
    finish(handshake, true);
}

/* --- reading --- */

static void handle_readable(uv_poll_t *poll, int status, int events);

static void handle_again(struct timer_entry *entry)
{
    struct handshake *handshake = container_of(entry, struct handshake, again);
    uv_poll_start(&handshake->poll, UV_READABLE, handle_readable);
}

static void wait_for_more(struct handshake *handshake)
{
    uv_poll_stop(&handshake->poll);
    timer_wheel_arm(handshake->node->wheel, &handshake->again, PEEK_AGAIN_MS, handle_again);
}

static void handle_readable(uv_poll_t *poll, int status, int events)
{
    struct handshake *handshake = poll->data;
    char peeked[HTTP_HEAD_MAX_BYTES];
    struct http_head head;
    struct handshake_refusal refusal;
    (void)events;

    transport_flush_if_late(handshake->node->transport);
    ssize_t n = status < 0 ? 0 : recv(handshake->fd, peeked, sizeof(peeked), MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        finish(handshake, false);
        return;
    }
    enum http_head_result result = http_head_parse(&head, peeked, (size_t)n);
    if (result == HTTP_HEAD_OK)
        judge(handshake, &head, peeked, (size_t)n);
    else if (result == HTTP_HEAD_PARTIAL)
        wait_for_more(handshake);
    else if (handshake_refuse_head(result, &refusal))
        refuse(handshake, &refusal);
}

static void handle_deadline(struct timer_entry *entry)
{
    metrics_handshake_failed("timeout");
    finish(container_of(entry, struct handshake, deadline), false);
}

void handshake_start(struct connection *connection, int fd)
{
    struct node *node = connection->node;
    struct handshake *handshake = xcalloc(1, sizeof(*handshake));

    handshake->node = node;
    handshake->connection = connection;
    handshake->fd = fd;
    handshake->poll.data = handshake;
    timer_entry_init(&handshake->deadline);
    timer_entry_init(&handshake->again);
    list_init(&handshake->link);
    list_append(&node->handshakes, &handshake->link);
    uv_poll_init(node->loop, &handshake->poll, fd);
    uv_poll_start(&handshake->poll, UV_READABLE, handle_readable);
    timer_wheel_arm(node->wheel, &handshake->deadline,
                    (uint64_t)node->config->http.header_timeout_ms, handle_deadline);
}

void handshakes_close(struct node *node)
{
    while (!list_empty(&node->handshakes))
        finish(container_of(list_first(&node->handshakes), struct handshake, link), false);
}
