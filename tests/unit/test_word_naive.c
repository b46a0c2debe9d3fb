/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/word_naive.h, and of the golden check that rests on it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <hs/hs.h>

#include "moderation/rule_compiled.h"
#include "moderation/rule_golden.h"
#include "moderation/text_view.h"
#include "moderation/word_naive.h"
#include "moderation/word_view.h"

static bool loses_words;

/* In the place of Vectorscan's: it can be told to find nothing. */
hs_error_t hs_scan(const hs_database_t *db, const char *data, unsigned length, unsigned flags,
                   hs_scratch_t *scratch, match_event_handler handler, void *context)
{
    hs_error_t (*real)(const hs_database_t *, const char *, unsigned, unsigned, hs_scratch_t *,
                       match_event_handler, void *);

    *(void **)&real = dlsym(RTLD_NEXT, "hs_scan");
    return loses_words ? HS_SUCCESS : real(db, data, length, flags, scratch, handler, context);
}

static const char rules_text[] =
    "rule a\n label spam\n words кот* собака* *ёж\n match котик и собака\n"
    "rule b\n label spam\n state off\n words слон\n match здесь ёж\n";

static struct rule_set *compile(const char *text)
{
    struct rule_source source = {.name = "test", .text = text, .length = strlen(text)};
    struct rule_error error;
    struct rule_set *set = rule_set_compile(&source, 1, 1, &error);

    assert_non_null(set);
    return set;
}

static void count_words_of_rules(void *context, uint32_t tag, uint32_t start, uint32_t end)
{
    assert_true(start < end);
    if (tag >> TAG_SHIFT == TAG_WORD)
        ++*(size_t *)context;
}

static size_t count_naively(const char *text)
{
    struct rule_set *set = compile(rules_text);
    struct word_naive *naive = word_naive_new(set->matchers[LAYER_SHIPPED]);
    struct text_view view;
    struct word_view words;
    size_t count = 0;

    text_view_init(&view, 1024);
    word_view_init(&words, 1024);
    assert_int_equal(text_view_read(&view, text, strlen(text)), 0);
    word_view_build(&words, &view);
    word_naive_scan(naive, &words, count_words_of_rules, &count);
    word_view_deinit(&words);
    text_view_deinit(&view);
    word_naive_free(naive);
    rule_set_unref(set);
    return count;
}

static void test_finds_words(void **state)
{
    assert_int_equal(count_naively("котик и собака"), 2);
    assert_int_equal(count_naively("скот, слон"), 0);
    assert_int_equal(count_naively("ёж"), 1);
}

/* Each place of the database is good alone; together they lose what the naive matcher finds. */
static void test_a_set_that_loses_words_is_refused(void **state)
{
    struct rule_set *set = compile(rules_text);
    struct rule_error error;

    assert_true(rule_golden_check(set, &error));
    loses_words = true;
    assert_false(rule_golden_check(set, &error));
    loses_words = false;
    assert_int_equal(error.line, 4);
    assert_int_equal(error.column, 8);
    rule_set_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_words),
        cmocka_unit_test(test_a_set_that_loses_words_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
