/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the node's heads with the database's: finds what nobody told of */
#pragma once

#include "protocol/uuid.h"

struct head_check;
struct node;

/* Checks all local rooms in slices, every delivery.head_check_s while Redis and the other nodes
 * are well, without pause otherwise; and what takes no number (messages of connected senders that
 * were held or decided) in the same round. */
struct head_check *head_check_new(struct node *node);
struct head_check *head_check_free(struct head_check *check); /* takes NULL */

/* Redis is back, or a node fell silent: look now. */
void head_check_now(struct head_check *check);

/* The database hinted that another program delivered in this room. */
void head_check_room(struct head_check *check, const struct uuid *room);
