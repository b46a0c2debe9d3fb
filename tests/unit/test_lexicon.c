/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/lexicon.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/lexicon.h"
#include "moderation/word_pattern.h"

static void count_form(void *context, const struct word_pattern *pattern)
{
    ++*(size_t *)context;
}

/* Every word can be read, and no number is missing. */
static void test_all_words(void **state)
{
    bool seen[1004] = {false};

    for (size_t i = 0; i < lexicon_count; i++) {
        size_t forms = 0;

        assert_true((lexicon[i].signs == 0) == (lexicon[i].number >= 0));
        if (lexicon[i].number >= 0)
            seen[lexicon[i].number] = true;
        for (const char *word = lexicon[i].words; *word;) {
            size_t n = strcspn(word, " ");

            assert_null(word_pattern_parse(word, n, count_form, &forms));
            word += n + (word[n] == ' ');
        }
        assert_true(forms > 0);
    }
    for (int i = 0; i <= 20; i++)
        assert_true(seen[i]);
    for (int i = 100; i <= 900; i += 100)
        assert_true(seen[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
