/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/command.h: the envelope, hostile frames, REST bodies */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/command.h"

#define ROOM "\"0190f2a4-7b3c-7def-8a1b-0123456789ab\""
#define CID  "\"7a0d4d1e-1111-4222-8333-444455556666\""

static const struct command_limits limits = {
    .text_code_points = 10, .rooms_per_sync = 3, .page = 100, .decisions = 3};

struct bad_frame {
    const char *text;
    enum error_code code;
    const char *reason;
    int64_t id;
};

/* Each is refused with its code and reason, and names the request wherever its id could be read. */
static const struct bad_frame bad_frames[] = {
    {"", ERROR_BAD_REQUEST, "json.empty", 0},
    {"[]", ERROR_BAD_REQUEST, "json.not_object", 0},
    {"{}", ERROR_BAD_REQUEST, "field.t", 0},
    {"{\"id\":7}", ERROR_BAD_REQUEST, "field.t", 7},
    {"{\"id\":7,\"t\":null}", ERROR_BAD_REQUEST, "field.t", 7},
    {"{\"id\":7,\"t\":5}", ERROR_BAD_REQUEST, "field.t", 7},
    {"{\"id\":7,\"t\":[\"hello\"]}", ERROR_BAD_REQUEST, "field.t", 7},
    {"{\"id\":7,\"t\":\"\"}", ERROR_BAD_REQUEST, "t.unknown", 7},
    {"{\"id\":7,\"t\":\"Hello\"}", ERROR_BAD_REQUEST, "t.unknown", 7},
    {"{\"id\":7,\"t\":\"hello \"}", ERROR_BAD_REQUEST, "t.unknown", 7},
    {"{\"id\":7,\"t\":\"login\",\"email\":\"a\",\"password\":\"b\"}", ERROR_BAD_REQUEST,
     "t.unknown", 7},
    {"{\"id\":7,\"t\":\"\\u0000hello\"}", ERROR_BAD_REQUEST, "json.null_character", 0},
    {"{\"t\":\"hello\"}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":null}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":0}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":-1}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":1.0}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":1e0}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":-0}", ERROR_BAD_REQUEST, "json.number", 0},
    {"{\"t\":\"hello\",\"id\":\"1\"}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":true}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"hello\",\"id\":9223372036854775808}", ERROR_BAD_REQUEST, "json.number", 0},
    {"{\"t\":\"hello\",\"id\":1,\"id\":2}", ERROR_BAD_REQUEST, "json.duplicate_key", 0},
    {"{\"t\":\"typing\",\"id\":0,\"room\":" ROOM "}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"read\",\"id\":\"x\",\"room\":" ROOM ",\"seq\":1}", ERROR_BAD_REQUEST, "field.id", 0},
    {"{\"t\":\"send\",\"id\":7,\"room\":\"x\",\"cid\":" CID ",\"text\":\"a\"}", ERROR_BAD_REQUEST,
     "field.room", 7},
    {"{\"t\":\"send\",\"id\":9223372036854775807,\"cid\":" CID ",\"text\":\"a\"}",
     ERROR_BAD_REQUEST, "field.room", INT64_MAX},
};

static void test_bad_frames(void **state)
{
    for (size_t i = 0; i < sizeof(bad_frames) / sizeof(bad_frames[0]); i++) {
        const struct bad_frame *frame = &bad_frames[i];
        struct command command;
        struct command_error error;
        int code = command_parse(&command, frame->text, strlen(frame->text), &limits, &error);

        if (code != (int)frame->code || error.code != frame->code ||
            strcmp(error.reason, frame->reason) != 0 || error.id != frame->id)
            fail_msg("%s: %s, %s, id %ld", frame->text, error_name(error.code), error.reason,
                     (long)error.id);
    }
}

static void test_envelope(void **state)
{
    static const char text[] =
        "{\"t\":\"typing\",\"room\":" ROOM ",\"from\":\"somebody\",\"x\":{}}";
    struct command command;
    struct command_error error;

    assert_int_equal(command_parse(&command, text, strlen(text), &limits, &error), 0);
    assert_int_equal(command.type, COMMAND_TYPING);
    assert_int_equal(command.id, 0);
    assert_int_equal(error.code, ERROR_NONE);
    assert_int_equal(command.typing.room.bytes[15], 0xab);
    command_deinit(&command);
    command_deinit(&command);
}

/* Every prefix of a good frame is refused, and none reads beyond its end. */
static void test_every_prefix(void **state)
{
    static const char text[] = "{\"t\":\"send\",\"id\":12,\"room\":" ROOM ",\"cid\":" CID
                               ",\"text\":\"\\ud83d\\ude00\xd1\x8f\"}";
    struct command command;
    struct command_error error;

    for (size_t bytes = 0; bytes < sizeof(text) - 1; bytes++)
        assert_int_equal(command_parse(&command, text, bytes, &limits, &error), ERROR_BAD_REQUEST);
    assert_int_equal(command_parse(&command, text, sizeof(text) - 1, &limits, &error), 0);
    command_deinit(&command);
}

