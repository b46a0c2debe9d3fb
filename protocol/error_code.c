/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of the protocol as an enum (the table is error_table.h) */
#include "protocol/error_code.h"

static const struct {
    const char *name, *message;
    int http_status;
    bool retryable;
} errors[] = {
    [ERROR_NONE] = {"none", "No error.", 200, false},
#define ERROR_ROW(NAME, name, http_status, retryable, message)                                     \
    [ERROR_##NAME] = {name, message, http_status, retryable},
#include "protocol/error_table.h"
#undef ERROR_ROW
};

const char *error_name(enum error_code code)
{
    return errors[code].name;
}

int error_http_status(enum error_code code)
{
    return errors[code].http_status;
}

const char *error_message(enum error_code code)
{
    return errors[code].message;
}

bool error_retryable(enum error_code code)
{
    return errors[code].retryable;
}
