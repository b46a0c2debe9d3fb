/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: changes to the rows of a rule book, before they are compiled and stored
 *
 * A row is all that the database says of one id: its rule, if it is no shipped one, and what
 * overrides it. Texts are kept as they were written; only overrides are written anew, when a state
 * is set.
 */
#include "gateway/cli_rule_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "gateway/cli.h"
#include "gateway/cli_rule_book.h"
#include "gateway/cli_sources.h"
#include "gateway/xasprintf.h"
#include "moderation/rule_file.h"

static void put_row(json_t *rows, const char *id, const char *text)
{
    json_array_append_new(rows, json_pack("{s:s, s:s}", "id", id, "text", text));
}

static json_t *find_row(const json_t *rows, const char *id)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);

        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0)
            return row;
    }
    return NULL;
}

static void remove_row(json_t *rows, const char *id)
{
    for (size_t i = json_array_size(rows); i > 0; i--) {
        const json_t *row = json_array_get(rows, i - 1);

        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0)
            json_array_remove(rows, i - 1);
    }
}

json_t *cli_rule_edit_rows(const struct cli_book *book)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < book->rows.count; i++)
        put_row(rows, book->rows.sources[i].name, book->rows.sources[i].text);
    return rows;
}

/* ---- import ---- */

static bool parse_files(const struct cli_sources *files, struct rule_list *list)
{
    struct rule_error error;

    for (size_t i = 0; i < files->count; i++) {
        if (!rule_file_parse(list, &files->items[i], &error)) {
            cli_rule_error(&error);
            return false;
        }
    }
    return true;
}

/* The rows that files make: what they say of one id is one row. */
static json_t *rows_of(const struct rule_list *list)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct rule *rule = &list->rules[i];
        json_t *row = find_row(rows, rule->id);

        if (!row) {
            put_row(rows, rule->id, rule->text);
            continue;
        }
        const char *before = json_string_value(json_object_get(row, "text"));
        char *text = xasprintf("%s\n%s", before, rule->text);
        json_object_set_new(row, "text", json_string(text));
        free(text);
    }
    return rows;
}

/* An override in a file that finds no rule is a slip of the pen. */
static bool check_orphans(const struct rule_set *set, const struct rule_list *list)
{
    for (size_t i = 0; i < rule_set_orphan_count(set); i++) {
        for (size_t k = 0; k < list->count; k++) {
            const struct rule *rule = &list->rules[k];
            struct rule_error error;

            if (strcmp(rule->id, rule_set_orphan(set, i)) != 0)
                continue;
            rule_error_set(&error, rule->source, rule->line, rule->column,
                           "override %s: there is no such rule", rule->id);
            cli_rule_error(&error);
            return false;
        }
    }
    return true;
}

/* Compiles the files over what is to stay, so that a fault has its place in a file. */
static bool check_import(const json_t *kept, const struct cli_sources *files,
                         const struct rule_list *list)
{
    struct rule_layer layer = cli_sources_layer(files);
    struct cli_book rest = {.connection = NULL};
    char *text = json_dumps(kept, JSON_COMPACT);
    struct rule_error error;
    bool good = rule_rows_parse(&rest.rows, text, strlen(text), &error);

    if (!good)
        cli_rule_error(&error);
    struct rule_set *set = good ? cli_book_compile(&rest, &layer) : NULL;
    good = set && check_orphans(set, list);
    rule_set_unref(set);
    rule_rows_deinit(&rest.rows);
    free(text);
    return good;
}

json_t *cli_rule_edit_import(const struct cli_book *book, const struct cli_sources *files,
                             bool replace)
{
    struct rule_list list = {0};

    if (!parse_files(files, &list)) {
        rule_list_deinit(&list);
        return NULL;
    }
    json_t *rows = replace ? json_array() : cli_rule_edit_rows(book), *put = rows_of(&list);
    for (size_t i = 0; i < json_array_size(put); i++)
        remove_row(rows, json_string_value(json_object_get(json_array_get(put, i), "id")));
    bool good = check_import(rows, files, &list);
    json_array_extend(rows, put);
    json_decref(put);
    rule_list_deinit(&list);
    if (good)
        return rows;
    json_decref(rows);
    return NULL;
}

