/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/screening.h: what is stored of a result, and what becomes of a message when the
 * engine fails. The engine and the clock are the test's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/rule_ceiling.h"
#include "gateway/screening.h"
#include "gateway/windows.h"
#include "protocol/json_writer.h"

/* --- the engine, the clock, the window --- */

static struct screen_result result;
static struct screen_input seen;
static struct screen_trace seen_earlier[SCREEN_WINDOW_MAX];
static int engine_error;
static uint64_t engine_us, now_us;

int screener_run(struct screener *screener, struct rule_set *rules,
                 const struct screen_input *input, struct screen_result *out)
{
    seen = *input;
    if (input->earlier_count)
        memcpy(seen_earlier, input->earlier, input->earlier_count * sizeof(*seen_earlier));
    now_us += engine_us;
    *out = result;
    if (engine_error) {
        out->verdict = SCREEN_HOLD;
        out->reason = "engine.error";
        out->match_count = 0;
    }
    return engine_error;
}

uint64_t clock_now_us(void)
{
    return now_us;
}

uint64_t clock_now_ms(void)
{
    return now_us / 1000;
}

int64_t clock_unix_us(void)
{
    return INT64_C(2000000000000000);
}

void rule_ceiling_note(struct rule_ceiling *ceiling, const struct uuid *sender,
                       const struct screen_result *hits)
{
}

static size_t earlier_count;

size_t turn_earlier(const struct turn *turn, size_t text_length, int64_t at_ms,
                    struct said out[static SCREEN_WINDOW_MAX])
{
    for (size_t i = 0; i < earlier_count; i++)
        out[i] = (struct said){.message = {{(uint8_t)(i + 1)}}, .trace = {.hash = i + 1}};
    return earlier_count;
}

/* --- one screening --- */

static struct config config = {.moderation = {.default_verdict = "deliver"}};
static struct node node;
static struct turn turn;
static struct window window;
static struct screening screening;
static struct json_writer detail;
static const struct message message = {
    .id = {{0x11}}, .text = "звони 89", .text_length = sizeof("звони 89") - 1};

static void screen(void)
{
    json_writer_reset(&detail);
    screening_run(&node, &turn, &window, &message, &screening, &detail);
}

static void match(const char *label, uint32_t earlier, bool shadow)
{
    result.matches[result.match_count++] = (struct screen_match){.rule = label,
                                                                 .label = label,
                                                                 .reason = "contact.phone",
                                                                 .from = 11,
                                                                 .to = 13,
                                                                 .earlier = earlier,
                                                                 .shadow = shadow};
}

static int set_up(void **state)
{
    node = (struct node){.config = &config};
    turn = (struct turn){.rounds = 0};
    window_init(&window);
    window.last = (struct uuid){{0x22}};
    json_writer_init(&detail);
    result = (struct screen_result){.verdict = SCREEN_DELIVER, .rule_set_version = 9};
    config.moderation.default_verdict = "deliver";
    engine_error = 0;
    engine_us = 5;
    earlier_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    window_deinit(&window);
    json_writer_deinit(&detail);
    return 0;
}

static void assert_detail(const char *expected)
{
    assert_int_equal(json_length(&detail), strlen(expected));
    assert_memory_equal(json_text(&detail), expected, strlen(expected));
}

/* --- the tests --- */

static void test_a_clean_one_is_delivered_after_the_last_one(void **state)
{
    screen();
    assert_int_equal(screening.status, MESSAGE_DELIVERED);
    assert_string_equal(screening.reason, "");
    assert_int_equal(screening.rule_set, 9);
    assert_int_equal(screening.after.bytes[0], 0x22);
    assert_false(screening.any);
    assert_int_equal(json_length(&detail), 0);
    assert_int_equal(window.last.bytes[0], 0x11);
    assert_int_equal(window.said_count, 1);
}

static void test_the_engine_is_told_what_is_known(void **state)
{
    window.facts = (struct window_facts){.role = SCREEN_ROLE_TEACHER,
                                         .booked = true,
                                         .offences = 2,
                                         .room_events = 41,
                                         .created_us = clock_unix_us() - INT64_C(90000000)};
    earlier_count = 3;
    screen();
    assert_int_equal(seen.role, SCREEN_ROLE_TEACHER);
    assert_true(seen.booked);
    assert_int_equal(seen.offences, 2);
    assert_int_equal(seen.pair_messages, 41);
    assert_int_equal(seen.room_age_s, 90);
    assert_int_equal(seen.earlier_count, 3);
    assert_int_equal(seen_earlier[2].hash, 3);
}

