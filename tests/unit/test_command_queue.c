/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/command_queue.c: the requests of moderators */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/command.h"

#define A "\"aaaaaaaa-0000-4000-8000-000000000001\""
#define B "\"bbbbbbbb-0000-4000-8000-000000000002\""

static const struct command_limits limits = {
    .text_code_points = 10, .rooms_per_sync = 3, .page = 100, .decisions = 3};

static struct command parse(const char *text)
{
    struct command command;
    struct command_error error;

    if (command_parse(&command, text, strlen(text), &limits, &error) != 0)
        fail_msg("%s: %s", text, error.reason);
    return command;
}

static void test_watch(void **state)
{
    struct command command = parse("{\"t\":\"queue.watch\",\"id\":1}");

    assert_int_equal(command.queue_watch.limit, 50);
    assert_null(command.queue_watch.cursor);
    command_deinit(&command);

    command = parse("{\"t\":\"queue.watch\",\"id\":1,\"limit\":9,"
                    "\"cursor\":\"c\"}");
    assert_int_equal(command.queue_watch.limit, 9);
    assert_string_equal(command.queue_watch.cursor, "c");
    command_deinit(&command);

    command = parse("{\"t\":\"queue.unwatch\",\"id\":1}");
    assert_int_equal(command.type, COMMAND_QUEUE_UNWATCH);
    command_deinit(&command);
    command = parse("{\"t\":\"queue.stats\",\"id\":1}");
    assert_int_equal(command.type, COMMAND_QUEUE_STATS);
    command_deinit(&command);
}

static void test_claims(void **state)
{
    struct command command = parse("{\"t\":\"queue.claim\",\"id\":1,\"mid\":" A "}");

    assert_int_equal(command.queue_claim.mid.bytes[0], 0xaa);
    command_deinit(&command);
    command = parse("{\"t\":\"queue.release\",\"id\":1,\"mid\":" A ",\"claim\":17}");
    assert_int_equal(command.queue_release.claim, 17);
    command_deinit(&command);
}

static void test_one_decision(void **state)
{
    struct command command =
        parse("{\"t\":\"queue.decide\",\"id\":1,\"mid\":" A ",\"version\":2,\"verdict\":\"block\","
              "\"reason\":\"contact.phone\",\"note\":\"\xd1\x8f\",\"claim\":17}");
    const struct command_decision *item = command.queue_decide.items;

    assert_int_equal(command.queue_decide.count, 1);
    assert_false(command.queue_decide.many);
    assert_int_equal(item->version, 2);
    assert_int_equal(item->verdict, VERDICT_BLOCK);
    assert_string_equal(item->reason, "contact.phone");
    assert_string_equal(item->note, "\xd1\x8f");
    assert_int_equal(item->claim, 17);
    command_deinit(&command);

    command = parse("{\"t\":\"queue.decide\",\"id\":1,\"mid\":" A ",\"verdict\":\"deliver\"}");
    item = command.queue_decide.items;
    assert_int_equal(item->verdict, VERDICT_DELIVER);
    assert_int_equal(item->version, 0);
    assert_int_equal(item->claim, 0);
    assert_null(item->reason);
    assert_null(item->note);
    command_deinit(&command);
}

static void test_many_decisions(void **state)
{
    struct command command = parse("{\"t\":\"queue.decide\",\"id\":1,\"items\":["
                                   "{\"mid\":" A ",\"version\":1,\"verdict\":\"deliver\"},"
                                   "{\"mid\":" B ",\"verdict\":\"block\",\"reason\":\"spam\"}]}");

    assert_true(command.queue_decide.many);
    assert_int_equal(command.queue_decide.count, 2);
    assert_int_equal(command.queue_decide.items[0].version, 1);
    assert_int_equal(command.queue_decide.items[1].mid.bytes[0], 0xbb);
    assert_string_equal(command.queue_decide.items[1].reason, "spam");
    command_deinit(&command);
}

static void test_second_thoughts(void **state)
{
    struct command command = parse("{\"t\":\"queue.undo\",\"id\":1,\"mid\":" A
                                   ",\"reason\":\"mistake\",\"note\":\"n\"}");

    assert_string_equal(command.queue_undo.reason, "mistake");
    assert_string_equal(command.queue_undo.note, "n");
    command_deinit(&command);
    command = parse("{\"t\":\"queue.remove\",\"id\":1,\"mid\":" A "}");
    assert_null(command.queue_remove.reason);
    command_deinit(&command);
    command = parse("{\"t\":\"queue.context\",\"id\":1,\"mid\":" A ",\"before\":0,\"after\":50}");
    assert_int_equal(command.queue_context.before, 0);
    assert_int_equal(command.queue_context.after, 50);
    command_deinit(&command);
    command = parse("{\"t\":\"queue.context\",\"id\":1,\"mid\":" A "}");
    assert_int_equal(command.queue_context.before, 10);
    assert_int_equal(command.queue_context.after, 10);
    command_deinit(&command);
}

