/* SPDX-License-Identifier: Apache-2.0 */
/* A server's WebSocket text frame: encoded once, immutable, shared by reference */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct frame;

enum frame_class {
    FRAME_KEEP, /* must arrive, or the connection is closed as slow */
    FRAME_SHED, /* typing, presence: the first to go when a queue is full */
};

/* One unfragmented, unmasked text frame with FIN set (RFC 6455 section 5.2) around a copy of
 * `bytes` bytes of JSON. The caller holds the only reference. Counts are not atomic: a frame
 * belongs to one thread's loop. */
struct frame *frame_new(const char *json, size_t bytes, enum frame_class class);

enum frame_opcode { FRAME_CLOSE = 8, FRAME_PING = 9 };

enum { FRAME_CONTROL_PAYLOAD_MAX = 125 }; /* RFC 6455 section 5.5 */

/* A control frame; `bytes` is at most FRAME_CONTROL_PAYLOAD_MAX. */
struct frame *frame_new_control(enum frame_opcode opcode, const void *payload, size_t bytes);

struct frame *frame_ref(struct frame *frame);

/* Drops a reference, frees at the last. Takes NULL; returns NULL. */
struct frame *frame_unref(struct frame *frame);

/* Header and payload as they go to the socket. Borrowed. */
const void *frame_bytes(const struct frame *frame);
size_t frame_length(const struct frame *frame);

/* The payload alone, for joining several into one frame (caps "batch"). Borrowed. */
const char *frame_payload(const struct frame *frame);
size_t frame_payload_length(const struct frame *frame);

bool frame_sheddable(const struct frame *frame);

enum { FRAME_HEADER_BYTES_MAX = 10 };

/* Writes the header of such a frame of `payload_bytes` and returns its length: 2, 4 or 10. For
 * whoever joins payloads into a buffer of their own. */
size_t frame_header(size_t payload_bytes, unsigned char out[static FRAME_HEADER_BYTES_MAX]);
