/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/match_list.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/match_list.h"
#include "moderation/rule_set.h"

static struct rule_set *set;

/* In this order: 0 block 2, 1 hold 4, 2 flag 4, 3 shadow block 4, 4 conditional block 3. */
static int setup(void **state)
{
    static const char rules[] =
        "rule block\n label spam\n action block\n severity 2\n words w1\n"
        "rule hold\n label minor_safety\n severity 4\n words w2\n"
        "rule flag\n label spam\n action flag\n severity 4\n words w3\n"
        "rule shadow\n label spam\n action block\n severity 4\n state shadow\n words w4\n"
        "rule new\n label spam\n action block\n severity 3\n role student\n booked no\n"
        " first-messages 3\n room-younger 60\n words w5\n";
    struct rule_source source = {.name = "test", .text = rules, .length = strlen(rules)};
    struct rule_error error;

    set = rule_set_compile(&source, 1, 1, &error);
    return set ? 0 : 1;
}

static int teardown(void **state)
{
    rule_set_unref(set);
    return 0;
}

static const struct screen_input anybody = {.role = SCREEN_ROLE_OTHER};

static struct screen_result finish(struct match_list *list)
{
    struct screen_result result;

    match_list_finish(list, &result);
    return result;
}

static struct match_place at(uint32_t from, uint32_t to)
{
    return (struct match_place){.from = from, .to = to};
}

static void add(struct match_list *list, uint32_t rule, uint32_t from, uint32_t to)
{
    struct match_place place = at(from, to);

    match_list_add(list, rule, &place);
}

static void test_nothing(void **state)
{
    struct match_list list;

    match_list_begin(&list, set, &anybody);
    assert_int_equal(finish(&list).verdict, SCREEN_DELIVER);
    assert_null(finish(&list).reason);
}

/* What a person must see is not blocked away from under them. */
static void test_severity_wins(void **state)
{
    struct match_list list;

    match_list_begin(&list, set, &anybody);
    add(&list, 0, 0, 2);
    assert_int_equal(finish(&list).verdict, SCREEN_BLOCK);
    add(&list, 1, 5, 7);
    struct screen_result result = finish(&list);
    assert_int_equal(result.verdict, SCREEN_HOLD);
    assert_string_equal(result.reason, "safety.minor");
    assert_int_equal(result.match_count, 2);
    assert_int_equal(result.matches[0].rule_index, 1);
}

static void test_flags_and_shadows_do_nothing(void **state)
{
    struct match_list list;

    match_list_begin(&list, set, &anybody);
    add(&list, 2, 0, 2);
    add(&list, 3, 0, 2);
    struct screen_result result = finish(&list);
    assert_int_equal(result.verdict, SCREEN_DELIVER);
    assert_int_equal(result.match_count, 2);
    assert_true(result.matches[1].shadow);
}

static void test_overlaps_become_one(void **state)
{
    struct match_list list;

    match_list_begin(&list, set, &anybody);
    add(&list, 0, 4, 8);
    add(&list, 0, 6, 10);
    add(&list, 0, 20, 22);
    struct screen_result result = finish(&list);
    assert_int_equal(result.match_count, 2);
    assert_int_equal(result.matches[0].from, 4);
    assert_int_equal(result.matches[0].to, 10);
}

static void test_doubt(void **state)
{
    struct match_list list;
    struct match_place place = {.to = 2, .doubtful = true};

    match_list_begin(&list, set, &anybody);
    match_list_add(&list, 0, &place);
    assert_int_equal(finish(&list).verdict, SCREEN_HOLD);
    add(&list, 0, 0, 2); /* and now without doubt */
    assert_int_equal(finish(&list).verdict, SCREEN_BLOCK);
}

static bool applies_to(const struct screen_input *input)
{
    struct match_list list;

    match_list_begin(&list, set, input);
    add(&list, 4, 0, 2);
    return list.count > 0;
}

static void test_conditions(void **state)
{
    const struct screen_input fits = {
        .role = SCREEN_ROLE_STUDENT, .pair_messages = 2, .room_age_s = 59};
    struct screen_input input = fits;

    assert_true(applies_to(&input));
    input.role = SCREEN_ROLE_TEACHER;
    assert_false(applies_to(&input));
    input = fits;
    input.booked = true;
    assert_false(applies_to(&input));
    input = fits;
    input.pair_messages = 3;
    assert_false(applies_to(&input));
    input = fits;
    input.room_age_s = 60;
    assert_false(applies_to(&input));
}

/* A flood of lesser matches does not push out the worst one. */
static void test_full_list(void **state)
{
    struct match_list list;

    match_list_begin(&list, set, &anybody);
    for (uint32_t i = 0; i < 3 * MATCH_LIST_MAX; i++)
        add(&list, 0, i * 10, i * 10 + 2);
    add(&list, 1, 5000, 5002);
    struct screen_result result = finish(&list);
    assert_int_equal(result.match_count, SCREEN_MATCHES_MAX);
    assert_int_equal(result.matches[0].rule_index, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_severity_wins),
        cmocka_unit_test(test_flags_and_shadows_do_nothing),
        cmocka_unit_test(test_overlaps_become_one),
        cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_full_list),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
