/* SPDX-License-Identifier: Apache-2.0 */
/* typing: tell the peer, wherever they are; never stored, first to be dropped */
#include "gateway/announce.h"
#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/request.h"
#include "gateway/room.h"
#include "protocol/command.h"
#include "protocol/event.h"

/* The room is known here, since a member asks: no database, and other people's rooms don't exist.
 */
void command_run_typing(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct room *room = rooms_find(node->rooms, &command->typing.room);

    if (!room || !room_has(room, &request->user)) {
        request_fail(request, ERROR_NOT_FOUND, "room", 0);
        return;
    }
    if (request->re > 0) {
        event_begin(&node->json, "typing", request->re);
        json_add_uuid(&node->json, "room", &room->id);
        json_add_uuid(&node->json, "user", &request->user);
        json_object_end(&node->json);
        request_reply(request, &node->json);
    }
    event_typing(&node->json, &room->id, &request->user);
    announce_event(node, room_peer(room, &request->user), &node->json, true);
}
