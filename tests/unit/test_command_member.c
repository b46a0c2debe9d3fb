/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/command_member.c: the requests that every member may make */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/command.h"

#define A   "\"aaaaaaaa-0000-4000-8000-000000000001\""
#define B   "\"bbbbbbbb-0000-4000-8000-000000000002\""
#define CID "\"7a0d4d1e-1111-4222-8333-444455556666\""

static const struct command_limits limits = {
    .text_code_points = 10, .rooms_per_sync = 3, .page = 100, .decisions = 3};

static struct command parse(const char *text)
{
    struct command command;
    struct command_error error;

    if (command_parse(&command, text, strlen(text), &limits, &error) != 0)
        fail_msg("%s: %s", text, error.reason);
    assert_int_equal(command.id, 1);
    return command;
}

static void test_hello(void **state)
{
    struct command command =
        parse("{\"t\":\"hello\",\"id\":1,\"token\":\"x.y.z\",\"device\":\"phone\",\"epoch\":\"e\","
              "\"rooms\":{" B ":0," A ":41},\"own_since\":\"1970-01-01T00:00:02.5Z\","
              "\"caps\":[\"zip\",\"batch\"]}");

    assert_int_equal(command.type, COMMAND_HELLO);
    assert_string_equal(command.hello.token, "x.y.z");
    assert_string_equal(command.hello.device, "phone");
    assert_string_equal(command.hello.epoch, "e");
    assert_int_equal(command.hello.room_count, 2);
    assert_int_equal(command.hello.rooms[0].room.bytes[0], 0xaa);
    assert_int_equal(command.hello.rooms[0].after, 41);
    assert_int_equal(command.hello.rooms[1].after, 0);
    assert_true(command.hello.has_own_since);
    assert_int_equal(command.hello.own_since_us, 2500000);
    assert_true(command.hello.batch);
    command_deinit(&command);
}

static void test_short_hello(void **state)
{
    struct command command =
        parse("{\"t\":\"hello\",\"id\":1,\"token\":null,\"rooms\":{},\"caps\":[]}");

    assert_null(command.hello.token);
    assert_null(command.hello.epoch);
    assert_int_equal(command.hello.room_count, 0);
    assert_false(command.hello.has_own_since);
    assert_false(command.hello.batch);
    command_deinit(&command);
}

static void test_rooms_and_history(void **state)
{
    struct command command =
        parse("{\"t\":\"sync\",\"id\":1,\"rooms\":{" A ":9223372036854775807}}");

    assert_int_equal(command.sync.rooms[0].after, INT64_MAX);
    command_deinit(&command);

    command = parse("{\"t\":\"history\",\"id\":1,\"room\":" A ",\"before\":42,\"limit\":7}");
    assert_true(command.history.has_before);
    assert_false(command.history.has_after);
    assert_int_equal(command.history.before, 42);
    assert_int_equal(command.history.limit, 7);
    command_deinit(&command);

    command = parse("{\"t\":\"history\",\"id\":1,\"room\":" A ",\"after\":0,\"limit\":100000}");
    assert_true(command.history.has_after);
    assert_int_equal(command.history.limit, 100);
    command_deinit(&command);

    command = parse("{\"t\":\"rooms\",\"id\":1,\"cursor\":null}");
    assert_null(command.rooms.cursor);
    assert_int_equal(command.rooms.limit, 50);
    command_deinit(&command);

    command = parse("{\"t\":\"rooms\",\"id\":1,\"cursor\":\"abc\",\"limit\":1}");
    assert_string_equal(command.rooms.cursor, "abc");
    assert_int_equal(command.rooms.limit, 1);
    command_deinit(&command);
}

