/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender's devices hear of messages that have no number: `own` and `status` */
#pragma once

#include <stdbool.h>

#include "protocol/message.h"

struct node;
struct session;

/* To every local session of the sender: `own` as it was written, `status` once it was decided. Does
 * nothing if they were told of this version, or of a later one, or if it was removed, which is an
 * event of the room. */
void own_events_send(struct node *node, const struct message *message, int32_t version);

/* Reads the message by id, then sends. Another node's hint that was told nothing but the id. */
void own_events_fetch(struct node *node, const struct uuid *message);
