/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs.
 *
 * Numbers, heads and cursors mean something within one history of the database only. When another
 * one is found - by a new connection (pg_fence), before it carries a statement, or by the
 * operator's number in chatgate_settings, within seconds - every session is closed, and its client
 * comes back, sees the new epoch in welcome and reads its rooms anew. Until the new epoch is known
 * nobody is admitted.
 */
#include "gateway/epoch.h"

#include <stdio.h>
#include <string.h>

#include "gateway/bus.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/session.h"
#include "gateway/windows.h"

enum { RETRY_MS = 1000 };

/* The rooms go at once, with their heads: a session may take a while to close, and its client, or
 * the peer, be back before. */
static void close_all(struct node *node)
{
    size_t cursor = 0;
    struct session *session;

    metrics_add(METRIC_EPOCH_CHANGES, 1);
    while ((session = handle_next(&node->sessions, &cursor)) != NULL) {
        session_close(session, CLOSE_INTERNAL, RETRY_MS);
        session_leave_rooms(session);
    }
}

static void handle_other_history(void *context, const struct pg_history *history)
{
    struct node *node = context;

    log_warning("another database server took over; clients read their rooms anew",
                LOG_STR("system", history->system), LOG_INT("timeline", history->timeline),
                LOG_STR("epoch_before", node->epoch));
    close_all(node);
    node->epoch[0] = '\0';
}

void epoch_watch(struct node *node)
{
    pg_fence_init(&node->fence);
    node->fence.on_change = handle_other_history;
    node->fence.context = node;
}

void epoch_set(struct node *node, const char *epoch)
{
    if (!strcmp(epoch, node->epoch))
        return;
    if (*node->epoch) {
        log_warning("the database has another history; clients read their rooms anew",
                    LOG_STR("epoch", epoch), LOG_STR("before", node->epoch));
        close_all(node);
        windows_forget(node->windows);
    }
    snprintf(node->epoch, sizeof(node->epoch), "%s", epoch);
    node->epoch_tag = bus_epoch(node->epoch, strlen(node->epoch));
}