static void test_the_rest(void **state)
{
    struct command command = parse("{\"t\":\"open\",\"id\":1,\"with\":" B "}");

    assert_int_equal(command.open.with.bytes[0], 0xbb);
    command_deinit(&command);
    command = parse("{\"t\":\"read\",\"id\":1,\"room\":" A ",\"seq\":42}");
    assert_int_equal(command.read.seq, 42);
    command_deinit(&command);
    command = parse("{\"t\":\"typing\",\"id\":1,\"room\":" A "}");
    assert_int_equal(command.typing.room.bytes[0], 0xaa);
    command_deinit(&command);
    command = parse("{\"t\":\"refresh\",\"id\":1,\"token\":\"x\"}");
    assert_string_equal(command.refresh.token, "x");
    command_deinit(&command);
}

static struct command sent(const char *text)
{
    char frame[500];

    snprintf(frame, sizeof(frame),
             "{\"t\":\"send\",\"id\":1,\"room\":" A ",\"cid\":" CID ",\"text\":\"%s\"}", text);
    return parse(frame);
}

/* Text arrives as it was written: nothing is trimmed, folded or dropped on the way. */
static void test_texts(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"hi", "hi"},
        {" hi\\n", " hi\n"},
        {"\\uffff", "\xef\xbf\xbf"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"0123456789", "0123456789"},
        {"\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f",
         "\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f"},
        {"%s'; DROP", "%s'; DROP"},
        {"\\u202ea", "\xe2\x80\xae"
                     "a"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct command command = sent(cases[i].json);

        assert_string_equal(command.send.text, cases[i].text);
        assert_int_equal(command.send.text_length, strlen(cases[i].text));
        assert_int_equal(command.send.cid.bytes[0], 0x7a);
        command_deinit(&command);
    }
}

#define SEND(text) "{\"t\":\"send\",\"id\":1,\"room\":" A ",\"cid\":" CID ",\"text\":" text "}"

