/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/rule_layers.h, through rule_set_compile_over() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/rule_set.h"

static const char base_text[] = "rule a\n label spam\n action block\n words first\n match first\n"
                                "rule b\n label insult\n words second\n";

static struct rule_set *over(const char *text, struct rule_error *error)
{
    struct rule_source ships = {.name = "ships", .text = base_text, .length = strlen(base_text)};
    struct rule_source mine = {.name = "mine", .text = text, .length = strlen(text)};

    return rule_set_compile_over(&(struct rule_layer){&ships, 1}, &(struct rule_layer){&mine, 1}, 9,
                                 NULL, error);
}

static struct rule_set *good(const char *text)
{
    struct rule_error error;
    struct rule_set *set = over(text, &error);

    if (!set)
        fail_msg("%s:%u:%u: %s", error.source, error.line, error.column, error.reason);
    return set;
}

static void refuses(const char *text, unsigned line, unsigned column, const char *reason)
{
    struct rule_error error;

    assert_null(over(text, &error));
    assert_string_equal(error.source, "mine");
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
    assert_non_null(strstr(error.reason, reason));
}

static void test_nothing_over_it(void **state)
{
    struct rule_set *set = good("");

    assert_int_equal(rule_set_version(set), 9);
    assert_int_equal(rule_set_count(set), 2);
    rule_set_unref(set);
}

static void test_a_rule_is_added(void **state)
{
    struct rule_set *set = good("# why\nrule c\n label spam\n words third\n");

    assert_int_equal(rule_set_count(set), 3);
    assert_string_equal(rule_set_info(set, 2).id, "c");
    assert_string_equal(rule_set_info(set, 2).source, "mine");
    assert_string_equal(rule_set_info(set, 2).text, "# why\nrule c\n label spam\n words third\n");
    rule_set_unref(set);
}

static void test_a_rule_takes_the_place_of_its_id(void **state)
{
    struct rule_set *set = good("rule a\n label spam\n words other\n match other\n clean first");

    assert_int_equal(rule_set_count(set), 2);
    assert_string_equal(rule_set_info(set, 0).source, "mine");
    assert_int_equal(rule_set_info(set, 0).action, RULE_HOLD);
    rule_set_unref(set);
}

static void test_an_override_changes_settings_only(void **state)
{
    struct rule_set *set =
        good("override a\n state shadow\n action hold\n severity 4\n ceiling 50\n");
    struct rule_info info = rule_set_info(set, 0);

    assert_string_equal(info.source, "ships");
    assert_int_equal(info.state, RULE_SHADOW);
    assert_int_equal(info.action, RULE_HOLD);
    assert_int_equal(info.severity, 4);
    assert_int_equal(info.ceiling, 50);
    rule_set_unref(set);
}

/* A rule, and what was decided about it later, stand in one row; the last one counts. */
static void test_overrides_apply_in_their_order(void **state)
{
    struct rule_set *set = good("override c\n state off\n"
                                "rule c\n label spam\n action block\n words third\n"
                                "override c\n action hold\noverride c\n state on");
    struct rule_info info = rule_set_info(set, 2);

    assert_int_equal(info.state, RULE_ON);
    assert_int_equal(info.action, RULE_HOLD);
    rule_set_unref(set);
}

static void test_an_orphan_does_nothing(void **state)
{
    struct rule_set *set = good("override gone\n state off");

    assert_int_equal(rule_set_count(set), 2);
    assert_int_equal(rule_set_orphan_count(set), 1);
    assert_string_equal(rule_set_orphan(set, 0), "gone");
    rule_set_unref(set);
}

static void test_faults(void **state)
{
    refuses("override a", 1, 1, "changes nothing");
    refuses("override a\n words x1", 2, 2, "only");
    refuses("override a\n state maybe", 2, 8, "maybe");
    refuses("  override b\n   action block", 1, 3, "only ever holds");
    refuses("rule c\n label spam\n words x1\n\n  rule c\n label spam\n words x1", 5, 3, "twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_over_it),
        cmocka_unit_test(test_a_rule_is_added),
        cmocka_unit_test(test_a_rule_takes_the_place_of_its_id),
        cmocka_unit_test(test_an_override_changes_settings_only),
        cmocka_unit_test(test_overrides_apply_in_their_order),
        cmocka_unit_test(test_an_orphan_does_nothing),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
