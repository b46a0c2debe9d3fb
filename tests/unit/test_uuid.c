/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/uuid.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/uuid.h"

#define TEXT "0190f2a4-7b3c-7def-8a1b-0123456789ab"

static struct uuid parsed(const char *text)
{
    struct uuid uuid;

    assert_true(uuid_parse(&uuid, text, strlen(text)));
    return uuid;
}

static void test_round_trip(void **state)
{
    char text[UUID_TEXT_BYTES + 1];
    struct uuid lower = parsed(TEXT), upper = parsed("0190F2A4-7B3C-7DEF-8A1B-0123456789AB");

    assert_true(uuid_equal(&lower, &upper));
    assert_int_equal(lower.bytes[0], 0x01);
    assert_int_equal(lower.bytes[15], 0xab);
    uuid_format(&upper, text);
    assert_string_equal(text, TEXT);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{0190f2a4-7b3c-7def-8a1b-0123456789a}",
        "0190f2a47b3c7def8a1b0123456789ab",
        "0190f2a4-7b3c-7def-8a1b-0123456789a",
        "0190f2a4-7b3c-7def-8a1b-0123456789abc",
        "0190f2a4-7b3c-7def-8a1b-0123456789ag",
        "0190f2a4-7b3c-7def-8a1b+0123456789ab",
        "0190f2a-47b3c-7def-8a1b-0123456789ab",
        " 190f2a4-7b3c-7def-8a1b-0123456789ab",
        "0190f2a4-7b3c-7def-8a1b-0123456789 b",
        "0x90f2a4-7b3c-7def-8a1b-0123456789ab",
        "-190f2a4-7b3c-7def-8a1b-0123456789ab",
        ("\xd0\xb0"
         "90f2a4-7b3c-7def-8a1b-0123456789ab"),
    };
    struct uuid uuid = UUID_NIL;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(uuid_parse(&uuid, texts[i], strlen(texts[i])));
    assert_false(uuid_parse(&uuid, NULL, 0));
    assert_false(uuid_parse(&uuid, "0190f2a4-7b3c-7def-8a1b-012345678\0ab", UUID_TEXT_BYTES));
    assert_true(uuid_is_nil(&uuid));
}

static void test_order_and_hash(void **state)
{
    struct uuid a = parsed("00000000-0000-0000-0000-000000000001");
    struct uuid b = parsed("00000000-0000-0000-0000-0000000000ff");
    struct uuid c = parsed("80000000-0000-0000-0000-000000000000");

    assert_true(uuid_compare(&a, &b) < 0);
    assert_true(uuid_compare(&c, &b) > 0);
    assert_int_equal(uuid_compare(&c, &c), 0);
    assert_true(uuid_hash(&a) != uuid_hash(&b));
    assert_true(uuid_hash(&a) != uuid_hash(&c));
    assert_true(uuid_hash(&a) == uuid_hash(&a));
    assert_false(uuid_is_nil(&a));
}

/* Halves that are equal, or swapped, must not fall together: XOR alone would do that. */
static void test_hash_of_symmetric_halves(void **state)
{
    struct uuid equal = parsed("12345678-1234-5678-1234-567812345678");
    struct uuid other = parsed("11111111-1111-1111-1111-111111111111");
    struct uuid one = parsed("00000000-0000-0001-0000-000000000002");
    struct uuid two = parsed("00000000-0000-0002-0000-000000000001");

    assert_true(uuid_hash(&equal) != uuid_hash(&other));
    assert_true(uuid_hash(&one) != uuid_hash(&two));
}

static void test_version_7(void **state)
{
    static const uint8_t random[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    char text[UUID_TEXT_BYTES + 1];
    struct uuid uuid, next;

    /* RFC 9562, appendix A.6: 2022-02-22T19:22:22Z */
    uuid_v7(&uuid, UINT64_C(0x017f22e279b0), random);
    uuid_format(&uuid, text);
    assert_string_equal(text, "017f22e2-79b0-7fff-bfff-ffffffffffff");

    uuid_v7(&next, UINT64_C(0x017f22e279b1), (const uint8_t[10]){0});
    uuid_format(&next, text);
    assert_string_equal(text, "017f22e2-79b1-7000-8000-000000000000");
    assert_true(uuid_compare(&uuid, &next) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order_and_hash), cmocka_unit_test(test_hash_of_symmetric_halves),
        cmocka_unit_test(test_version_7),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
