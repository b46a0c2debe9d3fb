/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 100, BURST = 50, NOW = 1000000 };

static int64_t take(struct admission *admission, int64_t now_ms)
{
    return admission_take(admission, now_ms, RATE, BURST, (uint32_t)rand());
}

static void test_a_burst_is_let_in(void **state)
{
    struct admission admission = {0};
    (void)state;

    for (int i = 0; i < BURST; i++)
        assert_int_equal(take(&admission, NOW), 0);
    assert_true(take(&admission, NOW) > 0);
}

static void test_then_the_rate(void **state)
{
    struct admission admission = {0};
    int let_in = 0;
    (void)state;

    for (int ms = 0; ms < 10000; ms++)
        let_in += take(&admission, NOW + ms) == 0;
    assert_in_range(let_in, BURST + 10 * RATE - 2, BURST + 10 * RATE + 2);
}

/* Each of a herd comes when it was told to: hardly any is refused again. */
static void test_the_refused_come_back_one_by_one(void **state)
{
    enum { HERD = 1000, SECONDS = 30 };
    struct admission admission = {0};
    int due[SECONDS * 1000] = {0}, refused = 0, let_in = 0;
    (void)state;

    due[0] = HERD;
    for (int ms = 0; ms < SECONDS * 1000; ms++) {
        for (; due[ms] > 0; due[ms]--) {
            int64_t wait_ms = take(&admission, NOW + ms);

            if (wait_ms == 0) {
                let_in++;
                continue;
            }
            refused++;
            assert_true(ms + wait_ms < SECONDS * 1000);
            due[ms + wait_ms]++;
        }
    }
    assert_int_equal(let_in, HERD);
    assert_true(refused < HERD + HERD / 3);
}

static void test_nobody_waits_much_over_a_minute(void **state)
{
    struct admission admission = {0};
    (void)state;

    for (int i = 0; i < 100000; i++) {
        int64_t wait_ms = admission_take(&admission, NOW, 1, 1, (uint32_t)rand());
        assert_true(wait_ms <= 62000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_is_let_in),
        cmocka_unit_test(test_then_the_rate),
        cmocka_unit_test(test_the_refused_come_back_one_by_one),
        cmocka_unit_test(test_nobody_waits_much_over_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
