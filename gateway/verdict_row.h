/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what became of messages that an operator decided, took back or removed */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/error_code.h"
#include "protocol/message.h"

struct node;

/* A row of queue_decide, queue_undo or queue_remove, whose columns are the same. */
struct verdict_row {
    bool done;                /* the state changed now */
    enum error_code error;    /* why not */
    const char *error_reason; /* static, or NULL */
    struct message message;   /* its present state; strings borrowed from the result */
    int32_t version;
    struct uuid teacher, student, by;
    bool has_by;
};

void verdict_row_read(const PGresult *result, int row, struct verdict_row *out);

/* Tells the members and the sender of a row that is done. */
void verdict_row_announce(struct node *node, const struct verdict_row *row);
