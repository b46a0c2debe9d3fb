/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/utf8.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/utf8.h"

#define LENGTH(text) (sizeof(text) - 1)

/* The generic encoding, that knows nothing of what is forbidden. */
static size_t encode(uint32_t code_point, char out[4])
{
    size_t bytes = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    if (bytes == 1) {
        out[0] = (char)code_point;
        return 1;
    }
    for (size_t i = bytes - 1; i > 0; i--, code_point >>= 6)
        out[i] = (char)(0x80 | (code_point & 0x3f));
    out[0] = (char)(0xff << (8 - bytes) | code_point);
    return bytes;
}

static void test_every_code_point(void **state)
{
    char text[4];

    for (uint32_t c = 0; c < 0x120000; c++) {
        size_t bytes = encode(c, text);
        bool scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

        if (utf8_valid(text, bytes) != scalar)
            fail_msg("U+%04X is %s", c, scalar ? "refused" : "taken");
        if (bytes > 1 && utf8_valid(text, bytes - 1))
            fail_msg("U+%04X is taken without its last byte", c);
    }
}

static void test_malformed(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {
#define CASE(text) {text, LENGTH(text)}
        CASE("\x80"), /* a tail alone */
        CASE("\xbf"),
        CASE("\xc0\x80"), /* overlong U+0000 */
        CASE("\xc1\xbf"),
        CASE("\xe0\x80\x80"),
        CASE("\xe0\x9f\xbf"),
        CASE("\xf0\x80\x80\x80"),
        CASE("\xf0\x8f\xbf\xbf"),
        CASE("\xed\xa0\x80"), /* surrogates */
        CASE("\xed\xbf\xbf"),
        CASE("\xed\xa0\xbd\xed\xb8\x80"),
        CASE("\xf4\x90\x80\x80"), /* above U+10FFFF */
        CASE("\xf5\x80\x80\x80"),
        CASE("\xfe"),
        CASE("\xff"),
        CASE("\xf8\x88\x80\x80\x80"),
        CASE("\xe2\x28\xa1"),
        CASE("\xe2\x82"), /* cut */
        CASE("12345678\xc3"),
        CASE("\xc3"
             "12345678"),
        CASE("\xf0\x9f\x98"),
        CASE("\xc3\xc3\xa9"),
#undef CASE
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (utf8_valid(cases[i].text, cases[i].bytes))
            fail_msg("malformed case %zu is taken", i);
    }
}

static void test_count(void **state)
{
    static const char text[] = "a\xc3\xa9\xd0\xb9\xe2\x82\xac\xf0\x9f\x98\x80"
                               "12345678z";

    assert_true(utf8_valid(text, LENGTH(text)));
    assert_int_equal(utf8_count(text, LENGTH(text)), 14);
    assert_true(utf8_valid(NULL, 0));
    assert_int_equal(utf8_count("", 0), 0);
    assert_true(utf8_valid("a\0b", 3));
}

static void test_blank(void **state)
{
    static const char *const blank[] = {
        "",
        " ",
        " \t\r\n",
        "\xc2\xa0",
        "\xe2\x80\x8b" /* zero width space */,
        "\xef\xbb\xbf" /* byte order mark */,
        "\xe3\x85\xa4" /* Hangul filler */,
        "\xe3\x80\x80 \xe2\x80\xa8",
        "\xe2\xa0\x80" /* empty Braille */,
        "\xf3\xa0\x80\xa1" /* tag */,
        "\xe2\x80\xae" /* right-to-left override */,
    };
    static const char *const seen[] = {
        "a", "  .", "\xd1\x8f", "\xef\xbf\xbf", "\xe2\x80\x8b\xd1\x8f", "\xf0\x9f\x98\x80", "0",
    };

    for (size_t i = 0; i < sizeof(blank) / sizeof(blank[0]); i++)
        assert_true(utf8_blank(blank[i], strlen(blank[i])));
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        assert_false(utf8_blank(seen[i], strlen(seen[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
