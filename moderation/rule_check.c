/* SPDX-License-Identifier: Apache-2.0 */
/* Does every rule of a set do what its examples say?
 *
 * The examples go through the whole engine, so that they also catch an exception elsewhere that
 * swallows a match, or a detector that no longer sees what it saw.
 */
#include "moderation/rule_check.h"

#include "moderation/rule_compiled.h"
#include "moderation/rule_file.h"
#include "moderation/screen.h"

static bool fires(const struct screen_result *result, size_t rule)
{
    for (size_t i = 0; i < result->match_count; i++) {
        if (result->matches[i].rule_index == rule)
            return true;
    }
    return false;
}

/* A sender to whom the rule applies. */
static struct screen_input input_for(const struct rule *rule, const struct rule_item *item)
{
    unsigned roles = rule->conditions.roles;

    return (struct screen_input){
        .text = item->text,
        .length = item->length,
        .role = roles & SCREEN_ROLE_STUDENT   ? SCREEN_ROLE_STUDENT
                : roles & SCREEN_ROLE_TEACHER ? SCREEN_ROLE_TEACHER
                                              : SCREEN_ROLE_OTHER,
        .booked = rule->conditions.if_booked,
        .offences = rule->conditions.offences,
    };
}

static bool check_rule(struct screener *screener, struct rule_set *set, size_t index,
                       struct rule_error *error)
{
    const struct rule *rule = &set->list.rules[index];

    for (size_t i = 0; i < rule->item_count; i++) {
        const struct rule_item *item = &rule->items[i];
        bool wanted = item->kind == ITEM_MATCH;
        struct screen_input input = input_for(rule, item);
        struct screen_result result;

        if (!wanted && item->kind != ITEM_CLEAN)
            continue;
        if (screener_run(screener, set, &input, &result) != 0)
            return rule_error_set(error, rule->source, item->line, item->column,
                                  "rule %s: screening failed", rule->id);
        if (fires(&result, index) != wanted)
            return rule_error_set(error, rule->source, item->line, item->column,
                                  "rule %s %s '%.80s'", rule->id,
                                  wanted ? "misses its example" : "fires on clean", item->text);
    }
    return true;
}

bool rule_check_examples(struct rule_set *set, struct rule_error *error)
{
    struct screener *screener = screener_new();
    bool good = true;

    for (size_t i = 0; good && i < set->list.count; i++) {
        if (set->list.rules[i].state != RULE_OFF)
            good = check_rule(screener, set, i, error);
    }
    screener_free(screener);
    return good;
}
