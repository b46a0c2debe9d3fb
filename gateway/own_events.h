/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender's devices hear of messages that have no number: `own` and `status` */
#pragma once

#include <stdbool.h>

#include "protocol/message.h"

struct node;
struct session;

/* To every local session of the sender: `status` if `decided`, else `own`. */
void own_events_send(struct node *node, const struct message *message, bool decided);

/* Reads the message by id, then sends. Another node's hint that was told nothing but the id. */
void own_events_fetch(struct node *node, const struct uuid *message, bool decided);
