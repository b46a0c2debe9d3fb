/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/event_queue.h: the exact text of what moderators get */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/event_queue.h"
#include "protocol/json_writer.h"

#define MID    "\"mid\":\"11111111-1111-1111-1111-111111111111\""
#define ROOM   "\"room\":\"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\""
#define SENDER "55555555-5555-5555-5555-555555555555"
#define BY     "\"by\":\"77777777-7777-7777-7777-777777777777\""
#define TIME   "\"1970-01-01T00:00:01.000Z\""
#define PERSON                                                                                     \
    "{\"id\":\"" SENDER "\",\"role\":\"student\",\"first_name\":\"Ivan\",\"last_name\":\"\"}"

enum { TIME_US = 1000000 };

static struct json_writer writer;

static struct uuid filled(unsigned char byte)
{
    struct uuid uuid;

    memset(uuid.bytes, byte, sizeof(uuid.bytes));
    return uuid;
}

static struct person person_of(void)
{
    return (struct person){filled(0x55), "student", "Ivan", ""};
}

static void check(const char *expected)
{
    assert_string_equal(json_text(&writer), expected);
    json_writer_reset(&writer);
}

static struct queue_case case_of(void)
{
    return (struct queue_case){
        .mid = filled(0x11),
        .room = filled(0xaa),
        .sender = person_of(),
        .text = "call 89",
        .text_length = 7,
        .at_us = TIME_US,
        .version = 1,
    };
}

#define CASE_HEAD                                                                                  \
    "{" MID "," ROOM ",\"sender\":" PERSON ",\"text\":\"call 89\",\"at\":" TIME ",\"version\":1,"
#define PLAIN_CASE                                                                                 \
    CASE_HEAD "\"reason\":null,\"rules\":[],\"spans\":[],\"earlier\":[],\"claim\":null}"

static void test_cases(void **state)
{
    const struct queue_claim claim = {filled(0x77), TIME_US, 0};
    struct queue_case item = case_of();

    event_queue_added(&writer, &item);
    check("{\"t\":\"queue.added\",\"case\":" PLAIN_CASE "}");

    item.reason = "contact.phone";
    item.rules = "[\"phone_ru\"]";
    item.spans = "[[5,7]]";
    item.earlier = "[\"" SENDER "\"]";
    item.claim = &claim;
    event_queue_snapshot_begin(&writer, 2);
    event_queue_snapshot_case(&writer, &item);
    event_queue_snapshot_end(&writer, 7, 120, "c");
    check("{\"t\":\"queue.snapshot\",\"re\":2,\"cases\":[" CASE_HEAD
          "\"reason\":\"contact.phone\",\"rules\":[\"phone_ru\"],\"spans\":[[5,7]],\"earlier\":["
          "\"" SENDER "\"],\"claim\":{" BY ",\"until\":" TIME
          "}}],\"pending\":7,\"oldest_s\":120,\"more\":true,\"cursor\":\"c\"}");
    event_queue_snapshot_begin(&writer, EVENT_BODY);
    event_queue_snapshot_end(&writer, 0, 0, NULL);
    check("{\"cases\":[],\"pending\":0,\"oldest_s\":0,\"more\":false,\"cursor\":null}");
    event_queue_unwatched(&writer, 3);
    check("{\"t\":\"queue.unwatched\",\"re\":3}");
}

static void test_claims(void **state)
{
    struct uuid mid = filled(0x11);
    struct queue_claim claim = {filled(0x77), TIME_US, 9};

    event_queue_claimed(&writer, 2, &mid, &claim);
    check("{\"t\":\"queue.claimed\",\"re\":2," MID "," BY ",\"until\":" TIME ",\"token\":9}");
    claim.token = 0;
    event_queue_claimed(&writer, EVENT_PUSH, &mid, &claim);
    check("{\"t\":\"queue.claimed\"," MID "," BY ",\"until\":" TIME "}");
    event_queue_released(&writer, EVENT_PUSH, &mid);
    check("{\"t\":\"queue.released\"," MID "}");
}

static void test_decisions(void **state)
{
    struct uuid mid = filled(0x11), by = filled(0x77);
    struct queue_result decided = {
        .mid = mid, .status = MESSAGE_DELIVERED, .seq = 42, .version = 2};
    struct queue_result late = {.mid = mid,
                                .error = ERROR_ALREADY_DECIDED,
                                .status = MESSAGE_BLOCKED,
                                .has_by = true,
                                .by = by};
    struct queue_result own = {.mid = mid, .error = ERROR_FORBIDDEN, .error_reason = "own_room"};

    event_queue_decided(&writer, &mid, MESSAGE_BLOCKED, &by, "spam");
    check("{\"t\":\"queue.decided\"," MID ",\"status\":\"blocked\"," BY ",\"reason\":\"spam\"}");
    event_queue_decided(&writer, &mid, MESSAGE_DELIVERED, &by, NULL);
    check("{\"t\":\"queue.decided\"," MID ",\"status\":\"delivered\"," BY "}");

    event_queue_results_begin(&writer, 4);
    event_queue_result(&writer, &decided);
    event_queue_result(&writer, &late);
    event_queue_result(&writer, &own);
    event_queue_results_end(&writer);
    check("{\"t\":\"queue.decided\",\"re\":4,\"results\":[{" MID
          ",\"status\":\"delivered\",\"seq\":42,\"version\":2},{" MID
          ",\"error\":{\"code\":\"already_decided\","
          "\"message\":\"Somebody decided this message before.\",\"status\":\"blocked\"," BY
          "}},{" MID ",\"error\":{\"code\":\"forbidden\",\"reason\":\"own_room\","
          "\"message\":\"You may not do this.\"}}]}");

    decided.status = MESSAGE_BLOCKED;
    decided.seq = 0;
    event_queue_result(&writer, &decided);
    check("{" MID ",\"status\":\"blocked\",\"version\":2}");
}

