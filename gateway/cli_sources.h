/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: files of rules */
#pragma once

#include <stddef.h>

#include "moderation/rule_set.h"

enum { CLI_SOURCES_MAX = 64 };

struct cli_sources {
    struct rule_source items[CLI_SOURCES_MAX];
    size_t count;
};

/* Reads a file; "-" is standard input. The path is borrowed, as the name. Returns an exit status,
 * having said what is wrong. */
int cli_sources_add(struct cli_sources *sources, const char *path);
void cli_sources_free(struct cli_sources *sources);

struct rule_layer cli_sources_layer(const struct cli_sources *sources);

/* "FILE:LINE:COLUMN: reason" on standard error; returns EX_DATAERR. */
int cli_rule_error(const struct rule_error *error);
