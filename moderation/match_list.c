/* SPDX-License-Identifier: Apache-2.0 */
/* The matches of one screening, and the verdict that follows from them
 *
 * The action of the highest severity wins (spec: Rules), so that a message that a person must see
 * is not blocked away from under them by a lesser rule. Shadow rules are recorded and do nothing.
 */
#include "moderation/match_list.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/rule_compiled.h"

void match_list_begin(struct match_list *list, const struct rule_set *rules,
                      const struct screen_input *input)
{
    list->rules = rules;
    list->input = input;
    list->count = 0;
}

static bool applies(const struct rule_conditions *conditions, const struct screen_input *input)
{
    if (conditions->roles && !(conditions->roles & (unsigned)input->role))
        return false;
    if ((conditions->if_booked && !input->booked) || (conditions->if_not_booked && input->booked))
        return false;
    if (input->offences < conditions->offences)
        return false;
    if (conditions->first_messages && input->pair_messages >= conditions->first_messages)
        return false;
    return conditions->room_younger_s == 0 || input->room_age_s < conditions->room_younger_s;
}

static bool overlaps(const struct screen_match *match, const struct match_place *place)
{
    return match->from <= place->to && place->from <= match->to;
}

static bool merge(struct match_list *list, const struct screen_match *match,
                  const struct match_place *place)
{
    for (size_t i = 0; i < list->count; i++) {
        struct screen_match *have = &list->items[i];

        if (have->rule_index != match->rule_index || !overlaps(have, place))
            continue;
        have->from = have->from < place->from ? have->from : place->from;
        have->to = have->to > place->to ? have->to : place->to;
        have->earlier |= place->earlier;
        if (match->action > have->action)
            have->action = match->action;
        return true;
    }
    return false;
}

static int compare(const void *left, const void *right)
{
    const struct screen_match *a = left, *b = right;

    if (a->shadow != b->shadow)
        return a->shadow ? 1 : -1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->action != b->action)
        return a->action > b->action ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return a->rule_index < b->rule_index ? -1 : a->rule_index > b->rule_index;
}

/* The place for a new match: a free one, or that of the least match if the new one is more. */
static struct screen_match *find_room(struct match_list *list, const struct screen_match *match)
{
    struct screen_match *least = &list->items[0];

    if (list->count < MATCH_LIST_MAX)
        return &list->items[list->count++];
    for (size_t i = 1; i < list->count; i++) {
        if (compare(&list->items[i], least) > 0)
            least = &list->items[i];
    }
    return compare(match, least) < 0 ? least : NULL;
}

void match_list_add(struct match_list *list, uint32_t index, const struct match_place *place)
{
    const struct rule *rule = &list->rules->list.rules[index];
    bool soften = place->doubtful && rule->action == RULE_BLOCK;
    struct screen_match match = {
        .rule = rule->id,
        .label = label_name(rule->label),
        .reason = rule->reason ? rule->reason : label_reason(rule->label),
        .rule_index = index,
        .from = place->from,
        .to = place->to,
        .earlier = place->earlier,
        .action = soften ? RULE_HOLD : rule->action,
        .severity = (uint8_t)rule->severity,
        .shadow = rule->state == RULE_SHADOW,
    };

    if (!applies(&rule->conditions, list->input) || merge(list, &match, place))
        return;
    struct screen_match *room = find_room(list, &match);
    if (room)
        *room = match;
}

void match_list_add_detector(struct match_list *list, enum detector detector,
                             const struct match_place *place)
{
    const struct detector_rules *rules = &list->rules->detectors[detector];

    for (size_t i = 0; i < rules->count; i++)
        match_list_add(list, rules->rules[i], place);
}

static enum screen_verdict verdict_of(enum rule_action action)
{
    switch (action) {
    case RULE_FLAG:
        return SCREEN_DELIVER;
    case RULE_HOLD:
        return SCREEN_HOLD;
    case RULE_BLOCK:
        return SCREEN_BLOCK;
    }
    return SCREEN_HOLD;
}

void match_list_finish(struct match_list *list, struct screen_result *out)
{
    size_t kept = list->count < SCREEN_MATCHES_MAX ? list->count : SCREEN_MATCHES_MAX;

    qsort(list->items, list->count, sizeof(list->items[0]), compare);
    memcpy(out->matches, list->items, kept * sizeof(list->items[0]));
    out->match_count = kept;
    out->verdict = SCREEN_DELIVER;
    out->reason = NULL;
    for (size_t i = 0; i < kept; i++) {
        const struct screen_match *match = &list->items[i];

        if (match->shadow || match->action == RULE_FLAG)
            continue;
        out->verdict = verdict_of(match->action);
        out->reason = match->reason;
        return;
    }
}
