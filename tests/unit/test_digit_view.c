/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/digit_view.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/digit_view.h"
#include "moderation/lexicon.h"
#include "moderation/word_view.h"

enum { CAPACITY = 4096 };

struct views {
    struct text_view text;
    struct word_view words;
    struct digit_view digits;
};

static int setup(void **state)
{
    static struct views views;

    text_view_init(&views.text, CAPACITY);
    word_view_init(&views.words, CAPACITY);
    digit_view_init(&views.digits, CAPACITY);
    *state = &views;
    return 0;
}

static int teardown(void **state)
{
    struct views *views = *state;

    digit_view_deinit(&views->digits);
    word_view_deinit(&views->words);
    text_view_deinit(&views->text);
    return 0;
}

struct number_word {
    const char *word;
    int value;
};

/* Marks number words as the screener does after a scan. */
static void mark_numbers(struct word_view *words, const char *text)
{
    static const struct number_word numbers[] = {
        {"ноль", 0},  {"пять", 5},        {"восемь", 8},    {"двенадцать", 12}, {"тридцать", 30},
        {"сто", 100}, {"девятьсот", 900}, {"double", 1001}, {"seven", 7},       {"hundred", 1003},
    };

    for (size_t i = 0; i < words->token_count; i++) {
        const struct token *token = &words->tokens[i];
        const char *word = text + words->text->units[token->first].at;

        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
            if (strncmp(word, numbers[k].word, strlen(numbers[k].word)) == 0)
                words->tokens[i].number = (int16_t)numbers[k].value;
        }
        if (strncmp(word, "и ", 3) == 0 || strncmp(word, "потом", 10) == 0)
            words->tokens[i].signs = SIGN_JOIN;
    }
}

/* Runs as text: digits, "|" between runs, "+" where a plus stands before one. */
static void assert_digits(void **state, const char *text, const char *expected)
{
    struct views *views = *state;
    char out[256];
    size_t n = 0;

    assert_int_equal(text_view_read(&views->text, text, strlen(text)), 0);
    word_view_build(&views->words, &views->text);
    mark_numbers(&views->words, text);
    digit_view_build(&views->digits, &views->words);
    for (size_t i = 0; i < views->digits.run_count; i++) {
        const struct digit_run *run = &views->digits.runs[i];

        if (i > 0)
            out[n++] = '|';
        if (run->plus)
            out[n++] = '+';
        for (size_t k = 0; k < run->count; k++)
            out[n++] = (char)('0' + views->digits.digits[run->first + k].value);
    }
    out[n] = '\0';
    assert_string_equal(out, expected);
}

static void test_forms(void **state)
{
    assert_digits(state, "8 (912) 345-67-89", "89123456789");
    assert_digits(state, "８９１２", "8912");
    assert_digits(state, "8️⃣9️⃣1️⃣", "891");
    assert_digits(state, "①②③ ❹❺", "12345");
    assert_digits(state, "٣٤٥", "345");
    assert_digits(state, "8.9.1.2", "8912");
    assert_digits(state, "8🔥9🔥1", "891");
}

static void test_what_ends_a_run(void **state)
{
    assert_digits(state, "12 яблок 34", "12|34");
    assert_digits(state, "10:30", "10|30");
    assert_digits(state, "2+3=5", "2|3|5");
    assert_digits(state, "12, 45, 78", "12|45|78");
    assert_digits(state, "50%", "50");
}

static void test_words_inside_a_number(void **state)
{
    const struct digit_run *run;
    struct views *views = *state;

    assert_digits(state, "8 и 912, потом 345", "8912345");
    assert_digits(state, "8 и потом 912", "8912");
    assert_digits(state, "8 и и и 912", "8|912");
    assert_digits(state, "8 и нет 912", "8|912");
    assert_digits(state, "345-67-89 и 12", "345678912");
    run = &views->digits.runs[0];
    assert_true(digit_run_stands_alone(&views->digits, run, 0, 7));
    assert_true(digit_run_stands_alone(&views->digits, run, 7, 2));
    assert_false(digit_run_stands_alone(&views->digits, run, 0, 5));
}

static void test_plus(void **state)
{
    assert_digits(state, "+7 912", "+7912");
    assert_digits(state, "+(7) 912", "+7912");
    assert_digits(state, "5+7912", "5|7912");
}

static void test_number_words(void **state)
{
    assert_digits(state, "восемь девятьсот двенадцать", "8912");
    assert_digits(state, "сто тридцать пять", "135");
    assert_digits(state, "тридцать двенадцать", "3012");
    assert_digits(state, "ноль ноль пять", "005");
    assert_digits(state, "double seven", "77");
    assert_digits(state, "seven hundred тридцать", "730");
    assert_digits(state, "8 девятьсот 12", "890012");
}

static void test_look_alikes(void **state)
{
    assert_digits(state, "89l2З4О", "8912340");
    assert_digits(state, "8-9OO-12", "890012");
    assert_digits(state, "урок5б", "5");
    assert_digits(state, "о 5 о", "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_ends_a_run),
        cmocka_unit_test(test_words_inside_a_number),
        cmocka_unit_test(test_words_inside_a_number),
        cmocka_unit_test(test_plus),
        cmocka_unit_test(test_number_words),
        cmocka_unit_test(test_look_alikes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
