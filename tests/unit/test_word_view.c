/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/word_view.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "moderation/alphabet.h"
#include "moderation/word_pattern.h"
#include "moderation/word_view.h"

enum { CAPACITY = 65536 };

struct views {
    struct text_view text;
    struct word_view words;
};

static int setup(void **state)
{
    static struct views views;

    text_view_init(&views.text, CAPACITY);
    word_view_init(&views.words, CAPACITY);
    *state = &views;
    return 0;
}

static int teardown(void **state)
{
    struct views *views = *state;

    word_view_deinit(&views->words);
    text_view_deinit(&views->text);
    return 0;
}

static const struct word_view *build(void **state, const char *text)
{
    struct views *views = *state;

    assert_int_equal(text_view_read(&views->text, text, strlen(text)), 0);
    word_view_build(&views->words, &views->text);
    return &views->words;
}

struct search {
    const struct word_view *words;
    bool phonetic, found;
};

static void search_readings(void *context, const struct word_pattern *pattern)
{
    struct search *search = context;
    const struct word_view *words = search->words;

    for (size_t i = 0; i < words->segment_count; i++) {
        const struct segment *segment = &words->segments[i];

        if (pattern->phonetic == (segment->kind == SEGMENT_PHONETIC) &&
            pattern->phonetic == search->phonetic &&
            word_pattern_fits(pattern, words->bytes + segment->start, words->run + segment->start,
                              segment->length))
            search->found = true;
    }
}

/* The text has a reading beside the plain one that is this word. */
static bool reads(void **state, const char *text, const char *word)
{
    struct search search = {.words = build(state, text)};

    assert_null(word_pattern_parse(word, strlen(word), search_readings, &search));
    return search.found;
}

static bool sounds(void **state, const char *text, const char *word)
{
    struct search search = {.words = build(state, text), .phonetic = true};

    assert_null(word_pattern_parse(word, strlen(word), search_readings, &search));
    return search.found;
}

static void test_tokens(void **state)
{
    const struct word_view *words = build(state, "Раз, two 3four!");

    assert_int_equal(words->token_count, 4);
    assert_int_equal(words->tokens[0].script, TOKEN_CYRILLIC);
    assert_int_equal(words->tokens[1].script, TOKEN_LATIN);
    assert_int_equal(words->tokens[2].kind, TOKEN_NUMBER);
    assert_true(words->tokens[3].glued);
    assert_false(words->tokens[1].glued);
    assert_int_equal(word_view_token_at(words, 0), 0);
    assert_int_equal(word_view_token_at(words, 3), 0); /* the comma */
    assert_int_equal(word_view_token_at(words, 5), 1);
}

static void test_runs_are_squeezed(void **state)
{
    const struct word_view *words = build(state, "нееет");
    const struct token *token = &words->tokens[0];

    assert_int_equal(token->length, 3);
    assert_int_equal(words->run[token->line + 1], 3);
    assert_int_equal(words->first[token->line + 1], 1);
    assert_int_equal(words->last[token->line + 1], 3);
}

static void test_ordinary_words_have_one_reading(void **state)
{
    assert_int_equal(build(state, "обычные русские слова без затей")->segment_count, 0);
}

static void test_look_alikes_read_both_ways(void **state)
{
    assert_true(reads(state, "cлoвo", "слово")); /* Latin c, o */
    assert_true(reads(state, "wоrd", "word"));   /* Cyrillic о */
    assert_true(reads(state, "ropa", "гора") || reads(state, "гopa", "гора"));
    assert_true(reads(state, "мoроз", "мороз"));
    assert_true(reads(state, "pyкa", "рука"));
}

static void test_symbols_for_letters(void **state)
{
    assert_true(reads(state, "сл0в0", "слово"));
    assert_true(reads(state, "w0rd$", "words"));
    assert_true(reads(state, "3има", "зима"));
    assert_true(reads(state, "з3бра", "зебра"));
    assert_true(reads(state, "m@g1c", "magic"));
    assert_true(reads(state, "he11o", "hello"));
    assert_true(reads(state, "mp3", "mp3")); /* and as it is written */
}

static void test_spaced_letters(void **state)
{
    assert_true(reads(state, "с л о в о", "слово"));
    assert_true(reads(state, "с.л.о.в.о", "слово"));
    assert_true(reads(state, "с - л - о - в - о", "слово"));
    assert_true(reads(state, "и с л о в о", "слово"));
    assert_false(reads(state, "с л. о в-о", "слово")); /* not the same thing between */
}

static void test_masks(void **state)
{
    assert_true(reads(state, "сл*во", "слово"));
    assert_true(reads(state, "w#rd", "word"));
    assert_true(reads(state, "с**во", "слово"));
    assert_true(reads(state, "c****", "c####"));
    assert_false(reads(state, "2*3", "2з3"));
}

static void test_russian_in_latin_letters(void **state)
{
    assert_true(sounds(state, "khorosho", "хорошо"));
    assert_true(sounds(state, "horosho", "хорошо"));
    assert_true(sounds(state, "yabloko", "яблоко"));
    assert_true(sounds(state, "jabloko", "яблоко"));
    assert_true(sounds(state, "ban'ka", "банька"));
    assert_false(sounds(state, "mother", "матерь"));
}

static void test_contractions_stay_apart(void **state)
{
    assert_false(reads(state, "we're", "were"));
    assert_false(reads(state, "it's", "its"));
}

/* However many disguised words there are, the readings take a few bytes for each of the text. */
static void test_readings_are_bounded(void **state)
{
    static const char *const monsters[] = {"p0rn1",    "сл*в* ",         "а б ", "w0r1d5 ", "ａｂ",
                                           "x@y!z|1 ", "йй\u0306\u0300", "a'b",  "п#п",     "1l0o"};
    static char text[CAPACITY + 1];

    for (size_t i = 0; i < sizeof(monsters) / sizeof(monsters[0]); i++) {
        size_t n = strlen(monsters[i]);

        for (size_t length = 1024; length <= 32768; length *= 2) {
            for (size_t k = 0; k < length; k++)
                text[k] = monsters[i][k % n];
            text[length - length % n] = '\0';
            const struct word_view *words = build(state, text);
            assert_true(words->length <= length * 8 + 4096);
            assert_true(words->segment_count <= length + 2048);
        }
    }
}

static void test_flags_are_no_letters(void **state)
{
    assert_int_equal(build(state, "🇷🇺 🇺🇸")->token_count, 0);
    assert_int_equal(build(state, "🇫🇺🇳")->token_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_runs_are_squeezed),
        cmocka_unit_test(test_ordinary_words_have_one_reading),
        cmocka_unit_test(test_look_alikes_read_both_ways),
        cmocka_unit_test(test_symbols_for_letters),
        cmocka_unit_test(test_spaced_letters),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_russian_in_latin_letters),
        cmocka_unit_test(test_contractions_stay_apart),
        cmocka_unit_test(test_readings_are_bounded),
        cmocka_unit_test(test_flags_are_no_letters),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
