/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/joined_text.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/joined_text.h"

static struct screen_trace trace(const char *text, bool numeric)
{
    struct screen_trace trace = {.numeric = numeric, .length = (uint8_t)strlen(text)};

    memcpy(trace.fragment, text, strlen(text));
    return trace;
}

static struct screen_input input_of(const char *text, const struct screen_trace *earlier,
                                    size_t count)
{
    return (struct screen_input){
        .text = text, .length = strlen(text), .earlier = earlier, .earlier_count = count};
}

static void test_numeric_pieces(void **state)
{
    struct screen_trace earlier[] = {trace("8912", true), trace("wait", false), trace("345", true)};
    struct screen_input input = input_of("67 89", earlier, 3);
    struct joined_text joined;

    assert_true(joined_text_make(&joined, &input, JOINED_NUMERIC));
    assert_int_equal(joined.length, strlen("8912 345 67 89"));
    assert_memory_equal(joined.text, "8912 345 67 89", joined.length);
    assert_int_equal(joined.start, 9);
    assert_int_equal(joined_text_pieces(&joined, 0), 5); /* the first and the third before */
    assert_int_equal(joined_text_pieces(&joined, 5), 1);
    assert_int_equal(joined_text_pieces(&joined, 9), 0);
}

static void test_last_pieces_are_glued(void **state)
{
    struct screen_trace earlier[] = {trace("hello", false), trace("write to", false),
                                     trace("anna", false)};
    struct screen_input input = input_of("@example.com", earlier, 3);
    struct joined_text joined;

    assert_true(joined_text_make(&joined, &input, JOINED_LAST));
    assert_memory_equal(joined.text, "write to anna@example.com", joined.length);
}

static void test_what_is_left_out(void **state)
{
    struct screen_trace earlier[] = {trace("8912", true), {.numeric = true}};
    struct screen_input input = input_of("345", earlier, 2);
    struct joined_text joined;
    char text[SCREEN_FRAGMENT_BYTES + 1];

    earlier[0].other_room = true;
    assert_false(joined_text_make(&joined, &input, JOINED_NUMERIC));
    earlier[0].other_room = false;
    assert_true(joined_text_make(&joined, &input, JOINED_NUMERIC));
    memset(text, '1', sizeof(text));
    input.text = text;
    input.length = sizeof(text); /* too long to be a piece */
    assert_false(joined_text_make(&joined, &input, JOINED_NUMERIC));
}

/* A window of the longest fragments fits. */
static void test_longest(void **state)
{
    struct screen_trace earlier[SCREEN_WINDOW_MAX + 5];
    char text[SCREEN_FRAGMENT_BYTES];
    struct joined_text joined;

    memset(text, '7', sizeof(text));
    for (size_t i = 0; i < SCREEN_WINDOW_MAX + 5; i++) {
        earlier[i] = (struct screen_trace){.numeric = true, .length = sizeof(text)};
        memcpy(earlier[i].fragment, text, sizeof(text));
    }
    struct screen_input input = {.text = text,
                                 .length = sizeof(text),
                                 .earlier = earlier,
                                 .earlier_count = SCREEN_WINDOW_MAX + 5};
    assert_true(joined_text_make(&joined, &input, JOINED_NUMERIC));
    assert_int_equal(joined.pieces, SCREEN_WINDOW_MAX);
    assert_true(joined.length <= JOINED_BYTES_MAX);
    assert_int_equal(joined_text_pieces(&joined, 0), (1U << SCREEN_WINDOW_MAX) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric_pieces),
        cmocka_unit_test(test_last_pieces_are_glued),
        cmocka_unit_test(test_what_is_left_out),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
