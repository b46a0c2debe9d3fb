/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/rate_limit.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rate_limit.h"

static const double rate = 5, burst = 10;

static int64_t take(struct rate_limit *bucket, int64_t now_ms, double n)
{
    return rate_limit_take(bucket, now_ms, rate, burst, n);
}

static void test_burst_then_rate(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;
    int64_t now_ms = 1000000;

    for (int i = 0; i < 10; i++)
        assert_int_equal(take(&bucket, now_ms, 1), 0);
    assert_int_equal(take(&bucket, now_ms, 1), 200);
    assert_int_equal(take(&bucket, now_ms + 150, 1), 50);
    assert_int_equal(take(&bucket, now_ms + 199, 1), 1);
    assert_int_equal(take(&bucket, now_ms + 200, 1), 0);
    assert_int_equal(take(&bucket, now_ms + 200, 1), 200);
}

/* In the long run as many as the rate says, whatever the rhythm of asking. */
static void test_long_run(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;
    int taken = 0;

    for (int64_t now_ms = 0; now_ms < 100000; now_ms += 7)
        taken += take(&bucket, now_ms, 1) == 0;
    assert_in_range(taken, 10 + 499, 10 + 500);
}

static void test_waiting_as_told_is_enough(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;
    int64_t now_ms = 1700000000000;

    for (int i = 0; i < 1000; i++) {
        int64_t wait_ms = rate_limit_take(&bucket, now_ms, 3, 7, 2);

        if (wait_ms == 0)
            continue;
        assert_true(rate_limit_check(&bucket, now_ms + wait_ms - 1, 3, 7, 2) > 0);
        now_ms += wait_ms;
        assert_int_equal(rate_limit_take(&bucket, now_ms, 3, 7, 2), 0);
    }
}

static void test_check_takes_nothing(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;

    for (int i = 0; i < 100; i++)
        assert_int_equal(rate_limit_check(&bucket, 5, rate, burst, 10), 0);
    assert_int_equal(take(&bucket, 5, 10), 0);
    assert_int_equal(rate_limit_check(&bucket, 5, rate, burst, 10), 2000);
}

/* A request larger than the burst is served from a full bucket, and paid for afterwards. */
static void test_more_than_the_burst(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;

    assert_int_equal(take(&bucket, 0, 30), 0);
    assert_int_equal(take(&bucket, 0, 1), 4200);
    assert_int_equal(take(&bucket, 4199, 30), 1801);
    assert_int_equal(take(&bucket, 6000, 30), 0);
}

static void test_debit_leaves_a_bounded_debt(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;

    rate_limit_debit(&bucket, 0, rate, burst, 4);
    assert_int_equal(rate_limit_check(&bucket, 0, rate, burst, 6), 0);
    assert_true(rate_limit_check(&bucket, 0, rate, burst, 7) > 0);
    rate_limit_debit(&bucket, 0, rate, burst, 1e9);
    assert_int_equal(rate_limit_check(&bucket, 0, rate, burst, 1), 2200);
    assert_int_equal(rate_limit_check(&bucket, 2200, rate, burst, 1), 0);
}

static void test_slow_rates(void **state)
{
    struct rate_limit bucket = RATE_LIMIT_INIT;
    double per_s = 30.0 / 60;

    for (int i = 0; i < 30; i++)
        assert_int_equal(rate_limit_take(&bucket, 77, per_s, 30, 1), 0);
    assert_int_equal(rate_limit_take(&bucket, 77, per_s, 30, 1), 2000);
}

static void test_table_keeps_keys_apart(void **state)
{
    struct rate_table *table = rate_table_new(100, 0.1, 3);

    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_table_take(table, "ann", 3, 1000), 0);
    assert_int_equal(rate_table_check(table, "ann", 3, 1000), 10000);
    assert_int_equal(rate_table_take(table, "ann", 3, 1000), 10000);
    assert_int_equal(rate_table_check(table, "bob", 3, 1000), 0);
    assert_int_equal(rate_table_take(table, "bob", 3, 1000), 0);
    rate_table_forgive(table, "ann", 3);
    rate_table_forgive(table, "nobody", 6);
    assert_int_equal(rate_table_take(table, "ann", 3, 1000), 0);
    rate_table_credit(table, "nobody", 6);
    rate_table_configure(table, 1, 1);
    assert_int_equal(rate_table_check(table, "ann", 3, 1000), 10000);
    table = rate_table_free(table);
    assert_null(table);
}

static void test_table_credit(void **state)
{
    struct rate_table *table = rate_table_new(100, 0.1, 2);

    assert_int_equal(rate_table_take(table, "ann", 3, 0), 0);
    assert_int_equal(rate_table_take(table, "ann", 3, 0), 0);
    rate_table_credit(table, "ann", 3);
    assert_int_equal(rate_table_take(table, "ann", 3, 0), 0);
    assert_int_equal(rate_table_take(table, "ann", 3, 0), 10000);
    rate_table_free(table);
}

static void test_table_debit(void **state)
{
    struct rate_table *table = rate_table_new(100, 1, 3);

    for (int i = 0; i < 5; i++)
        rate_table_debit(table, "ann", 3, 0);
    assert_int_equal(rate_table_take(table, "ann", 3, 0), 3000);
    assert_int_equal(rate_table_take(table, "ann", 3, 3000), 0);
    table = rate_table_free(table);
}

static void guess(struct rate_table *table, unsigned n, int64_t now_ms)
{
    char key[32];
    int length = snprintf(key, sizeof(key), "user%u@example.com", n);

    rate_table_take(table, key, (size_t)length, now_ms);
}

/* A flood of one guess each at other accounts does not free the one that was guessed at most. */
static void test_flood_forgets_the_least_guilty(void **state)
{
    struct rate_table *table = rate_table_new(1024, 0.01, 5);
    const char *target = "target@example.com";

    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_table_take(table, target, strlen(target), 1000), 0);
    for (unsigned n = 0; n < 100000; n++)
        guess(table, n, 1000);
    assert_true(rate_table_check(table, target, strlen(target), 1000) > 0);
    table = rate_table_free(table);
}

static void test_entries_expire(void **state)
{
    struct rate_table *table = rate_table_new(64, 1, 5);

    for (int i = 0; i < 5; i++)
        rate_table_take(table, "ann", 3, 0);
    assert_true(rate_table_check(table, "ann", 3, 0) > 0);
    assert_int_equal(rate_table_check(table, "ann", 3, 5000), 0);
    for (unsigned n = 0; n < 10000; n++)
        guess(table, n, 5000);
    assert_int_equal(rate_table_check(table, "ann", 3, 5000), 0);
    table = rate_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_waiting_as_told_is_enough),
        cmocka_unit_test(test_check_takes_nothing),
        cmocka_unit_test(test_more_than_the_burst),
        cmocka_unit_test(test_debit_leaves_a_bounded_debt),
        cmocka_unit_test(test_slow_rates),
        cmocka_unit_test(test_table_keeps_keys_apart),
        cmocka_unit_test(test_table_credit),
        cmocka_unit_test(test_table_debit),
        cmocka_unit_test(test_flood_forgets_the_least_guilty),
        cmocka_unit_test(test_entries_expire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
