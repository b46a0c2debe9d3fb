/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/rule_file.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/rule_file.h"

static bool parse(struct rule_list *list, const char *text, struct rule_error *error)
{
    struct rule_source source = {.name = "test", .text = text, .length = strlen(text)};

    *list = (struct rule_list){0};
    return rule_file_parse(list, &source, error);
}

static void test_all_fields(void **state)
{
    struct rule_list list;
    struct rule_error error;

    assert_true(parse(&list,
                      "# a comment\n"
                      "rule a.b-c_1\r\n"
                      "  # another\n"
                      "  name  Some words \n"
                      "\tlabel spam\n"
                      "  reason spam.test\n"
                      "  action flag\n"
                      "  severity 4\n"
                      "  state shadow\n"
                      "  locale en\n"
                      "  ceiling 25\n"
                      "  role student teacher\n"
                      "  booked no\n"
                      "  first-messages 20\n"
                      "  room-younger 3600\n"
                      "  words one two* \n"
                      "  except twofold\n"
                      "  phrase red car\n"
                      "  detector flood.wall\n"
                      "  hosts example.com\n"
                      "  match one\n"
                      "  clean three\n"
                      "\n"
                      "rule second\n"
                      "  label insult\n"
                      "  words x1",
                      &error));
    assert_int_equal(list.count, 2);
    const struct rule *rule = &list.rules[0];
    assert_string_equal(rule->id, "a.b-c_1");
    assert_string_equal(rule->name, "Some words");
    assert_string_equal(rule->reason, "spam.test");
    assert_string_equal(rule->locale, "en");
    assert_string_equal(rule->source, "test");
    assert_int_equal(rule->label, LABEL_SPAM);
    assert_int_equal(rule->action, RULE_FLAG);
    assert_int_equal(rule->state, RULE_SHADOW);
    assert_int_equal(rule->severity, 4);
    assert_int_equal(rule->ceiling, 25);
    assert_int_equal(rule->conditions.roles, 3);
    assert_true(rule->conditions.if_not_booked);
    assert_int_equal(rule->conditions.first_messages, 20);
    assert_int_equal(rule->conditions.room_younger_s, 3600);
    assert_int_equal(rule->item_count, 8);
    assert_string_equal(rule->items[1].text, "two*");
    assert_int_equal(list.rules[1].action, RULE_HOLD);
    assert_int_equal(list.rules[1].severity, label_severity(LABEL_INSULT));
    rule_list_deinit(&list);
}

static void test_faults_have_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"words a1", 1},
        {"rule A", 1},
        {"rule", 1},
        {"rule a\n words x1", 1},
        {"rule a\n label spam", 1},
        {"rule a\n label spam\n clean x", 1},
        {"rule a\n\n label nonsense", 3},
        {"rule a\n label spam\n label spam", 3},
        {"rule a\n action maybe", 2},
        {"rule a\n severity 5", 2},
        {"rule a\n severity x", 2},
        {"rule a\n severity -1", 2},
        {"rule a\n state sleepy", 2},
        {"rule a\n role pupil", 2},
        {"rule a\n booked maybe", 2},
        {"rule a\n detector mind.reader", 2},
        {"rule a\n colour red", 2},
        {"rule a\n name", 2},
        {"rule a\n label insult\n action block\n words x1", 1},
        {"rule a\n label minor_safety\n action block\n words x1", 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rule_list list;
        struct rule_error error = {.line = 0};

        assert_false(parse(&list, rows[i].text, &error));
        assert_int_equal(error.line, rows[i].line);
        assert_string_equal(error.source, "test");
        assert_true(error.reason[0] != '\0');
        rule_list_deinit(&list);
    }
}

static void test_faults_have_their_column(void **state)
{
    static const struct {
        const char *text;
        unsigned column;
    } rows[] = {
        {"rule A", 6},
        {"rule a\n  colour red", 3},
        {"rule a\n\tstate\t sleepy", 9},
        {"rule a\n role student  pupil", 16},
        {"rule a\n  label spam", 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rule_list list;
        struct rule_error error = {.column = 0};

        assert_false(parse(&list, rows[i].text, &error));
        assert_int_equal(error.column, rows[i].column);
        rule_list_deinit(&list);
    }
}

/* Characters, not bytes. */
static void test_items_know_their_place(void **state)
{
    struct rule_list list;
    struct rule_error error;

    assert_true(parse(&list, "rule a\n label spam\n words слово  дело", &error));
    assert_int_equal(list.rules[0].items[1].line, 3);
    assert_int_equal(list.rules[0].items[1].column, 15);
    rule_list_deinit(&list);
}

/* What was written comes back, with the comments above it; blank lines around it don't. */
static void test_rules_keep_their_text(void **state)
{
    static const char first[] = "# about all\n\n# about a\nrule a\n label spam\n\n words x1\n",
                      second[] = "  # b\nrule b\n label spam\n # within\n words x2\n# the end\n";
    struct rule_list list;
    struct rule_error error;
    char text[512];

    strcpy(text, "\n\n");
    strcat(strcat(strcat(strcat(text, first), "\n\n"), second), "\n \n");
    assert_true(parse(&list, text, &error));
    assert_string_equal(list.rules[0].text, first);
    assert_string_equal(list.rules[1].text, second);
    rule_list_deinit(&list);
}

static void test_not_text(void **state)
{
    static char longer[8192];
    struct rule_list list;
    struct rule_error error;
    struct rule_source source = {.name = "test", .text = "rule a\0b", .length = 8};

    assert_false(parse(&list, "rule \xFF", &error));
    rule_list_deinit(&list);
    list = (struct rule_list){0};
    assert_false(rule_file_parse(&list, &source, &error));
    assert_int_equal(error.line, 1);
    rule_list_deinit(&list);
    memset(longer, 'a', sizeof(longer) - 1);
    assert_false(parse(&list, longer, &error));
    rule_list_deinit(&list);
    assert_true(parse(&list, "", &error));
    assert_int_equal(list.count, 0);
    rule_list_deinit(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_faults_have_their_line),
        cmocka_unit_test(test_faults_have_their_column),
        cmocka_unit_test(test_items_know_their_place),
        cmocka_unit_test(test_rules_keep_their_text),
        cmocka_unit_test(test_not_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
