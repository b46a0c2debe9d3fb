/* SPDX-License-Identifier: Apache-2.0 */
/* Rules over rules: the ones of an installation over the ones that ship */
#pragma once

#include <stdbool.h>

#include "moderation/rule.h"

/* Ids of overrides that found no rule. */
struct rule_orphans {
    char **ids;
    size_t count;
};

void rule_orphans_deinit(struct rule_orphans *orphans);

/* Puts `own` over `base`: a rule takes the place of the one with its id, or is added; an override
 * changes settings of one, and joins `orphans` if there is none. `own` is empty afterwards,
 * whatever happens. Returns false with `error` filled if an id is given twice within a layer, or an
 * override asks for what the rule's label does not allow. */
bool rule_layers_merge(struct rule_list *base, struct rule_list *own, struct rule_orphans *orphans,
                       struct rule_error *error);
