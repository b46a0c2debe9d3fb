/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presence.
 *
 * Nothing is stored. A node tells the peers of its users' rooms, on the peers' channels, that a
 * user came, is still here (three times in a TTL) or left. A node that hears of a newcomer answers
 * for its own users in that room. A user counts as online in a room while a session is here or the
 * last word of another node is younger than the TTL; "left" only shortens it to a moment of grace,
 * on the node that was left too. In it the user may come back, and other nodes that have the user
 * object, so that nobody flickers.
 */
#include "gateway/presence.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/announce.h"
#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/node.h"
#include "gateway/room.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "gateway/user.h"
#include "gateway/uuid_map.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"

enum {
    GRACE_MS = 3000,
    TICK_MS = 1000,
    TELLS_PER_TTL = 3,
};

/* The payload: one byte about the user on whose behalf it was sent, who is header.room's other;
 * "gone" is of the channel's user, in no room. */
enum word { WORD_CAME = 'c', WORD_HERE = 'h', WORD_LEFT = 'l', WORD_GONE = 'g' };

struct presence {
    struct node *node;
    struct timer_entry timer;
    size_t position; /* in the map of users */
};

static void handle_expired(struct timer_entry *entry);

/* --- what is known --- */

static struct room_presence **elsewhere(struct room *room, const struct uuid *user)
{
    return &room->elsewhere[uuid_equal(user, &room->student)];
}

static void drop(struct room_presence **side)
{
    if (*side)
        timer_wheel_cancel(&(*side)->expiry);
    free(*side);
    *side = NULL;
}

void presence_forget(struct room *room)
{
    drop(&room->elsewhere[0]);
    drop(&room->elsewhere[1]);
}

static void keep(struct node *node, struct room *room, const struct uuid *about, uint64_t for_ms)
{
    struct room_presence **side = elsewhere(room, about);

    if (!*side) {
        *side = xcalloc(1, sizeof(**side));
        (*side)->room = room;
        timer_entry_init(&(*side)->expiry);
    }
    timer_wheel_arm(node->wheel, &(*side)->expiry, for_ms, handle_expired);
}

static bool here(struct node *node, const struct uuid *user)
{
    const struct user *found = users_find(node->users, user);
    return found && found->session_count > 0;
}

bool presence_online_in(struct node *node, const struct room *room, const struct uuid *user)
{
    return here(node, user) || *elsewhere((struct room *)room, user);
}

bool presence_online(struct node *node, const struct uuid *id, const struct uuid *user)
{
    const struct room *room = rooms_find(node->rooms, id);
    return room ? presence_online_in(node, room, user) : here(node, user);
}

/* --- telling --- */

static void push(struct node *node, struct room *room, const struct uuid *about, bool online)
{
    event_presence(&node->json, about, online);
    struct frame *frame = frame_new(json_text(&node->json), json_length(&node->json), FRAME_SHED);
    json_writer_reset(&node->json);
    room_tell(room, frame, about);
    frame_unref(frame);
}

static void publish(struct node *node, const struct room *room, const struct uuid *about,
                    enum word word)
{
    char byte = (char)word;
    announce_presence(node, &room->id, room_peer(room, about), &byte, 1);
}

static struct session *any_session(const struct user *user)
{
    return container_of(list_first(&user->sessions), struct session, user_link);
}

static void tell_rooms(struct node *node, const struct user *user, enum word word)
{
    if (list_empty(&user->sessions))
        return;
    LIST_FOREACH (link, &any_session(user)->rooms) {
        struct room *room = container_of(link, struct room_member, session_link)->room;
        publish(node, room, &user->id, word);
        bool there = *elsewhere(room, &user->id);
        if (word == WORD_CAME && !there)
            push(node, room, &user->id, true);
        if (word == WORD_LEFT && !there)
            keep(node, room, &user->id, GRACE_MS);
    }
}

void presence_came(struct node *node, struct user *user)
{
    tell_rooms(node, user, WORD_CAME);
}

void presence_left(struct node *node, struct user *user)
{
    const char gone = WORD_GONE;

    tell_rooms(node, user, WORD_LEFT);
    announce_presence(node, &UUID_NIL, &user->id, &gone, 1);
}

void presence_tell(struct session *session)
{
    struct node *node = session->node;

    LIST_FOREACH (link, &session->rooms) {
        struct room *room = container_of(link, struct room_member, session_link)->room;
        const struct uuid *peer = room_peer(room, &session->user->id);
        if (!presence_online_in(node, room, peer))
            continue;
        event_presence(&node->json, peer, true);
        session_send_json(session, &node->json);
    }
}

/* --- hearing --- */

static void believe(struct node *node, struct room *room, const struct uuid *about, uint64_t for_ms)
{
    bool was = presence_online_in(node, room, about);

    keep(node, room, about, for_ms);
    if (!was)
        push(node, room, about, true);
}

static void handle_expired(struct timer_entry *entry)
{
    struct room_presence *side = container_of(entry, struct room_presence, expiry);
    struct room *room = side->room;
    struct node *node = rooms_node(room->rooms);
    const struct uuid *about = side == room->elsewhere[1] ? &room->student : &room->teacher;

    drop(elsewhere(room, about));
    if (!here(node, about))
        push(node, room, about, false);
}

/* The user has left another node. Whoever has them too says so, before their peers believe it. */
static void object(struct node *node, const struct uuid *id)
{
    const struct user *user = users_find(node->users, id);

    if (user)
        tell_rooms(node, user, WORD_HERE);
}

void presence_receive(struct node *node, const struct uuid *user, const struct bus_header *header,
                      const char *payload, size_t length)
{
    struct room *room = rooms_find(node->rooms, &header->room);
    uint64_t ttl_ms = (uint64_t)node->config->delivery.presence_ttl_s * 1000;

    if (length == 1 && payload[0] == WORD_GONE)
        object(node, user);
    if (!room || !room_has(room, user) || length != 1)
        return;
    const struct uuid *about = room_peer(room, user);
    switch (payload[0]) {
    case WORD_CAME:
        believe(node, room, about, ttl_ms);
        if (here(node, user))
            publish(node, room, user, WORD_HERE);
        break;
    case WORD_HERE:
        believe(node, room, about, ttl_ms);
        break;
    case WORD_LEFT:
        if (*elsewhere(room, about))
            believe(node, room, about, GRACE_MS);
        break;
    }
}

/* --- staying --- */

/* A part of the users each second, so that all are told of three times in a TTL. */
static void handle_tick(struct timer_entry *entry)
{
    struct presence *presence = container_of(entry, struct presence, timer);
    struct node *node = presence->node;
    const struct uuid_map *map = users_map(node->users);
    size_t ticks = (size_t)node->config->delivery.presence_ttl_s / TELLS_PER_TTL;
    size_t quota = uuid_map_count(map) / (ticks ? ticks : 1) + 1;

    while (quota--) {
        struct user *user = uuid_map_next(map, &presence->position, NULL);
        if (!user) {
            presence->position = 0;
            break;
        }
        tell_rooms(node, user, WORD_HERE);
    }
    timer_wheel_arm(node->wheel, &presence->timer, TICK_MS, handle_tick);
}

struct presence *presence_new(struct node *node)
{
    struct presence *presence = xcalloc(1, sizeof(*presence));
    presence->node = node;
    timer_entry_init(&presence->timer);
    timer_wheel_arm(node->wheel, &presence->timer, TICK_MS, handle_tick);
    return presence;
}

struct presence *presence_free(struct presence *presence)
{
    if (!presence)
        return NULL;
    timer_wheel_cancel(&presence->timer);
    free(presence);
    return NULL;
}
