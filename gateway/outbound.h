/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded queue of frames that wait to be written to one connection */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;

/* A ring of frame references, bounded in bytes. Empty queues hold no memory, so that an idle
 * connection costs nothing. Embedded by its owner. */
struct outbound {
    struct frame **ring;
    uint32_t capacity, first, count;
    size_t bytes; /* of all frames in the queue, headers included */
};

enum outbound_result {
    OUTBOUND_QUEUED = 0,
    OUTBOUND_SHED, /* a sheddable frame was dropped: the queue is half full */
    OUTBOUND_FULL, /* not queued: the limit would be passed. The peer is too slow */
};

void outbound_init(struct outbound *queue);
void outbound_deinit(struct outbound *queue);

/* Queues a reference of its own. Sheddable frames are taken only while the queue is under half of
 * `limit_bytes`, and all that are queued go first when a frame that must arrive finds no room. */
enum outbound_result outbound_push(struct outbound *queue, struct frame *frame, size_t limit_bytes);

/* Bytes of the first frame, 0 if the queue is empty. */
size_t outbound_next_bytes(const struct outbound *queue);

/* Copies as many whole frames as fit into `room` bytes, in order, and forgets them: the caller
 * must send them or give up the connection. Returns the number of bytes. Frames are never cut,
 * since libwebsockets may put a control frame of its own between two writes. */
size_t outbound_take(struct outbound *queue, void *buffer, size_t room);

static inline bool outbound_empty(const struct outbound *queue)
{
    return queue->count == 0;
}
