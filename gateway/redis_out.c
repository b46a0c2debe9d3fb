/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to Redis, encoded and waiting to be written.
 *
 * hiredis' own formatter allocates a string for each command; at some hundred thousand publishes a
 * second that is a good part of their cost.
 */

#include "gateway/redis_out.h"

#include "protocol/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES = 24, /* '$' or '*', 20 digits, CR LF */
    CAPACITY_MIN = 4096,
    /* A buffer that a burst has grown is given back. */
    CAPACITY_KEPT = 1 << 20,
};

static void reserve(struct redis_out *out, size_t length)
{
    size_t capacity = out->capacity ? out->capacity : CAPACITY_MIN;

    if (out->capacity - out->length >= length)
        return;
    while (capacity - out->length < length)
        capacity *= 2;
    out->data = xrealloc(out->data, capacity);
    out->capacity = capacity;
}

static void put_head(struct redis_out *out, char type, size_t number)
{
    char digits[HEAD_BYTES];
    size_t at = sizeof(digits);

    digits[--at] = '\n';
    digits[--at] = '\r';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    digits[--at] = type;
    memcpy(out->data + out->length, digits + at, sizeof(digits) - at);
    out->length += sizeof(digits) - at;
}

static void put_bulk(struct redis_out *out, const char *data, size_t length)
{
    put_head(out, '$', length);
    if (length > 0)
        memcpy(out->data + out->length, data, length);
    out->length += length;
    memcpy(out->data + out->length, "\r\n", 2);
    out->length += 2;
}

size_t redis_out_size(size_t argc, const size_t *argv_bytes)
{
    size_t size = HEAD_BYTES;

    for (size_t i = 0; i < argc; i++)
        size += HEAD_BYTES + argv_bytes[i] + 2;
    return size;
}

void redis_out_command(struct redis_out *out, size_t argc, const char *const *argv,
                       const size_t *argv_bytes)
{
    reserve(out, redis_out_size(argc, argv_bytes));
    put_head(out, '*', argc);
    for (size_t i = 0; i < argc; i++)
        put_bulk(out, argv[i], argv_bytes[i]);
}

void redis_out_consume(struct redis_out *out, size_t length)
{
    assert(length <= out->length);
    out->length -= length;
    if (out->length > 0)
        memmove(out->data, out->data + length, out->length);
    else if (out->capacity > CAPACITY_KEPT)
        redis_out_deinit(out);
}

void redis_out_deinit(struct redis_out *out)
{
    free(out->data);
    *out = REDIS_OUT_NULL;
}
