/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pg_fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pg_history history(const char *system, const char *timeline)
{
    struct pg_history found;

    assert_true(pg_history_parse(&found, system, timeline));
    return found;
}

static enum pg_fence_verdict judge(struct pg_fence *fence, const char *system, const char *timeline)
{
    struct pg_history found = history(system, timeline);
    return pg_fence_judge(fence, &found);
}

static void test_the_first_is_believed(void **state)
{
    struct pg_fence fence;
    (void)state;

    pg_fence_init(&fence);
    assert_int_equal(judge(&fence, "7300000000000000001", "00000003"), PG_FENCE_SAME);
    assert_int_equal(judge(&fence, "7300000000000000001", "00000003"), PG_FENCE_SAME);
    assert_int_equal(fence.generation, 0);
}

static void test_a_promotion_is_another_history(void **state)
{
    struct pg_fence fence;
    (void)state;

    pg_fence_init(&fence);
    judge(&fence, "7300000000000000001", "00000009");
    assert_int_equal(judge(&fence, "7300000000000000001", "0000000A"), PG_FENCE_OTHER);
    assert_int_equal(fence.generation, 1);
    assert_int_equal(judge(&fence, "7300000000000000001", "0000000A"), PG_FENCE_SAME);
}

static void test_what_was_left_stays_left(void **state)
{
    struct pg_fence fence;
    (void)state;

    pg_fence_init(&fence);
    judge(&fence, "7300000000000000001", "00000001");
    judge(&fence, "7300000000000000001", "00000002");
    assert_int_equal(judge(&fence, "7300000000000000001", "00000001"), PG_FENCE_PAST);
    assert_int_equal(fence.known.timeline, 2);
    assert_int_equal(fence.generation, 1);
}

static void test_another_system_is_believed_whatever_its_timeline(void **state)
{
    struct pg_fence fence;
    (void)state;

    pg_fence_init(&fence);
    judge(&fence, "7300000000000000001", "00000005");
    assert_int_equal(judge(&fence, "7400000000000000002", "00000001"), PG_FENCE_OTHER);
    assert_string_equal(fence.known.system, "7400000000000000002");
}

static void test_nonsense_is_refused(void **state)
{
    struct pg_history found;
    (void)state;

    assert_false(pg_history_parse(&found, "", "00000001"));
    assert_false(pg_history_parse(&found, "12a", "00000001"));
    assert_false(pg_history_parse(&found, "123456789012345678901234567890", "00000001"));
    assert_false(pg_history_parse(&found, "123", ""));
    assert_false(pg_history_parse(&found, "123", "00000000"));
    assert_false(pg_history_parse(&found, "123", "1FFFFFFFF"));
    assert_false(pg_history_parse(&found, "123", "0000000x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_is_believed),
        cmocka_unit_test(test_a_promotion_is_another_history),
        cmocka_unit_test(test_what_was_left_stays_left),
        cmocka_unit_test(test_another_system_is_believed_whatever_its_timeline),
        cmocka_unit_test(test_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
