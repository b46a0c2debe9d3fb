/* SPDX-License-Identifier: Apache-2.0 */
/* From an accepted socket to a request that libwebsockets may see */
#pragma once

struct connection;
struct node;

/* Reads the request head from `fd` (plain text), checks it, authenticates an upgrade that brings
 * a token, and hands the socket to the transport; or answers with an error and closes. Owns both
 * arguments. A head that does not come in time is dropped (http.header_timeout_ms). */
void handshake_start(struct connection *connection, int fd);

/* Drops all that are under way. */
void handshakes_close(struct node *node);
