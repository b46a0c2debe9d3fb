/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/leet.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/leet.h"

static void test_letters(void **state)
{
    assert_int_equal(leet_latin('3', 0), 'e');
    assert_int_equal(leet_latin('3', 1), 0);
    assert_int_equal(leet_latin('1', 0), 'i');
    assert_int_equal(leet_latin('1', 1), 'l');
    assert_int_equal(leet_latin('$', 0), 's');
    assert_int_equal(leet_cyrillic('6', 0), 0x81); /* б */
    assert_int_equal(leet_cyrillic('3', 0), 0x87); /* з */
    assert_int_equal(leet_cyrillic('3', 1), 0x85); /* е */
    assert_int_equal(leet_latin('+', 0), 0);
}

static void test_masks(void **state)
{
    assert_true(leet_is_mask('*'));
    assert_true(leet_is_mask(0x2022));
    assert_false(leet_is_mask('.'));
    assert_false(leet_is_mask('@'));
}

static void test_what_ends_a_word(void **state)
{
    assert_true(leet_is_inner('@'));
    assert_true(leet_is_inner('\''));
    assert_true(leet_is_inner('#'));
    assert_false(leet_is_inner('-'));
    assert_false(leet_is_inner(','));
    assert_false(leet_is_inner('/'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_what_ends_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
