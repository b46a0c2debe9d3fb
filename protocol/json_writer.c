/* SPDX-License-Identifier: Apache-2.0 */
/* The only JSON encoder: writes into one growing buffer
 *
 * Events are built from the server's own state, so there is no tree to walk: the code that knows a
 * value writes it. That is ten times as fast as building and dumping a tree, and one place escapes,
 * so one test covers what a peer can smuggle into another peer's frame.
 *
 * A string is copied in runs: a table of 256 entries says which bytes need a look, and everything
 * up to the next one goes by one memcpy. Room for the worst case (six bytes for one) is reserved
 * first, so that the inner loop tests no bounds.
 */
#include "protocol/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/rfc3339.h"
#include "protocol/uuid.h"
#include "protocol/xalloc.h"

enum {
    DEPTH_MAX = 16,
    CAPACITY_FIRST = 512,
    ESCAPE_BYTES_MAX = 6, /* \u0000 */
    INT_TEXT_BYTES = 20,  /* -9223372036854775808 */
};

/* What a byte of a string becomes: itself (0), a letter after a backslash, \u00XX ('u'), or '?',
 * the lead byte of U+2028 and U+2029 (and of many others). */
static const char escapes[256] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u',  [0x04] = 'u', [0x05] = 'u',
    [0x06] = 'u', [0x07] = 'u', [0x08] = 'b', [0x09] = 't',  [0x0a] = 'n', [0x0b] = 'u',
    [0x0c] = 'f', [0x0d] = 'r', [0x0e] = 'u', [0x0f] = 'u',  [0x10] = 'u', [0x11] = 'u',
    [0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u',  [0x16] = 'u', [0x17] = 'u',
    [0x18] = 'u', [0x19] = 'u', [0x1a] = 'u', [0x1b] = 'u',  [0x1c] = 'u', [0x1d] = 'u',
    [0x1e] = 'u', [0x1f] = 'u', ['"'] = '"',  ['\\'] = '\\', [0x7f] = 'u', [0xe2] = '?',
};

void json_writer_init(struct json_writer *writer)
{
    *writer = (struct json_writer)JSON_WRITER_INIT;
}

void json_writer_deinit(struct json_writer *writer)
{
    free(writer->text);
    json_writer_init(writer);
}

void json_writer_reset(struct json_writer *writer)
{
    writer->length = 0;
    writer->depth = 0;
    writer->comma = false;
}

/* Room for `bytes` more and a NUL; returns where they go. */
static char *reserve(struct json_writer *writer, size_t bytes)
{
    size_t needed = writer->length + bytes + 1;

    if (needed > writer->capacity) {
        size_t capacity = writer->capacity ? writer->capacity : CAPACITY_FIRST;

        while (capacity < needed)
            capacity *= 2;
        writer->text = xrealloc(writer->text, capacity);
        writer->capacity = capacity;
    }
    return writer->text + writer->length;
}

static void append(struct json_writer *writer, const char *text, size_t bytes)
{
    memcpy(reserve(writer, bytes), text, bytes);
    writer->length += bytes;
}

static void append_char(struct json_writer *writer, char c)
{
    *reserve(writer, 1) = c;
    writer->length++;
}

/* Every value starts here, and leaves a comma due. */
static void begin_value(struct json_writer *writer)
{
    if (writer->comma)
        append_char(writer, ',');
    writer->comma = true;
}

const char *json_text(const struct json_writer *writer)
{
    if (!writer->text)
        return "";
    writer->text[writer->length] = '\0';
    return writer->text;
}

size_t json_length(const struct json_writer *writer)
{
    return writer->length;
}

char *json_steal(struct json_writer *writer, size_t *length)
{
    char *text = reserve(writer, 0) - writer->length;

    text[writer->length] = '\0';
    *length = writer->length;
    json_writer_init(writer);
    return text;
}

static void open_bracket(struct json_writer *writer, char bracket)
{
    begin_value(writer);
    append_char(writer, bracket);
    writer->comma = false;
    writer->depth++;
    assert(writer->depth <= DEPTH_MAX);
}

static void close_bracket(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0);
    append_char(writer, bracket);
    writer->comma = true;
    writer->depth--;
}

void json_object_begin(struct json_writer *writer)
{
    open_bracket(writer, '{');
}

void json_object_end(struct json_writer *writer)
{
    close_bracket(writer, '}');
}

void json_array_begin(struct json_writer *writer)
{
    open_bracket(writer, '[');
}

void json_array_end(struct json_writer *writer)
{
    close_bracket(writer, ']');
}

void json_key(struct json_writer *writer, const char *key)
{
    begin_value(writer);
    append_char(writer, '"');
    append(writer, key, strlen(key));
    append(writer, "\":", 2);
    writer->comma = false;
}

