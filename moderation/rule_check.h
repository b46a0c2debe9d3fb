/* SPDX-License-Identifier: Apache-2.0 */
/* Does every rule of a set do what its examples say? */
#pragma once

#include <stdbool.h>

struct rule_error;
struct rule_set;

/* Screens the "match" and "clean" texts of all rules that are not off. Returns false at the first
 * rule that misses one or fires on the other, with `error` filled. */
bool rule_check_examples(struct rule_set *set, struct rule_error *error);
