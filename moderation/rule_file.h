/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of rules files (format: RULES.md) */
#pragma once

#include <stdbool.h>

#include "moderation/rule.h"

/* Appends the rules of one source to `list`. On failure returns false with `error` filled; `list`
 * then holds what was read so far, and is good for rule_list_deinit() only. */
bool rule_file_parse(struct rule_list *list, const struct rule_source *source,
                     struct rule_error *error);

/* Fills an error, formatted; returns false, so that a caller can return it. */
bool rule_error_set(struct rule_error *error, const char *source, unsigned line, unsigned column,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
