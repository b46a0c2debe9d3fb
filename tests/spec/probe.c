/* SPDX-License-Identifier: Apache-2.0 */
/* Shows what the code does, for check.mjs to hold against the schemas
 *
 *   probe events      one line for each: the schema it must match, a space, the object
 *   probe commands    reads client frames, a line each, and prints "taken" or the error's reason
 *   probe names       the requests that a client frame may name as its `t`
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/event_queue.h"
#include "protocol/json_writer.h"

static struct json_writer writer;

static const struct command_limits limits = {
    .text_code_points = 4000, .rooms_per_sync = 200, .page = 100, .decisions = 100};

static struct uuid filled(unsigned char byte)
{
    struct uuid uuid;

    memset(uuid.bytes, byte, sizeof(uuid.bytes));
    return uuid;
}

static struct message message_of(enum message_status status)
{
    return (struct message){
        .id = filled(0x11),
        .room = filled(0xaa),
        .sender = filled(0x55),
        .cid = filled(0xcc),
        .has_cid = true,
        .status = status,
        .seq = status == MESSAGE_DELIVERED ? 42 : 0,
        .at_us = 1767323045678901,
        .text = "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
        .text_length = 12,
        .reason = status == MESSAGE_DELIVERED ? NULL : "contact.phone",
    };
}

static struct person person_of(void)
{
    return (struct person){filled(0x55), "teacher", "Anna", ""};
}

static struct room_info room_of(const struct message *last)
{
    return (struct room_info){
        .room = filled(0xaa),
        .teacher = filled(0x55),
        .student = filled(0x66),
        .peer = person_of(),
        .head = 42,
        .has_last_message_at = last != NULL,
        .last_message = last,
    };
}

/* Prints what was written, as an instance of this schema. */
static void show(const char *schema)
{
    printf("%s %s\n", schema, json_text(&writer));
    json_writer_reset(&writer);
}

static void show_session(void)
{
    struct uuid room = filled(0xaa), user = filled(0x55);
    struct person person = person_of();
    const struct welcome welcome = {
        .user = person,
        .session = filled(0xdd),
        .epoch = "7300000000000000000.1.0",
        .heartbeat_s = 25,
        .retry_base_ms = 500,
        .retry_cap_ms = 20000,
    };

    event_welcome(&writer, 1, &welcome);
    show("server/welcome.json");
    event_synced(&writer, 1, 0);
    show("server/synced.json");
    event_reset(&writer, &room, 0);
    show("server/reset.json");
    event_expiring(&writer, 60);
    show("server/expiring.json");
    event_refreshed(&writer, 7, 0);
    show("server/refreshed.json");
    event_typing(&writer, &room, &user);
    show("server/typing.json");
    event_presence(&writer, &user, false);
    show("server/presence.json");
    event_login(&writer, "x.y.z", 0, &person);
    show("rest/login.json");
}

static void show_message(struct message *message)
{
    event_ok(&writer, 4, message, false);
    show("server/ok.json");
    event_ok(&writer, EVENT_BODY, message, true);
    show("rest/sent.json");
    event_own(&writer, message);
    show("server/own.json");
    event_status(&writer, message);
    show("server/status.json");
}

static void show_messages(void)
{
    struct message pending = message_of(MESSAGE_PENDING), blocked = message_of(MESSAGE_BLOCKED);
    struct message delivered = message_of(MESSAGE_DELIVERED);

    show_message(&pending);
    blocked.has_cid = false;
    show_message(&blocked);
    show_message(&delivered);
    event_message(&writer, &delivered, true);
    show("server/message.json");
    delivered.delayed = true;
    event_message(&writer, &delivered, false);
    show("server/message.json");
    delivered.removed = true;
    event_message(&writer, &delivered, true);
    show("server/message.json");
    event_own(&writer, &delivered);
    show("server/own.json");
    event_removed(&writer, &delivered.room, 43, &delivered.id);
    show("server/removed.json");
}

static void show_rooms(void)
{
    struct message message = message_of(MESSAGE_DELIVERED);
    struct room_info empty = room_of(NULL), busy = room_of(&message);

    event_room(&writer, 3, &busy);
    show("server/room.json");
    event_room(&writer, EVENT_PUSH, &empty);
    show("server/room.json");
    event_room(&writer, EVENT_BODY, &busy);
    show("rest/room.json");
    event_room_closed(&writer, &empty.room);
    show("server/room_closed.json");
    event_rooms_begin(&writer, 6);
    event_rooms_item(&writer, 6, &empty);
    event_rooms_item(&writer, 6, &busy);
    event_rooms_end(&writer, "next");
    show("server/rooms.json");
    event_rooms_begin(&writer, EVENT_BODY);
    event_rooms_item(&writer, EVENT_BODY, &empty);
    event_rooms_end(&writer, NULL);
    show("rest/rooms.json");
    event_read(&writer, 8, &busy.room, &busy.teacher, 0);
    show("server/read.json");
    event_read(&writer, EVENT_PUSH, &busy.room, &busy.teacher, 42);
    show("server/read.json");
    event_read(&writer, EVENT_BODY, &busy.room, &busy.teacher, 42);
    show("rest/read.json");
}

static void show_history(void)
{
    struct message messages[] = {message_of(MESSAGE_DELIVERED), message_of(MESSAGE_DELIVERED),
                                 message_of(MESSAGE_DELIVERED)};
    const struct history_page page = {
        .room = filled(0xaa),
        .viewer = filled(0x55),
        .messages = messages,
        .count = 3,
        .bytes_limit = 65536,
    };

    messages[0].delayed = true;
    messages[1].removed = true;
    messages[2].sender = filled(0x66);
    event_history(&writer, 5, &page);
    show("server/history.json");
    event_history(&writer, EVENT_BODY, &page);
    show("rest/history.json");
}