static const struct {
    const char *text;
    enum error_code code;
    const char *reason;
} bad_frames[] = {
    {"{\"t\":\"hello\",\"id\":1,\"token\":5}", ERROR_BAD_REQUEST, "field.token"},
    {"{\"t\":\"hello\",\"id\":1,\"token\":\"\"}", ERROR_BAD_REQUEST, "field.token"},
    {"{\"t\":\"hello\",\"id\":1,\"device\":{}}", ERROR_BAD_REQUEST, "field.device"},
    {"{\"t\":\"hello\",\"id\":1,\"epoch\":1}", ERROR_BAD_REQUEST, "field.epoch"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":[]}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{\"x\":1}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{" A ":-1}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{" A ":\"1\"}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{" A ":1.0}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{" A ":null}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{" A ":1,\"AAAAAAAA-0000-4000-8000-000000000001\":2}}",
     ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"hello\",\"id\":1,\"rooms\":{\"1\":1,\"2\":2,\"3\":3,\"4\":4}}", ERROR_TOO_LARGE,
     "rooms.too_many"},
    {"{\"t\":\"hello\",\"id\":1,\"own_since\":5}", ERROR_BAD_REQUEST, "field.own_since"},
    {"{\"t\":\"hello\",\"id\":1,\"own_since\":\"yesterday\"}", ERROR_BAD_REQUEST,
     "field.own_since"},
    {"{\"t\":\"hello\",\"id\":1,\"caps\":\"batch\"}", ERROR_BAD_REQUEST, "field.caps"},
    {"{\"t\":\"hello\",\"id\":1,\"caps\":[1]}", ERROR_BAD_REQUEST, "field.caps"},
    {"{\"t\":\"sync\",\"id\":1}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"sync\",\"id\":1,\"rooms\":{}}", ERROR_BAD_REQUEST, "field.rooms"},
    {"{\"t\":\"open\",\"id\":1}", ERROR_BAD_REQUEST, "field.with"},
    {"{\"t\":\"open\",\"id\":1,\"with\":\"\"}", ERROR_BAD_REQUEST, "field.with"},
    {"{\"t\":\"open\",\"id\":1,\"other_user_id\":" A "}", ERROR_BAD_REQUEST, "field.with"},
    {"{\"t\":\"send\",\"id\":1,\"cid\":" CID ",\"text\":\"a\"}", ERROR_BAD_REQUEST, "field.room"},
    {"{\"t\":\"send\",\"id\":1,\"room\":" A ",\"text\":\"a\"}", ERROR_BAD_REQUEST, "field.cid"},
    {"{\"t\":\"send\",\"id\":1,\"room\":" A ",\"cid\":\"1\",\"text\":\"a\"}", ERROR_BAD_REQUEST,
     "field.cid"},
    {"{\"t\":\"send\",\"id\":1,\"room\":" A ",\"cid\":" CID "}", ERROR_BAD_REQUEST, "field.text"},
    {SEND("null"), ERROR_BAD_REQUEST, "field.text"},
    {SEND("5"), ERROR_BAD_REQUEST, "field.text"},
    {SEND("[\"a\"]"), ERROR_BAD_REQUEST, "field.text"},
    {SEND("\"\""), ERROR_BAD_REQUEST, "text.empty"},
    {SEND("\" \\n\\t \""), ERROR_BAD_REQUEST, "text.empty"},
    {SEND("\"\\u200b\\ufeff\\u3164\""), ERROR_BAD_REQUEST, "text.empty"},
    {SEND("\"a\\u0000b\""), ERROR_BAD_REQUEST, "json.null_character"},
    {SEND("\"\\ud800\""), ERROR_BAD_REQUEST, "json.syntax"},
    {SEND("\"0123456789a\""), ERROR_TOO_LARGE, "text.too_long"},
    {SEND("\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00"
          "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\""),
     ERROR_TOO_LARGE, "text.too_long"},
    {"{\"t\":\"history\",\"id\":1}", ERROR_BAD_REQUEST, "field.room"},
    {"{\"t\":\"history\",\"id\":1,\"room\":" A ",\"before\":-1}", ERROR_BAD_REQUEST,
     "field.before"},
    {"{\"t\":\"history\",\"id\":1,\"room\":" A ",\"after\":\"0\"}", ERROR_BAD_REQUEST,
     "field.after"},
    {"{\"t\":\"history\",\"id\":1,\"room\":" A ",\"before\":9,\"after\":1}", ERROR_BAD_REQUEST,
     "field.after"},
    {"{\"t\":\"history\",\"id\":1,\"room\":" A ",\"limit\":0}", ERROR_BAD_REQUEST, "field.limit"},
    {"{\"t\":\"history\",\"id\":1,\"room\":" A ",\"limit\":-5}", ERROR_BAD_REQUEST, "field.limit"},
    {"{\"t\":\"rooms\",\"id\":1,\"cursor\":5}", ERROR_BAD_REQUEST, "field.cursor"},
    {"{\"t\":\"rooms\",\"id\":1,\"cursor\":\"\"}", ERROR_BAD_REQUEST, "field.cursor"},
    {"{\"t\":\"read\",\"id\":1,\"room\":" A "}", ERROR_BAD_REQUEST, "field.seq"},
    {"{\"t\":\"read\",\"id\":1,\"room\":" A ",\"seq\":1e2}", ERROR_BAD_REQUEST, "field.seq"},
    {"{\"t\":\"typing\",\"id\":1}", ERROR_BAD_REQUEST, "field.room"},
    {"{\"t\":\"refresh\",\"id\":1}", ERROR_BAD_REQUEST, "field.token"},
};

static void test_bad_frames(void **state)
{
    for (size_t i = 0; i < sizeof(bad_frames) / sizeof(bad_frames[0]); i++) {
        const char *text = bad_frames[i].text;
        struct command command;
        struct command_error error;
        int code = command_parse(&command, text, strlen(text), &limits, &error);

        if (code != (int)bad_frames[i].code || strcmp(error.reason, bad_frames[i].reason) != 0)
            fail_msg("%s: %s, %s", text, error_name(error.code), error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_short_hello),
        cmocka_unit_test(test_rooms_and_history),
        cmocka_unit_test(test_the_rest),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_bad_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
