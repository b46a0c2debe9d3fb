/* SPDX-License-Identifier: Apache-2.0 */
/* Client frames and REST bodies, parsed and checked
 *
 * The way of a frame: plain_send takes a good `send` of the usual shape, which most frames are. Of
 * the others json_input refuses what is no bounded JSON object, then the id is read before anything
 * else (so that an error can name the request it answers), then `t` picks a parser from the command
 * table, and the parser lists its fields on a command_reader, which keeps the first fault. The
 * parsers are in command_member.c (everybody's) and command_queue.c (moderators').
 *
 * A command owns the JSON tree, if there is one, and borrows its strings from it.
 */
#include "protocol/command.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/command_parsers.h"
#include "protocol/command_reader.h"
#include "protocol/json_input.h"
#include "protocol/plain_send.h"

enum {
    MEMBERS_BASE = 64,        /* of a frame without lists, with room for unknown fields */
    MEMBERS_PER_DECISION = 8, /* an item of queue.decide */
};

enum id_rule { ID_REQUIRED, ID_OPTIONAL, ID_ABSENT };
enum who { WHO_ANYONE, WHO_STAFF };

typedef void (*parse_fn)(struct command_reader *reader, struct command *out);

/* Adapters of one type for the table. */
#define COMMAND_ROW(NAME, member, wire, id, who)                                                   \
    static void parse_##member(struct command_reader *reader, struct command *out)                 \
    {                                                                                              \
        command_parse_##member(reader, &out->member);                                              \
    }
#include "protocol/command_table.h"
#undef COMMAND_ROW

static const struct {
    const char *name;
    enum id_rule id;
    enum who who;
    parse_fn parse;
} commands[] = {
#define COMMAND_ROW(NAME, member, wire, id, who) {wire, ID_##id, WHO_##who, parse_##member},
#include "protocol/command_table.h"
#undef COMMAND_ROW
};

const char *command_name(enum command_type type)
{
    return commands[type].name;
}

bool command_staff_only(enum command_type type)
{
    return commands[type].who == WHO_STAFF;
}

const char *verdict_name(enum verdict verdict)
{
    return verdict == VERDICT_DELIVER ? "deliver" : "block";
}

static size_t members_max(const struct command_limits *limits)
{
    return MEMBERS_BASE + limits->rooms_per_sync + limits->decisions * MEMBERS_PER_DECISION;
}

/* The id where there is a usable one; 0 otherwise, with the fault left in the reader. */
static int64_t read_id(struct command_reader *reader)
{
    int64_t id = 0;

    command_reader_int_maybe(reader, FIELD("id"), 1, INT64_MAX, &id);
    return id;
}

static bool read_type(struct command_reader *reader, enum command_type *type)
{
    const char *name = json_string_value(command_reader_get(reader, "t"));

    if (!name)
        return command_reader_fail(reader, ERROR_BAD_REQUEST, "field.t");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].id != ID_ABSENT && strcmp(commands[i].name, name) == 0) {
            *type = (enum command_type)i;
            return true;
        }
    }
    return command_reader_fail(reader, ERROR_BAD_REQUEST, "t.unknown");
}

static void read_frame(struct command_reader *reader, struct command *out)
{
    out->id = read_id(reader);
    if (!read_type(reader, &out->type))
        return;
    if (commands[out->type].id == ID_REQUIRED && out->id == 0)
        command_reader_fail(reader, ERROR_BAD_REQUEST, "field.id");
    commands[out->type].parse(reader, out);
}

/* The common end: a command as parsed, or its error and nothing to free. */
static int finish(const struct command_reader *reader, struct command *out,
                  struct command_error *error)
{
    *error = (struct command_error){reader->code, reader->reason, out->id};
    if (reader->code != ERROR_NONE)
        command_deinit(out);
    return (int)reader->code;
}

int command_parse(struct command *out, const char *text, size_t bytes,
                  const struct command_limits *limits, struct command_error *error)
{
    struct command_reader reader = {.limits = limits};

    *out = (struct command){0};
    if (plain_send_parse(out, text, bytes, limits))
        return finish(&reader, out, error);
    out->root = json_input_parse(text, bytes, members_max(limits), &reader.reason);
    reader.object = out->root;
    if (out->root)
        read_frame(&reader, out);
    else
        reader.code = ERROR_BAD_REQUEST;
    return finish(&reader, out, error);
}

int command_parse_body(struct command *out, enum command_type type, const char *text, size_t bytes,
                       const struct command_limits *limits, struct command_error *error)
{
    struct command_reader reader = {.limits = limits, .body = true};

    *out = (struct command){.type = type};
    out->root = json_input_parse(text, bytes, members_max(limits), &reader.reason);
    reader.object = out->root;
    if (out->root)
        commands[type].parse(&reader, out);
    else
        reader.code = ERROR_BAD_REQUEST;
    return finish(&reader, out, error);
}

/* Lists that the parsers allocated; strings live in the tree. */
static void free_lists(struct command *command)
{
    if (command->type == COMMAND_HELLO)
        free(command->hello.rooms);
    else if (command->type == COMMAND_SYNC)
        free(command->sync.rooms);
    else if (command->type == COMMAND_QUEUE_DECIDE)
        free(command->queue_decide.items);
}

void command_deinit(struct command *command)
{
    free_lists(command);
    json_decref(command->root);
    free(command->text);
    *command = (struct command){0};
}