static bool is_line_end(const char *at, const char *end)
{
    return end - at >= 3 && (uint8_t)at[1] == 0x80 && ((uint8_t)at[2] & 0xfe) == 0xa8;
}

/* Writes what the byte at `at` becomes; returns how many bytes of input that was. */
static size_t escape_one(char **out, const char *at, const char *end)
{
    static const char digits[] = "0123456789abcdef";
    char escape = escapes[(uint8_t)*at];

    if (escape == '?' && !is_line_end(at, end)) {
        *(*out)++ = *at;
        return 1;
    }
    *(*out)++ = '\\';
    if (escape == '?') {
        memcpy(*out, (uint8_t)at[2] == 0xa8 ? "u2028" : "u2029", 5);
        *out += 5;
        return 3;
    }
    *(*out)++ = escape;
    if (escape == 'u') {
        memcpy(*out, "00", 2);
        (*out)[2] = digits[(uint8_t)*at >> 4];
        (*out)[3] = digits[*at & 15];
        *out += 4;
    }
    return 1;
}

static char *escape_all(char *out, const char *text, const char *end)
{
    while (text < end) {
        const char *run = text;

        while (run < end && !escapes[(uint8_t)*run])
            run++;
        memcpy(out, text, (size_t)(run - text));
        out += run - text;
        text = run;
        if (text < end)
            text += escape_one(&out, text, end);
    }
    return out;
}

void json_put_string(struct json_writer *writer, const char *text, size_t bytes)
{
    if (!text) {
        json_put_null(writer);
        return;
    }
    begin_value(writer);

    char *start = reserve(writer, bytes * ESCAPE_BYTES_MAX + 2), *out = start;

    *out++ = '"';
    out = escape_all(out, text, text + bytes);
    *out++ = '"';
    writer->length += (size_t)(out - start);
}

void json_put_cstring(struct json_writer *writer, const char *text)
{
    json_put_string(writer, text, text ? strlen(text) : 0);
}

void json_put_int(struct json_writer *writer, int64_t value)
{
    char digits[INT_TEXT_BYTES], *start = digits + sizeof(digits), *end = start;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--start = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--start = '-';
    json_put_raw(writer, start, (size_t)(end - start));
}

void json_put_bool(struct json_writer *writer, bool value)
{
    json_put_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *writer)
{
    json_put_raw(writer, "null", 4);
}

static void put_quoted(struct json_writer *writer, const char *text, size_t bytes)
{
    begin_value(writer);
    append_char(writer, '"');
    append(writer, text, bytes);
    append_char(writer, '"');
}

void json_put_uuid(struct json_writer *writer, const struct uuid *uuid)
{
    char text[UUID_TEXT_BYTES + 1];

    uuid_format(uuid, text);
    put_quoted(writer, text, UUID_TEXT_BYTES);
}

void json_put_time(struct json_writer *writer, int64_t unix_us)
{
    char text[RFC3339_TEXT_BYTES + 1];

    rfc3339_format(unix_us, text);
    put_quoted(writer, text, RFC3339_TEXT_BYTES);
}

void json_put_raw(struct json_writer *writer, const char *json, size_t bytes)
{
    begin_value(writer);
    append(writer, json, bytes);
}

void json_add_string(struct json_writer *writer, const char *key, const char *text, size_t bytes)
{
    json_key(writer, key);
    json_put_string(writer, text, bytes);
}

void json_add_cstring(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_put_cstring(writer, text);
}

void json_add_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_put_int(writer, value);
}

void json_add_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_put_bool(writer, value);
}

void json_add_null(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_put_null(writer);
}

void json_add_uuid(struct json_writer *writer, const char *key, const struct uuid *uuid)
{
    json_key(writer, key);
    json_put_uuid(writer, uuid);
}

void json_add_time(struct json_writer *writer, const char *key, int64_t unix_us)
{
    json_key(writer, key);
    json_put_time(writer, unix_us);
}

void json_add_raw(struct json_writer *writer, const char *key, const char *json, size_t bytes)
{
    json_key(writer, key);
    json_put_raw(writer, json, bytes);
}

void json_newline(struct json_writer *writer)
{
    assert(writer->depth == 0);
    append_char(writer, '\n');
    writer->comma = false;
}

size_t json_string_bytes(const char *text, size_t bytes)
{
    size_t total = 2;

    for (size_t i = 0; i < bytes; i++) {
        char escape = escapes[(uint8_t)text[i]];

        if (escape == 'u')
            total += ESCAPE_BYTES_MAX;
        else if (escape == '?')
            total += is_line_end(text + i, text + bytes) ? ESCAPE_BYTES_MAX - 2 : 1;
        else
            total += escape ? 2 : 1;
    }
    return total;
}
