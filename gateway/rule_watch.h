/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the node's rule set the one that is in force in the database */
#pragma once

#include <stdint.h>

struct node;
struct rule_watch;

/* Reads, compiles off the loop, and puts into node->rules, which is NULL until the first time:
 * whoever screens takes it once a message, and holds no part of it past the callback without a
 * reference. */
struct rule_watch *rule_watch_new(struct node *node);

/* Looks now, not at the next sweep: a hint came. */
void rule_watch_now(struct rule_watch *watch);

/* Takes NULL, returns NULL. What is under way ends by itself, while the loop turns. */
struct rule_watch *rule_watch_free(struct rule_watch *watch);
