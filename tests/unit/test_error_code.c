/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/error_code.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/error_code.h"

static void test_table(void **state)
{
    assert_string_equal(error_name(ERROR_NONE), "none");
    assert_int_equal(error_http_status(ERROR_NONE), 200);
    assert_string_equal(error_name(ERROR_CID_CONFLICT), "cid_conflict");
    assert_int_equal(error_http_status(ERROR_CID_CONFLICT), 409);
    assert_int_equal(error_http_status(ERROR_TOKEN_EXPIRED), 401);
    assert_true(error_retryable(ERROR_UNAVAILABLE));
    assert_false(error_retryable(ERROR_FORBIDDEN));
}

/* Names are for programs, messages for people: both are there, and no name twice. */
static void test_every_row(void **state)
{
    for (int i = ERROR_NONE + 1; i <= ERROR_UNAVAILABLE; i++) {
        enum error_code code = (enum error_code)i;
        const char *name = error_name(code);

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_in_range(error_http_status(code), 400, 599);
        assert_int_equal(error_message(code)[strlen(error_message(code)) - 1], '.');
        for (int j = i + 1; j <= ERROR_UNAVAILABLE; j++)
            assert_string_not_equal(name, error_name((enum error_code)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
