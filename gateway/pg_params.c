/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters in Postgres' binary format.
 *
 * All values of a statement lie one behind the other in one buffer; a parameter is an offset and a
 * length in it, since the buffer moves as it grows. The binary format is what the type's receive
 * function reads (src/backend/utils/adt/: uuidrecv, int8recv, array_recv, jsonb_recv): big-endian
 * integers, text as it is, jsonb with a version byte in front. An array is
 *
 *     int32 dimensions (0 if empty) | int32 has nulls | uint32 element type
 *     int32 elements | int32 lower bound        (for each dimension)
 *     int32 length (-1 = NULL) | bytes          (for each element)
 *
 * The types' oids are fixed for ever in src/include/catalog/pg_type.dat. They are sent when the
 * statement is prepared, so the server never guesses one that differs from what we encode.
 */

#include "gateway/pg_params.h"

#include "protocol/uuid.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_BYTEA_ARRAY = 1001,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
    OID_JSONB = 3802,
    OID_JSONB_ARRAY = 3807,
};

enum { JSONB_VERSION = 1, BYTES_MIN = 256 };

void pg_params_init(struct pg_params *params)
{
    *params = PG_PARAMS_INIT;
}

void pg_params_deinit(struct pg_params *params)
{
    free(params->data);
    *params = PG_PARAMS_INIT;
}

/* Makes room for `length` more bytes; false (and failed for ever) if they'd be too many. */
static bool reserve(struct pg_params *params, size_t length)
{
    if (params->failed || length > PG_PARAMS_BYTES_MAX - params->length) {
        params->failed = true;
        return false;
    }
    if (params->length + length <= params->capacity)
        return true;

    size_t capacity = params->capacity ? params->capacity : BYTES_MIN;
    while (capacity < params->length + length)
        capacity *= 2;
    params->data = xrealloc(params->data, capacity);
    params->capacity = capacity;
    return true;
}

static void put_bytes(struct pg_params *params, const void *data, size_t length)
{
    if (length == 0 || !reserve(params, length))
        return;
    memcpy(params->data + params->length, data, length);
    params->length += length;
}

static void put_byte(struct pg_params *params, uint8_t value)
{
    put_bytes(params, &value, sizeof(value));
}

static void put_int4(struct pg_params *params, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    put_bytes(params, &wire, sizeof(wire));
}

static void put_int8(struct pg_params *params, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    put_bytes(params, &wire, sizeof(wire));
}

/* A parameter is what is put between begin and end. */
static bool begin(struct pg_params *params, uint32_t type)
{
    if (params->failed || params->count == PG_PARAMS_MAX) {
        params->failed = true;
        return false;
    }
    params->types[params->count] = type;
    params->offsets[params->count] = (uint32_t)params->length;
    return true;
}

static void end(struct pg_params *params)
{
    size_t length = params->length - params->offsets[params->count];

    params->lengths[params->count++] = (int32_t)length;
}

static void put_null(struct pg_params *params, uint32_t type)
{
    if (begin(params, type))
        params->lengths[params->count++] = -1;
}

static void put_plain(struct pg_params *params, uint32_t type, const void *data, size_t length)
{
    if (!begin(params, type))
        return;
    put_bytes(params, data, length);
    end(params);
}

void pg_params_uuid(struct pg_params *params, const struct uuid *value)
{
    put_plain(params, OID_UUID, value->bytes, sizeof(value->bytes));
}

void pg_params_uuid_or_null(struct pg_params *params, const struct uuid *value)
{
    if (!value)
        put_null(params, OID_UUID);
    else
        pg_params_uuid(params, value);
}

void pg_params_int8(struct pg_params *params, int64_t value)
{
    if (!begin(params, OID_INT8))
        return;
    put_int8(params, value);
    end(params);
}

void pg_params_int8_or_null(struct pg_params *params, const int64_t *value)
{
    if (!value)
        put_null(params, OID_INT8);
    else
        pg_params_int8(params, *value);
}

void pg_params_int4(struct pg_params *params, int32_t value)
{
    if (!begin(params, OID_INT4))
        return;
    put_int4(params, value);
    end(params);
}

void pg_params_bool(struct pg_params *params, bool value)
{
    if (!begin(params, OID_BOOL))
        return;
    put_byte(params, value);
    end(params);
}

void pg_params_text(struct pg_params *params, const char *text, size_t length)
{
    put_plain(params, OID_TEXT, text, length);
}

void pg_params_text_or_null(struct pg_params *params, const char *text, size_t length)
{
    if (!text)
        put_null(params, OID_TEXT);
    else
        pg_params_text(params, text, length);
}

void pg_params_cstring(struct pg_params *params, const char *text)
{
    pg_params_text_or_null(params, text, text ? strlen(text) : 0);
}

