/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fan-out.
 *
 * What is committed here is handed to this node's sessions at once and published to the channels of
 * the users concerned, so that the nodes where they are connected do the same. A frame that is lost
 * costs time only: numbers show the hole, and head checks find what nobody told of.
 */
#include "gateway/announce.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/event_page.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/own_events.h"
#include "gateway/presence.h"
#include "gateway/rate_limit.h"
#include "gateway/room.h"
#include "gateway/room_watch.h"
#include "gateway/user.h"
#include "gateway/windows.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"

enum { EVENT_PREFIX_BYTES = 2 * UUID_BYTES, STACK_BYTES = 8192 };

static void publish(struct node *node, const struct uuid *user, char kind, const struct uuid *room,
                    int64_t number, const void *payload, size_t length)
{
    char channel[USER_CHANNEL_BYTES];
    struct bus_header header = {
        .kind = kind,
        .room = *room,
        .number = number,
        .epoch = node->epoch_tag,
    };

    user_channel(user, channel);
    if (bus_publish(node->bus, channel, &header, payload, length))
        metrics_add(METRIC_BUS_PUBLISHED, 1);
}

/* --- numbered events --- */

static void publish_event(struct node *node, char kind, const struct room_event *event,
                          const struct uuid *teacher, const struct uuid *student)
{
    char stack[STACK_BYTES];
    size_t length = EVENT_PREFIX_BYTES + event->length;
    char *payload = length <= sizeof(stack) ? stack : xmalloc(length);

    memcpy(payload, &event->sender, UUID_BYTES);
    memcpy(payload + UUID_BYTES, event->has_cid ? &event->cid : &UUID_NIL, UUID_BYTES);
    memcpy(payload + EVENT_PREFIX_BYTES, event->json, event->length);
    publish(node, teacher, kind, &event->room, event->number, payload, length);
    publish(node, student, kind, &event->room, event->number, payload, length);
    if (payload != stack)
        free(payload);
}

static void announce_numbered(struct node *node, char kind, struct room_event *event,
                              const struct uuid *teacher, const struct uuid *student)
{
    publish_event(node, kind, event, teacher, student);
    rooms_accept(node->rooms, event);
    room_event_deinit(event);
    json_writer_reset(&node->json);
}

void announce_message(struct node *node, const struct message *message, const struct uuid *teacher,
                      const struct uuid *student)
{
    struct room_event event;

    event_of_message(node, message, &event);
    announce_numbered(node, BUS_MESSAGE, &event, teacher, student);
    metrics_observe(METRIC_DELIVERY_SECONDS, (double)(clock_unix_us() - message->at_us) / 1e6);
}

void announce_removal(struct node *node, const struct message *message, const struct uuid *teacher,
                      const struct uuid *student)
{
    struct room_event event;

    event_of_removal(node, message, &event);
    announce_numbered(node, BUS_REMOVED, &event, teacher, student);
}

static void receive_numbered(struct node *node, const struct bus_header *header,
                             const char *payload, size_t length)
{
    if (length <= EVENT_PREFIX_BYTES || payload[length - 1] != '}') {
        metrics_add_label(METRIC_BUS_DROPPED, LABEL_BUS_DROP_MALFORMED, 1);
        return;
    }
    struct room_event event = {
        .room = header->room,
        .number = header->number,
        .json = payload + EVENT_PREFIX_BYTES,
        .length = length - EVENT_PREFIX_BYTES,
    };
    memcpy(&event.sender, payload, UUID_BYTES);
    memcpy(&event.cid, payload + UUID_BYTES, UUID_BYTES);
    event.has_cid = !uuid_is_nil(&event.cid);
    rooms_accept(node->rooms, &event);
    room_event_deinit(&event);
}

/* --- to one user --- */

void announce_own(struct node *node, const struct message *message)
{
    own_events_send(node, message, 1);
    publish(node, &message->sender, BUS_OWN, &message->room, 0, &message->id, UUID_BYTES);
}

