/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/window.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/window.h"

enum { NOW_MS = 1000000000, LONG = SCREEN_FRAGMENT_BYTES + 1 };

static struct list_node of_sender;
static struct window here, there;
static struct said out[SCREEN_WINDOW_MAX];

static struct uuid id(uint8_t n)
{
    return (struct uuid){{n}};
}

static struct screen_trace trace_at(int64_t at_ms)
{
    return (struct screen_trace){.hash = 7, .at_ms = at_ms};
}

static void add(struct window *window, uint8_t n, int64_t at_ms)
{
    struct uuid message = id(n);
    struct screen_trace trace = trace_at(at_ms);
    window_add(window, &message, &trace);
}

static void add_other(struct window *window, uint8_t n, int64_t at_ms)
{
    struct uuid message = id(n);
    struct screen_trace trace = trace_at(at_ms);
    window_add_other(window, &message, &trace);
}

/* What is screened against, each by the first byte of its id; ended by 0. */
static const uint8_t *earlier(size_t text_length)
{
    static uint8_t numbers[SCREEN_WINDOW_MAX + 1];
    size_t count = window_earlier(&here, &of_sender, text_length, NOW_MS, out);

    memset(numbers, 0, sizeof(numbers));
    for (size_t i = 0; i < count; i++)
        numbers[i] = out[i].message.bytes[0];
    return numbers;
}

#define assert_earlier(text_length, ...)                                                           \
    assert_string_equal((const char *)earlier(text_length), ((const char[]){__VA_ARGS__, 0}))

static int set_up(void **state)
{
    list_init(&of_sender);
    window_init(&here);
    window_init(&there);
    list_append(&of_sender, &here.of_sender);
    list_append(&of_sender, &there.of_sender);
    return 0;
}

static int tear_down(void **state)
{
    list_remove(&here.of_sender);
    list_remove(&there.of_sender);
    window_deinit(&here);
    window_deinit(&there);
    return 0;
}

static void test_keeps_the_last_ones_in_order(void **state)
{
    assert_int_equal(window_earlier(&here, &of_sender, 1, NOW_MS, out), 0);
    assert_true(uuid_is_nil(&here.last));
    for (uint8_t n = 1; n <= 20; n++)
        add(&here, n, NOW_MS);
    assert_earlier(1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
    assert_int_equal(here.last.bytes[0], 20);
}

static void test_other_rooms_take_the_places_that_are_left(void **state)
{
    for (uint8_t n = 1; n <= 3; n++)
        add(&here, n, NOW_MS);
    for (uint8_t n = 11; n <= 15; n++)
        add(&there, n, NOW_MS);
    assert_earlier(1, 15, 14, 1, 2, 3);
    assert_true(out[0].trace.other_room && !out[2].trace.other_room);
    for (uint8_t n = 4; n <= 16; n++)
        add(&here, n, NOW_MS);
    assert_earlier(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

static void test_a_long_message_leaves_places_to_other_rooms(void **state)
{
    for (uint8_t n = 1; n <= 16; n++)
        add(&here, n, NOW_MS);
    add(&there, 21, NOW_MS);
    assert_earlier(LONG, 21, 9, 10, 11, 12, 13, 14, 15, 16);
}

static void test_other_rooms_as_read_count_once(void **state)
{
    add(&here, 1, NOW_MS);
    add(&there, 21, NOW_MS);
    add_other(&here, 20, NOW_MS);
    add_other(&here, 21, NOW_MS);
    assert_earlier(1, 21, 20, 1);
    assert_true(out[1].trace.other_room);
}

static void test_what_was_said_elsewhere_long_ago_is_left_out(void **state)
{
    add(&here, 1, NOW_MS - 3600000);
    add(&there, 21, NOW_MS - 600001);
    add(&there, 22, NOW_MS - 599999);
    add_other(&here, 23, NOW_MS - 600001);
    assert_earlier(1, 22, 1);
}

static void test_no_more_of_other_rooms_than_there_is_place_for(void **state)
{
    for (uint8_t n = 1; n <= 12; n++)
        add_other(&here, n, NOW_MS);
    assert_int_equal(here.other_count, WINDOW_OTHERS_MAX);
    for (uint8_t n = 21; n <= 34; n++)
        add(&here, n, NOW_MS);
    assert_int_equal(window_earlier(&here, &of_sender, 1, NOW_MS, out), SCREEN_WINDOW_MAX);
    assert_int_equal(out[2].message.bytes[0], 21);
}

static void test_cleared_it_knows_nothing(void **state)
{
    add(&here, 1, NOW_MS);
    add_other(&here, 2, NOW_MS);
    here.facts = (struct window_facts){.booked = true, .offences = 3};
    window_clear(&here);
    assert_int_equal(window_earlier(&here, &of_sender, 1, NOW_MS, out), 0);
    assert_true(uuid_is_nil(&here.last) && !here.facts.booked && !here.facts.offences);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keeps_the_last_ones_in_order),
        TEST(test_other_rooms_take_the_places_that_are_left),
        TEST(test_a_long_message_leaves_places_to_other_rooms),
        TEST(test_other_rooms_as_read_count_once),
        TEST(test_what_was_said_elsewhere_long_ago_is_left_out),
        TEST(test_no_more_of_other_rooms_than_there_is_place_for),
        TEST(test_cleared_it_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
