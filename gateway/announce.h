/* SPDX-License-Identifier: Apache-2.0 */
/* Tells everyone concerned what was committed: local sessions first, other nodes by the bus */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocol/message.h"
#include "protocol/uuid.h"

struct bus_header;
struct frame;
struct json_writer;
struct node;

/* Kinds of frames on the bus (bus_header.kind). Only delivered text travels: whatever is pending or
 * blocked goes as an id, and is read from the database by the node that needs it. */
enum bus_kind {
    BUS_MESSAGE = 'm',  /* a delivered message: sender, cid, then the peer's JSON */
    BUS_REMOVED = 'r',  /* a removal, in the same form */
    BUS_OWN = 'o',      /* to a sender: this message of yours was stored without a number */
    BUS_STATUS = 's',   /* to a sender: this message of yours was decided */
    BUS_EVENT = 'e',    /* to a user: an event without a number, as JSON (read, typing, presence) */
    BUS_PRESENCE = 'p', /* to a user, of their peer in this room (presence.h) */
    BUS_ROOM = 'c',     /* to a user: look at this room anew (made, revived, closed) */
    BUS_QUEUE = 'q',    /* to moderators: a verb and a message's id */
};

/* A message or a removal took its number. */
void announce_message(struct node *node, const struct message *message, const struct uuid *teacher,
                      const struct uuid *student);
void announce_removal(struct node *node, const struct message *message, const struct uuid *teacher,
                      const struct uuid *student);

/* To the sender's devices: stored as pending or blocked; and decided later. */
void announce_own(struct node *node, const struct message *message);
void announce_status(struct node *node, const struct message *message, int32_t version);

/* Something without a number, to all devices of a user, here and elsewhere. Resets `json`. */
void announce_event(struct node *node, const struct uuid *user, struct json_writer *json,
                    bool sheddable);

/* A word of presence.c to the nodes of one user. */
void announce_presence(struct node *node, const struct uuid *room, const struct uuid *user,
                       const char *payload, size_t length);

/* A room appeared, came back or went: both members' nodes look. */
void announce_room(struct node *node, const struct uuid *room, const struct uuid *teacher,
                   const struct uuid *student);

/* The bus's on_message. */
void announce_received(void *context, const char *channel, const struct bus_header *header,
                       const char *payload, size_t length);