#define DECIDE(fields) "{\"t\":\"queue.decide\",\"id\":1," fields "}"
#define ITEM(mid)      "{\"mid\":" mid ",\"verdict\":\"block\"}"

static const struct {
    const char *text;
    enum error_code code;
    const char *reason;
} bad_frames[] = {
    {"{\"t\":\"queue.watch\",\"id\":1,\"limit\":0}", ERROR_BAD_REQUEST, "field.limit"},
    {"{\"t\":\"queue.watch\",\"id\":1,\"cursor\":1}", ERROR_BAD_REQUEST, "field.cursor"},
    {"{\"t\":\"queue.claim\",\"id\":1}", ERROR_BAD_REQUEST, "field.mid"},
    {"{\"t\":\"queue.claim\",\"mid\":" A "}", ERROR_BAD_REQUEST, "field.id"},
    {"{\"t\":\"queue.release\",\"id\":1,\"mid\":" A "}", ERROR_BAD_REQUEST, "field.claim"},
    {"{\"t\":\"queue.release\",\"id\":1,\"mid\":" A ",\"claim\":0}", ERROR_BAD_REQUEST,
     "field.claim"},
    {DECIDE("\"verdict\":\"block\""), ERROR_BAD_REQUEST, "field.mid"},
    {DECIDE("\"mid\":" A), ERROR_BAD_REQUEST, "field.verdict"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"delivered\""), ERROR_BAD_REQUEST, "field.verdict"},
    {DECIDE("\"mid\":" A ",\"verdict\":1"), ERROR_BAD_REQUEST, "field.verdict"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"version\":-1"), ERROR_BAD_REQUEST,
     "field.version"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"version\":2147483648"), ERROR_BAD_REQUEST,
     "field.version"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"reason\":\"Ha ha\""), ERROR_BAD_REQUEST,
     "field.reason"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"reason\":\"\""), ERROR_BAD_REQUEST,
     "field.reason"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"note\":[]"), ERROR_BAD_REQUEST, "field.note"},
    {DECIDE("\"mid\":" A ",\"verdict\":\"block\",\"claim\":-5"), ERROR_BAD_REQUEST, "field.claim"},
    {DECIDE("\"items\":{}"), ERROR_BAD_REQUEST, "field.items"},
    {DECIDE("\"items\":[]"), ERROR_BAD_REQUEST, "field.items"},
    {DECIDE("\"items\":[5]"), ERROR_BAD_REQUEST, "field.items"},
    {DECIDE("\"items\":[[]]"), ERROR_BAD_REQUEST, "field.items"},
    {DECIDE("\"items\":[" ITEM(A) "," ITEM(A) "]"), ERROR_BAD_REQUEST, "field.items"},
    {DECIDE("\"items\":[" ITEM(A) ",{\"mid\":" B "}]"), ERROR_BAD_REQUEST, "field.verdict"},
    {DECIDE("\"items\":[1,2,3,4]"), ERROR_TOO_LARGE, "items.too_many"},
    {"{\"t\":\"queue.undo\",\"id\":1}", ERROR_BAD_REQUEST, "field.mid"},
    {"{\"t\":\"queue.remove\",\"id\":1,\"mid\":" A ",\"reason\":5}", ERROR_BAD_REQUEST,
     "field.reason"},
    {"{\"t\":\"queue.context\",\"id\":1,\"mid\":" A ",\"before\":51}", ERROR_BAD_REQUEST,
     "field.before"},
    {"{\"t\":\"queue.context\",\"id\":1,\"mid\":" A ",\"after\":-1}", ERROR_BAD_REQUEST,
     "field.after"},
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

static void test_note_length(void **state)
{
    char text[3000], *note;
    struct command command;
    struct command_error error;

    /* 1,000 code points of two bytes fit, one more does not */
    strcpy(text, "{\"t\":\"queue.undo\",\"id\":1,\"mid\":" A ",\"note\":\"");
    note = text + strlen(text);
    for (int i = 0; i < 1000; i++)
        memcpy(note + 2 * i, "\xd1\x8f", 2);
    strcpy(note + 2000, "\"}");
    command = parse(text);
    command_deinit(&command);
    strcpy(note + 2000, "x\"}");
    assert_int_equal(command_parse(&command, text, strlen(text), &limits, &error),
                     ERROR_BAD_REQUEST);
    assert_string_equal(error.reason, "field.note");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch),           cmocka_unit_test(test_claims),
        cmocka_unit_test(test_one_decision),    cmocka_unit_test(test_many_decisions),
        cmocka_unit_test(test_second_thoughts), cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_note_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
