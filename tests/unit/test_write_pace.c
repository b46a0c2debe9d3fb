/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/write_pace.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/write_pace.h"

enum { START_US = 1000000 };

static void test_a_burst_is_not_held_up(void **state)
{
    struct write_pace pace = WRITE_PACE_INIT;

    for (int i = 0; i < WRITE_PACE_BURST; i++) {
        assert_int_equal(write_pace_wait_us(&pace, START_US), 0);
        write_pace_spend(&pace, START_US);
    }
    assert_int_equal(write_pace_wait_us(&pace, START_US), WRITE_PACE_GAP_US);
    assert_int_equal(write_pace_wait_us(&pace, START_US + 500), WRITE_PACE_GAP_US - 500);
    assert_int_equal(write_pace_wait_us(&pace, START_US + WRITE_PACE_GAP_US), 0);
}

static void test_few_are_never_held_up(void **state)
{
    struct write_pace pace = WRITE_PACE_INIT;

    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t now_us = START_US + i * WRITE_PACE_GAP_US;
        assert_int_equal(write_pace_wait_us(&pace, now_us), 0);
        write_pace_spend(&pace, now_us);
    }
}

static void test_idle_time_is_saved_up_for_one_burst_only(void **state)
{
    struct write_pace pace = WRITE_PACE_INIT;
    unsigned left = 0;

    write_pace_spend(&pace, START_US);
    while (!write_pace_wait_us(&pace, 1000 * START_US)) {
        write_pace_spend(&pace, 1000 * START_US);
        left++;
    }
    assert_int_equal(left, WRITE_PACE_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_is_not_held_up),
        cmocka_unit_test(test_few_are_never_held_up),
        cmocka_unit_test(test_idle_time_is_saved_up_for_one_burst_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
