/* SPDX-License-Identifier: Apache-2.0 */
/* A rule as its file says it, before compilation */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/rule_set.h"

enum label {
#define LABEL(NAME, name, reason, highest, severity) LABEL_##NAME,
#include "moderation/label_table.h"
#undef LABEL
    LABEL_COUNT
};

const char *label_name(enum label label);
const char *label_reason(enum label label);
enum rule_action label_highest_action(enum label label);
int label_severity(enum label label);

/* False for an unknown name. */
bool label_parse(enum label *out, const char *name);

enum detector {
#define DETECTOR(NAME, name) DETECTOR_##NAME,
#include "moderation/detector_table.h"
#undef DETECTOR
    DETECTOR_COUNT
};

bool detector_parse(enum detector *out, const char *name);

/* When a rule applies at all; zero means always. */
struct rule_conditions {
    unsigned roles;          /* of enum screen_role, 0 = everybody */
    bool if_booked;          /* only if a booking ties the two */
    bool if_not_booked;      /* only if none does */
    uint32_t first_messages; /* only among the first N of the pair, 0 = all */
    int64_t room_younger_s;  /* only in rooms younger than this, 0 = all */
    uint32_t offences;       /* only senders with at least so many blocks that stood */
};

enum rule_item_kind {
    ITEM_WORD,     /* one word pattern */
    ITEM_EXCEPT,   /* a word that the rule leaves alone */
    ITEM_PHRASE,   /* a phrase, as written */
    ITEM_PATTERN,  /* a bounded regular expression */
    ITEM_DETECTOR, /* name of a detector */
    ITEM_HOST,     /* a host that link detectors leave alone */
    ITEM_MATCH,    /* a text that the rule must match */
    ITEM_CLEAN,    /* a text that it must not match */
};

/* One word, phrase, pattern or example of a rule, as UTF-8. */
struct rule_item {
    enum rule_item_kind kind;
    unsigned line, column;
    char *text;
    size_t length;
};

struct rule {
    bool own;      /* of the layer above: of the installation */
    bool override; /* no rule of its own: changes settings of the one with its id */
    char *text;    /* as it was written, with the comments above it */
    char *id, *name, *locale, *reason; /* reason NULL = the label's */
    char *source;
    unsigned line, column;
    enum label label;
    enum rule_action action;
    enum rule_state state;
    int severity;
    unsigned ceiling; /* of 10,000 senders, above which it falls back to hold; 0 = none */
    bool has_label, has_action, has_severity, has_state, has_ceiling;
    struct rule_conditions conditions;
    struct rule_item *items;
    size_t item_count, item_capacity;
};

struct rule_list {
    struct rule *rules;
    size_t count, capacity;
};

void rule_deinit(struct rule *rule);
void rule_list_deinit(struct rule_list *list);

/* "words", "phrase", "pattern" or "detector": what the rule mostly is. */
const char *rule_kind(const struct rule *rule);
