/* SPDX-License-Identifier: Apache-2.0 */
/* Does the combined matcher of a set find what a naive one finds? */
#pragma once

#include <stdbool.h>

struct rule_error;
struct rule_set;

/* Reads the examples of all rules with both. Returns false at the first difference, with `error`
 * filled. */
bool rule_golden_check(const struct rule_set *set, struct rule_error *error);
