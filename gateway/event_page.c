/* SPDX-License-Identifier: Apache-2.0 */
/* From rows of the statement events_after to the JSON that members are sent. */
#include "gateway/event_page.h"

#include <string.h>

#include "gateway/node.h"
#include "gateway/pg_row.h"
#include "gateway/room.h"
#include "protocol/event.h"
#include "protocol/message.h"

/* The columns of sql/statements/events_after.sql. */
enum column {
    ROOM,
    NUMBER,
    KIND,
    ID,
    SENDER,
    CID,
    SEQ,
    REMOVED_SEQ,
    TEXT,
    AT_US,
    DELAYED,
};

static void fill(struct room_event *event, const struct message *message, int64_t number,
                 struct json_writer *json)
{
    *event = (struct room_event){
        .room = message->room,
        .sender = message->sender,
        .cid = message->cid,
        .number = number,
        .has_cid = message->has_cid,
        .json = json_text(json),
        .length = json_length(json),
    };
}

void event_of_message(struct node *node, const struct message *message, struct room_event *event)
{
    json_writer_reset(&node->json);
    event_message(&node->json, message, false);
    fill(event, message, message->seq, &node->json);
    event->has_cid &= !message->removed;
}

void event_of_removal(struct node *node, const struct message *message, struct room_event *event)
{
    json_writer_reset(&node->json);
    event_removed(&node->json, &message->room, message->removed_seq, &message->id);
    fill(event, message, message->removed_seq, &node->json);
    event->has_cid = false;
}

static void read_message(const PGresult *result, int row, struct message *message)
{
    *message = (struct message){
        .status = MESSAGE_DELIVERED,
        .seq = pg_int8(result, row, SEQ),
        .removed_seq = pg_int8(result, row, REMOVED_SEQ),
        .removed = pg_is_null(result, row, TEXT),
        .has_cid = !pg_is_null(result, row, CID),
        .delayed = pg_bool(result, row, DELAYED),
        .at_us = pg_int8(result, row, AT_US),
    };
    pg_uuid(result, row, ROOM, &message->room);
    pg_uuid(result, row, ID, &message->id);
    pg_uuid(result, row, SENDER, &message->sender);
    if (message->has_cid)
        pg_uuid(result, row, CID, &message->cid);
    if (!message->removed)
        message->text = pg_text(result, row, TEXT, &message->text_length);
}

void event_page_read(struct node *node, const PGresult *result, event_page_fn each, void *context)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct message message;
        struct room_event event;
        read_message(result, row, &message);
        if (!strcmp(pg_text(result, row, KIND, NULL), "removed"))
            event_of_removal(node, &message, &event);
        else
            event_of_message(node, &message, &event);
        each(context, &event);
        room_event_deinit(&event);
        json_writer_reset(&node->json);
    }
}
