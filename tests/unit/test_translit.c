/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/translit.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/alphabet.h"
#include "moderation/translit.h"

static size_t sound(const char *latin, uint8_t *out)
{
    size_t n = 0, left = strlen(latin);

    for (const uint8_t *at = (const uint8_t *)latin; left > 0;) {
        size_t count, used = translit_latin(at, left, out + n, &count);

        n += count;
        at += used;
        left -= used;
    }
    return n;
}

static void assert_same_sound(const char *a, const char *b)
{
    uint8_t x[64], y[64];
    size_t n = sound(a, x), m = sound(b, y);

    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
}

static void test_spellings_meet(void **state)
{
    assert_same_sound("shchi", "schi");
    assert_same_sound("khrom", "xrom");
    assert_same_sound("yula", "jula");
    assert_same_sound("yama", "jama");
    assert_same_sound("moy", "moi");
    assert_same_sound("tsar", "car");
}

/* Every Russian letter has a sound that some Latin spelling has, too. */
static void test_both_sides_agree(void **state)
{
    static const struct {
        uint8_t russian;
        const char *latin;
    } rows[] = {{0x80, "a"},  {0x86, "zh"}, {0x89, "y"},    {0x95, "kh"}, {0x96, "ts"},
                {0x97, "ch"}, {0x98, "sh"}, {0x99, "shch"}, {0x9E, "yu"}, {0x9F, "ya"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t expected[8], got[TRANSLIT_BYTES_MAX];
        size_t n = sound(rows[i].latin, expected);

        assert_int_equal(translit_cyrillic(rows[i].russian, got), n);
        assert_memory_equal(got, expected, n);
    }
    uint8_t none[TRANSLIT_BYTES_MAX];
    assert_int_equal(translit_cyrillic(0x9C, none), 0); /* ь */
    assert_int_equal(translit_cyrillic('a', none), 0);
}

static void test_sounds_between_scripts(void **state)
{
    assert_int_equal(translit_latin_sound('r'), 0x90);
    assert_int_equal(translit_cyrillic_sound(0x90), 'r');
    assert_int_equal(translit_latin_sound('1'), 0);
    assert_int_equal(translit_cyrillic_sound(0x97), 0);
}

static bool ends(const char *latin)
{
    uint8_t out[32];

    return translit_is_ending(out, sound(latin, out));
}

static void test_endings(void **state)
{
    assert_true(translit_is_ending(NULL, 0));
    assert_true(ends("ami"));
    assert_true(ends("yosh"));
    assert_true(ends("tsa"));
    assert_false(ends("book"));
    assert_false(ends("averylongendofaword"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings_meet),
        cmocka_unit_test(test_both_sides_agree),
        cmocka_unit_test(test_sounds_between_scripts),
        cmocka_unit_test(test_endings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
