/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted socket, from accept() to close, as the handshake, the transport and HTTP share it */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/handle_table.h"
#include "gateway/jwt.h"
#include "protocol/close_code.h"
#include "protocol/list.h"

struct exchange;
struct inbound;
struct lws;
struct node;
struct session;

/* Made by the listener, owned by the handshake until libwebsockets takes the socket, by the
 * transport afterwards. It is the wsi's opaque user data. */
struct connection {
    struct node *node;
    struct lws *wsi;         /* NULL during the handshake */
    struct session *session; /* NULL unless it is an established WebSocket; owned */
    struct list_node dirty;  /* transport's list of connections with frames to write */
    struct in6_addr address; /* the client's: the peer, or what a trusted proxy says */
    bool counted;            /* in node::addresses */
    bool surplus;            /* its address has too many: refused when its head is read */
    bool proxied;            /* the peer is a trusted proxy, which may serve several clients */
    bool admin;              /* came in by the admin listener */
    bool tls;
    bool checked;              /* the handshake was checked by us, not only by libwebsockets */
    bool fragments;            /* the message in `inbound` is not complete */
    bool closing;              /* our close frame is queued or sent */
    struct jwt_grant *grant;   /* owned until the session takes it; NULL without a token */
    struct inbound *inbound;   /* a message that comes in pieces; NULL between messages */
    struct exchange *exchange; /* an HTTP request under way, NULL otherwise (http.h) */
};

struct connection *connection_new(struct node *node);

/* Counts it to its address, once. Returns how many connections that has now. */
size_t connection_enter_address(struct connection *connection);

/* Its session and the rest go with it. Takes NULL, returns NULL. */
struct connection *connection_free(struct connection *connection);

/* Puts the connection on the list that is written at the end of this turn of the loop. */
void connection_flush_later(struct connection *connection);

/* Queues a close frame behind everything else; the first call decides. The caller then waits for
 * the peer to go, and cuts it off if it does not. */
void connection_close(struct connection *connection, enum close_code code, int64_t retry_after_ms);

/* Cuts the connection; the session is freed on the way, later. */
void connection_abandon(struct connection *connection);
