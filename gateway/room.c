/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery.
 *
 * Every event of a room has a number, and every member is given them in order, without a hole. An
 * event may reach the node by three ways (a commit of its own, the bus, the database), late, twice
 * or not at all; the rule is the same for all: take head + 1, drop what is not above the head, and
 * on a hole ask the database. Rooms with a hole stand on a list that is read in batches, one read
 * under way at a time.
 */
#include "gateway/room.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/event_page.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/presence.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "gateway/user.h"
#include "gateway/uuid_map.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    GAP_ROOMS = 64,   /* rooms in one read */
    GAP_EVENTS = 200, /* events of each in one read */
    GAP_RETRY_MS = 200,
};

struct rooms {
    struct node *node;
    struct uuid_map map;
    struct list_node gaps; /* room::gap */
    struct timer_entry retry;
    bool reading;
};

/* --- events --- */

void room_event_deinit(struct room_event *event)
{
    event->frame = frame_unref(event->frame);
    event->own_frame = frame_unref(event->own_frame);
}

/* The JSON with the cid put in before its last brace. */
static struct frame *make_own_frame(const struct room_event *event)
{
    char text[UUID_TEXT_BYTES + 1];
    const size_t added = sizeof(",\"cid\":\"\"") - 1 + UUID_TEXT_BYTES;
    size_t length = event->length + added;
    char *json = xmalloc(length);
    char *end = json + event->length - 1;

    uuid_format(&event->cid, text);
    memcpy(json, event->json, event->length - 1);
    memcpy(end, ",\"cid\":\"", 8);
    memcpy(end + 8, text, UUID_TEXT_BYTES);
    memcpy(end + 8 + UUID_TEXT_BYTES, "\"}", 2);
    struct frame *frame = frame_new(json, length, FRAME_KEEP);
    free(json);
    return frame;
}

struct frame *room_event_frame(struct room_event *event, const struct uuid *viewer)
{
    if (event->has_cid && uuid_equal(viewer, &event->sender)) {
        if (!event->own_frame)
            event->own_frame = make_own_frame(event);
        return event->own_frame;
    }
    if (!event->frame)
        event->frame = frame_new(event->json, event->length, FRAME_KEEP);
    return event->frame;
}

/* --- membership --- */

struct rooms *rooms_new(struct node *node)
{
    struct rooms *rooms = xcalloc(1, sizeof(*rooms));

    rooms->node = node;
    uuid_map_init(&rooms->map);
    list_init(&rooms->gaps);
    timer_entry_init(&rooms->retry);
    return rooms;
}

struct rooms *rooms_free(struct rooms *rooms)
{
    if (!rooms)
        return NULL;
    timer_wheel_cancel(&rooms->retry);
    uuid_map_deinit(&rooms->map);
    free(rooms);
    return NULL;
}

struct room *rooms_find(const struct rooms *rooms, const struct uuid *id)
{
    return uuid_map_get(&rooms->map, id);
}

struct node *rooms_node(const struct rooms *rooms)
{
    return rooms->node;
}

size_t rooms_count(const struct rooms *rooms)
{
    return uuid_map_count(&rooms->map);
}

const struct uuid_map *rooms_map(const struct rooms *rooms)
{
    return &rooms->map;
}

static struct room *room_new(struct rooms *rooms, const struct uuid *id, const struct uuid *teacher,
                             const struct uuid *student, int64_t head)
{
    struct room *room = xcalloc(1, sizeof(*room));

    room->rooms = rooms;
    room->id = *id;
    room->teacher = *teacher;
    room->student = *student;
    room->head = room->target = head;
    list_init(&room->members);
    list_init(&room->gap);
    uuid_map_put(&rooms->map, id, room);
    metrics_set(METRIC_ROOMS, (double)rooms_count(rooms));
    return room;
}

static void room_free(struct room *room)
{
    list_remove(&room->gap);
    presence_forget(room);
    uuid_map_remove(&room->rooms->map, &room->id);
    metrics_set(METRIC_ROOMS, (double)rooms_count(room->rooms));
    free(room);
}

struct room_member *room_member_of(const struct room *room, const struct session *session)
{
    LIST_FOREACH (node, &room->members) {
        struct room_member *member = container_of(node, struct room_member, room_link);
        if (member->session == session)
            return member;
    }
    return NULL;
}

static void read_gaps(struct rooms *rooms);

struct room_member *rooms_join(struct rooms *rooms, struct session *session, const struct uuid *id,
                               const struct uuid *teacher, const struct uuid *student, int64_t head,
                               int64_t cursor)
{
    struct room *room = rooms_find(rooms, id);

    if (!room)
        room = room_new(rooms, id, teacher, student, head);
    struct room_member *member = room_member_of(room, session);
    if (member)
        return member;
    member = xcalloc(1, sizeof(*member));
    member->room = room;
    member->session = session;
    list_init(&member->room_link);
    list_init(&member->session_link);
    list_append(&room->members, &member->room_link);
    list_append(&session->rooms, &member->session_link);
    int64_t latest = head > room->head ? head : room->head;
    member->cursor = cursor >= 0 ? cursor : latest;
    member->behind = member->cursor < latest;
    rooms_saw_head(rooms, id, head);
    return member;
}

void room_leave(struct room_member *member)
{
    struct room *room = member->room;

    list_remove(&member->room_link);
    list_remove(&member->session_link);
    free(member);
    if (list_empty(&room->members))
        room_free(room);
}

