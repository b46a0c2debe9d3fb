/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/event.h: the exact text of every object, which is the protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/event.h"
#include "protocol/json_writer.h"

#define ROOM   "\"room\":\"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\""
#define MID    "\"mid\":\"11111111-1111-1111-1111-111111111111\""
#define CID    "\"cid\":\"cccccccc-cccc-cccc-cccc-cccccccccccc\""
#define SENDER "55555555-5555-5555-5555-555555555555"
#define AT     "\"at\":\"2026-01-02T03:04:05.678Z\""
#define PERSON                                                                                     \
    "{\"id\":\"" SENDER "\",\"role\":\"teacher\",\"first_name\":\"Anna\",\"last_name\":\"P\"}"

static const int64_t at_us = INT64_C(1767323045678901);

static struct json_writer writer;

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
        .at_us = at_us,
        .text = "hi",
        .text_length = 2,
        .reason = status == MESSAGE_DELIVERED ? NULL : "contact.phone",
    };
}

static struct person person_of(void)
{
    return (struct person){filled(0x55), "teacher", "Anna", "P"};
}

/* Compares what was written since the last call. */
static void check(const char *expected)
{
    assert_string_equal(json_text(&writer), expected);
    json_writer_reset(&writer);
}

static void test_welcome(void **state)
{
    const struct welcome welcome = {
        .user = person_of(),
        .session = filled(0xdd),
        .epoch = "1",
        .heartbeat_s = 25,
        .expires_at_us = at_us,
        .limits = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
        .retry_base_ms = 500,
        .retry_cap_ms = 20000,
    };

    event_welcome(&writer, 1, &welcome);
    check("{\"t\":\"welcome\",\"re\":1,\"user\":" PERSON
          ",\"session\":\"dddddddd-dddd-dddd-dddd-dddddddddddd\",\"epoch\":\"1\","
          "\"heartbeat_s\":25,\"expires_at\":\"2026-01-02T03:04:05.678Z\","
          "\"limits\":{\"frame_bytes\":1,\"text_code_points\":2,\"messages_per_s\":3,"
          "\"message_burst\":4,\"requests_per_s\":5,\"opens_per_minute\":6,"
          "\"connections_per_user\":7,\"history_page\":8,\"rooms_per_sync\":9,\"decisions\":10,"
          "\"outbound_bytes\":11},\"retry\":{\"base_ms\":500,\"cap_ms\":20000}}");
}

static void test_ok(void **state)
{
    struct message message = message_of(MESSAGE_DELIVERED);

    event_ok(&writer, 4, &message, false);
    check("{\"t\":\"ok\",\"re\":4," MID "," CID ",\"status\":\"delivered\",\"seq\":42," AT
          ",\"dup\":false}");
    message = message_of(MESSAGE_PENDING);
    event_ok(&writer, EVENT_BODY, &message, true);
    check("{" MID "," CID ",\"status\":\"pending_moderation\",\"reason\":\"contact.phone\"," AT
          ",\"dup\":true}");
}

static void test_message(void **state)
{
    struct message message = message_of(MESSAGE_DELIVERED);

    event_message(&writer, &message, false);
    check("{\"t\":\"message\"," ROOM ",\"seq\":42," MID ",\"from\":\"" SENDER
          "\",\"text\":\"hi\"," AT "}");
    message.delayed = true;
    event_message(&writer, &message, true);
    check("{\"t\":\"message\"," ROOM ",\"seq\":42," MID ",\"from\":\"" SENDER
          "\",\"text\":\"hi\"," AT ",\"delayed\":true," CID "}");
    message.has_cid = false;
    message.delayed = false;
    event_message(&writer, &message, true);
    check("{\"t\":\"message\"," ROOM ",\"seq\":42," MID ",\"from\":\"" SENDER
          "\",\"text\":\"hi\"," AT "}");
}

/* Removed is removed, even if the caller still holds the text. */
static void test_removed_message(void **state)
{
    struct message message = message_of(MESSAGE_DELIVERED);

    message.removed = true;
    event_message(&writer, &message, true);
    check("{\"t\":\"message\"," ROOM ",\"seq\":42," MID ",\"removed\":true}");
    event_removed(&writer, &message.room, 43, &message.id);
    check("{\"t\":\"removed\"," ROOM ",\"seq\":43," MID "}");
}

