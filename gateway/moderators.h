/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that watch the moderation queue on this node */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/message.h"
#include "protocol/uuid.h"

struct bus_header;
struct frame;
struct json_writer;
struct moderators;
struct node;
struct session;

#define MODERATORS_CHANNEL "mod"

/* What happened to a case. Only the verb and ids go over the bus; each node reads the rest. */
enum queue_verb {
    QUEUE_ADDED = 1,
    QUEUE_CLAIMED,
    QUEUE_RELEASED,
    QUEUE_DECIDED,
    QUEUE_UNDONE,
    QUEUE_REMOVED
};

struct moderators *moderators_new(struct node *node);
struct moderators *moderators_free(struct moderators *moderators); /* takes NULL */

void moderators_watch(struct session *session);
void moderators_unwatch(struct session *session);

/* Tells the watchers of all nodes. `by`: the person who did it, or NULL. */
void moderators_announce(struct node *node, enum queue_verb verb, const struct uuid *message,
                         const struct uuid *by);

/* The same for this node alone: every node had the hint from the database itself. */
void moderators_hint(struct node *node, enum queue_verb verb, const struct uuid *message);

/* A frame from another node on MODERATORS_CHANNEL. */
void moderators_receive(struct node *node, const struct bus_header *header, const char *payload,
                        size_t length);
