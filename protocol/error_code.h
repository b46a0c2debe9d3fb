/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of the protocol as an enum (the table is error_table.h) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE = 0,
#define ERROR_ROW(NAME, name, http_status, retryable, message) ERROR_##NAME,
#include "protocol/error_table.h"
#undef ERROR_ROW
};

/* The name on the wire, "bad_request"; "none" for ERROR_NONE. */
const char *error_name(enum error_code code);

/* The HTTP status of a REST answer that fails with it; 200 for ERROR_NONE. */
int error_http_status(enum error_code code);

/* A sentence for developers, in English. Users are told by the client, from code and reason. */
const char *error_message(enum error_code code);

/* May the same request succeed later? */
bool error_retryable(enum error_code code);
