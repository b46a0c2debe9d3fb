/* SPDX-License-Identifier: Apache-2.0 */
/* "<kind> <id>" on the channel chatgate_hint (sql/migrations, function chatgate_hint); for rules
 * the id is a number, for all others a UUID. */
#include "gateway/hints.h"

#include <string.h>

#include "gateway/access_watch.h"
#include "gateway/database.h"
#include "gateway/head_check.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/own_events.h"
#include "gateway/pg_conn.h"
#include "gateway/room_watch.h"
#include "gateway/rule_watch.h"
#include "gateway/screening_sweep.h"
#include "protocol/uuid.h"

static void handle_room(struct node *node, const struct uuid *id)
{
    (void)id;
    room_watch_sweep(node);
}

static void handle_message(struct node *node, const struct uuid *room)
{
    head_check_room(node->head_check, room);
}

static void handle_pending(struct node *node, const struct uuid *message)
{
    own_events_fetch(node, message);
    screening_sweep_hint(node->screening_sweep);
    moderators_hint(node, QUEUE_ADDED, message);
}

static void handle_access(struct node *node, const struct uuid *user)
{
    (void)user;
    access_watch_now(node->access);
}

static const struct {
    const char *kind;
    void (*handle)(struct node *node, const struct uuid *id);
} table[] = {
    {"room", handle_room},
    {"message", handle_message},
    {"pending", handle_pending},
    {"access", handle_access},
};

static void handle_notify(void *context, const char *channel, const char *payload)
{
    const char *space = strchr(payload, ' ');
    struct node *node = context;
    struct uuid id;
    (void)channel;

    if (!strncmp(payload, "rules ", 6)) {
        rule_watch_now(node->rule_watch);
        return;
    }
    if (!space || !uuid_parse(&id, space + 1, strlen(space + 1)))
        return;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strlen(table[i].kind) == (size_t)(space - payload) &&
            !memcmp(table[i].kind, payload, (size_t)(space - payload)))
            table[i].handle(node, &id);
}

/* What was hinted at while nobody listened is looked for. */
static void handle_state(void *context, bool up, const char *reason)
{
    struct node *node = context;

    database_handle_state(context, up, reason);
    if (!up)
        return;
    head_check_now(node->head_check);
    access_watch_now(node->access);
}

struct pg_conn *hints_open(struct node *node)
{
    static const char *const channels[] = {"chatgate_hint", NULL};
    struct pg_conn_options options;

    database_options(node, &options);
    options.application_name = "chatgate hints";
    options.listen = channels;
    options.on_notify = handle_notify;
    options.on_state = handle_state;
    return pg_conn_new(node->loop, &options);
}
