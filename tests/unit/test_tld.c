/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/tld.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/tld.h"

static void test_classes(void **state)
{
    assert_int_equal(tld_classify("com"), TLD_COMMON);
    assert_int_equal(tld_classify("рф"), TLD_COMMON);
    assert_int_equal(tld_classify("xn--p1ai"), TLD_COMMON);
    assert_int_equal(tld_classify("black"), TLD_RARE);
    assert_int_equal(tld_classify("py"), TLD_AMBIGUOUS);
    assert_int_equal(tld_classify("ру"), TLD_SPOKEN);
    assert_int_equal(tld_classify("pdf"), TLD_NONE);
    assert_int_equal(tld_classify("docx"), TLD_NONE);
    assert_int_equal(tld_classify(""), TLD_NONE);
}

/* The ends of the sorted tables. */
static void test_edges(void **state)
{
    assert_int_equal(tld_classify("aaa"), TLD_RARE);
    assert_int_equal(tld_classify("zw"), TLD_RARE);
    assert_int_equal(tld_classify("aa"), TLD_NONE);
    assert_int_equal(tld_classify("zz"), TLD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
