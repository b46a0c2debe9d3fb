/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that hit more people than they may are made to hold only */
#pragma once

struct node;
struct rule_ceiling;
struct screen_result;
struct uuid;

struct rule_ceiling *rule_ceiling_new(struct node *node);

/* A message of `sender` was screened under the set in force. */
void rule_ceiling_note(struct rule_ceiling *ceiling, const struct uuid *sender,
                       const struct screen_result *result);

/* Takes NULL, returns NULL. A question under way ends by itself, while the loop turns. */
struct rule_ceiling *rule_ceiling_free(struct rule_ceiling *ceiling);
