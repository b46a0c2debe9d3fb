/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/pattern_syntax.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/pattern_syntax.h"

static const char *translate(const char *text)
{
    static char out[PATTERN_TEXT_MAX];

    assert_null(pattern_syntax_translate(text, strlen(text), out));
    return out;
}

static void test_translation(void **state)
{
    assert_string_equal(translate("ab1"), "\\x20(?:\\x61\\x62\\x31)\\x20");
    assert_string_equal(translate("*абв*"), "(?:\\x80\\x81\\x82)");
    assert_string_equal(translate("\\d{4}"), "\\x20(?:[0-9]{4,4})\\x20");
    assert_string_equal(translate("a-b c"), "\\x20(?:\\x61\\x20\\x62\\x20\\x63)\\x20");
    assert_string_equal(translate("[a-c9]{3,5}"), "\\x20(?:[\\x61-\\x63\\x39-\\x39]{3,5})\\x20");
    assert_string_equal(translate("(ab|cd)?xyz"),
                        "\\x20(?:(?:\\x61\\x62|\\x63\\x64){0,1}\\x78\\x79\\x7a)\\x20");
}

static void test_refusals(void **state)
{
    static const char *const bad[] = {
        "",
        "ab",
        "abc?",
        "a*b",
        "a+bc",
        "abc{2,}",
        "abc{33}",
        "abc{,3}",
        "abc{3,2}",
        "abc{0}",
        "(abc",
        "abc)",
        "[abc",
        "[]abc",
        "\\xabc",
        "[c-a]bc",
        "?abc",
        "{3}abc",
        "漢字漢",
        "[-a]bc",
        "((((((((((abc))))))))))",
        "(\\w{32}){5}",
    };
    char out[PATTERN_TEXT_MAX];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(pattern_syntax_translate(bad[i], strlen(bad[i]), out));
}

/* However long it is, what is written stays in bounds. */
static void test_long_patterns(void **state)
{
    char text[PATTERN_TEXT_MAX], out[PATTERN_TEXT_MAX];

    memset(text, 'a', sizeof(text));
    assert_non_null(pattern_syntax_translate(text, sizeof(text), out));
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "a|"[i % 2];
    assert_non_null(pattern_syntax_translate(text, sizeof(text), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
