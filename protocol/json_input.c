/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile JSON text to a jansson tree
 *
 * jansson recurses to 2,048 levels, builds the tree before anybody can count it, and reads "-0" as
 * the integer 0. So one pass over the text comes first: it knows strings from the rest and nothing
 * more, bounds depth and number of members, and leaves all grammar to jansson.
 */
#include "protocol/json_input.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

struct scan {
    const char *at, *end;
    size_t depth, members;
    bool empty;
};

/* Behind the string whose opening quote is at `at`, or at the end of an unclosed one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    return at < end ? at + 1 : end;
}

/* "-0" that is not the beginning of a longer number. */
static bool is_minus_zero(const char *at, const char *end)
{
    if (end - at < 2 || at[0] != '-' || at[1] != '0')
        return false;
    return end - at == 2 || !strchr(".eE0123456789", at[2]) || at[2] == '\0';
}

/* Takes one character that is outside of strings. */
static const char *scan_one(struct scan *scan)
{
    switch (*scan->at) {
    case '{':
    case '[':
        scan->members++;
        return ++scan->depth > JSON_INPUT_DEPTH_MAX ? "json.depth" : NULL;
    case '}':
    case ']':
        scan->depth -= scan->depth > 0;
        return NULL;
    case ',':
        scan->members++;
        return NULL;
    case '-':
        return is_minus_zero(scan->at, scan->end) ? "json.number" : NULL;
    }
    return NULL;
}

/* NULL, or the reason to refuse the text without parsing it. */
static const char *scan_text(const char *text, size_t bytes, size_t members_max)
{
    struct scan scan = {.at = text, .end = text + bytes, .empty = true};

    while (scan.at < scan.end) {
        scan.empty = scan.empty && strchr(" \t\r\n", *scan.at) && *scan.at != '\0';
        if (*scan.at == '"') {
            scan.at = skip_string(scan.at, scan.end);
            continue;
        }

        const char *reason = scan_one(&scan);

        if (reason)
            return reason;
        if (scan.members > members_max)
            return "json.members";
        scan.at++;
    }
    return scan.empty ? "json.empty" : NULL;
}

static const char *reason_of(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "json.duplicate_key";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "json.null_character";
    case json_error_invalid_utf8:
        return "json.utf8";
    case json_error_numeric_overflow:
        return "json.number";
    case json_error_premature_end_of_input:
        return "json.truncated";
    case json_error_end_of_input_expected:
        return "json.trailing";
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "json.syntax";
}

json_t *json_input_parse(const char *text, size_t bytes, size_t members_max, const char **reason)
{
    json_error_t error;
    json_t *root;

    *reason = scan_text(text, bytes, members_max);
    if (*reason)
        return NULL;
    root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        *reason = reason_of(json_error_code(&error));
        return NULL;
    }
    if (!json_is_object(root)) {
        *reason = "json.not_object";
        json_decref(root);
        return NULL;
    }
    return root;
}