void announce_status(struct node *node, const struct message *message, int32_t version)
{
    own_events_send(node, message, version);
    publish(node, &message->sender, BUS_STATUS, &message->room, 0, &message->id, UUID_BYTES);
}

static void send_event(struct node *node, const struct uuid *id, const char *json, size_t length,
                       bool sheddable)
{
    struct user *user = users_find(node->users, id);

    if (!user)
        return;
    struct frame *frame = frame_new(json, length, sheddable ? FRAME_SHED : FRAME_KEEP);
    user_send(user, frame);
    frame_unref(frame);
}

void announce_event(struct node *node, const struct uuid *user, struct json_writer *json,
                    bool sheddable)
{
    send_event(node, user, json_text(json), json_length(json), sheddable);
    publish(node, user, BUS_EVENT, &UUID_NIL, sheddable, json_text(json), json_length(json));
    json_writer_reset(json);
}

void announce_presence(struct node *node, const struct uuid *room, const struct uuid *user,
                       const char *payload, size_t length)
{
    publish(node, user, BUS_PRESENCE, room, 0, payload, length);
}

void announce_room(struct node *node, const struct uuid *room, const struct uuid *teacher,
                   const struct uuid *student)
{
    room_watch_look(node, room, teacher);
    room_watch_look(node, room, student);
    publish(node, teacher, BUS_ROOM, room, 0, "", 0);
    publish(node, student, BUS_ROOM, room, 0, "", 0);
}

/* --- from other nodes --- */

/* A send elsewhere counts here too: the limit is the user's, not the node's. And the next one here
 * is screened with it. */
static void note_own(struct node *node, const struct uuid *user, const struct uuid *room)
{
    rate_table_debit(node->message_rates, user, sizeof(*user), (int64_t)clock_now_ms());
    windows_moved(node->windows, room, user);
}

/* Both members hear of a delivered message, one of them has sent it. */
static void note_send(struct node *node, const struct uuid *user, const struct uuid *room,
                      const char *payload, size_t length)
{
    if (length > UUID_BYTES && !memcmp(payload, user, UUID_BYTES))
        note_own(node, user, room);
}

static void receive_for_user(struct node *node, const struct uuid *user,
                             const struct bus_header *header, const char *payload, size_t length)
{
    struct uuid mid;

    switch (header->kind) {
    case BUS_MESSAGE:
        note_send(node, user, &header->room, payload, length);
        receive_numbered(node, header, payload, length);
        return;
    case BUS_REMOVED:
        receive_numbered(node, header, payload, length);
        return;
    case BUS_OWN:
    case BUS_STATUS:
        if (length != UUID_BYTES)
            break;
        memcpy(&mid, payload, UUID_BYTES);
        if (header->kind == BUS_OWN)
            note_own(node, user, &header->room);
        own_events_fetch(node, &mid);
        return;
    case BUS_EVENT:
        send_event(node, user, payload, length, header->number != 0);
        return;
    case BUS_PRESENCE:
        presence_receive(node, user, header, payload, length);
        return;
    case BUS_ROOM:
        room_watch_look(node, &header->room, user);
        return;
    }
    metrics_add_label(METRIC_BUS_DROPPED, LABEL_BUS_DROP_MALFORMED, 1);
}

void announce_received(void *context, const char *channel, const struct bus_header *header,
                       const char *payload, size_t length)
{
    struct node *node = context;
    struct uuid user;

    metrics_add(METRIC_BUS_RECEIVED, 1);
    if (header->epoch != node->epoch_tag)
        metrics_add_label(METRIC_BUS_DROPPED, LABEL_BUS_DROP_EPOCH, 1);
    else if (!strcmp(channel, MODERATORS_CHANNEL))
        moderators_receive(node, header, payload, length);
    else if (user_of_channel(&user, channel))
        receive_for_user(node, &user, header, payload, length);
}
