/* SPDX-License-Identifier: Apache-2.0 */
/* A plain WebSocket client (RFC 6455) on libuv, made to be had by the ten thousand */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct ws_client;

struct ws_client_events {
    void (*opened)(struct ws_client *client);
    /* One text message, not NUL-terminated; the bytes are the client's, during the call only. */
    void (*text)(struct ws_client *client, const char *text, size_t length);
    /* The socket is gone, and the client may connect again. `code` is the close frame's, an HTTP
     * status (below 1000) of a refused upgrade, 0 for a connection that just ended, or a negative
     * errno. */
    void (*closed)(struct ws_client *client, int code);
};

enum ws_client_state { WS_IDLE, WS_CONNECTING, WS_UPGRADING, WS_OPEN, WS_CLOSING };

/* Embedded. */
struct ws_client {
    uv_tcp_t tcp;
    uv_connect_t connect;
    const struct ws_client_events *events;
    enum ws_client_state state;
    int close_code;
    char *request;          /* of the upgrade, until it is sent */
    unsigned char *pending; /* the beginning of what came in part */
    size_t pending_bytes;
};

void ws_client_init(struct ws_client *client, const struct ws_client_events *events);

/* Connects and upgrades; `token` goes into the header Authorization. Everything that fails, does so
 * by closed(), later. Only while WS_IDLE. */
void ws_client_connect(struct ws_client *client, uv_loop_t *loop, const struct sockaddr_in *address,
                       const char *token);

/* Sends one masked text frame at once, or queues what the socket does not take. False: not open. */
bool ws_client_send(struct ws_client *client, const char *text, size_t length);

/* Drops the connection as a lost network would: no close frame. closed() follows. */
void ws_client_drop(struct ws_client *client);
