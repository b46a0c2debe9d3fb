/* SPDX-License-Identifier: Apache-2.0 */
/* Pending and blocked text reaches its sender and nobody else: the only place that sends it. */
#include "gateway/own_events.h"

#include "gateway/message_row.h"
#include "gateway/node.h"
#include "gateway/own_sweep.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/user.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "sql/embedded.h"

void own_events_send(struct node *node, const struct message *message, int32_t version)
{
    struct user *user = users_find(node->users, &message->sender);

    if (!user || list_empty(&user->sessions) || message->removed ||
        !own_sweep_tell(node->own_sweep, &message->id, version))
        return;
    json_writer_reset(&node->json);
    /* A message that was blocked when it was written looks decided, but nobody has seen it yet. */
    if (version > 1 && message->status != MESSAGE_PENDING)
        event_status(&node->json, message);
    else
        event_own(&node->json, message);
    struct frame *frame = frame_new(json_text(&node->json), json_length(&node->json), FRAME_KEEP);
    json_writer_reset(&node->json);
    user_send(user, frame);
    frame_unref(frame);
}

static void handle_fetched(void *context, const struct pg_reply *reply)
{
    struct node *node = context;

    /* A failure is made good by the sweep. */
    if (reply->outcome == PG_OK && PQntuples(reply->result)) {
        struct message_row row;
        message_row_read(reply->result, 0, &row);
        own_events_send(node, &row.message, row.version);
    }
}

void own_events_fetch(struct node *node, const struct uuid *message)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_uuid_array(&params, message, 1);
    pg_pool_query(node->pool, &sql_messages_by_id, &params, handle_fetched, node);
}
