/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a version as the database gives them: a JSON array of {"id", "text"} */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "moderation/rule_set.h"

struct json_t;

/* A source a row, named by its id. What it borrows lives as long as it does. */
struct rule_rows {
    struct rule_source *sources;
    size_t count;
    struct json_t *root;
};

/* False: not such an array (`error` filled); deinit is fine then, too. */
bool rule_rows_parse(struct rule_rows *rows, const char *json, size_t length,
                     struct rule_error *error);
void rule_rows_deinit(struct rule_rows *rows);

struct rule_layer rule_rows_layer(const struct rule_rows *rows);

/* NULL if there is no such row. */
const struct rule_source *rule_rows_find(const struct rule_rows *rows, const char *id);
