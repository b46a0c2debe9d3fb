/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the fields of one request, and remembers the first that is wrong */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error_code.h"
#include "protocol/uuid.h"

struct command_limits;
struct json_t;

/* A builder that sticks: after a failure every read does nothing and says false, so that a parser
 * is a plain list of its fields and the caller looks at `code` once. Other fields of the object are
 * never looked at: clients newer than the server may send them. */
struct command_reader {
    struct json_t *object; /* borrowed; the fields are its members */
    const struct command_limits *limits;
    bool body;            /* a REST body: what path and headers carry is not read */
    enum error_code code; /* ERROR_NONE so far */
    const char *reason;   /* static */
};

/* A field is named by its key and by the reason given when it is wrong. */
#define FIELD(name) name, "field." name

/* Fails unless it has failed before. Returns false. */
bool command_reader_fail(struct command_reader *reader, enum error_code code, const char *reason);

/* The member, or NULL where it is absent or null. */
struct json_t *command_reader_get(const struct command_reader *reader, const char *key);

/* Required fields: true if `out` was filled; otherwise the reader has failed (bad_request). */
bool command_reader_uuid(struct command_reader *reader, const char *key, const char *reason,
                         struct uuid *out);
bool command_reader_int(struct command_reader *reader, const char *key, const char *reason,
                        int64_t min, int64_t max, int64_t *out);
/* Of `min` to `max` bytes; borrowed from the object. */
bool command_reader_string(struct command_reader *reader, const char *key, const char *reason,
                           size_t min, size_t max, const char **out);

/* Optional fields: true if it is there and `out` was filled; false, and `out` is left alone, if it
 * is absent or null, or wrong (the reader has failed). */
bool command_reader_int_maybe(struct command_reader *reader, const char *key, const char *reason,
                              int64_t min, int64_t max, int64_t *out);
bool command_reader_string_maybe(struct command_reader *reader, const char *key, const char *reason,
                                 size_t min, size_t max, const char **out);
bool command_reader_time_maybe(struct command_reader *reader, const char *key, const char *reason,
                               int64_t *unix_us);

/* The optional page length "limit": `standard` where absent; what is above limits.page is cut to
 * it, what is below 1 is wrong. */
int command_reader_page(struct command_reader *reader, int standard);
