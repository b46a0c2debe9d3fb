/* SPDX-License-Identifier: Apache-2.0 */
/* How this node connects to its database */
#pragma once

#include "gateway/pg_conn.h"

struct node;

/* Options from the configuration, with the callbacks that feed logs and metrics. Borrows strings of
 * the configuration for the call that follows. */
void database_options(struct node *node, struct pg_conn_options *options);

/* The on_state of these options: logs it. For who has one of its own, to call. */
void database_handle_state(void *context, bool up, const char *reason);
