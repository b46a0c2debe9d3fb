/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/edit_distance.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/edit_distance.h"

static void test_distances(void **state)
{
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("", "abc"), 3);
    assert_int_equal(edit_distance("abc", ""), 3);
    assert_int_equal(edit_distance("port", "port"), 0);
    assert_int_equal(edit_distance("port", "prot"), 2);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("listen.adress", "listen.address"), 1);
}

static void test_long_names_are_far_from_everything(void **state)
{
    char name[EDIT_DISTANCE_NAME_BYTES + 2];
    memset(name, 'x', sizeof(name));
    name[EDIT_DISTANCE_NAME_BYTES] = '\0';
    assert_int_equal(edit_distance(name, ""), EDIT_DISTANCE_NAME_BYTES);
    name[EDIT_DISTANCE_NAME_BYTES] = 'x';
    name[EDIT_DISTANCE_NAME_BYTES + 1] = '\0';
    assert_true(edit_distance(name, "") == SIZE_MAX);
    assert_true(edit_distance("", name) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_long_names_are_far_from_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
