/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes command_parse() and command_parse_body(): what is taken must keep every promise of
 * command.h */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "protocol/command.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const struct command_limits limits = {
    .text_code_points = 40, .rooms_per_sync = 4, .page = 100, .decisions = 4};

static const enum command_type bodies[] = {COMMAND_OPEN, COMMAND_SEND, COMMAND_READ,
                                           COMMAND_QUEUE_DECIDE, COMMAND_LOGIN};

/* What the server writes of a client's text, another parser must read as the same text. */
static void check_text(const char *text, size_t bytes)
{
    struct json_writer writer = JSON_WRITER_INIT;

    assert(utf8_valid(text, bytes));
    json_put_string(&writer, text, bytes);
    assert(json_length(&writer) == json_string_bytes(text, bytes));

    json_t *read = json_loadb(json_text(&writer), json_length(&writer), JSON_DECODE_ANY, NULL);

    assert(read && json_string_length(read) == bytes);
    assert(memcmp(json_string_value(read), text, bytes) == 0);
    json_decref(read);
    json_writer_deinit(&writer);
}

static void check_rooms(const struct command_room *rooms, size_t count)
{
    assert(count <= limits.rooms_per_sync);
    for (size_t i = 0; i < count; i++) {
        assert(rooms[i].after >= 0);
        assert(i == 0 || uuid_compare(&rooms[i - 1].room, &rooms[i].room) < 0);
    }
}

static void check_decisions(const struct command_queue_decide *decide)
{
    assert(decide->count >= 1 && decide->count <= limits.decisions);
    for (size_t i = 0; i < decide->count; i++) {
        const struct command_decision *item = &decide->items[i];

        assert(item->version >= 0 && item->claim >= 0);
        if (item->note)
            check_text(item->note, strlen(item->note));
    }
}

static void check_command(const struct command *command)
{
    assert(command->id >= 0);
    if (command->type == COMMAND_HELLO)
        check_rooms(command->hello.rooms, command->hello.room_count);
    if (command->type == COMMAND_SYNC)
        check_rooms(command->sync.rooms, command->sync.room_count);
    if (command->type == COMMAND_QUEUE_DECIDE)
        check_decisions(&command->queue_decide);
    if (command->type == COMMAND_HISTORY)
        assert(command->history.limit >= 1 && command->history.limit <= (int)limits.page);
    if (command->type == COMMAND_SEND) {
        check_text(command->send.text, command->send.text_length);
        assert(!utf8_blank(command->send.text, command->send.text_length));
        assert(utf8_count(command->send.text, command->send.text_length) <=
               limits.text_code_points);
    }
}

/* A `send` that was taken without a tree. With a member more, which means nothing, the general
 * parser must take it, and understand the same. */
static void check_plain_send(const struct command *quick, const char *text, size_t bytes)
{
    static const char extra[] = "\"zz\":0,";
    char longer[4096];
    size_t head = (size_t)((const char *)memchr(text, '{', bytes) - text) + 1;
    struct command general;
    struct command_error error;

    if (bytes + sizeof(extra) > sizeof(longer))
        return;
    memcpy(longer, text, head);
    memcpy(longer + head, extra, sizeof(extra) - 1);
    memcpy(longer + head + sizeof(extra) - 1, text + head, bytes - head);
    assert(command_parse(&general, longer, bytes + sizeof(extra) - 1, &limits, &error) == 0);
    assert(general.root && general.type == quick->type && general.id == quick->id);
    assert(uuid_equal(&general.send.room, &quick->send.room));
    assert(uuid_equal(&general.send.cid, &quick->send.cid));
    assert(general.send.text_length == quick->send.text_length);
    assert(strcmp(general.send.text, quick->send.text) == 0);
    command_deinit(&general);
}

/* The first byte says how the rest is read: as a frame, or as one of the bodies. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const size_t body_count = sizeof(bodies) / sizeof(bodies[0]);
    struct command command;
    struct command_error error;
    int code;

    if (bytes == 0)
        return 0;

    const char *text = (const char *)data + 1;
    size_t mode = data[0] % (body_count + 1);

    if (mode == body_count)
        code = command_parse(&command, text, bytes - 1, &limits, &error);
    else
        code = command_parse_body(&command, bodies[mode], text, bytes - 1, &limits, &error);
    assert(code == (int)error.code);
    if (code != 0) {
        assert(code > 0 && error.reason && error.id >= 0);
        return 0;
    }
    check_command(&command);
    if (!command.root)
        check_plain_send(&command, text, bytes - 1);
    command_deinit(&command);
    return 0;
}
