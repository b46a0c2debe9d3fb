/* SPDX-License-Identifier: Apache-2.0 */
/* What a request head must be like before anything else sees it. No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/http_head.h"
#include "protocol/error_code.h"

#define HANDSHAKE_WEBSOCKET_PATH "/ws"
#define HANDSHAKE_SUBPROTOCOL    "chatgate.v1"
#define HANDSHAKE_BEARER_PREFIX  "chatgate.bearer."

/* A request that is not served. Status 0: drop the connection without an answer. */
struct handshake_refusal {
    int status;
    enum error_code code;
    const char *reason; /* static */
};

/* What an accepted upgrade brought. */
struct handshake_upgrade {
    bool wanted;              /* it is an upgrade to WebSocket */
    bool offered_subprotocol; /* chatgate.v1 was offered and must be confirmed */
    struct http_slice token;  /* from Authorization or the subprotocol list; data NULL = none */
};

/* Turns the parser's verdict into a refusal; false = the head is fine. */
bool handshake_refuse_head(enum http_head_result result, struct handshake_refusal *refusal);

/* RFC 6455 section 4.2.1, and design "Auth": upgrades to websocket and nothing else, version 13, a
 * key of 16 bytes, our subprotocol, an allowed Origin, no token in the URL. `allowed_origins` is
 * the setting http.allowed_origins. True = refused. */
bool handshake_refuse_request(const struct http_head *head, const char *allowed_origins,
                              struct handshake_upgrade *upgrade, struct handshake_refusal *refusal);

/* Whether a page of this Origin may talk to this Host: one of the list, or, where the list is
 * empty, the host itself. */
bool handshake_origin_allowed(struct http_slice origin, struct http_slice host,
                              const char *allowed_origins);
