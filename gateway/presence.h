/* SPDX-License-Identifier: Apache-2.0 */
/* Who is online, told to the peers of their rooms across nodes */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocol/uuid.h"

struct bus_header;
struct node;
struct presence;
struct room;
struct session;
struct user;

struct presence *presence_new(struct node *node);
struct presence *presence_free(struct presence *presence); /* takes NULL */

/* The user's first session here is live; their last one is about to leave its rooms. */
void presence_came(struct node *node, struct user *user);
void presence_left(struct node *node, struct user *user);

/* Tells a new session which of its peers are online. */
void presence_tell(struct session *session);

/* Whether a person is known here to be online, for rooms of local members. */
bool presence_online_in(struct node *node, const struct room *room, const struct uuid *user);
bool presence_online(struct node *node, const struct uuid *room, const struct uuid *user);

/* A frame of kind BUS_PRESENCE on the channel of `user`. */
void presence_receive(struct node *node, const struct uuid *user, const struct bus_header *header,
                      const char *payload, size_t length);

/* The room ends: what is known of its people goes, without a word. */
void presence_forget(struct room *room);
