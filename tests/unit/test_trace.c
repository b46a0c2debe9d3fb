/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/trace.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/screen.h"
#include "moderation/text_view.h"
#include "moderation/trace.h"

enum { CAPACITY = 4096 };

static struct screen_trace make(const char *text)
{
    struct text_view view;
    struct screen_trace trace;
    struct screen_input input = {.text = text, .length = strlen(text), .at_ms = 5};

    text_view_init(&view, CAPACITY);
    assert_int_equal(text_view_read(&view, text, strlen(text)), 0);
    trace_make(&view, &input, true, &trace);
    text_view_deinit(&view);
    return trace;
}

static void test_hash_of_what_is_read(void **state)
{
    assert_true(make("Купи сейчас!").hash == make("КУПИ   сейчас...🔥").hash);
    assert_true(make("купи сейчас").hash != make("купи потом").hash);
    assert_true(make("!!!").hash != make("???").hash);
    assert_true(make("漢字").hash != make("漢子").hash);
    assert_int_equal(make("Купи сейчас!").weight, 10);
}

static void test_fragments(void **state)
{
    struct screen_trace trace = make("8912");
    char longer[SCREEN_FRAGMENT_BYTES + 2];

    assert_int_equal(trace.length, 4);
    assert_memory_equal(trace.fragment, "8912", 4);
    assert_int_equal(trace.at_ms, 5);
    assert_true(trace.numeric);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(make(longer).length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_of_what_is_read),
        cmocka_unit_test(test_fragments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
