/* SPDX-License-Identifier: Apache-2.0 */
/* The only JSON encoder: writes into one growing buffer */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid;

/* Embedded by its owner; a writer is reused for many documents, so that a busy loop allocates
 * nothing. Commas are put in by the writer. Misuse (a value without a key inside an object, unequal
 * ends) is the caller's bug; depth is asserted. Names begin json_put_ for a value, json_add_ for a
 * member of an object (key and value at once); they keep clear of jansson's json_string and
 * json_null. Several documents may be written one after the other into one writer: the caller puts
 * json_newline() between them.
 *
 * Keys are C string literals of plain ASCII and are not escaped. */
struct json_writer {
    char *text;
    size_t length, capacity; /* bytes; text always has room for a NUL at [length] */
    unsigned depth;          /* of open objects and arrays */
    bool comma;              /* a value stands before this place */
};

#define JSON_WRITER_INIT                                                                           \
    {                                                                                              \
        0                                                                                          \
    }

void json_writer_init(struct json_writer *writer);
void json_writer_deinit(struct json_writer *writer);

/* Forgets what was written and keeps the buffer. */
void json_writer_reset(struct json_writer *writer);

/* What was written so far, NUL-terminated. Borrowed: valid until the next call on this writer. */
const char *json_text(const struct json_writer *writer);
size_t json_length(const struct json_writer *writer);

/* Hands the buffer to the caller, who frees it; the writer is empty afterwards. */
char *json_steal(struct json_writer *writer, size_t *length);

void json_object_begin(struct json_writer *writer);
void json_object_end(struct json_writer *writer);
void json_array_begin(struct json_writer *writer);
void json_array_end(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);

/* `text` is valid UTF-8, which passes as it is; escaped are '"', '\' and the control characters
 * U+0000 to U+001F and U+007F (RFC 8259 section 7), and U+2028 and U+2029, which end a line in
 * older JavaScript. A NULL `text` writes null. */
void json_put_string(struct json_writer *writer, const char *text, size_t bytes);
void json_put_cstring(struct json_writer *writer, const char *text);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
void json_put_uuid(struct json_writer *writer, const struct uuid *uuid);

/* RFC 3339 in UTC with milliseconds (rounded down), "2026-01-02T03:04:05.678Z", from microseconds
 * since 1970. Times outside the years 1 to 9999 are clamped. */
void json_put_time(struct json_writer *writer, int64_t unix_us);

/* Text that is already one JSON value. */
void json_put_raw(struct json_writer *writer, const char *json, size_t bytes);

void json_add_string(struct json_writer *writer, const char *key, const char *text, size_t bytes);
void json_add_cstring(struct json_writer *writer, const char *key, const char *text);
void json_add_int(struct json_writer *writer, const char *key, int64_t value);
void json_add_bool(struct json_writer *writer, const char *key, bool value);
void json_add_null(struct json_writer *writer, const char *key);
void json_add_uuid(struct json_writer *writer, const char *key, const struct uuid *uuid);
void json_add_time(struct json_writer *writer, const char *key, int64_t unix_us);
void json_add_raw(struct json_writer *writer, const char *key, const char *json, size_t bytes);

/* Ends a line between two documents (depth 0). */
void json_newline(struct json_writer *writer);

/* Bytes that json_put_string() would write, quotes included. */
size_t json_string_bytes(const char *text, size_t bytes);