size_t cli_rule_edit_count(const struct rule_layer *files)
{
    struct rule_list list = {0};
    struct rule_error error;
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        rule_file_parse(&list, &files->sources[i], &error);
    for (size_t i = 0; i < list.count; i++)
        count += !list.rules[i].override;
    rule_list_deinit(&list);
    return count;
}

/* ---- states ---- */

/* The row's overrides as one, in *sum, and its rule's own text. */
static char *split(const struct rule_list *list, struct rule *sum)
{
    char *text = xasprintf("%s", "");

    for (size_t i = 0; i < list->count; i++) {
        const struct rule *rule = &list->rules[i];

        if (!rule->override) {
            char *longer = xasprintf("%s%s", text, rule->text);

            free(text);
            text = longer;
            continue;
        }
        if (rule->has_action)
            sum->has_action = true, sum->action = rule->action;
        if (rule->has_severity)
            sum->has_severity = true, sum->severity = rule->severity;
        if (rule->has_ceiling)
            sum->has_ceiling = true, sum->ceiling = rule->ceiling;
    }
    return text;
}

static char *write_override(const char *id, const struct rule *sum, const char *state)
{
    static const char *const actions[] = {"flag", "hold", "block"};
    char severity[32] = "", ceiling[32] = "", action[32] = "";

    if (sum->has_action)
        snprintf(action, sizeof(action), "  action %s\n", actions[sum->action]);
    if (sum->has_severity)
        snprintf(severity, sizeof(severity), "  severity %d\n", sum->severity);
    if (sum->has_ceiling)
        snprintf(ceiling, sizeof(ceiling), "  ceiling %u\n", sum->ceiling);
    return xasprintf("override %s\n  state %s\n%s%s%s", id, state, action, severity, ceiling);
}

/* The row of one id with another state. */
static bool edit_state(json_t *rows, const char *id, enum rule_state state)
{
    static const char *const states[] = {"off", "shadow", "on"};
    const json_t *row = find_row(rows, id);
    const char *before = row ? json_string_value(json_object_get(row, "text")) : "";
    struct rule_source source = {.name = id, .text = before, .length = strlen(before)};
    struct rule_list list = {0};
    struct rule sum = {.override = true};
    struct rule_error error;
    bool good = rule_file_parse(&list, &source, &error);

    if (!good)
        cli_rule_error(&error);
    char *own = split(&list, &sum);
    if (state == RULE_ON)
        sum.has_action = false;
    char *override = write_override(id, &sum, states[state]);
    char *text = xasprintf("%s%s%s", own, *own ? "\n" : "", override);
    if (good) {
        remove_row(rows, id);
        put_row(rows, id, text);
    }
    free(text);
    free(override);
    free(own);
    rule_list_deinit(&list);
    return good;
}

static bool is_rule(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; i < rule_set_count(set); i++) {
        if (strcmp(rule_set_info(set, i).id, id) == 0)
            return true;
    }
    cli_complain("there is no rule '%s'; `chatgate moderation rules list` shows them", id);
    return false;
}

json_t *cli_rule_edit_state(const struct cli_book *book, int count, char **ids,
                            enum rule_state state)
{
    struct rule_set *set = cli_book_compile(book, NULL);
    json_t *rows = cli_rule_edit_rows(book);
    bool good = set != NULL;

    for (int i = 0; good && i < count; i++)
        good = is_rule(set, ids[i]) && edit_state(rows, ids[i], state);
    rule_set_unref(set);
    if (good)
        return rows;
    json_decref(rows);
    return NULL;
}

json_t *cli_rule_edit_drop(const struct cli_book *book, int count, char **ids)
{
    json_t *rows = cli_rule_edit_rows(book);

    for (int i = 0; i < count; i++) {
        if (!find_row(rows, ids[i])) {
            cli_complain("the database has no rule '%s'; what ships can only be disabled", ids[i]);
            json_decref(rows);
            return NULL;
        }
        remove_row(rows, ids[i]);
    }
    return rows;
}
