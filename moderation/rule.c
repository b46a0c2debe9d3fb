/* SPDX-License-Identifier: Apache-2.0 */
/* A rule as its file says it: names, and ownership of its strings */
#include "moderation/rule.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *reason;
    enum rule_action highest;
    int severity;
} labels[] = {
#define LABEL(NAME, name, reason, highest, severity) {name, reason, highest, severity},
#include "moderation/label_table.h"
#undef LABEL
};

static const char *const detectors[] = {
#define DETECTOR(NAME, name) name,
#include "moderation/detector_table.h"
#undef DETECTOR
};

const char *label_name(enum label label)
{
    return labels[label].name;
}

const char *label_reason(enum label label)
{
    return labels[label].reason;
}

enum rule_action label_highest_action(enum label label)
{
    return labels[label].highest;
}

int label_severity(enum label label)
{
    return labels[label].severity;
}

bool label_parse(enum label *out, const char *name)
{
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        if (strcmp(labels[i].name, name) == 0) {
            *out = (enum label)i;
            return true;
        }
    }
    return false;
}

bool detector_parse(enum detector *out, const char *name)
{
    for (size_t i = 0; i < DETECTOR_COUNT; i++) {
        if (strcmp(detectors[i], name) == 0) {
            *out = (enum detector)i;
            return true;
        }
    }
    return false;
}

void rule_deinit(struct rule *rule)
{
    free(rule->text);
    free(rule->id);
    free(rule->name);
    free(rule->locale);
    free(rule->reason);
    free(rule->source);
    for (size_t i = 0; i < rule->item_count; i++)
        free(rule->items[i].text);
    free(rule->items);
}

void rule_list_deinit(struct rule_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        rule_deinit(&list->rules[i]);
    free(list->rules);
    *list = (struct rule_list){0};
}

const char *rule_kind(const struct rule *rule)
{
    for (size_t i = 0; i < rule->item_count; i++) {
        switch (rule->items[i].kind) {
        case ITEM_WORD:
            return "words";
        case ITEM_PHRASE:
            return "phrase";
        case ITEM_PATTERN:
            return "pattern";
        case ITEM_DETECTOR:
            return "detector";
        case ITEM_EXCEPT:
        case ITEM_HOST:
        case ITEM_MATCH:
        case ITEM_CLEAN:
            break;
        }
    }
    return "words";
}
