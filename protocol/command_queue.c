/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of the requests of moderators */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/command.h"
#include "protocol/command_parsers.h"
#include "protocol/command_reader.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum {
    REASON_BYTES_MAX = 64,
    NOTE_CODE_POINTS_MAX = 1000,
    NOTE_BYTES_MAX = NOTE_CODE_POINTS_MAX * 4,
    CURSOR_BYTES_MAX = 500,
    CASES_STANDARD = 50,
    CONTEXT_STANDARD = 10,
    CONTEXT_MAX = 50,
};

/* A reason code ("contact.phone"), which is sent to the message's author and counted in metrics. */
static void read_reason(struct command_reader *reader, const char **out)
{
    if (!command_reader_string_maybe(reader, FIELD("reason"), 1, REASON_BYTES_MAX, out))
        return;
    if (strspn(*out, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(*out))
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.reason");
}

/* What the operator wrote for other operators. */
static void read_note(struct command_reader *reader, const char **out)
{
    if (!command_reader_string_maybe(reader, FIELD("note"), 0, NOTE_BYTES_MAX, out))
        return;
    if (utf8_count(*out, strlen(*out)) > NOTE_CODE_POINTS_MAX)
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.note");
}

void command_parse_queue_watch(struct command_reader *reader, struct command_queue_watch *out)
{
    command_reader_string_maybe(reader, FIELD("cursor"), 1, CURSOR_BYTES_MAX, &out->cursor);
    out->limit = command_reader_page(reader, CASES_STANDARD);
}

void command_parse_queue_unwatch(struct command_reader *reader, struct command_queue_unwatch *out)
{
    /* no fields */
}

void command_parse_queue_claim(struct command_reader *reader, struct command_queue_claim *out)
{
    command_reader_uuid(reader, FIELD("mid"), &out->mid);
}

void command_parse_queue_release(struct command_reader *reader, struct command_queue_release *out)
{
    command_reader_uuid(reader, FIELD("mid"), &out->mid);
    command_reader_int(reader, FIELD("claim"), 1, INT64_MAX, &out->claim);
}

static void read_verdict(struct command_reader *reader, enum verdict *out)
{
    const char *verdict;

    if (!command_reader_string(reader, FIELD("verdict"), 1, REASON_BYTES_MAX, &verdict))
        return;
    if (strcmp(verdict, "block") == 0)
        *out = VERDICT_BLOCK;
    else if (strcmp(verdict, "deliver") == 0)
        *out = VERDICT_DELIVER;
    else
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.verdict");
}

static void read_decision(struct command_reader *reader, struct command_decision *out)
{
    int64_t version = 0;

    if (!reader->body)
        command_reader_uuid(reader, FIELD("mid"), &out->mid);
    command_reader_int_maybe(reader, FIELD("version"), 0, INT32_MAX, &version);
    out->version = (int32_t)version;
    read_verdict(reader, &out->verdict);
    read_reason(reader, &out->reason);
    read_note(reader, &out->note);
    command_reader_int_maybe(reader, FIELD("claim"), 1, INT64_MAX, &out->claim);
}

static bool is_decided(const struct command_decision *items, size_t count, const struct uuid *mid)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_equal(&items[i].mid, mid))
            return true;
    }
    return false;
}

/* "items": [{mid, verdict, ...}, ...]. Each is read by the fields of a single decision. */
static void read_items(struct command_reader *reader, json_t *array,
                       struct command_queue_decide *out)
{
    json_t *frame = reader->object, *item;
    size_t i;

    out->items = xcalloc(json_array_size(array), sizeof(*out->items));
    json_array_foreach(array, i, item)
    {
        if (!json_is_object(item))
            command_reader_fail(reader, ERROR_BAD_REQUEST, "field.items");
        reader->object = item;
        read_decision(reader, &out->items[i]);
        if (is_decided(out->items, i, &out->items[i].mid))
            command_reader_fail(reader, ERROR_BAD_REQUEST, "field.items");
    }
    out->count = json_array_size(array);
    reader->object = frame;
}

void command_parse_queue_decide(struct command_reader *reader, struct command_queue_decide *out)
{
    json_t *items = reader->body ? NULL : command_reader_get(reader, "items");

    if (reader->code != ERROR_NONE)
        return;
    if (!items) {
        out->items = xcalloc(1, sizeof(*out->items));
        out->count = 1;
        read_decision(reader, out->items);
        return;
    }
    out->many = true;
    if (json_array_size(items) == 0)
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.items");
    else if (json_array_size(items) > reader->limits->decisions)
        command_reader_fail(reader, ERROR_TOO_LARGE, "items.too_many");
    else
        read_items(reader, items, out);
}

void command_parse_queue_undo(struct command_reader *reader, struct command_queue_undo *out)
{
    command_reader_uuid(reader, FIELD("mid"), &out->mid);
    read_reason(reader, &out->reason);
    read_note(reader, &out->note);
}

void command_parse_queue_remove(struct command_reader *reader, struct command_queue_remove *out)
{
    command_reader_uuid(reader, FIELD("mid"), &out->mid);
    read_reason(reader, &out->reason);
    read_note(reader, &out->note);
}

void command_parse_queue_context(struct command_reader *reader, struct command_queue_context *out)
{
    int64_t before = CONTEXT_STANDARD, after = CONTEXT_STANDARD;

    command_reader_uuid(reader, FIELD("mid"), &out->mid);
    command_reader_int_maybe(reader, FIELD("before"), 0, CONTEXT_MAX, &before);
    command_reader_int_maybe(reader, FIELD("after"), 0, CONTEXT_MAX, &after);
    out->before = (int)before;
    out->after = (int)after;
}

void command_parse_queue_stats(struct command_reader *reader, struct command_queue_stats *out)
{
    /* no fields */
}
