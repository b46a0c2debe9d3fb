/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/phone_plan.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/phone_plan.h"

static enum phone_fit fit(const char *text, bool plus)
{
    uint8_t digits[32];
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        digits[i] = (uint8_t)(text[i] - '0');
    return phone_plan_fit(digits, n, plus);
}

static void test_russia(void **state)
{
    assert_int_equal(fit("89123456789", false), PHONE_CERTAIN);
    assert_int_equal(fit("79123456789", false), PHONE_CERTAIN);
    assert_int_equal(fit("84951234567", false), PHONE_LIKELY);
    assert_int_equal(fit("81234567890", false), PHONE_POSSIBLE);
    assert_int_equal(fit("9123456789", false), PHONE_LIKELY);
    assert_int_equal(fit("77011234567", false), PHONE_LIKELY); /* Kazakhstan */
}

static void test_countries(void **state)
{
    assert_int_equal(fit("375291234567", true), PHONE_CERTAIN);
    assert_int_equal(fit("375291234567", false), PHONE_LIKELY);
    assert_int_equal(fit("442079460958", true), PHONE_CERTAIN);
    assert_int_equal(fit("00442079460958", false), PHONE_LIKELY);
    assert_int_equal(fit("12125550143", true), PHONE_CERTAIN);
    assert_int_equal(fit("1212555014", true), PHONE_POSSIBLE); /* one digit short */
    assert_int_equal(fit("999123456789", true), PHONE_POSSIBLE);
}

static void test_none(void **state)
{
    assert_int_equal(fit("1234", false), PHONE_NONE);
    assert_int_equal(fit("1234567890123456", false), PHONE_NONE);
    assert_int_equal(fit("77777777777", false), PHONE_NONE);
    assert_int_equal(fit("62888961", false), PHONE_POSSIBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_russia),
        cmocka_unit_test(test_countries),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
