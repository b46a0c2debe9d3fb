/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the parser of rules files: its state, and the keywords */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "moderation/rule.h"
#include "moderation/rule_file.h"

struct rule_parser {
    struct rule_list *list;
    struct rule *rule; /* the one being read, or NULL */
    const char *source;
    const char *line_text; /* the line being read, whole */
    unsigned line, column; /* where a fault would be */
    struct rule_error *error;
};

/* Sets the column to that of `place` in the line. */
void rule_parser_at(struct rule_parser *parser, const char *place);

/* Fills the error. False in sight of the compiler, so that it sees that nothing unset is used
 * behind it. */
#define RULE_FAIL(parser, ...)                                                                     \
    (rule_error_set((parser)->error, (parser)->source, (parser)->line, (parser)->column,           \
                    __VA_ARGS__),                                                                  \
     false)

/* Reads one statement of a rule; may write into `value`. False: the error is filled. */
bool rule_keyword_read(struct rule_parser *parser, const char *name, char *value);
