/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live queue.
 *
 * Whatever happens to a case is told to all nodes as a verb and ids. A node with watchers reads the
 * case or the message from the database, once for all of them, and pushes what it now is: so a
 * watcher may see a state late, but never one that never was.
 */
#include "gateway/moderators.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/announce.h"
#include "gateway/bus.h"
#include "gateway/message_row.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/queue_row.h"
#include "gateway/session.h"
#include "gateway/user.h"
#include "protocol/event_queue.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PAYLOAD_BYTES = 1 + 2 * UUID_BYTES }; /* verb, message, who did it */

struct moderators {
    struct node *node;
    struct list_node watchers; /* session::watch_link */
    bool subscribed;
};

/* A verb whose case is being read. */
struct look {
    struct node *node;
    enum queue_verb verb;
    struct uuid message, by;
};

/* --- watching --- */

void moderators_watch(struct session *session)
{
    struct moderators *moderators = session->node->moderators;

    if (list_linked(&session->watch_link))
        return;
    list_append(&moderators->watchers, &session->watch_link);
    if (!moderators->subscribed)
        bus_subscribe(session->node->bus, MODERATORS_CHANNEL, NULL, NULL);
    moderators->subscribed = true;
}

void moderators_unwatch(struct session *session)
{
    struct moderators *moderators = session->node->moderators;

    if (!list_linked(&session->watch_link))
        return;
    list_remove(&session->watch_link);
    if (!list_empty(&moderators->watchers))
        return;
    bus_unsubscribe(session->node->bus, MODERATORS_CHANNEL);
    moderators->subscribed = false;
}

/* --- pushing --- */

static void push(struct moderators *moderators, struct json_writer *json)
{
    struct frame *frame = frame_new(json_text(json), json_length(json), FRAME_KEEP);

    json_writer_reset(json);
    LIST_FOREACH (link, &moderators->watchers)
        session_send(container_of(link, struct session, watch_link), frame);
    frame_unref(frame);
}

static void push_case(struct node *node, enum queue_verb verb, const PGresult *result)
{
    struct queue_row row;

    queue_row_read(result, 0, NULL, &row);
    if (verb == QUEUE_ADDED)
        event_queue_added(&node->json, &row.item);
    else if (row.item.claim)
        event_queue_claimed(&node->json, EVENT_PUSH, &row.item.mid, row.item.claim);
    else
        event_queue_released(&node->json, EVENT_PUSH, &row.item.mid);
    push(node->moderators, &node->json);
    queue_row_deinit(&row);
}

static void push_message(const struct look *look, const PGresult *result)
{
    struct node *node = look->node;
    struct message_row row;

    message_row_read(result, 0, &row);
    switch (look->verb) {
    case QUEUE_DECIDED:
        event_queue_decided(&node->json, &look->message, row.message.status,
                            uuid_is_nil(&look->by) ? NULL : &look->by, row.message.reason);
        break;
    case QUEUE_UNDONE:
        event_queue_undone(&node->json, EVENT_PUSH, &row.message, row.version, &look->by);
        break;
    case QUEUE_REMOVED:
        event_queue_removed(&node->json, EVENT_PUSH, &look->message);
        break;
    case QUEUE_ADDED:
    case QUEUE_CLAIMED:
    case QUEUE_RELEASED:
        return;
    }
    push(node->moderators, &node->json);
}

static bool about_pending(enum queue_verb verb)
{
    return verb == QUEUE_ADDED || verb == QUEUE_CLAIMED || verb == QUEUE_RELEASED;
}

static void handle_read(void *context, const struct pg_reply *reply)
{
    struct look *look = context;

    /* Nothing: it was decided meanwhile, and that is told too. */
    if (reply->outcome == PG_OK && PQntuples(reply->result)) {
        if (about_pending(look->verb))
            push_case(look->node, look->verb, reply->result);
        else
            push_message(look, reply->result);
    }
    free(look);
}

static void tell_watchers(struct node *node, enum queue_verb verb, const struct uuid *message,
                          const struct uuid *by)
{
    struct pg_params params = PG_PARAMS_INIT;

    if (list_empty(&node->moderators->watchers))
        return;
    struct look *look = xcalloc(1, sizeof(*look));
    look->node = node;
    look->verb = verb;
    look->message = *message;
    look->by = by ? *by : UUID_NIL;
    pg_params_uuid_array(&params, message, 1);
    pg_pool_query(node->pool, about_pending(verb) ? &sql_queue_get : &sql_messages_by_id, &params,
                  handle_read, look);
}

void moderators_hint(struct node *node, enum queue_verb verb, const struct uuid *message)
{
    tell_watchers(node, verb, message, NULL);
}

void moderators_announce(struct node *node, enum queue_verb verb, const struct uuid *message,
                         const struct uuid *by)
{
    struct bus_header header = {
        .kind = BUS_QUEUE,
        .epoch = node->epoch_tag,
    };
    char payload[PAYLOAD_BYTES] = {(char)verb};

    memcpy(payload + 1, message, UUID_BYTES);
    if (by)
        memcpy(payload + 1 + UUID_BYTES, by, UUID_BYTES);
    bus_publish(node->bus, MODERATORS_CHANNEL, &header, payload, sizeof(payload));
    tell_watchers(node, verb, message, by);
}

void moderators_receive(struct node *node, const struct bus_header *header, const char *payload,
                        size_t length)
{
    struct uuid message, by;

    if (header->kind != BUS_QUEUE || length != PAYLOAD_BYTES || payload[0] < QUEUE_ADDED ||
        payload[0] > QUEUE_REMOVED) {
        metrics_add_label(METRIC_BUS_DROPPED, LABEL_BUS_DROP_MALFORMED, 1);
        return;
    }
    memcpy(&message, payload + 1, UUID_BYTES);
    memcpy(&by, payload + 1 + UUID_BYTES, UUID_BYTES);
    tell_watchers(node, (enum queue_verb)payload[0], &message, &by);
}

/* --- life --- */

struct moderators *moderators_new(struct node *node)
{
    struct moderators *moderators = xcalloc(1, sizeof(*moderators));
    moderators->node = node;
    list_init(&moderators->watchers);
    return moderators;
}

struct moderators *moderators_free(struct moderators *moderators)
{
    free(moderators);
    return NULL;
}
