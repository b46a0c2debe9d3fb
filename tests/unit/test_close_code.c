/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/close_code.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/close_code.h"

static const enum close_code codes[] = {
#define CLOSE_ROW(NAME, code, name, reconnect, text) CLOSE_##NAME,
#include "protocol/close_table.h"
#undef CLOSE_ROW
};

static void test_values(void **state)
{
    assert_int_equal(CLOSE_DRAIN, 4000);
    assert_int_equal(CLOSE_VERSION, 4504);
    assert_int_equal(CLOSE_POLICY, 1008);
    assert_string_equal(close_name(CLOSE_SLOW), "slow");
    assert_string_equal(close_name((enum close_code)2999), "unknown");
    assert_true(close_reconnect((enum close_code)1012));
    assert_string_equal(close_text((enum close_code)1012), "");
}

/* Clients that do not know a code go by its range, so the table must keep to the ranges. */
static void test_ranges(void **state)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] >= 4500)
            assert_false(close_reconnect(codes[i]));
        else if (codes[i] >= 4000)
            assert_true(close_reconnect(codes[i]));
        assert_true(strlen(close_text(codes[i])) > 10);
    }
}

static void test_reason(void **state)
{
    char reason[CLOSE_REASON_BYTES];

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        size_t length = close_reason(codes[i], INT64_MAX, reason);

        assert_in_range(length, 1, CLOSE_REASON_BYTES - 1);
        assert_int_equal(strlen(reason), length);
    }
    close_reason(CLOSE_DRAIN, 1500, reason);
    assert_string_equal(reason, "{\"reason\":\"drain\",\"retry_after_ms\":1500}");
    close_reason(CLOSE_SLOW, 0, reason);
    assert_string_equal(reason, "{\"reason\":\"slow\"}");
    close_reason(CLOSE_SLOW, -1, reason);
    assert_string_equal(reason, "{\"reason\":\"slow\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
