/* SPDX-License-Identifier: Apache-2.0 */
/* Reads rooms, as a member sees them, from database results */
#pragma once

#include <libpq-fe.h>
#include <stdint.h>

#include "protocol/event.h"

struct node;

/* A row of room_list or room_get. `info` borrows strings from the result and points at `last`. */
struct room_row {
    struct room_info info;
    struct message last;
    int64_t sort_us;
};

/* Fills in whether the peer is online too. */
void room_row_read(struct node *node, const PGresult *result, int row, struct room_row *out);
