/* SPDX-License-Identifier: Apache-2.0 */
/* Reads numbered room events, and messages, from database results */
#pragma once

#include <libpq-fe.h>
#include <stddef.h>

struct message;
struct node;
struct room_event;

/* Calls `each` for every row of a result of events_after, in order. The event lives for the call.
 */
typedef void (*event_page_fn)(void *context, struct room_event *event);
void event_page_read(struct node *node, const PGresult *result, event_page_fn each, void *context);

/* The event that a delivered message is, its JSON written into the node's scratch writer: valid
 * until the writer is reset. */
void event_of_message(struct node *node, const struct message *message, struct room_event *event);

/* The event that its removal is. */
void event_of_removal(struct node *node, const struct message *message, struct room_event *event);
