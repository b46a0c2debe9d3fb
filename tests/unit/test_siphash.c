/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/siphash.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/siphash.h"

static uint8_t key[SIPHASH_KEY_BYTES], data[64];

static int set_up(void **state)
{
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    return 0;
}

/* Of the authors' test vectors: key 00 01 ... 0f, data 00 01 ... of each length. */
static void test_vectors(void **state)
{
    assert_true(siphash24(key, data, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(siphash24(key, data, 1) == UINT64_C(0x74f839c593dc67fd));
    assert_true(siphash24(key, data, 7) == UINT64_C(0xab0200f58b01d137));
    assert_true(siphash24(key, data, 8) == UINT64_C(0x93f5f5799a932462));
    /* the paper's own example */
    assert_true(siphash24(key, data, 15) == UINT64_C(0xa129ca6149be45e5));
    assert_true(siphash24(key, data, 63) == UINT64_C(0x958a324ceb064572));
}

static void test_key_counts(void **state)
{
    uint8_t other[SIPHASH_KEY_BYTES] = {1};

    assert_true(siphash24(key, data, 16) != siphash24(other, data, 16));
}

static void test_unaligned(void **state)
{
    uint8_t shifted[20] = {0};

    for (unsigned i = 0; i < 15; i++)
        shifted[i + 1] = (uint8_t)i;
    assert_true(siphash24(key, shifted + 1, 15) == siphash24(key, data, 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_key_counts),
        cmocka_unit_test(test_unaligned),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
