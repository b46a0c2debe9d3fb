/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile JSON text to a jansson tree */
#pragma once

#include <stddef.h>

struct json_t;

enum { JSON_INPUT_DEPTH_MAX = 16 };

/* Parses `bytes` bytes as one JSON object. At most `members_max` members and elements, in all its
 * objects and arrays together, are taken. Returns the root, which the caller gives to
 * json_decref(); or NULL, with a static reason in `reason`: json.empty, json.depth, json.members,
 * json.number (beyond its type, or -0), json.duplicate_key, json.null_character, json.utf8,
 * json.truncated, json.trailing, json.not_object, json.syntax. Strings of the tree are valid UTF-8
 * without U+0000. */
struct json_t *json_input_parse(const char *text, size_t bytes, size_t members_max,
                                const char **reason);
