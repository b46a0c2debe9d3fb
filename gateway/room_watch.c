/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A booking makes a room while its two people are connected, maybe to different nodes. The node
 * that makes one over the socket tells the others by the bus; the database's triggers hint by
 * NOTIFY; and a sweep rereads what changed lately, since both may be lost. All three end in the
 * same look at the database, which may be repeated at will.
 */
#include "gateway/room_watch.h"

#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/room.h"
#include "gateway/room_row.h"
#include "gateway/session.h"
#include "gateway/user.h"
#include "gateway/uuid_map.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

/* A change is stamped by its statement and seen after its transaction: an import takes minutes. */
enum { OVERLAP_S = 600 };

struct room_watch {
    struct node *node;
    int64_t since_us, next_since_us;
    bool reading, again, freed;
};

/* --- one room, one user --- */

struct look {
    struct node *node;
    struct uuid user;
};

static bool joined_all(struct node *node, const struct user *user, const struct uuid *id)
{
    const struct room *room = rooms_find(node->rooms, id);

    LIST_FOREACH (link, &user->sessions)
        if (!room || !room_member_of(room, container_of(link, struct session, user_link)))
            return false;
    return true;
}

static void join_sessions(struct node *node, struct user *user, const struct room_row *row)
{
    const struct room_info *info = &row->info;

    event_room(&node->json, EVENT_PUSH, info);
    struct frame *frame = frame_new(json_text(&node->json), json_length(&node->json), FRAME_KEEP);
    json_writer_reset(&node->json);
    LIST_FOREACH (link, &user->sessions) {
        struct session *session = container_of(link, struct session, user_link);
        struct room *room = rooms_find(node->rooms, &info->room);
        if (room && room_member_of(room, session))
            continue;
        rooms_join(node->rooms, session, &info->room, &info->teacher, &info->student, info->head,
                   -1);
        session_send(session, frame);
    }
    frame_unref(frame);
}

static void handle_looked(void *context, const struct pg_reply *reply)
{
    struct look *look = context;
    struct user *user = users_find(look->node->users, &look->user);
    struct room_row row;

    if (user && reply->outcome == PG_OK && PQntuples(reply->result)) {
        room_row_read(look->node, reply->result, 0, &row);
        join_sessions(look->node, user, &row);
    }
    free(look);
}

void room_watch_look(struct node *node, const struct uuid *room, const struct uuid *id)
{
    struct user *user = users_find(node->users, id);
    struct pg_params params = PG_PARAMS_INIT;

    if (!user || joined_all(node, user, room))
        return;
    struct look *look = xcalloc(1, sizeof(*look));
    look->node = node;
    look->user = *id;
    pg_params_uuid(&params, id);
    pg_params_uuid_array(&params, room, 1);
    pg_pool_query(node->pool, &sql_room_get, &params, handle_looked, look);
}

void room_watch_closed(struct node *node, const struct uuid *id)
{
    struct room *room = rooms_find(node->rooms, id);

    if (!room)
        return;
    event_room_closed(&node->json, id);
    struct frame *frame = frame_new(json_text(&node->json), json_length(&node->json), FRAME_KEEP);
    json_writer_reset(&node->json);
    room_tell(room, frame, NULL);
    frame_unref(frame);
    /* The last leave frees the room: look it up each time. */
    while ((room = rooms_find(node->rooms, id)) != NULL)
        room_leave(container_of(list_first(&room->members), struct room_member, room_link));
}

/* --- the sweep --- */

/* The columns of sql/statements/rooms_changed.sql. */
enum column { ROOM, TEACHER, STUDENT, HEAD, CLOSED };

static void apply(struct node *node, const PGresult *result, int row)
{
    struct uuid room, teacher, student;

    pg_uuid(result, row, ROOM, &room);
    pg_uuid(result, row, TEACHER, &teacher);
    pg_uuid(result, row, STUDENT, &student);
    if (pg_bool(result, row, CLOSED)) {
        room_watch_closed(node, &room);
        return;
    }
    room_watch_look(node, &room, &teacher);
    room_watch_look(node, &room, &student);
}

static void handle_changed(void *context, const struct pg_reply *reply)
{
    struct room_watch *watch = context;

    watch->reading = false;
    if (watch->freed) {
        free(watch);
        return;
    }
    if (reply->outcome == PG_OK) {
        for (int row = 0; row < PQntuples(reply->result); row++)
            apply(watch->node, reply->result, row);
        watch->since_us = watch->next_since_us;
    }
    if (watch->again && reply->outcome == PG_OK)
        room_watch_sweep(watch->node);
}

static void bind_users(struct pg_params *params, const struct uuid_map *map)
{
    struct uuid *users = xmalloc((uuid_map_count(map) + 1) * sizeof(*users));
    size_t count = 0;

    UUID_MAP_FOREACH (value, map)
        users[count++] = ((struct user *)value)->id;
    pg_params_uuid_array(params, users, count);
    free(users);
}

/* A sweep that is asked for while another reads runs once more after it. It asks for the rooms of
 * those who are here, since a backfill may have made a million. */
void room_watch_sweep(struct node *node)
{
    struct room_watch *watch = node->room_watch;
    struct pg_params params = PG_PARAMS_INIT;

    watch->again = watch->reading;
    if (watch->reading)
        return;
    watch->reading = true;
    watch->next_since_us = clock_unix_us() - (int64_t)OVERLAP_S * 1000000;
    pg_params_int8(&params, watch->since_us);
    bind_users(&params, users_map(node->users));
    pg_pool_query(node->pool, &sql_rooms_changed, &params, handle_changed, watch);
}

struct room_watch *room_watch_new(struct node *node)
{
    struct room_watch *watch = xcalloc(1, sizeof(*watch));
    watch->node = node;
    watch->since_us = clock_unix_us() - (int64_t)OVERLAP_S * 1000000;
    return watch;
}

struct room_watch *room_watch_free(struct room_watch *watch)
{
    if (!watch)
        return NULL;
    watch->freed = true;
    if (!watch->reading)
        free(watch);
    return NULL;
}