const struct uuid *room_peer(const struct room *room, const struct uuid *user)
{
    return uuid_equal(user, &room->teacher) ? &room->student : &room->teacher;
}

bool room_has(const struct room *room, const struct uuid *user)
{
    return uuid_equal(user, &room->teacher) || uuid_equal(user, &room->student);
}

/* --- delivery --- */

static void give(struct room_member *member, struct room_event *event)
{
    if (member->behind || event->number <= member->cursor)
        return;
    assert(event->number == member->cursor + 1);
    member->cursor = event->number;
    session_send(member->session, room_event_frame(event, &member->session->user->id));
    metrics_add(METRIC_DELIVERIES, 1);
}

static void advance(struct room *room, struct room_event *event)
{
    room->head = event->number;
    if (room->target < room->head)
        room->target = room->head;
    LIST_FOREACH (node, &room->members)
        give(container_of(node, struct room_member, room_link), event);
}

static void mark_gap(struct room *room, int64_t target)
{
    if (room->target < target)
        room->target = target;
    if (!list_linked(&room->gap) && !room->reading)
        list_append(&room->rooms->gaps, &room->gap);
    read_gaps(room->rooms);
}

void rooms_accept(struct rooms *rooms, struct room_event *event)
{
    struct room *room = rooms_find(rooms, &event->room);

    if (!room || event->number <= room->head)
        return;
    if (event->number == room->head + 1)
        advance(room, event);
    else
        mark_gap(room, event->number);
}

void rooms_saw_head(struct rooms *rooms, const struct uuid *id, int64_t head)
{
    struct room *room = rooms_find(rooms, id);

    if (room && head > room->head)
        mark_gap(room, head);
}

void room_tell(struct room *room, struct frame *frame, const struct uuid *except)
{
    LIST_FOREACH (node, &room->members) {
        struct session *session = container_of(node, struct room_member, room_link)->session;
        if (!except || !uuid_equal(&session->user->id, except))
            session_send(session, frame);
    }
}

/* --- holes --- */

struct gap_read {
    struct rooms *rooms;
    size_t count;
    struct uuid ids[GAP_ROOMS];
    int64_t after[GAP_ROOMS];
};

static void handle_retry(struct timer_entry *entry)
{
    read_gaps(container_of(entry, struct rooms, retry));
}

/* Numbers commit in order, so one that the database skips was deleted by hand and will never come:
 * members read the room anew from there. */
static void skip_hole(struct room *room, int64_t number)
{
    struct json_writer *json = &room->rooms->node->json;

    log_error("numbers are missing in a room; its members read it anew",
              LOG_UUID("room", &room->id), LOG_INT("after", room->head), LOG_INT("next", number));
    json_writer_reset(json);
    event_reset(json, &room->id, number);
    struct frame *frame = frame_new(json_text(json), json_length(json), FRAME_KEEP);
    room->head = number;
    LIST_FOREACH (node, &room->members) {
        struct room_member *member = container_of(node, struct room_member, room_link);
        if (member->behind || member->cursor >= number)
            continue;
        member->cursor = number;
        metrics_add(METRIC_RESETS, 1);
        session_send(member->session, frame);
    }
    frame_unref(frame);
}

static void accept_page_event(void *context, struct room_event *event)
{
    struct rooms *rooms = context;
    struct room *room = rooms_find(rooms, &event->room);

    if (!room || event->number <= room->head)
        return;
    metrics_add(METRIC_ROOM_GAPS, 1);
    if (event->number == room->head + 1)
        advance(room, event);
    else
        skip_hole(room, event->number);
}

static void handle_gaps_read(void *context, const struct pg_reply *reply)
{
    struct gap_read *read = context;
    struct rooms *rooms = read->rooms;

    bool moved = false;

    rooms->reading = false;
    if (reply->outcome == PG_OK)
        event_page_read(rooms->node, reply->result, accept_page_event, rooms);
    for (size_t i = 0; i < read->count; i++) {
        struct room *room = rooms_find(rooms, &read->ids[i]);
        if (!room)
            continue;
        room->reading = false;
        moved |= room->head > read->after[i];
        if (room->head < room->target && !list_linked(&room->gap))
            list_append(&rooms->gaps, &room->gap);
    }
    free(read);
    if (list_empty(&rooms->gaps))
        return;
    /* After a failure, or a head told before its rows can be seen, not in a tight loop. */
    timer_wheel_arm(rooms->node->wheel, &rooms->retry, moved ? 1 : GAP_RETRY_MS, handle_retry);
}

static void read_gaps(struct rooms *rooms)
{
    if (rooms->reading || list_empty(&rooms->gaps))
        return;
    struct gap_read *read = xcalloc(1, sizeof(*read));
    read->rooms = rooms;
    while (read->count < GAP_ROOMS && !list_empty(&rooms->gaps)) {
        struct room *room = container_of(list_first(&rooms->gaps), struct room, gap);
        list_remove(&room->gap);
        if (room->head >= room->target)
            continue;
        room->reading = true;
        read->ids[read->count] = room->id;
        read->after[read->count++] = room->head;
    }
    if (!read->count) {
        free(read);
        return;
    }
    rooms->reading = true;
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid_array(&params, read->ids, read->count);
    pg_params_int8_array(&params, read->after, read->count);
    pg_params_int4(&params, GAP_EVENTS);
    pg_pool_query(rooms->node->pool, &sql_events_after, &params, handle_gaps_read, read);
}
