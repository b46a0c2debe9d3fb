/* SPDX-License-Identifier: Apache-2.0 */
/* Reads whole messages from database results */
#pragma once

#include <libpq-fe.h>
#include <stdint.h>

#include "protocol/message.h"

/* A row of messages_by_id, own_since or pending_changed, whose first columns are the same. */
struct message_row {
    struct message message; /* strings borrowed from the result */
    int32_t version;
    struct uuid teacher, student;
};

void message_row_read(const PGresult *result, int row, struct message_row *out);
