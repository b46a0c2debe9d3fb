/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of sql/statements/room_list.sql and room_get.sql. */
#include "gateway/room_row.h"

#include "gateway/node.h"
#include "gateway/pg_row.h"
#include "gateway/presence.h"

enum column {
    ROOM,
    TEACHER,
    STUDENT,
    HEAD,
    READ,
    PEER_READ,
    UNREAD,
    CREATED_US,
    LAST_MESSAGE_US,
    PEER_ID,
    PEER_ROLE,
    PEER_FIRST_NAME,
    PEER_LAST_NAME,
    SORT_US,
    LAST_MID,
    LAST_SEQ,
    LAST_SENDER,
    LAST_TEXT,
    LAST_AT_US,
    LAST_REMOVED,
};

static void read_last(const PGresult *result, int row, struct room_row *out)
{
    struct message *last = &out->last;

    *last = (struct message){
        .room = out->info.room,
        .status = MESSAGE_DELIVERED,
        .seq = pg_int8(result, row, LAST_SEQ),
        .at_us = pg_int8(result, row, LAST_AT_US),
        .removed = pg_bool(result, row, LAST_REMOVED),
    };
    pg_uuid(result, row, LAST_MID, &last->id);
    pg_uuid(result, row, LAST_SENDER, &last->sender);
    if (!last->removed)
        last->text = pg_text(result, row, LAST_TEXT, &last->text_length);
    out->info.last_message = last;
}

void room_row_read(struct node *node, const PGresult *result, int row, struct room_row *out)
{
    struct room_info *info = &out->info;

    *info = (struct room_info){
        .peer = {.role = pg_text(result, row, PEER_ROLE, NULL),
                 .first_name = pg_text(result, row, PEER_FIRST_NAME, NULL),
                 .last_name = pg_text(result, row, PEER_LAST_NAME, NULL)},
        .head = pg_int8(result, row, HEAD),
        .read = pg_int8(result, row, READ),
        .peer_read = pg_int8(result, row, PEER_READ),
        .unread = pg_int8(result, row, UNREAD),
        .created_at_us = pg_int8(result, row, CREATED_US),
        .has_last_message_at = !pg_is_null(result, row, LAST_MESSAGE_US),
        .last_message_at_us = pg_int8(result, row, LAST_MESSAGE_US),
    };
    pg_uuid(result, row, ROOM, &info->room);
    pg_uuid(result, row, TEACHER, &info->teacher);
    pg_uuid(result, row, STUDENT, &info->student);
    pg_uuid(result, row, PEER_ID, &info->peer.id);
    info->online = presence_online(node, &info->room, &info->peer.id);
    out->sort_us = pg_int8(result, row, SORT_US);
    if (!pg_is_null(result, row, LAST_MID))
        read_last(result, row, out);
}