static void test_own_and_status(void **state)
{
    struct message message = message_of(MESSAGE_PENDING);

    event_own(&writer, &message);
    check("{\"t\":\"own\"," ROOM "," MID "," CID ",\"text\":\"hi\"," AT
          ",\"status\":\"pending_moderation\",\"reason\":\"contact.phone\"}");
    message.reason = NULL;
    message.has_cid = false;
    event_own(&writer, &message);
    check("{\"t\":\"own\"," ROOM "," MID ",\"text\":\"hi\"," AT
          ",\"status\":\"pending_moderation\"}");
    message = message_of(MESSAGE_DELIVERED);
    message.removed = true;
    event_own(&writer, &message);
    check("{\"t\":\"own\"," ROOM "," MID "," CID ",\"removed\":true," AT
          ",\"status\":\"delivered\",\"seq\":42}");
    message = message_of(MESSAGE_BLOCKED);
    event_status(&writer, &message);
    check("{\"t\":\"status\"," ROOM "," MID "," CID
          ",\"status\":\"blocked\",\"reason\":\"contact.phone\"}");
    message = message_of(MESSAGE_DELIVERED);
    event_status(&writer, &message);
    check("{\"t\":\"status\"," ROOM "," MID "," CID ",\"status\":\"delivered\",\"seq\":42}");
}

#define ROOM_MEMBERS                                                                               \
    ROOM ",\"teacher_id\":\"" SENDER "\",\"student_id\":\"66666666-6666-6666-6666-666666666666\"," \
         "\"peer\":" PERSON ",\"head\":42,\"unread\":2,\"read\":40,\"peer_read\":42,"              \
         "\"online\":true,\"created_at\":\"2026-01-02T03:04:05.678Z\",\"last_message_at\":"
#define QUIET_ROOM ROOM_MEMBERS "null,\"last_message\":null"

static struct room_info room_of(void)
{
    return (struct room_info){
        .room = filled(0xaa),
        .teacher = filled(0x55),
        .student = filled(0x66),
        .peer = person_of(),
        .head = 42,
        .unread = 2,
        .read = 40,
        .peer_read = 42,
        .online = true,
        .created_at_us = at_us,
    };
}

static void test_room(void **state)
{
    struct message message = message_of(MESSAGE_DELIVERED);
    struct room_info room = room_of();

    event_room(&writer, EVENT_PUSH, &room);
    check("{\"t\":\"room\"," QUIET_ROOM "}");
    event_room(&writer, EVENT_BODY, &room);
    check("{\"id\":\"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\"," QUIET_ROOM "}");

    room.has_last_message_at = true;
    room.last_message_at_us = 0;
    room.last_message = &message;
    event_room(&writer, 3, &room);
    check("{\"t\":\"room\",\"re\":3," ROOM_MEMBERS
          "\"1970-01-01T00:00:00.000Z\",\"last_message\":{\"seq\":42," MID ",\"from\":\"" SENDER
          "\",\"text\":\"hi\"," AT "}}");
    event_room_closed(&writer, &room.room);
    check("{\"t\":\"room_closed\"," ROOM "}");
}

static void test_rooms(void **state)
{
    struct room_info room = room_of();

    event_rooms_begin(&writer, 6);
    event_rooms_end(&writer, NULL);
    check("{\"t\":\"rooms\",\"re\":6,\"rooms\":[],\"cursor\":null}");
    event_rooms_begin(&writer, EVENT_BODY);
    event_rooms_item(&writer, EVENT_BODY, &room);
    event_rooms_end(&writer, "x");
    check("{\"rooms\":[{\"id\":\"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\"," QUIET_ROOM
          "}],\"cursor\":\"x\"}");
    event_rooms_begin(&writer, 6);
    event_rooms_item(&writer, 6, &room);
    event_rooms_item(&writer, 6, &room);
    event_rooms_end(&writer, NULL);
    check("{\"t\":\"rooms\",\"re\":6,\"rooms\":[{" QUIET_ROOM "},{" QUIET_ROOM
          "}],\"cursor\":null}");
}

static void test_history(void **state)
{
    struct message messages[] = {message_of(MESSAGE_DELIVERED), message_of(MESSAGE_DELIVERED)};
    struct history_page page = {
        .room = filled(0xaa), .viewer = filled(0x66), .messages = messages, .bytes_limit = 65536};

    event_history(&writer, 5, &page);
    check("{\"t\":\"history\",\"re\":5," ROOM ",\"messages\":[],\"more\":false}");

    page.count = 2;
    page.more = true;
    messages[0].sender = filled(0x66);
    messages[0].seq = 41;
    messages[1].removed = true;
    event_history(&writer, EVENT_BODY, &page);
    check("{" ROOM ",\"messages\":[{\"seq\":41," MID
          ",\"from\":\"66666666-6666-6666-6666-666666666666\",\"text\":\"hi\"," AT "," CID
          "},{\"seq\":42," MID ",\"removed\":true}],\"more\":true}");
}

