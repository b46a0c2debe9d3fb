/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/word_pattern.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/alphabet.h"
#include "moderation/word_pattern.h"

struct forms {
    struct word_pattern last;
    size_t plain, phonetic;
};

static void count_form(void *context, const struct word_pattern *pattern)
{
    struct forms *forms = context;

    if (pattern->phonetic) {
        forms->phonetic++;
        return;
    }
    forms->plain++;
    forms->last = *pattern;
}

static struct forms parse(const char *text)
{
    struct forms forms = {.plain = 0};

    assert_null(word_pattern_parse(text, strlen(text), count_form, &forms));
    return forms;
}

static const char *refusal(const char *text)
{
    struct forms forms;

    return word_pattern_parse(text, strlen(text), count_form, &forms);
}

static void test_whole_and_open(void **state)
{
    struct forms forms = parse("Word");

    assert_int_equal(forms.plain, 1);
    assert_int_equal(forms.last.length, 4);
    assert_memory_equal(forms.last.bytes, "word", 4);
    assert_false(forms.last.open_left || forms.last.open_right);
    assert_true(parse("word*").last.open_right);
    assert_true(parse("*word").last.open_left);
}

static void test_choices_multiply(void **state)
{
    assert_int_equal(parse("w[oa]rd").plain, 2);
    assert_int_equal(parse("(|re|pre)w[oa]rd").plain, 6);
    assert_int_equal(parse("w(ord|ide*)").plain, 2);
    assert_true(parse("w(ord|ide*)").last.open_right); /* the second */
    assert_true(parse("~слов*").plain > 40);
}

static void test_runs(void **state)
{
    struct forms forms = parse("class");

    assert_int_equal(forms.last.length, 4);
    assert_int_equal(forms.last.run[3], 2);
}

static void test_phonetic_forms(void **state)
{
    assert_int_equal(parse("слово").phonetic, 1);
    assert_int_equal(parse("=слово").phonetic, 0);
    assert_int_equal(parse("мёд*").phonetic, 2); /* e and io */
    assert_int_equal(parse("word").phonetic, 0);
    assert_int_equal(parse("он").phonetic, 0); /* too short */
}

static void test_refusals(void **state)
{
    static const char *const bad[] = {"",
                                      "*",
                                      "а*",
                                      "*аб*",
                                      "сл[ово",
                                      "сл[]",
                                      "с(л|о",
                                      "сло-во",
                                      "сло во",
                                      "а*б",
                                      "с(л*|о)во",
                                      "[абвгд][абвгд][абвгд][абвгд][абвгд][абвгд]",
                                      "абвгдежзиклмнопрстуфхцчшщы"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(refusal(bad[i]));
}

static bool fits(const char *pattern, const char *word)
{
    struct forms rule = parse(pattern), text = parse(word);

    return word_pattern_fits(&rule.last, text.last.bytes, text.last.run, text.last.length);
}

static void test_fits(void **state)
{
    assert_true(fits("слово", "слово"));
    assert_true(fits("слово", "сллоооово"));
    assert_false(fits("слово", "словом"));
    assert_true(fits("слово*", "словом"));
    assert_true(fits("*слово", "многослово"));
    assert_true(fits("*лов*", "словом"));
    assert_false(fits("class", "clas"));
    assert_true(fits("class", "classs"));
    assert_false(fits("длинное", "длин"));
}

/* Letters of any script can stand in a rule. */
static void test_other_scripts(void **state)
{
    assert_int_equal(parse("漢字").last.length, 2 * ALPHABET_WIDE_BYTES);
    assert_true(fits("漢字", "漢字"));
    assert_false(fits("漢字", "漢子"));
    assert_true(fits("қазақ", "қазақ"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_and_open), cmocka_unit_test(test_choices_multiply),
        cmocka_unit_test(test_runs),           cmocka_unit_test(test_phonetic_forms),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_fits),
        cmocka_unit_test(test_other_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
