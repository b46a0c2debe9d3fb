/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms that have a member on this node, and the delivery of their events in number order */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/timer_wheel.h"
#include "protocol/list.h"
#include "protocol/uuid.h"

struct frame;
struct node;
struct rooms;
struct session;
struct uuid_map;

/* One of the two people is online on another node, or was here until a moment ago. */
struct room_presence {
    struct room *room;
    struct timer_entry expiry;
};

/* A room with at least one local member. Its head is the last number that this node has handed to
 * its members; nothing is handed out beyond a hole. */
struct room {
    struct rooms *rooms;
    struct uuid id, teacher, student;
    int64_t head;
    int64_t target;                     /* the highest number known to exist, >= head */
    struct list_node members;           /* room_member::room_link */
    struct list_node gap;               /* rooms' list of rooms to read from the database */
    bool reading;                       /* part of a read under way */
    struct room_presence *elsewhere[2]; /* teacher, student; NULL where not; owned (presence.h) */
};

/* One session in one room. */
struct room_member {
    struct room *room;
    struct session *session;
    struct list_node room_link, session_link;
    int64_t cursor; /* the last number that the session was given */
    bool behind;    /* resumes: live events pass it by, and resume.c brings it up */
};

/* One numbered event of a room: a message or a removal. Frames are made when first needed. */
struct room_event {
    struct uuid room, sender, cid;
    int64_t number;
    bool has_cid;
    const char *json; /* the event as the peer sees it; borrowed */
    size_t length;
    struct frame *frame, *own_frame;
};

void room_event_deinit(struct room_event *event);

/* The frame for a session of `viewer`: a sender's own devices see the cid. Borrowed. */
struct frame *room_event_frame(struct room_event *event, const struct uuid *viewer);

struct rooms *rooms_new(struct node *node);
struct rooms *rooms_free(struct rooms *rooms); /* no member may be left. Takes NULL */

struct room *rooms_find(const struct rooms *rooms, const struct uuid *id);
struct node *rooms_node(const struct rooms *rooms);
size_t rooms_count(const struct rooms *rooms);
const struct uuid_map *rooms_map(const struct rooms *rooms); /* of struct room */

/* Puts a session into a room whose head in the database is `head`. `cursor` < 0: from the head on.
 * Returns the member, whose `behind` says whether it must be resumed. A session that is in already
 * keeps its place. */
struct room_member *rooms_join(struct rooms *rooms, struct session *session, const struct uuid *id,
                               const struct uuid *teacher, const struct uuid *student, int64_t head,
                               int64_t cursor);
void room_leave(struct room_member *member);
struct room_member *room_member_of(const struct room *room, const struct session *session);

/* The other one of teacher and student. */
const struct uuid *room_peer(const struct room *room, const struct uuid *user);
bool room_has(const struct room *room, const struct uuid *user);

/* An event from a commit of this node, from the bus or from the database. Handed on at once if it
 * is the next; dropped if it was had; else what is missing is read first. */
void rooms_accept(struct rooms *rooms, struct room_event *event);

/* The database is known to have numbers up to `head` there. */
void rooms_saw_head(struct rooms *rooms, const struct uuid *id, int64_t head);

/* To all local sessions of the room but those of `except` (NULL = nobody): what takes no number. */
void room_tell(struct room *room, struct frame *frame, const struct uuid *except);
