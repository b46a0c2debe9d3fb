/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/hit_rate.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/hit_rate.h"

enum { WINDOW_MS = 1000, LEAST = 20 };

/* Anything that spreads. */
static uint64_t sender(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return n ^ n >> 27;
}

static void write_many(struct hit_rate *rate, unsigned senders)
{
    for (unsigned i = 0; i < senders; i++)
        hit_rate_wrote(rate, 1, sender(i));
}

/* How many of them a rule may hit before it is above `ceiling`; 0 = never. */
static unsigned hits_until_above(struct hit_rate *rate, unsigned senders, unsigned ceiling)
{
    for (unsigned i = 0; i < senders; i++) {
        if (hit_rate_hit(rate, 0, sender(i), ceiling))
            return i + 1;
    }
    return 0;
}

static void test_senders_count_once(void **state)
{
    struct hit_rate *rate = hit_rate_new(1, WINDOW_MS, LEAST);

    for (int i = 0; i < 1000; i++) {
        write_many(rate, 1);
        assert_false(hit_rate_hit(rate, 0, sender(0), 1));
    }
    assert_int_equal(hit_rate_senders(rate), 1);
    assert_int_equal(hit_rate_hits(rate, 0), 1);
    hit_rate_free(rate);
}

static void test_counts_are_close(void **state)
{
    static const unsigned counts[] = {10, 100, 1000, 10000, 100000};

    for (size_t i = 0; i < 5; i++) {
        struct hit_rate *rate = hit_rate_new(1, WINDOW_MS, LEAST);

        write_many(rate, counts[i]);
        assert_in_range(hit_rate_senders(rate), counts[i] - counts[i] / 50,
                        counts[i] + counts[i] / 50);
        hit_rate_free(rate);
    }
}

static void test_above_the_ceiling(void **state)
{
    struct hit_rate *rate = hit_rate_new(1, WINDOW_MS, LEAST);

    write_many(rate, 2000);
    assert_in_range(hits_until_above(rate, 2000, 500), 95, 107); /* 5 % of 2,000 are 100 */
    hit_rate_free(rate);
}

static void test_too_few_to_say(void **state)
{
    struct hit_rate *rate = hit_rate_new(1, WINDOW_MS, LEAST);

    write_many(rate, 30);
    assert_int_equal(hits_until_above(rate, LEAST - 1, 100), 0);
    assert_true(hit_rate_hit(rate, 0, sender(LEAST), 100));
    hit_rate_free(rate);
}

static void test_a_window_ends(void **state)
{
    struct hit_rate *rate = hit_rate_new(2, WINDOW_MS, LEAST);

    write_many(rate, 100);
    hit_rate_hit(rate, 1, sender(1), 1);
    hit_rate_wrote(rate, WINDOW_MS, sender(200));
    assert_int_equal(hit_rate_hits(rate, 1), 1);
    hit_rate_wrote(rate, WINDOW_MS + 1, sender(201));
    assert_int_equal(hit_rate_senders(rate), 1);
    assert_int_equal(hit_rate_hits(rate, 1), 0);
    hit_rate_free(rate);
}

/* Where a bitmap is full the count is no more than large. */
static void test_more_than_a_bitmap_can_tell(void **state)
{
    struct hit_rate *rate = hit_rate_new(1, WINDOW_MS, LEAST);

    for (unsigned i = 0; i < 1000000; i++)
        hit_rate_hit(rate, 0, sender(i), 10000);
    assert_in_range(hit_rate_hits(rate, 0), 50000, 200000);
    hit_rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_senders_count_once),
        cmocka_unit_test(test_counts_are_close),
        cmocka_unit_test(test_above_the_ceiling),
        cmocka_unit_test(test_too_few_to_say),
        cmocka_unit_test(test_a_window_ends),
        cmocka_unit_test(test_more_than_a_bitmap_can_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
