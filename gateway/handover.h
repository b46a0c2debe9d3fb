/* SPDX-License-Identifier: Apache-2.0 */
/* Accepted handshakes on their way to the transport, a few a turn of the loop */
#pragma once

#include <stddef.h>

struct connection;
struct handover;
struct node;

struct handover *handover_new(struct node *node);

/* As transport_adopt(), within the next turns. Takes `received` too, which is malloc'd or NULL. */
void handover_add(struct handover *handover, struct connection *connection, int fd, char *received,
                  size_t length);

/* Drops what waits, and whatever is added later. Before the transport closes. */
void handover_close(struct handover *handover);

/* After the loop has run once more. Takes NULL, returns NULL. */
struct handover *handover_free(struct handover *handover);
