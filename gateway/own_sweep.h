/* SPDX-License-Identifier: Apache-2.0 */
/* Finds verdicts on, and holds of, connected senders' messages that the bus did not tell of */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/uuid.h"

struct node;
struct own_sweep;

struct own_sweep *own_sweep_new(struct node *node);
struct own_sweep *own_sweep_free(struct own_sweep *sweep); /* takes NULL */

/* Reads what changed since the last run, with an overlap, and sends what was not sent yet. */
void own_sweep_run(struct node *node);

/* Notes that a sender's devices here are told of this version of a message. False: they were told
 * of it, or of a later one. */
bool own_sweep_tell(struct own_sweep *sweep, const struct uuid *message, int32_t version);

/* Whether they were told of a later one: what was read from the database is out of date. */
bool own_sweep_outdated(const struct own_sweep *sweep, const struct uuid *message, int32_t version);
