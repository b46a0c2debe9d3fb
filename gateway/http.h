/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: REST over the same commands as the socket, the chat page, health and metrics */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/handle_table.h"

struct connection;
struct json_writer;
struct lws;
struct node;

/* The transport's HTTP events. Returns are for libwebsockets: 0, or -1 to close. */
int http_handle_request(struct connection *connection, struct lws *wsi, const char *uri,
                        size_t length);
int http_handle_body(struct connection *connection, struct lws *wsi, const char *data,
                     size_t length);
int http_handle_body_end(struct connection *connection, struct lws *wsi);
int http_handle_writeable(struct connection *connection, struct lws *wsi);

/* The socket is gone, or the connection is freed. */
void http_handle_closed(struct connection *connection);

/* Answers a request under way with the JSON in `json`, which is copied. Nothing happens if the
 * client is gone. */
void http_reply(struct node *node, struct handle exchange, int status, int64_t retry_after_ms,
                const struct json_writer *json);
