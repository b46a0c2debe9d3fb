/* SPDX-License-Identifier: Apache-2.0 */
/* Rules over rules: the ones of an installation over the ones that ship
 *
 * What ships gets better with each release, and people decide things about it in the meantime:
 * this rule is off here, that one only holds. Copies of shipped rules would keep those decisions
 * and lose the progress; so an override names a rule and changes no more than its settings. One
 * whose rule is no longer shipped has nothing to change: it is kept and told of, since an upgrade
 * must not bring moderation to a halt.
 */
#include "moderation/rule_layers.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/rule_file.h"
#include "protocol/xalloc.h"

void rule_orphans_deinit(struct rule_orphans *orphans)
{
    for (size_t i = 0; i < orphans->count; i++)
        free(orphans->ids[i]);
    free(orphans->ids);
    *orphans = (struct rule_orphans){0};
}

/* ---- rules by id ---- */

/* Positions in a list, by id. Overrides are left out. */
struct index {
    const struct rule_list *list;
    size_t *sorted, count;
};

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct rule_list *list = context;

    return strcmp(list->rules[*(const size_t *)a].id, list->rules[*(const size_t *)b].id);
}

static struct index index_of(struct rule_list *list)
{
    struct index index = {.list = list};

    index.sorted = xreallocarray(NULL, list->count + 1, sizeof(*index.sorted));
    for (size_t i = 0; i < list->count; i++) {
        if (!list->rules[i].override)
            index.sorted[index.count++] = i;
    }
    qsort_r(index.sorted, index.count, sizeof(*index.sorted), compare_ids, list);
    return index;
}

static const size_t *find(const struct index *index, const char *id)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(index->list->rules[index->sorted[middle]].id, id);

        if (order == 0)
            return &index->sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool check_unique(struct rule_list *list, struct rule_error *error)
{
    struct index index = index_of(list);
    bool good = true;

    for (size_t i = 1; good && i < index.count; i++) {
        const struct rule *before = &list->rules[index.sorted[i - 1]];
        const struct rule *rule = &list->rules[index.sorted[i]];

        if (before->line > rule->line)
            rule = before;
        if (strcmp(before->id, list->rules[index.sorted[i]].id) == 0)
            good = rule_error_set(error, rule->source, rule->line, rule->column,
                                  "rule %s is there twice", rule->id);
    }
    free(index.sorted);
    return good;
}

/* ---- one over the other ---- */

static void append(struct rule_list *list, const struct rule *rule)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->rules = xreallocarray(list->rules, list->capacity, sizeof(*list->rules));
    }
    list->rules[list->count++] = *rule;
}

static void take_rules(struct rule_list *base, struct rule_list *own)
{
    struct index index = index_of(base);

    for (size_t i = 0; i < own->count; i++) {
        struct rule *rule = &own->rules[i];
        const size_t *place = find(&index, rule->id);

        if (rule->override)
            continue;
        rule->own = true;
        if (place) {
            rule_deinit(&base->rules[*place]);
            base->rules[*place] = *rule;
        } else {
            append(base, rule);
        }
        *rule = (struct rule){.override = true}; /* taken */
    }
    free(index.sorted);
}

static bool apply(struct rule *rule, const struct rule *override, struct rule_error *error)
{
    if (override->has_action && override->action > label_highest_action(rule->label))
        return rule_error_set(error, override->source, override->line, override->column,
                              "override %s: label %s only ever holds", rule->id,
                              label_name(rule->label));
    if (override->has_action)
        rule->action = override->action;
    if (override->has_state)
        rule->state = override->state;
    if (override->has_severity)
        rule->severity = override->severity;
    if (override->has_ceiling)
        rule->ceiling = override->ceiling;
    return true;
}

static void add_orphan(struct rule_orphans *orphans, const char *id)
{
    orphans->ids = xreallocarray(orphans->ids, orphans->count + 1, sizeof(char *));
    orphans->ids[orphans->count++] = xstrdup(id);
}

static bool apply_overrides(struct rule_list *base, const struct rule_list *own,
                            struct rule_orphans *orphans, struct rule_error *error)
{
    struct index index = index_of(base);
    bool good = true;

    for (size_t i = 0; good && i < own->count; i++) {
        const struct rule *override = &own->rules[i];
        const size_t *place = override->id ? find(&index, override->id) : NULL;

        if (place)
            good = apply(&base->rules[*place], override, error);
        else if (override->id)
            add_orphan(orphans, override->id);
    }
    free(index.sorted);
    return good;
}

bool rule_layers_merge(struct rule_list *base, struct rule_list *own, struct rule_orphans *orphans,
                       struct rule_error *error)
{
    bool good = check_unique(base, error) && check_unique(own, error);

    if (good) {
        take_rules(base, own);
        good = apply_overrides(base, own, orphans, error);
    }
    rule_list_deinit(own);
    return good;
}
