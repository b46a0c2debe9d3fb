/* SPDX-License-Identifier: Apache-2.0 */
/* The close codes of the protocol as an enum (the table is close_table.h) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values are the codes on the wire (RFC 6455 section 7.4). */
enum close_code {
#define CLOSE_ROW(NAME, code, name, reconnect, text) CLOSE_##NAME = code,
#include "protocol/close_table.h"
#undef CLOSE_ROW
};

/* "drain", "slow", ...: the name in the close frame's reason, in logs and metrics. */
const char *close_name(enum close_code code);

/* Should a client reconnect by itself? */
bool close_reconnect(enum close_code code);

/* A sentence for developers, in English. */
const char *close_text(enum close_code code);

enum { CLOSE_REASON_BYTES = 96 }; /* RFC 6455 section 5.5 allows 123 */

/* Writes the reason of a close frame, an object of JSON, and a NUL: {"reason":"slow"}, and
 * {"reason":"drain","retry_after_ms":1500} where `retry_after_ms` is above 0 (clients wait at least
 * that long). Returns its length. */
size_t close_reason(enum close_code code, int64_t retry_after_ms,
                    char out[static CLOSE_REASON_BYTES]);
