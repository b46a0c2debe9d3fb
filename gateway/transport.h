/* SPDX-License-Identifier: Apache-2.0 */
/* libwebsockets, driven by our loop: sockets in, messages and closes out */
#pragma once

#include <stddef.h>

struct connection;
struct node;
struct transport;

/* Makes the library's context on the node's loop. NULL if the library refuses (it is logged). */
struct transport *transport_new(struct node *node);

/* Closes every connection, each of which is freed on the way. Takes NULL. */
void transport_close(struct transport *transport);

/* Frees the rest. To be called when the loop has run out after transport_close(). Takes NULL,
 * returns NULL. */
struct transport *transport_free(struct transport *transport);

/* Hands over a connected socket. `received`: an upgrade's head, with whatever came after it, that
 * was read already; a plain request must still be in the socket (`length` 0). Owns `fd` and
 * `connection` from here, whatever happens. */
void transport_adopt(struct transport *transport, struct connection *connection, int fd,
                     const char *received, size_t length);

/* Writes what is ready to go if this turn of the loop has lasted long. Between two events. */
void transport_flush_if_late(struct transport *transport);
