/* SPDX-License-Identifier: Apache-2.0 */
/* Backoff with full jitter */

#include "gateway/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { BASE_MS = 50, CAP_MS = 3000 };

static void test_waits_stay_in_their_bounds(void **state)
{
    static const uint32_t bounds[] = {50, 100, 200, 400, 800, 1600, 3000, 3000, 3000};

    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct retry retry;

        retry_init(&retry, BASE_MS, CAP_MS, seed);
        for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++)
            assert_in_range(retry_next_ms(&retry), 1, bounds[i]);
    }
}

static void test_waits_fill_their_bounds(void **state)
{
    uint32_t lowest = UINT32_MAX, highest = 0;
    uint64_t sum = 0;
    struct retry retry;

    retry_init(&retry, CAP_MS, CAP_MS, 1);
    for (int i = 0; i < 10000; i++) {
        uint32_t wait = retry_next_ms(&retry);

        lowest = wait < lowest ? wait : lowest;
        highest = wait > highest ? wait : highest;
        sum += wait;
    }
    assert_in_range(lowest, 1, 30);
    assert_in_range(highest, CAP_MS - 30, CAP_MS);
    assert_in_range(sum / 10000, CAP_MS / 2 - 50, CAP_MS / 2 + 50);
}

static void test_success_begins_anew(void **state)
{
    struct retry retry;

    retry_init(&retry, BASE_MS, CAP_MS, 7);
    for (int i = 0; i < 20; i++)
        retry_next_ms(&retry);
    retry_reset(&retry);
    assert_in_range(retry_next_ms(&retry), 1, BASE_MS);
}

static void test_many_attempts_do_not_overflow(void **state)
{
    struct retry retry;

    retry_init(&retry, UINT32_MAX, UINT32_MAX, 7);
    for (int i = 0; i < 100; i++)
        assert_true(retry_next_ms(&retry) >= 1);
    retry.attempts = UINT32_MAX;
    retry_next_ms(&retry);
    assert_true(retry.attempts == UINT32_MAX);
}

static void test_seeds_differ(void **state)
{
    assert_true(retry_seed() != retry_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_stay_in_their_bounds),
        cmocka_unit_test(test_waits_fill_their_bounds),
        cmocka_unit_test(test_success_begins_anew),
        cmocka_unit_test(test_many_attempts_do_not_overflow),
        cmocka_unit_test(test_seeds_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
