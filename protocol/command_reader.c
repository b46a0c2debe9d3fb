/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the fields of one request, and remembers the first that is wrong */
#include "protocol/command_reader.h"

#include <jansson.h>

#include "protocol/command.h"
#include "protocol/rfc3339.h"

bool command_reader_fail(struct command_reader *reader, enum error_code code, const char *reason)
{
    if (reader->code != ERROR_NONE)
        return false;
    reader->code = code;
    reader->reason = reason;
    return false;
}

static bool fail_field(struct command_reader *reader, const char *reason)
{
    return command_reader_fail(reader, ERROR_BAD_REQUEST, reason);
}

json_t *command_reader_get(const struct command_reader *reader, const char *key)
{
    json_t *value = json_object_get(reader->object, key);

    return json_is_null(value) ? NULL : value;
}

bool command_reader_uuid(struct command_reader *reader, const char *key, const char *reason,
                         struct uuid *out)
{
    const json_t *value = command_reader_get(reader, key);

    if (reader->code != ERROR_NONE)
        return false;
    if (!uuid_parse(out, json_string_value(value), json_string_length(value)))
        return fail_field(reader, reason);
    return true;
}

bool command_reader_int_maybe(struct command_reader *reader, const char *key, const char *reason,
                              int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = command_reader_get(reader, key);

    if (!value || reader->code != ERROR_NONE)
        return false;
    if (!json_is_integer(value))
        return fail_field(reader, reason);

    int64_t number = json_integer_value(value);

    if (number < min || number > max)
        return fail_field(reader, reason);
    *out = number;
    return true;
}

bool command_reader_int(struct command_reader *reader, const char *key, const char *reason,
                        int64_t min, int64_t max, int64_t *out)
{
    return command_reader_int_maybe(reader, key, reason, min, max, out) ||
           fail_field(reader, reason);
}

bool command_reader_string_maybe(struct command_reader *reader, const char *key, const char *reason,
                                 size_t min, size_t max, const char **out)
{
    const json_t *value = command_reader_get(reader, key);
    size_t length = json_string_length(value);

    if (!value || reader->code != ERROR_NONE)
        return false;
    if (!json_is_string(value) || length < min || length > max)
        return fail_field(reader, reason);
    *out = json_string_value(value);
    return true;
}

bool command_reader_string(struct command_reader *reader, const char *key, const char *reason,
                           size_t min, size_t max, const char **out)
{
    return command_reader_string_maybe(reader, key, reason, min, max, out) ||
           fail_field(reader, reason);
}

bool command_reader_time_maybe(struct command_reader *reader, const char *key, const char *reason,
                               int64_t *unix_us)
{
    const json_t *value = command_reader_get(reader, key);

    if (!value || reader->code != ERROR_NONE)
        return false;
    if (!json_is_string(value) ||
        !rfc3339_parse(json_string_value(value), json_string_length(value), unix_us))
        return fail_field(reader, reason);
    return true;
}

int command_reader_page(struct command_reader *reader, int standard)
{
    int64_t limit = standard, page = (int64_t)reader->limits->page;

    command_reader_int_maybe(reader, FIELD("limit"), 1, INT64_MAX, &limit);
    return (int)(limit < page ? limit : page);
}
