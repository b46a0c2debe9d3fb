/* SPDX-License-Identifier: Apache-2.0 */
/* The close codes of the protocol as an enum (the table is close_table.h)
 *
 * The codes are far apart, so a switch made by the table stands where an array would; the compiler
 * warns of a code that is there twice.
 */
#include "protocol/close_code.h"

#include <inttypes.h>
#include <stdio.h>

const char *close_name(enum close_code code)
{
    switch (code) {
#define CLOSE_ROW(NAME, number, name, reconnect, text)                                             \
    case CLOSE_##NAME:                                                                             \
        return name;
#include "protocol/close_table.h"
#undef CLOSE_ROW
    }
    return "unknown";
}

bool close_reconnect(enum close_code code)
{
    switch (code) {
#define CLOSE_ROW(NAME, number, name, reconnect, text)                                             \
    case CLOSE_##NAME:                                                                             \
        return reconnect;
#include "protocol/close_table.h"
#undef CLOSE_ROW
    }
    return true;
}

const char *close_text(enum close_code code)
{
    switch (code) {
#define CLOSE_ROW(NAME, number, name, reconnect, text)                                             \
    case CLOSE_##NAME:                                                                             \
        return text;
#include "protocol/close_table.h"
#undef CLOSE_ROW
    }
    return "";
}

size_t close_reason(enum close_code code, int64_t retry_after_ms,
                    char out[static CLOSE_REASON_BYTES])
{
    int length = retry_after_ms > 0
                     ? snprintf(out, CLOSE_REASON_BYTES,
                                "{\"reason\":\"%s\",\"retry_after_ms\":%" PRId64 "}",
                                close_name(code), retry_after_ms)
                     : snprintf(out, CLOSE_REASON_BYTES, "{\"reason\":\"%s\"}", close_name(code));

    return (size_t)length;
}
