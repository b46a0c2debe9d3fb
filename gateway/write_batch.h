/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of writes as the statement's parameters, and its rows as their results */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "gateway/writer.h"

struct pg_params;
struct text_hasher;

enum { WRITE_BATCH_MAX = 200 };

/* The parameters of write_messages for 1 to WRITE_BATCH_MAX writes (write::link), which must all
 * have been screened by one rule set. */
void write_batch_bind(struct pg_params *params, const struct list_node *batch,
                      const struct text_hasher *hasher, const char *node_name);

/* The answer to one write. False: `busy`, its room was locked. A row that the database knows
 * already under this very id is our own, of an attempt whose outcome was lost: it is new. */
bool write_batch_read(const PGresult *result, int row, struct write *write,
                      enum write_result *outcome);
