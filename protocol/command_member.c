/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of the requests that every member may make */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/command.h"
#include "protocol/command_parsers.h"
#include "protocol/command_reader.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum {
    TOKEN_BYTES_MAX = 16384,
    DEVICE_BYTES_MAX = 200,
    EPOCH_BYTES_MAX = 200,
    CURSOR_BYTES_MAX = 500,
    EMAIL_BYTES_MAX = 320,
    PASSWORD_BYTES_MAX = 1024,
    PAGE_STANDARD = 50,
};

static int compare_rooms(const void *a, const void *b)
{
    return uuid_compare(&((const struct command_room *)a)->room,
                        &((const struct command_room *)b)->room);
}

static bool read_room(struct command_room *out, const char *key, const json_t *value)
{
    if (!uuid_parse(&out->room, key, strlen(key)) || !json_is_integer(value))
        return false;
    out->after = json_integer_value(value);
    return out->after >= 0;
}

/* JSON knows no equal keys, but one UUID has two spellings. */
static bool has_doubles(const struct command_room *rooms, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_rooms(&rooms[i - 1], &rooms[i]) == 0)
            return true;
    }
    return false;
}

/* "rooms": {"<room>": <number>, ...}; an absent one is empty. */
static void read_rooms(struct command_reader *reader, struct command_room **rooms, size_t *count)
{
    json_t *object = command_reader_get(reader, "rooms"), *value;
    const char *key;

    if (!object || reader->code != ERROR_NONE)
        return;
    if (!json_is_object(object)) {
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.rooms");
        return;
    }
    if (json_object_size(object) > reader->limits->rooms_per_sync) {
        command_reader_fail(reader, ERROR_TOO_LARGE, "rooms.too_many");
        return;
    }
    *rooms = xcalloc(json_object_size(object), sizeof(**rooms));
    json_object_foreach(object, key, value)
    {
        if (!read_room(&(*rooms)[(*count)++], key, value))
            command_reader_fail(reader, ERROR_BAD_REQUEST, "field.rooms");
    }
    qsort(*rooms, *count, sizeof(**rooms), compare_rooms);
    if (has_doubles(*rooms, *count))
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.rooms");
}

/* "caps": ["batch", ...]; unknown ones are for newer servers. */
static bool read_batch(struct command_reader *reader)
{
    json_t *caps = command_reader_get(reader, "caps"), *cap;
    bool batch = false;
    size_t i;

    if (caps && !json_is_array(caps))
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.caps");
    json_array_foreach(caps, i, cap)
    {
        if (!json_is_string(cap))
            command_reader_fail(reader, ERROR_BAD_REQUEST, "field.caps");
        else if (strcmp(json_string_value(cap), "batch") == 0)
            batch = true;
    }
    return batch;
}

void command_parse_hello(struct command_reader *reader, struct command_hello *out)
{
    command_reader_string_maybe(reader, FIELD("token"), 1, TOKEN_BYTES_MAX, &out->token);
    command_reader_string_maybe(reader, FIELD("device"), 0, DEVICE_BYTES_MAX, &out->device);
    command_reader_string_maybe(reader, FIELD("epoch"), 0, EPOCH_BYTES_MAX, &out->epoch);
    read_rooms(reader, &out->rooms, &out->room_count);
    out->has_own_since = command_reader_time_maybe(reader, FIELD("own_since"), &out->own_since_us);
    out->batch = read_batch(reader);
}

void command_parse_sync(struct command_reader *reader, struct command_sync *out)
{
    read_rooms(reader, &out->rooms, &out->room_count);
    if (out->room_count == 0)
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.rooms");
}

void command_parse_open(struct command_reader *reader, struct command_open *out)
{
    if (reader->body)
        command_reader_uuid(reader, FIELD("other_user_id"), &out->with);
    else
        command_reader_uuid(reader, FIELD("with"), &out->with);
}

static void check_text(struct command_reader *reader, const char *text, size_t bytes)
{
    if (utf8_blank(text, bytes))
        command_reader_fail(reader, ERROR_BAD_REQUEST, "text.empty");
    else if (utf8_count(text, bytes) > reader->limits->text_code_points)
        command_reader_fail(reader, ERROR_TOO_LARGE, "text.too_long");
}

void command_parse_send(struct command_reader *reader, struct command_send *out)
{
    if (!reader->body) {
        command_reader_uuid(reader, FIELD("room"), &out->room);
        command_reader_uuid(reader, FIELD("cid"), &out->cid);
    }
    if (!command_reader_string(reader, FIELD("text"), 0, SIZE_MAX, &out->text))
        return;
    out->text_length = strlen(out->text);
    check_text(reader, out->text, out->text_length);
}

void command_parse_history(struct command_reader *reader, struct command_history *out)
{
    command_reader_uuid(reader, FIELD("room"), &out->room);
    out->has_before = command_reader_int_maybe(reader, FIELD("before"), 0, INT64_MAX, &out->before);
    out->has_after = command_reader_int_maybe(reader, FIELD("after"), 0, INT64_MAX, &out->after);
    if (out->has_before && out->has_after)
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.after");
    out->limit = command_reader_page(reader, PAGE_STANDARD);
}

void command_parse_rooms(struct command_reader *reader, struct command_rooms *out)
{
    command_reader_string_maybe(reader, FIELD("cursor"), 1, CURSOR_BYTES_MAX, &out->cursor);
    out->limit = command_reader_page(reader, PAGE_STANDARD);
}

void command_parse_read(struct command_reader *reader, struct command_read *out)
{
    if (!reader->body)
        command_reader_uuid(reader, FIELD("room"), &out->room);
    command_reader_int(reader, FIELD("seq"), 0, INT64_MAX, &out->seq);
}

void command_parse_typing(struct command_reader *reader, struct command_typing *out)
{
    command_reader_uuid(reader, FIELD("room"), &out->room);
}

void command_parse_refresh(struct command_reader *reader, struct command_refresh *out)
{
    command_reader_string(reader, FIELD("token"), 1, TOKEN_BYTES_MAX, &out->token);
}

void command_parse_login(struct command_reader *reader, struct command_login *out)
{
    command_reader_string(reader, FIELD("email"), 1, EMAIL_BYTES_MAX, &out->email);
    command_reader_string(reader, FIELD("password"), 1, PASSWORD_BYTES_MAX, &out->password);
}