static void show_errors(void)
{
    struct uuid by = filled(0x77);

    event_error(&writer, 4, ERROR_RATE_LIMITED, "messages", NULL, 1200);
    show("server/error.json");
    event_error(&writer, EVENT_PUSH, ERROR_BAD_REQUEST, "json.syntax", NULL, 0);
    show("server/error.json");
    event_already_decided(&writer, 4, MESSAGE_BLOCKED, &by);
    show("server/error.json");
    event_already_decided(&writer, EVENT_BODY, MESSAGE_DELIVERED, NULL);
    show("rest/error.json");
    for (enum error_code code = ERROR_BAD_REQUEST; code <= ERROR_UNAVAILABLE; code++) {
        event_error(&writer, EVENT_BODY, code, NULL, NULL, 0);
        show("rest/error.json");
    }
}

static void show_cases(void)
{
    const struct queue_claim claim = {filled(0x77), 0, 9}, foreign = {filled(0x77), 0, 0};
    struct queue_case item = {.mid = filled(0x11),
                              .room = filled(0xaa),
                              .sender = person_of(),
                              .text = "call",
                              .text_length = 4,
                              .version = 1};

    event_queue_added(&writer, &item);
    show("server/queue.added.json");
    event_queue_snapshot_begin(&writer, 2);
    event_queue_snapshot_case(&writer, &item);
    item.reason = "contact.phone";
    item.rules = "[\"phone_ru\"]";
    item.spans = "[[0,4]]";
    item.claim = &claim;
    event_queue_snapshot_case(&writer, &item);
    event_queue_snapshot_end(&writer, 2, 0, "next");
    show("server/queue.snapshot.json");
    event_queue_snapshot_begin(&writer, EVENT_BODY);
    event_queue_snapshot_case(&writer, &item);
    event_queue_snapshot_end(&writer, 1, 5, NULL);
    show("rest/queue.json");
    event_queue_unwatched(&writer, 2);
    show("server/queue.unwatched.json");
    event_queue_claimed(&writer, 3, &item.mid, &claim);
    show("server/queue.claimed.json");
    event_queue_claimed(&writer, EVENT_PUSH, &item.mid, &foreign);
    show("server/queue.claimed.json");
    event_queue_released(&writer, 4, &item.mid);
    show("server/queue.released.json");
}

static void show_verdicts(void)
{
    struct message message = message_of(MESSAGE_DELIVERED);
    struct uuid by = filled(0x77);
    const struct queue_result results[] = {
        {.mid = message.id, .status = MESSAGE_DELIVERED, .seq = 42, .version = 2},
        {.mid = message.id, .status = MESSAGE_BLOCKED, .version = 2},
        {.mid = message.id, .error = ERROR_ALREADY_DECIDED, .has_by = true, .by = by},
        {.mid = message.id, .error = ERROR_FORBIDDEN, .error_reason = "own_room"},
    };

    event_queue_results_begin(&writer, 5);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        event_queue_result(&writer, &results[i]);
    event_queue_results_end(&writer);
    show("server/queue.results.json");
    event_queue_result(&writer, &results[0]);
    show("rest/verdict.json");
    event_queue_decided(&writer, &message.id, MESSAGE_BLOCKED, &by, "spam");
    show("server/queue.decided.json");
    event_queue_decided(&writer, &message.id, MESSAGE_DELIVERED, &by, NULL);
    show("server/queue.decided.json");
    event_queue_undone(&writer, 6, &message, 3, &by);
    show("server/queue.undone.json");
    message.removed = true;
    event_queue_undone(&writer, EVENT_PUSH, &message, 3, &by);
    show("server/queue.undone.json");
    event_queue_removed(&writer, 7, &message.id);
    show("server/queue.removed.json");
}

static void show_overviews(void)
{
    struct message pending = message_of(MESSAGE_PENDING), removed = message_of(MESSAGE_DELIVERED);
    const struct queue_context_message messages[] = {{&removed, false, true},
                                                     {&pending, true, false}};
    const struct queue_record record = {.user = person_of()};
    const struct queue_group groups[] = {{"some", {1, 2, 3, 4, 500, 9000}},
                                         {NULL, {0, 0, 0, 0, -1, -1}}};
    const struct queue_stats stats = {
        .operators = groups,
        .operator_count = 2,
        .reasons = groups,
        .reason_count = 2,
        .rules = groups,
        .rule_count = 2,
    };

    removed.removed = true;
    event_queue_context(&writer, 8, &pending.id, &pending.room, messages, 2, &record);
    show("server/queue.context.json");
    event_queue_stats(&writer, 9, &stats);
    show("server/queue.stats.json");
}

static int show_events(void)
{
    show_session();
    show_messages();
    show_rooms();
    show_history();
    show_errors();
    show_cases();
    show_verdicts();
    show_overviews();
    json_writer_deinit(&writer);
    return EX_OK;
}

static int judge_commands(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    while ((length = getline(&line, &capacity, stdin)) > 0) {
        struct command command;
        struct command_error error;

        if (line[length - 1] == '\n')
            length--;
        if (command_parse(&command, line, (size_t)length, &limits, &error) == 0) {
            command_deinit(&command);
            puts("taken");
        } else {
            puts(error.reason);
        }
    }
    free(line);
    return EX_OK;
}

static int show_names(void)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (i != COMMAND_LOGIN)
            puts(command_name((enum command_type)i));
    }
    return EX_OK;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "events") == 0)
        return show_events();
    if (argc == 2 && strcmp(argv[1], "commands") == 0)
        return judge_commands();
    if (argc == 2 && strcmp(argv[1], "names") == 0)
        return show_names();
    return EX_USAGE;
}
