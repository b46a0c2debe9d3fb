/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembles a client's messages from the pieces that the transport sees, within limits */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct connection;

/* One piece of a frame's payload, unmasked, as libwebsockets hands it up. */
struct inbound_piece {
    const char *data;
    size_t length;
    size_t rest_of_frame; /* payload bytes of this frame still to come */
    bool first;           /* of its message */
    bool final;           /* this frame is the last of its message */
    bool binary;
};

struct inbound; /* a message that is not complete yet */

/* Hands each complete message to the connection's session. Closes the connection for binary (1003),
 * for a message above limits.frame_bytes (1009, as soon as a header says so), for too many
 * fragments, and for a message that is not complete in time (1008). */
void inbound_receive(struct connection *connection, const struct inbound_piece *piece);

/* Takes NULL and returns NULL. */
struct inbound *inbound_free(struct inbound *inbound);