void pg_params_bytea(struct pg_params *params, const void *data, size_t length)
{
    put_plain(params, OID_BYTEA, data, length);
}

void pg_params_jsonb(struct pg_params *params, const char *json, size_t length)
{
    if (!json) {
        put_null(params, OID_JSONB);
        return;
    }
    if (!begin(params, OID_JSONB))
        return;
    put_byte(params, JSONB_VERSION);
    put_bytes(params, json, length);
    end(params);
}

void pg_params_null(struct pg_params *params)
{
    put_null(params, 0);
}

/* An array's head; its elements and end() follow. */
static bool begin_array(struct pg_params *params, uint32_t type, uint32_t element_type, size_t n,
                        bool nulls)
{
    if (n > PG_PARAMS_ELEMENTS_MAX) {
        params->failed = true;
        return false;
    }
    if (!begin(params, type))
        return false;
    put_int4(params, n > 0 ? 1 : 0);
    put_int4(params, nulls);
    put_int4(params, (int32_t)element_type);
    if (n > 0) {
        put_int4(params, (int32_t)n);
        put_int4(params, 1);
    }
    return true;
}

static bool any_null(const void *const *pointers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!pointers[i])
            return true;
    return false;
}

void pg_params_uuid_array(struct pg_params *params, const struct uuid *values, size_t n)
{
    if (!begin_array(params, OID_UUID_ARRAY, OID_UUID, n, false))
        return;
    for (size_t i = 0; i < n; i++) {
        put_int4(params, sizeof(values[i].bytes));
        put_bytes(params, values[i].bytes, sizeof(values[i].bytes));
    }
    end(params);
}

void pg_params_int8_array(struct pg_params *params, const int64_t *values, size_t n)
{
    if (!begin_array(params, OID_INT8_ARRAY, OID_INT8, n, false))
        return;
    for (size_t i = 0; i < n; i++) {
        put_int4(params, sizeof(values[i]));
        put_int8(params, values[i]);
    }
    end(params);
}

void pg_params_int4_array(struct pg_params *params, const int32_t *values, size_t n)
{
    if (!begin_array(params, OID_INT4_ARRAY, OID_INT4, n, false))
        return;
    for (size_t i = 0; i < n; i++) {
        put_int4(params, sizeof(values[i]));
        put_int4(params, values[i]);
    }
    end(params);
}

/* The body of the arrays whose elements have a length of their own; `prefix` (or -1) is a byte in
 * front of each. */
static void put_elements(struct pg_params *params, const void *const *data, const size_t *lengths,
                         size_t n, int prefix)
{
    size_t extra = prefix >= 0 ? 1 : 0;

    for (size_t i = 0; i < n; i++) {
        if (!data[i]) {
            put_int4(params, -1);
            continue;
        }
        if (lengths[i] > PG_PARAMS_BYTES_MAX) {
            params->failed = true;
            return;
        }
        put_int4(params, (int32_t)(lengths[i] + extra));
        if (extra)
            put_byte(params, (uint8_t)prefix);
        put_bytes(params, data[i], lengths[i]);
    }
}

void pg_params_uuid_or_null_array(struct pg_params *params, const struct uuid *const *values,
                                  size_t n)
{
    if (!begin_array(params, OID_UUID_ARRAY, OID_UUID, n, any_null((const void *const *)values, n)))
        return;
    for (size_t i = 0; i < n; i++) {
        put_int4(params, values[i] ? (int32_t)sizeof(values[i]->bytes) : -1);
        if (values[i])
            put_bytes(params, values[i]->bytes, sizeof(values[i]->bytes));
    }
    end(params);
}

void pg_params_text_array(struct pg_params *params, const char *const *texts, const size_t *lengths,
                          size_t n)
{
    const void *const *data = (const void *const *)texts;

    if (!begin_array(params, OID_TEXT_ARRAY, OID_TEXT, n, any_null(data, n)))
        return;
    put_elements(params, data, lengths, n, -1);
    end(params);
}

void pg_params_bytea_array(struct pg_params *params, const void *const *data, const size_t *lengths,
                           size_t n)
{
    if (!begin_array(params, OID_BYTEA_ARRAY, OID_BYTEA, n, any_null(data, n)))
        return;
    put_elements(params, data, lengths, n, -1);
    end(params);
}

void pg_params_jsonb_array(struct pg_params *params, const char *const *texts,
                           const size_t *lengths, size_t n)
{
    const void *const *data = (const void *const *)texts;

    if (!begin_array(params, OID_JSONB_ARRAY, OID_JSONB, n, any_null(data, n)))
        return;
    put_elements(params, data, lengths, n, JSONB_VERSION);
    end(params);
}