/* A frame with every byte in turn replaced by a hostile one: refused or taken, never worse. */
static void test_every_byte_replaced(void **state)
{
    static const char good[] =
        "{\"t\":\"hello\",\"id\":1,\"rooms\":{" ROOM ":4},\"caps\":[\"batch\"]}";
    static const char hostile[] = "\"\\{}[]:,-0\xff\x00\x80";
    char text[sizeof(good)];
    struct command command;
    struct command_error error;

    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        for (size_t i = 0; i < sizeof(hostile); i++) {
            memcpy(text, good, sizeof(good));
            text[at] = hostile[i];
            if (command_parse(&command, text, sizeof(good) - 1, &limits, &error) == 0)
                command_deinit(&command);
        }
    }
}

static void test_names(void **state)
{
    assert_string_equal(command_name(COMMAND_QUEUE_DECIDE), "queue.decide");
    assert_string_equal(verdict_name(VERDICT_DELIVER), "deliver");
    assert_string_equal(verdict_name(VERDICT_BLOCK), "block");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        enum command_type type = (enum command_type)i;

        assert_int_equal(command_staff_only(type), strncmp(command_name(type), "queue.", 6) == 0);
    }
}

static int parse_body(struct command *out, enum command_type type, const char *text,
                      struct command_error *error)
{
    return command_parse_body(out, type, text, strlen(text), &limits, error);
}

static void test_bodies(void **state)
{
    struct command command;
    struct command_error error;

    assert_int_equal(parse_body(&command, COMMAND_OPEN, "{\"other_user_id\":" ROOM "}", &error), 0);
    assert_int_equal(command.open.with.bytes[0], 0x01);
    command_deinit(&command);

    assert_int_equal(
        parse_body(&command, COMMAND_SEND, "{\"text\":\"hi\",\"t\":5,\"id\":\"x\"}", &error), 0);
    assert_string_equal(command.send.text, "hi");
    assert_int_equal(command.id, 0);
    command_deinit(&command);

    assert_int_equal(parse_body(&command, COMMAND_READ, "{\"seq\":42}", &error), 0);
    assert_int_equal(command.read.seq, 42);
    command_deinit(&command);

    assert_int_equal(parse_body(&command, COMMAND_QUEUE_DECIDE,
                                "{\"verdict\":\"block\",\"reason\":\"spam\",\"items\":[]}", &error),
                     0);
    assert_int_equal(command.queue_decide.count, 1);
    assert_false(command.queue_decide.many);
    assert_string_equal(command.queue_decide.items[0].reason, "spam");
    command_deinit(&command);

    assert_int_equal(parse_body(&command, COMMAND_LOGIN,
                                "{\"email\":\"a@example.org\",\"password\":\"b\"}", &error),
                     0);
    assert_string_equal(command.login.email, "a@example.org");
    command_deinit(&command);
}

static void test_bad_bodies(void **state)
{
    static const struct {
        enum command_type type;
        const char *text;
        enum error_code code;
        const char *reason;
    } cases[] = {
        {COMMAND_OPEN, "{\"with\":" ROOM "}", ERROR_BAD_REQUEST, "field.other_user_id"},
        {COMMAND_OPEN, "{\"other_user_id\":\"me\"}", ERROR_BAD_REQUEST, "field.other_user_id"},
        {COMMAND_OPEN, "", ERROR_BAD_REQUEST, "json.empty"},
        {COMMAND_OPEN, "other_user_id=1", ERROR_BAD_REQUEST, "json.syntax"},
        {COMMAND_SEND, "{\"text\":\"\"}", ERROR_BAD_REQUEST, "text.empty"},
        {COMMAND_SEND, "{\"text\":\"01234567890\"}", ERROR_TOO_LARGE, "text.too_long"},
        {COMMAND_READ, "{\"seq\":-1}", ERROR_BAD_REQUEST, "field.seq"},
        {COMMAND_QUEUE_DECIDE, "{}", ERROR_BAD_REQUEST, "field.verdict"},
        {COMMAND_LOGIN, "{\"email\":\"a\"}", ERROR_BAD_REQUEST, "field.password"},
        {COMMAND_LOGIN, "{\"email\":\"\",\"password\":\"b\"}", ERROR_BAD_REQUEST, "field.email"},
        {COMMAND_LOGIN, "{\"email\":{},\"password\":\"b\"}", ERROR_BAD_REQUEST, "field.email"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct command command;
        struct command_error error;

        assert_int_equal(parse_body(&command, cases[i].type, cases[i].text, &error), cases[i].code);
        assert_int_equal(error.code, cases[i].code);
        assert_string_equal(error.reason, cases[i].reason);
        assert_int_equal(error.id, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_frames),   cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_every_byte_replaced),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_bad_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
