/* SPDX-License-Identifier: Apache-2.0 */
/* Rooms that appear, come back or go while their members are connected */
#pragma once

#include "protocol/uuid.h"

struct node;
struct room_watch;

struct room_watch *room_watch_new(struct node *node);
struct room_watch *room_watch_free(struct room_watch *watch); /* takes NULL */

/* Rereads one room for one user, if they are connected here, and joins, tells or removes as the
 * database says. Idempotent: hints may come twice, late or for nothing. */
void room_watch_look(struct node *node, const struct uuid *room, const struct uuid *user);

/* The room is soft-deleted: its members here are told and leave it. */
void room_watch_closed(struct node *node, const struct uuid *room);

/* Reads what changed since the last sweep, with an overlap: whatever no hint told of. */
void room_watch_sweep(struct node *node);
