/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/text_view.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "moderation/text_view.h"

enum { CAPACITY = 4096 };

static int setup(void **state)
{
    static struct text_view view;

    text_view_init(&view, CAPACITY);
    *state = &view;
    return 0;
}

static int teardown(void **state)
{
    text_view_deinit(*state);
    return 0;
}

/* The folded text as UTF-8 would have it; enough for two bytes a character. */
static void assert_folds(struct text_view *view, const char *text, const char *folded)
{
    char out[256];
    size_t n = 0;

    assert_int_equal(text_view_read(view, text, strlen(text)), 0);
    for (size_t i = 0; i < view->count; i++) {
        uint32_t ch = view->units[i].kind == FOLD_SPACE ? ' ' : view->units[i].ch;

        if (ch >= 0x80)
            out[n++] = (char)(0xC0 | ch >> 6);
        out[n++] = (char)(ch < 0x80 ? ch : 0x80 | (ch & 0x3F));
    }
    out[n] = '\0';
    assert_string_equal(out, folded);
}

static void test_case_and_forms(void **state)
{
    assert_folds(*state, "HeLLo", "hello");
    assert_folds(*state, "ПРИВЕТ", "привет");
    assert_folds(*state, "ｗｏｒｄ １２", "word 12");
    assert_folds(*state, "\U0001D5BF\U0001D5CE\U0001D5C7", "fun"); /* mathematical sans */
    assert_folds(*state, "ⓕⓤⓝ ①②", "fun 12");
    assert_folds(*state, "\U0001F155\U0001F164\U0001F15D", "fun"); /* negative circled */
    assert_folds(*state, "❶⓿", "10");
    assert_folds(*state, "a＠b", "a@b");
    assert_folds(*state, "t·me", "t.me");
}

static void test_what_is_not_seen(void **state)
{
    assert_folds(*state, "w\u200Bo\u200Dr\u2060d\uFEFF", "word");
    assert_folds(*state, "w\U000E0061ord", "word"); /* a tag */
    assert_folds(*state, "w\u00ADo\u3164r\u115Fd\u2800", "word");
    assert_folds(*state, "8\uFE0F\u20E3", "8"); /* keycap */
    assert_folds(*state, "w\u0301\u0327o\u0336r\u0308d\u20DD", "word");
}

static void test_marks_that_make_letters(void **state)
{
    assert_folds(*state, "й", "й");
    assert_folds(*state, "и\u0306", "й");
    assert_folds(*state, "и\u0300", "и");
    assert_folds(*state, "й\u0300", "й");
    assert_folds(*state, "ё", "е");
    assert_folds(*state, "е\u0308", "е");
    assert_folds(*state, "é ö ñ", "e o n");
}

static void test_expansions_keep_their_place(void **state)
{
    struct text_view *view = *state;

    assert_folds(view, "aﬁb", "afib");
    assert_int_equal(text_view_from(view, 2), 1); /* i: the ligature's first byte */
    assert_int_equal(text_view_to(view, 1), 4);
    assert_int_equal(text_view_to(view, 2), 4);
    assert_folds(view, "⑩", "10");
    assert_int_equal(text_view_from(view, 1), 0);
    assert_int_equal(text_view_to(view, 1), 3);
}

static void test_fractions_are_no_digits(void **state)
{
    struct text_view *view = *state;

    assert_int_equal(text_view_read(view, "½⅓", strlen("½⅓")), 0);
    assert_int_equal(view->features & TEXT_DIGIT, 0);
}

static void test_look_alikes(void **state)
{
    struct text_view *view = *state;

    assert_int_equal(text_view_read(view, "сα", strlen("сα")), 0);
    assert_int_equal(view->units[0].latin, 'c');
    assert_int_equal(view->units[1].latin, 'a');
    assert_int_equal(view->units[1].cyrillic, 0x80); /* а */
    assert_int_equal(text_view_read(view, "B", 1), 0);
    assert_int_equal(view->units[0].cyrillic, 0x82); /* в */
}

static void test_features(void **state)
{
    static const struct {
        const char *text;
        unsigned features;
    } rows[] = {
        {"plain text, no more", 0}, {"the end. Or not", 0},
        {"a.b", TEXT_DOT},          {"a . b", TEXT_DOT},
        {"a[.]b", TEXT_DOT},        {"3.14", TEXT_DIGIT},
        {"x@y", TEXT_AT},           {"http://", TEXT_COLON | TEXT_SLASH},
        {"at 10:30", TEXT_DIGIT},   {"and/or", 0},
        {"x/", TEXT_SLASH},
    };
    struct text_view *view = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(text_view_read(view, rows[i].text, strlen(rows[i].text)), 0);
        assert_int_equal(view->features, rows[i].features);
    }
}

static void test_bad_input(void **state)
{
    static const char *const bad[] = {
        "\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE2\x82", "\xFF"};
    struct text_view *view = *state;
    static char longer[CAPACITY + 1];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(text_view_read(view, bad[i], strlen(bad[i])), -EILSEQ);
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(text_view_read(view, longer, sizeof(longer)), -E2BIG);
    assert_int_equal(text_view_read(view, longer, CAPACITY), 0);
    assert_int_equal(text_view_read(view, "", 0), 0);
    assert_int_equal(view->count, 0);
}

/* No code point becomes more units than it has bytes, or breaks the view. */
static void test_every_code_point(void **state)
{
    struct text_view *view = *state;

    for (uint32_t ch = 0; ch < 0x110000; ch++) {
        char text[4];
        size_t n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;

        if (ch >= 0xD800 && ch < 0xE000)
            continue;
        text[0] = (char)(n == 1 ? ch : (0xF00U >> n & 0xFF) | ch >> (6 * (n - 1)));
        for (size_t i = 1; i < n; i++)
            text[i] = (char)(0x80 | (ch >> (6 * (n - 1 - i)) & 0x3F));
        assert_int_equal(text_view_read(view, text, n), 0);
        assert_true(view->count <= n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_and_forms),
        cmocka_unit_test(test_what_is_not_seen),
        cmocka_unit_test(test_marks_that_make_letters),
        cmocka_unit_test(test_expansions_keep_their_place),
        cmocka_unit_test(test_fractions_are_no_digits),
        cmocka_unit_test(test_look_alikes),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_every_code_point),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
