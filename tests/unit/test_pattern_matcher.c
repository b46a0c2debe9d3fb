/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/pattern_matcher.h, through rules */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/pattern_matcher.h"
#include "moderation/rule_set.h"
#include "moderation/screen.h"

static struct rule_set *compile(const char *text, struct rule_error *error)
{
    struct rule_source source = {.name = "test", .text = text, .length = strlen(text)};

    return rule_set_compile(&source, 1, 1, error);
}

static size_t matches(const char *pattern, const char *text, struct screen_result *result)
{
    char rule[256] = "rule a\n label spam\n pattern ";
    struct rule_error error;
    struct screener *screener = screener_new();
    struct screen_input input = {.text = text, .length = strlen(text)};

    struct rule_set *set = compile(strcat(rule, pattern), &error);
    assert_non_null(set);
    assert_int_equal(screener_run(screener, set, &input, result), 0);
    screener_free(screener);
    rule_set_unref(set);
    return result->match_count;
}

static void test_words_and_edges(void **state)
{
    struct screen_result result;

    assert_int_equal(matches("promo \\d{4}", "наш PROMO: 1234!", &result), 1);
    assert_int_equal(result.matches[0].from, strlen("наш "));
    assert_int_equal(result.matches[0].to, strlen("наш PROMO: 1234"));
    assert_int_equal(matches("promo \\d{4}", "promo 12345", &result), 0);
    assert_int_equal(matches("promo \\d{4}*", "promo 12345", &result), 1);
    assert_int_equal(matches("[абв]{2}\\d{3}", "код аб123", &result), 1);
    assert_int_equal(matches("(red|blue) car", "a blue car", &result), 1);
}

static void test_disguises(void **state)
{
    struct screen_result result;

    assert_int_equal(matches("promo", "p r o m o", &result), 1);
    assert_int_equal(matches("код \\d{3}", "кoд １２３", &result), 0); /* a reading is one word */
    assert_int_equal(matches("код \\d{3}", "код １２３", &result), 1);
}

static void test_faults_have_their_line(void **state)
{
    struct rule_error error;

    assert_null(compile("rule a\n label spam\n pattern ab+", &error));
    assert_int_equal(error.line, 3);
}

static void test_empty(void **state)
{
    struct pattern_matcher *matcher = pattern_matcher_new();

    assert_null(pattern_matcher_compile(matcher));
    assert_null(pattern_matcher_free(matcher));
    assert_null(pattern_matcher_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_and_edges),
        cmocka_unit_test(test_disguises),
        cmocka_unit_test(test_faults_have_their_line),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