static void test_the_case_names_rules_places_and_pieces(void **state)
{
    result.verdict = SCREEN_HOLD;
    result.reason = "contact.phone";
    match("contact_phone", 1U << 0 | 1U << 2, false);
    match("spam", 1U << 1, true);
    earlier_count = 3;
    screen();
    assert_int_equal(screening.status, MESSAGE_PENDING);
    assert_string_equal(screening.reason, "contact.phone");
    assert_detail("{\"rules\":[\"contact_phone\"],\"spans\":[[6,8]],\"earlier\":["
                  "\"01000000-0000-0000-0000-000000000000\","
                  "\"03000000-0000-0000-0000-000000000000\"],\"shadow\":[\"spam\"]}");
}

static void test_a_match_in_shadow_is_recorded_of_a_delivered_one(void **state)
{
    match("spam", 0, true);
    screen();
    assert_int_equal(screening.status, MESSAGE_DELIVERED);
    assert_detail("{\"rules\":[],\"spans\":[],\"earlier\":[],\"shadow\":[\"spam\"]}");
}

static void test_an_engine_that_fails_holds_and_alarms(void **state)
{
    double before = metrics_value(METRIC_SCREEN_FAILURES, LABEL_ENGINE_ERROR, 0);

    engine_error = -EIO;
    screen();
    assert_int_equal(screening.status, MESSAGE_PENDING);
    assert_string_equal(screening.reason, "engine.error");
    assert_true(metrics_value(METRIC_SCREEN_FAILURES, LABEL_ENGINE_ERROR, 0) == before + 1);
}

static void test_an_engine_that_takes_too_long_holds_and_alarms(void **state)
{
    double before = metrics_value(METRIC_SCREEN_FAILURES, LABEL_ENGINE_TIMEOUT, 0);

    engine_us = 250001;
    screen();
    assert_int_equal(screening.status, MESSAGE_PENDING);
    assert_string_equal(screening.reason, "engine.timeout");
    assert_true(metrics_value(METRIC_SCREEN_FAILURES, LABEL_ENGINE_TIMEOUT, 0) == before + 1);
    result.verdict = SCREEN_BLOCK;
    result.reason = "contact.phone";
    screen();
    assert_int_equal(screening.status, MESSAGE_BLOCKED); /* late, but no doubt */
}

static void test_stale_too_often_it_is_held_and_written_whatever_came_before(void **state)
{
    turn.rounds = 63;
    screen();
    assert_int_equal(screening.status, MESSAGE_DELIVERED);
    turn.rounds = 64;
    screen();
    assert_int_equal(screening.status, MESSAGE_PENDING);
    assert_string_equal(screening.reason, "engine.contended");
    assert_true(screening.any);
}

static void test_where_all_is_reviewed_a_clean_one_is_held(void **state)
{
    config.moderation.default_verdict = "hold";
    screen();
    assert_int_equal(screening.status, MESSAGE_PENDING);
    assert_string_equal(screening.reason, "policy.review");
}

static void test_each_label_counts_once(void **state)
{
    double before = metrics_value(METRIC_SCREEN_LABELS, LABEL_MATCH_SPAM, 0);

    match("spam", 0, false);
    match("spam", 0, false);
    screen();
    assert_true(metrics_value(METRIC_SCREEN_LABELS, LABEL_MATCH_SPAM, 0) == before + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_clean_one_is_delivered_after_the_last_one),
        TEST(test_the_engine_is_told_what_is_known),
        TEST(test_the_case_names_rules_places_and_pieces),
        TEST(test_a_match_in_shadow_is_recorded_of_a_delivered_one),
        TEST(test_an_engine_that_fails_holds_and_alarms),
        TEST(test_an_engine_that_takes_too_long_holds_and_alarms),
        TEST(test_stale_too_often_it_is_held_and_written_whatever_came_before),
        TEST(test_where_all_is_reviewed_a_clean_one_is_held),
        TEST(test_each_label_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
