/* SPDX-License-Identifier: Apache-2.0 */
/* The matches of one screening, and the verdict that follows from them */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/rule.h"
#include "moderation/screen.h"

struct rule_set;

enum { MATCH_LIST_MAX = 64 };

struct match_list {
    const struct rule_set *rules;
    const struct screen_input *input; /* for conditions */
    struct screen_match items[MATCH_LIST_MAX];
    size_t count;
};

struct match_place {
    uint32_t from, to; /* bytes of the text */
    uint32_t earlier;  /* as in struct screen_match */
    bool doubtful;     /* a block becomes a hold */
};

void match_list_begin(struct match_list *list, const struct rule_set *rules,
                      const struct screen_input *input);

/* Adds a match of a rule, if the rule applies to this sender at all. Matches of one rule that
 * overlap become one. A full list keeps the most severe. */
void match_list_add(struct match_list *list, uint32_t rule, const struct match_place *place);

/* Adds a match of every rule that asks for this detector. */
void match_list_add_detector(struct match_list *list, enum detector detector,
                             const struct match_place *place);

/* Sorts, and fills verdict, reason and matches of `out`. */
void match_list_finish(struct match_list *list, struct screen_result *out);
