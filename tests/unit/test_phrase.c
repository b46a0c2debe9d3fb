/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/phrase.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/phrase.h"
#include "moderation/word_view.h"

enum { CAPACITY = 4096 };

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

/* Tries every token as the key, as the matcher would where it hits. */
static bool matches(void **state, const char *notation, const char *text)
{
    struct views *views = *state;
    struct phrase phrase;
    bool found = false;

    assert_null(phrase_parse(&phrase, notation, strlen(notation)));
    assert_int_equal(text_view_read(&views->text, text, strlen(text)), 0);
    word_view_build(&views->words, &views->text);
    const struct phrase_element *key = &phrase.elements[phrase.key];
    for (size_t i = 0; i < views->words.token_count && !found; i++) {
        const struct token *token = &views->words.tokens[i];
        bool hit = false;

        for (size_t k = 0; k < key->count; k++)
            hit |= word_pattern_fits(&key->patterns[k], views->words.bytes + token->line,
                                     views->words.run + token->line, token->length);
        size_t first = i, last = i;
        found = hit && phrase_check(&phrase, &views->words, &first, &last);
        assert_true(!found || first <= i);
    }
    phrase_deinit(&phrase);
    return found;
}

static void test_order_and_gaps(void **state)
{
    assert_true(matches(state, "red (car|bus*)", "a red buses stop"));
    assert_false(matches(state, "red car", "a red old car"));
    assert_true(matches(state, "red 1 car", "a red old car"));
    assert_false(matches(state, "red 1 car", "a red old rusty car"));
    assert_false(matches(state, "red 3 car", "a car so red"));
}

static void test_sentences(void **state)
{
    assert_false(matches(state, "red 3 car", "It is red. A car comes"));
    assert_false(matches(state, "red 3 car", "red! car"));
    assert_false(matches(state, "red 3 car", "red\ncar"));
    assert_true(matches(state, "red 3 car", "red, shiny car"));
}

static void test_absent(void **state)
{
    assert_false(matches(state, "!not 2 red car", "not a red car"));
    assert_true(matches(state, "!not 2 red car", "quite a red car"));
    assert_true(matches(state, "red car 1 !door", "red car wheel"));
    assert_false(matches(state, "red car 1 !door", "red car left door"));
}

static void test_whole_text(void **state)
{
    assert_true(matches(state, "^ 1 nonsense $", "what nonsense!"));
    assert_false(matches(state, "^ 1 nonsense $", "what utter nonsense"));
    assert_false(matches(state, "^ 1 nonsense $", "what nonsense indeed"));
    assert_true(matches(state, "^ nonsense 1 $", "nonsense indeed"));
    assert_true(matches(state, "red car $", "the red car"));
    assert_false(matches(state, "red car $", "the red car stops"));
}

/* Other elements than the key are found through disguises, too. */
static void test_readings(void **state)
{
    assert_true(matches(state, "красный 1 автомобиль", "kрaсный автомобиль"));
    assert_true(matches(state, "красный 1 автомобиль", "krasnyi автомобиль"));
}

static void test_refusals(void **state)
{
    static const char *const bad[] = {
        "",          "word",    "1 red car",      "red ^ car",
        "red $ car", "(a|b) c", "red (сл[ово|b)", "a1 a2 a3 a4 a5 a6 a7 a8 a9"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct phrase phrase;

        assert_non_null(phrase_parse(&phrase, bad[i], strlen(bad[i])));
        phrase_deinit(&phrase);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_gaps), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_absent),         cmocka_unit_test(test_whole_text),
        cmocka_unit_test(test_readings),       cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
