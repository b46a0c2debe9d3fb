/* SPDX-License-Identifier: Apache-2.0 */
/* A server's WebSocket text frame: encoded once, immutable, shared by reference
 *
 * A message to a thousand devices is one allocation: header and payload are written once and every
 * outbound queue holds a reference. The header is stored right before the payload at a fixed
 * offset, its shorter forms moved up against it, so that both are one run of bytes for send().
 */
#include "protocol/frame.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"

enum {
    FIN = 0x80,
    FIN_TEXT = 0x81, /* FIN, opcode 1 */
    LENGTH_16 = 126, /* the length follows in 16 bits */
    LENGTH_64 = 127, /* the length follows in 64 bits */
};

struct frame {
    unsigned references;
    enum frame_class class;
    size_t header_bytes, payload_bytes;
    unsigned char bytes[]; /* FRAME_HEADER_BYTES_MAX for the header, then the payload */
};

/* Network byte order. */
static void put_length(unsigned char *out, uint64_t length, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, length >>= 8)
        out[i] = (unsigned char)length;
}

size_t frame_header(size_t payload_bytes, unsigned char out[static FRAME_HEADER_BYTES_MAX])
{
    out[0] = FIN_TEXT;
    if (payload_bytes < LENGTH_16) {
        out[1] = (unsigned char)payload_bytes;
        return 2;
    }
    if (payload_bytes <= UINT16_MAX) {
        out[1] = LENGTH_16;
        put_length(out + 2, payload_bytes, 2);
        return 4;
    }
    out[1] = LENGTH_64;
    put_length(out + 2, payload_bytes, 8);
    return 10;
}

struct frame *frame_new(const char *json, size_t bytes, enum frame_class class)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    struct frame *frame = xmalloc(sizeof(*frame) + FRAME_HEADER_BYTES_MAX + bytes);

    frame->references = 1;
    frame->class = class;
    frame->payload_bytes = bytes;
    frame->header_bytes = frame_header(bytes, header);
    memcpy(frame->bytes + FRAME_HEADER_BYTES_MAX - frame->header_bytes, header,
           frame->header_bytes);
    memcpy(frame->bytes + FRAME_HEADER_BYTES_MAX, json, bytes);
    return frame;
}

struct frame *frame_new_control(enum frame_opcode opcode, const void *payload, size_t bytes)
{
    assert(bytes <= FRAME_CONTROL_PAYLOAD_MAX);
    struct frame *frame = frame_new(payload, bytes, FRAME_KEEP);
    frame->bytes[FRAME_HEADER_BYTES_MAX - frame->header_bytes] = (unsigned char)(FIN | opcode);
    return frame;
}

struct frame *frame_ref(struct frame *frame)
{
    assert(frame->references > 0);
    frame->references++;
    return frame;
}

struct frame *frame_unref(struct frame *frame)
{
    if (!frame)
        return NULL;
    assert(frame->references > 0);
    if (--frame->references == 0)
        free(frame);
    return NULL;
}

const void *frame_bytes(const struct frame *frame)
{
    return frame->bytes + FRAME_HEADER_BYTES_MAX - frame->header_bytes;
}

size_t frame_length(const struct frame *frame)
{
    return frame->header_bytes + frame->payload_bytes;
}

const char *frame_payload(const struct frame *frame)
{
    return (const char *)frame->bytes + FRAME_HEADER_BYTES_MAX;
}

size_t frame_payload_length(const struct frame *frame)
{
    return frame->payload_bytes;
}

bool frame_sheddable(const struct frame *frame)
{
    return frame->class == FRAME_SHED;
}