static void test_second_thoughts(void **state)
{
    struct uuid by = filled(0x77);
    struct message message = {.id = filled(0x11), .status = MESSAGE_DELIVERED, .seq = 42};

    event_queue_undone(&writer, 4, &message, 3, &by);
    check("{\"t\":\"queue.undone\",\"re\":4," MID
          ",\"status\":\"delivered\",\"seq\":42,\"version\":3," BY "}");
    message.removed = true;
    event_queue_undone(&writer, EVENT_PUSH, &message, 3, &by);
    check("{\"t\":\"queue.undone\"," MID ",\"status\":\"removed\",\"seq\":42,\"version\":3," BY
          "}");
    event_queue_removed(&writer, 5, &message.id);
    check("{\"t\":\"queue.removed\",\"re\":5," MID "}");
}

static void test_context(void **state)
{
    struct uuid mid = filled(0x11), room = filled(0xaa);
    struct message pending = {.id = mid,
                              .sender = filled(0x55),
                              .status = MESSAGE_PENDING,
                              .at_us = TIME_US,
                              .text = "call 89",
                              .text_length = 7,
                              .reason = "contact.phone"};
    struct message removed = pending;
    struct queue_record record = {.user = person_of(),
                                  .has_member_since = true,
                                  .member_since_us = TIME_US,
                                  .pending = 1,
                                  .delivered = 2,
                                  .blocked = 3,
                                  .removed = 4,
                                  .overturned = 5};

    removed.status = MESSAGE_DELIVERED;
    removed.seq = 4;
    removed.removed = true;
    removed.reason = NULL;

    const struct queue_context_message messages[] = {{&removed, false, true},
                                                     {&pending, true, false}};

    event_queue_context(&writer, 6, &mid, &room, messages, 2, &record);
    check("{\"t\":\"queue.context\",\"re\":6," MID "," ROOM ",\"messages\":[{" MID
          ",\"seq\":4,\"from\":\"" SENDER "\",\"at\":" TIME
          ",\"status\":\"removed\",\"subject\":false,\"piece\":true},{" MID ",\"from\":\"" SENDER
          "\",\"text\":\"call 89\",\"at\":" TIME
          ",\"status\":\"pending_moderation\",\"reason\":\"contact.phone\",\"subject\":true}],"
          "\"sender\":{\"user\":" PERSON ",\"member_since\":" TIME
          ",\"pending\":1,\"delivered\":2,\"blocked\":3,\"removed\":4,\"overturned\":5}}");
}

static void test_stats(void **state)
{
    const struct queue_group operators[] = {{SENDER, {1, 2, 3, 4, 500, 9000}},
                                            {NULL, {9, 0, 0, 0, -1, -1}}};
    const struct queue_group rules[] = {{"phone_ru", {1, 2, 0, 0, 500, 9000}}};
    const struct queue_stats stats = {
        .pending = 7,
        .oldest_s = 120,
        .window_s = 86400,
        .total = {10, 2, 3, 4, 500, -1},
        .operators = operators,
        .operator_count = 2,
        .rules = rules,
        .rule_count = 1,
    };

    event_queue_stats(&writer, 8, &stats);
    check("{\"t\":\"queue.stats\",\"re\":8,\"pending\":7,\"oldest_s\":120,\"window_s\":86400,"
          "\"total\":{\"delivered\":10,\"blocked\":2,\"undone\":3,\"removed\":4,\"p50_ms\":500,"
          "\"p95_ms\":null},\"operators\":[{\"user\":\"" SENDER
          "\",\"delivered\":1,\"blocked\":2,\"undone\":3,\"removed\":4,\"p50_ms\":500,"
          "\"p95_ms\":9000},{\"user\":null,\"delivered\":9,\"blocked\":0,\"undone\":0,"
          "\"removed\":0,\"p50_ms\":null,\"p95_ms\":null}],\"reasons\":[],"
          "\"rules\":[{\"rule\":\"phone_ru\",\"delivered\":1,\"blocked\":2,\"undone\":0,"
          "\"removed\":0,\"p50_ms\":500,\"p95_ms\":9000}]}");
}

static int free_writer(void **state)
{
    json_writer_deinit(&writer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_claims),
        cmocka_unit_test(test_decisions), cmocka_unit_test(test_second_thoughts),
        cmocka_unit_test(test_context),   cmocka_unit_test(test_stats),
    };

    return cmocka_run_group_tests(tests, NULL, free_writer);
}