/* A page of ten long messages, cut to the limit from the end that does not matter. */
static void test_history_is_cut(void **state)
{
    static char text[16000];
    struct message messages[10];
    struct history_page page = {
        .room = filled(0xaa), .messages = messages, .count = 10, .bytes_limit = 65536};

    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 10; i++) {
        messages[i] = message_of(MESSAGE_DELIVERED);
        messages[i].seq = 100 + i;
        messages[i].text = text;
        messages[i].text_length = sizeof(text);
    }
    event_history(&writer, 5, &page);
    assert_in_range(json_length(&writer), 50000, 65536);
    assert_non_null(strstr(json_text(&writer), "\"messages\":[{\"seq\":100,"));
    assert_non_null(strstr(json_text(&writer), "{\"seq\":103,"));
    assert_null(strstr(json_text(&writer), "{\"seq\":104,"));
    assert_non_null(strstr(json_text(&writer), "\"more\":true}"));
    json_writer_reset(&writer);

    page.backward = true;
    event_history(&writer, 5, &page);
    assert_non_null(strstr(json_text(&writer), "\"messages\":[{\"seq\":106,"));
    assert_non_null(strstr(json_text(&writer), "{\"seq\":109,"));
    json_writer_reset(&writer);

    page.bytes_limit = 1;
    event_history(&writer, 5, &page);
    assert_non_null(strstr(json_text(&writer), "\"messages\":[{\"seq\":109,"));
    json_writer_reset(&writer);
}

/* The estimate that cuts pages must never be below the truth. */
static void test_history_estimate(void **state)
{
    static char text[1000];
    struct message message = message_of(MESSAGE_DELIVERED);
    struct history_page page = {.viewer = message.sender, .messages = &message, .count = 1};

    memset(text, '\x01', sizeof(text));
    message.text = text;
    message.text_length = sizeof(text);
    message.seq = INT64_MAX;
    message.delayed = true;
    event_history(&writer, EVENT_BODY, &page);
    assert_in_range(json_length(&writer), 6000, 6000 + 256 + 80);
    json_writer_reset(&writer);
}

static void test_the_rest(void **state)
{
    struct uuid room = filled(0xaa), user = filled(0x55);
    struct person person = person_of();

    event_reset(&writer, &room, 9000);
    check("{\"t\":\"reset\"," ROOM ",\"head\":9000}");
    event_synced(&writer, 1, at_us);
    check("{\"t\":\"synced\",\"re\":1,\"own_since\":\"2026-01-02T03:04:05.678Z\"}");
    event_read(&writer, EVENT_PUSH, &room, &user, 42);
    check("{\"t\":\"read\"," ROOM ",\"user\":\"" SENDER "\",\"seq\":42}");
    event_read(&writer, EVENT_BODY, &room, &user, 42);
    check("{" ROOM ",\"user\":\"" SENDER "\",\"seq\":42}");
    event_typing(&writer, &room, &user);
    check("{\"t\":\"typing\"," ROOM ",\"user\":\"" SENDER "\"}");
    event_presence(&writer, &user, true);
    check("{\"t\":\"presence\",\"user\":\"" SENDER "\",\"online\":true}");
    event_expiring(&writer, 60);
    check("{\"t\":\"expiring\",\"in_s\":60}");
    event_refreshed(&writer, 7, at_us);
    check("{\"t\":\"refreshed\",\"re\":7,\"expires_at\":\"2026-01-02T03:04:05.678Z\"}");
    event_login(&writer, "x.y.z", at_us, &person);
    check("{\"token\":\"x.y.z\",\"expires_at\":\"2026-01-02T03:04:05.678Z\",\"user\":" PERSON "}");
}

static void test_errors(void **state)
{
    struct uuid by = filled(0x55);

    event_error(&writer, 4, ERROR_RATE_LIMITED, "messages", "Slow down.", 1200);
    check("{\"t\":\"error\",\"re\":4,\"code\":\"rate_limited\",\"reason\":\"messages\","
          "\"message\":\"Slow down.\",\"retry_after_ms\":1200}");
    event_error(&writer, EVENT_PUSH, ERROR_BAD_REQUEST, NULL, NULL, 0);
    check("{\"t\":\"error\",\"code\":\"bad_request\",\"message\":\"The request is malformed.\"}");
    event_error(&writer, EVENT_BODY, ERROR_FORBIDDEN, "no_lesson", NULL, 0);
    check("{\"error\":{\"code\":\"forbidden\",\"reason\":\"no_lesson\","
          "\"message\":\"You may not do this.\"}}");
    event_already_decided(&writer, 4, MESSAGE_BLOCKED, &by);
    check("{\"t\":\"error\",\"re\":4,\"code\":\"already_decided\","
          "\"message\":\"Somebody decided this message before.\",\"status\":\"blocked\","
          "\"by\":\"" SENDER "\"}");
    event_already_decided(&writer, EVENT_BODY, MESSAGE_DELIVERED, NULL);
    check("{\"error\":{\"code\":\"already_decided\","
          "\"message\":\"Somebody decided this message before.\",\"status\":\"delivered\"}}");
}

static int free_writer(void **state)
{
    json_writer_deinit(&writer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_welcome),        cmocka_unit_test(test_ok),
        cmocka_unit_test(test_message),        cmocka_unit_test(test_removed_message),
        cmocka_unit_test(test_own_and_status), cmocka_unit_test(test_room),
        cmocka_unit_test(test_rooms),          cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_is_cut), cmocka_unit_test(test_history_estimate),
        cmocka_unit_test(test_the_rest),       cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, free_writer);
}
