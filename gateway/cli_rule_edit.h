/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: changes to the rows of a rule book, before they are compiled and stored */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "moderation/rule_set.h"

struct cli_book;
struct cli_sources;
struct json_t;

/* Each returns the rows as they would be, an array of {"id", "text"} for json_decref(); or NULL,
 * having said what is wrong. */

/* The rows as they are. */
struct json_t *cli_rule_edit_rows(const struct cli_book *book);

/* The rules of files put in, in the place of those with their ids; with `replace`, of all. */
struct json_t *cli_rule_edit_import(const struct cli_book *book, const struct cli_sources *files,
                                    bool replace);

/* The state of rules set by overrides. On gives a rule its own action back, in case it fell back to
 * hold; other overridden settings stay. */
struct json_t *cli_rule_edit_state(const struct cli_book *book, int count, char **ids,
                                   enum rule_state state);

/* Rows taken away. */
struct json_t *cli_rule_edit_drop(const struct cli_book *book, int count, char **ids);

/* How many rules (no overrides) files hold; they have been compiled. */
size_t cli_rule_edit_count(const struct rule_layer *files);
