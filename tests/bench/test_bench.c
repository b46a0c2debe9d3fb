/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what the generator's figures rest on: histogram.h, match.h, plan.h, tally.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/bench/histogram.h"
#include "tests/bench/match.h"
#include "tests/bench/plan.h"
#include "tests/bench/tally.h"

static const char room_id[] = "0190f2a5-1111-7222-8333-444455556666";
static const char user_id[] = "5b3e0f6a-58a5-4d0c-9a51-0c6f8a3f7d10";

/* --- histogram --- */

static void test_percentiles_are_at_most_one_bucket_high(void **state)
{
    static struct histogram histogram;

    for (uint64_t us = 1; us <= 100000; us++)
        histogram_add(&histogram, us);
    const double percents[] = {1, 50, 90, 99, 99.9, 100};
    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        uint64_t exact = (uint64_t)(percents[i] * 1000);
        uint64_t told = histogram_percentile_us(&histogram, percents[i]);
        assert_true(told >= exact);
        assert_true(told <= exact + exact / 60 + 1);
    }
    assert_int_equal(histogram.max_us, 100000);
}

static void test_nothing_is_above_the_longest(void **state)
{
    static struct histogram histogram;

    assert_int_equal(histogram_percentile_us(&histogram, 99), 0);
    histogram_add(&histogram, 1000001);
    assert_int_equal(histogram_percentile_us(&histogram, 50), 1000001);
    histogram_add(&histogram, UINT64_MAX); /* beyond the last bucket */
    assert_int_equal(histogram.count, 2);
}

/* --- match --- */

static struct tally open_tally(void)
{
    return (struct tally){.window_from_ns = 1};
}

static void test_a_delivery_is_timed_before_or_after_its_ok(void **state)
{
    static struct match match;
    static struct tally tally;

    tally = open_tally();
    match_arrived(&match, &tally, 1, 9000); /* the peer was faster than the ok */
    assert_int_equal(tally.delivery.count, 0);
    match_sent(&match, &tally, 1, 2000);
    assert_int_equal(tally.delivery.count, 1);
    match_arrived(&match, &tally, 1, 12000);
    assert_int_equal(tally.delivery.count, 2);
    assert_int_equal(tally.delivery.sum_us, 7 + 10);
    assert_int_equal(match.top, 1);
    match_deinit(&match);
}

static void test_a_number_that_left_the_ring_is_not_timed(void **state)
{
    static struct match match;
    static struct tally tally;

    tally = open_tally();
    match_sent(&match, &tally, 1, 2000);
    match_sent(&match, &tally, 1 + MATCH_SENDS, 3000);
    match_arrived(&match, &tally, 1, 9000);
    assert_int_equal(tally.delivery.count, 0);
    assert_int_equal(match.early_count, 0);
    match_deinit(&match);
}

static void test_only_sends_of_the_window_count(void **state)
{
    static struct match match;
    static struct tally tally;

    tally = (struct tally){.window_from_ns = 5000, .window_to_ns = 8000};
    match_sent(&match, &tally, 1, 4999);
    match_sent(&match, &tally, 2, 5000);
    match_sent(&match, &tally, 3, 8000);
    for (int64_t seq = 1; seq <= 3; seq++)
        match_arrived(&match, &tally, seq, 90000);
    assert_int_equal(tally.delivery.count, 1);
    match_deinit(&match);
}

static void test_any_fault_shows(void **state)
{
    static struct tally tally;

    assert_true(tally_clean(&tally));
    tally.missing = 1;
    assert_false(tally_clean(&tally));
    tally_note(&tally, "the first", 9);
    tally_note(&tally, "another", 7);
    assert_string_equal(tally.first_refusal, "the first");
}

/* --- plan --- */

static int read_text(struct plan *plan, const char *text)
{
    char path[] = "/tmp/chatgate-plan-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int result = plan_read(plan, path);
    unlink(path);
    return result;
}

static void test_a_plan(void **state)
{
    char text[600];
    struct plan plan;

    snprintf(text, sizeof(text),
             "# two and a room\n\nnode 127.0.0.1:8080\nclient 0 %s one\nclient 0 %s two\n"
             "room %s 41 1 1 0\n",
             user_id, user_id, room_id);
    assert_int_equal(read_text(&plan, text), 0);
    assert_int_equal(plan.node_count, 1);
    assert_int_equal(ntohs(plan.nodes[0].sin_port), 8080);
    assert_int_equal(plan.client_count, 2);
    assert_string_equal(plan.clients[1].token, "two");
    assert_int_equal(plan.room_count, 1);
    assert_int_equal(plan.rooms[0].head, 41);
    assert_int_equal(plan.rooms[0].sender_count, 1);
    assert_int_equal(plan.rooms[0].client_count, 2);
    assert_int_equal(plan.rooms[0].clients[0], 1);
    plan_deinit(&plan);
}

static void test_a_wrong_line_is_told(void **state)
{
    static const char *const wrong[] = {
        "node localhost:1\n",
        "node 127.0.0.1:65536\n",
        "client 0 x y\n",
        "talk\n",
        "room 0190f2a5-1111-7222-8333-444455556666 -1 0\n",
        "room 0190f2a5-1111-7222-8333-444455556666 0 1\n",
    };
    char text[300];
    struct plan plan;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "\n%s\n", wrong[i]);
        assert_int_equal(read_text(&plan, text), 2);
        plan_deinit(&plan);
    }
    assert_true(plan_read(&plan, "/nonexistent/plan") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles_are_at_most_one_bucket_high),
        cmocka_unit_test(test_nothing_is_above_the_longest),
        cmocka_unit_test(test_a_delivery_is_timed_before_or_after_its_ok),
        cmocka_unit_test(test_a_number_that_left_the_ring_is_not_timed),
        cmocka_unit_test(test_only_sends_of_the_window_count),
        cmocka_unit_test(test_any_fault_shows),
        cmocka_unit_test(test_a_plan),
        cmocka_unit_test(test_a_wrong_line_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
