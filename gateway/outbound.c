/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for one connection.
 *
 * Frames are shared: the queue holds references. Bytes are copied only once, when they are joined
 * into the buffer that goes to the socket; joining is what makes fan-out cheap, since a send() of
 * many frames costs little more than that of one.
 */
#include "gateway/outbound.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/frame.h"
#include "protocol/xalloc.h"

enum { FIRST_CAPACITY = 8 };

void outbound_init(struct outbound *queue)
{
    *queue = (struct outbound){0};
}

static struct frame **at(struct outbound *queue, uint32_t index)
{
    return &queue->ring[(queue->first + index) & (queue->capacity - 1)];
}

void outbound_deinit(struct outbound *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        frame_unref(*at(queue, i));
    free(queue->ring);
    *queue = (struct outbound){0};
}

static void grow(struct outbound *queue)
{
    uint32_t capacity = queue->capacity ? queue->capacity * 2 : FIRST_CAPACITY;
    struct frame **ring = xreallocarray(NULL, capacity, sizeof(*ring));

    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = *at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

/* Drops what may be dropped. */
static void shed(struct outbound *queue)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < queue->count; i++) {
        struct frame *frame = *at(queue, i);
        if (frame_sheddable(frame)) {
            queue->bytes -= frame_length(frame);
            frame_unref(frame);
        } else {
            *at(queue, kept++) = frame;
        }
    }
    queue->count = kept;
}

enum outbound_result outbound_push(struct outbound *queue, struct frame *frame, size_t limit_bytes)
{
    size_t length = frame_length(frame);

    if (frame_sheddable(frame) && queue->bytes + length > limit_bytes / 2)
        return OUTBOUND_SHED;
    if (queue->bytes + length > limit_bytes)
        shed(queue);
    if (queue->bytes + length > limit_bytes && queue->count)
        return OUTBOUND_FULL;
    if (queue->count == queue->capacity)
        grow(queue);
    *at(queue, queue->count++) = frame_ref(frame);
    queue->bytes += length;
    return OUTBOUND_QUEUED;
}

static void drop_first(struct outbound *queue)
{
    struct frame *frame = *at(queue, 0);

    queue->bytes -= frame_length(frame);
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    frame_unref(frame);
}

size_t outbound_next_bytes(const struct outbound *queue)
{
    return queue->count ? frame_length(queue->ring[queue->first]) : 0;
}

size_t outbound_take(struct outbound *queue, void *buffer, size_t room)
{
    size_t taken = 0;

    while (queue->count && outbound_next_bytes(queue) <= room - taken) {
        const struct frame *frame = *at(queue, 0);
        memcpy((char *)buffer + taken, frame_bytes(frame), frame_length(frame));
        taken += frame_length(frame);
        drop_first(queue);
    }
    if (!queue->count)
        outbound_deinit(queue);
    return taken;
}
