/* SPDX-License-Identifier: Apache-2.0 */
/* Reads cases of the moderation queue from database results */
#pragma once

#include <libpq-fe.h>

#include "protocol/event_queue.h"

struct json_t;

/* A row of queue_page or queue_get. `item` borrows from the result, from `detail` and from the row.
 */
struct queue_row {
    struct queue_case item;
    struct queue_claim claim;
    char *rules, *spans, *earlier; /* JSON text, owned */
};

/* `viewer` sees the fencing token of a claim that is their own. End with queue_row_deinit(). */
void queue_row_read(const PGresult *result, int row, const struct uuid *viewer,
                    struct queue_row *out);
void queue_row_deinit(struct queue_row *row);
