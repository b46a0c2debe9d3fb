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

/* A sender's devices here were told of this version of a message: the sweep need not. */
void own_sweep_told(struct own_sweep *sweep, const struct uuid *message, bool decided);
