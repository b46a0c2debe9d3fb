/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a version as the database gives them: a JSON array of {"id", "text"} */
#include "gateway/rule_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/xalloc.h"

static bool refuse(struct rule_error *error, const char *id, const char *reason)
{
    *error = (struct rule_error){.line = 0};
    snprintf(error->source, sizeof(error->source), "%s", id);
    snprintf(error->reason, sizeof(error->reason), "%s", reason);
    return false;
}

bool rule_rows_parse(struct rule_rows *rows, const char *json, size_t length,
                     struct rule_error *error)
{
    *rows = (struct rule_rows){.root = json_loadb(json, length, 0, NULL)};
    if (!json_is_array(rows->root))
        return refuse(error, "", "the rules are no JSON array");
    size_t count = json_array_size(rows->root);
    rows->sources = xcalloc(count + 1, sizeof(*rows->sources));
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows->root, i);
        const char *id = json_string_value(json_object_get(row, "id"));
        const json_t *text = json_object_get(row, "text");

        if (!id || !json_is_string(text))
            return refuse(error, id ? id : "", "a row has no id or no text");
        rows->sources[rows->count++] = (struct rule_source){
            .name = id, .text = json_string_value(text), .length = json_string_length(text)};
    }
    return true;
}

void rule_rows_deinit(struct rule_rows *rows)
{
    free(rows->sources);
    json_decref(rows->root);
    *rows = (struct rule_rows){.count = 0};
}

struct rule_layer rule_rows_layer(const struct rule_rows *rows)
{
    return (struct rule_layer){.sources = rows->sources, .count = rows->count};
}

const struct rule_source *rule_rows_find(const struct rule_rows *rows, const char *id)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(rows->sources[i].name, id) == 0)
            return &rows->sources[i];
    }
    return NULL;
}
