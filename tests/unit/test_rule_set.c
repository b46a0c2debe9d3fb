/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/rule_set.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "moderation/rule_set.h"
#include "moderation/screen.h"

static struct rule_set *compile(const char *text, struct rule_error *error)
{
    struct rule_source source = {.name = "test", .text = text, .length = strlen(text)};

    return rule_set_compile(&source, 1, 7, error);
}

static void test_shipped_rules(void **state)
{
    struct rule_error error = {.line = 0};
    struct rule_set *set = rule_set_default(42, &error);

    assert_string_equal(error.reason, "");
    assert_non_null(set);
    assert_int_equal(rule_set_version(set), 42);
    assert_true(rule_set_count(set) > 40);
    for (size_t i = 0; i < rule_set_count(set); i++) {
        struct rule_info info = rule_set_info(set, i);

        assert_true(info.id[0] && info.label[0] && info.reason[0] && info.line > 0);
    }
    rule_set_unref(set);
}

static void test_references(void **state)
{
    struct rule_error error;
    struct rule_set *set = compile("rule a\n label spam\n words first", &error);

    assert_ptr_equal(rule_set_ref(set), set);
    assert_null(rule_set_unref(set));
    assert_int_equal(rule_set_version(set), 7);
    assert_null(rule_set_unref(set));
    assert_null(rule_set_unref(NULL));
}

static void refuses(const char *text, unsigned line)
{
    struct rule_error error = {.line = 0};

    assert_null(compile(text, &error));
    assert_int_equal(error.line, line);
    assert_true(error.reason[0] != '\0');
}

static void test_refusals(void **state)
{
    refuses("rule a\n label spam\n words x1\nrule a\n label spam\n words x2", 4);
    refuses("rule a\n label spam\n words сл[о", 3);
    refuses("rule a\n label spam\n\n phrase one", 4);
    refuses("rule a\n label spam\n words first\n match second", 4);
    refuses("rule a\n label spam\n words first\n clean first", 4);
    refuses("rule a\n label spam\n words first\n except f*", 4);
}

static void test_off_rules_are_not_compiled(void **state)
{
    struct rule_error error;
    struct rule_set *set =
        compile("rule a\n label spam\n state off\n words first\n match second", &error);

    assert_non_null(set);
    assert_int_equal(rule_set_count(set), 1);
    rule_set_unref(set);
}

/* Two files make one set; a fault names its file. */
static void test_several_sources(void **state)
{
    const char *first = "rule a\n label spam\n words first",
               *second = "rule b\n label spam\n words x(";
    struct rule_source sources[] = {
        {.name = "one", .text = first, .length = strlen(first)},
        {.name = "two", .text = second, .length = strlen(second)},
    };
    struct rule_error error;

    assert_null(rule_set_compile(sources, 2, 1, &error));
    assert_string_equal(error.source, "two");
    sources[1].length--;
    struct rule_set *set = rule_set_compile(sources, 2, 1, &error);
    assert_non_null(set);
    assert_string_equal(rule_set_info(set, 1).source, "two");
    rule_set_unref(set);
}

/* Ten thousand rules, and the last one still works. */
static void test_many_rules(void **state)
{
    enum { RULES = 10000, BYTES = 64 };
    char *text = malloc(RULES * BYTES), message[64];
    size_t n = 0;
    struct rule_error error;
    struct screen_result result;

    for (int i = 0; i < RULES; i++)
        n += (size_t)sprintf(text + n, "rule r%d\n label spam\n words word%dend\n", i, i);
    struct rule_set *set = compile(text, &error);
    assert_non_null(set);
    struct screener *screener = screener_new();
    for (int i = 0; i < RULES; i += 1111) {
        struct screen_input input = {.text = message,
                                     .length = (size_t)sprintf(message, "see word%dend here", i)};

        assert_int_equal(screener_run(screener, set, &input, &result), 0);
        assert_int_equal(result.match_count, 1);
        assert_int_equal(result.matches[0].rule_index, i);
    }
    screener_free(screener);
    rule_set_unref(set);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_rules),   cmocka_unit_test(test_references),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_off_rules_are_not_compiled),
        cmocka_unit_test(test_several_sources), cmocka_unit_test(test_many_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
