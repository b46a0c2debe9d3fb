/* SPDX-License-Identifier: Apache-2.0 */
/* queue.undo and queue.remove: an operator takes a verdict back, or a delivered message away */
#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
#include "gateway/config.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/request.h"
#include "gateway/verdict_row.h"
#include "protocol/command.h"
#include "protocol/event_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

struct change {
    struct request request;
    bool removes;
};

static void reply(const struct change *change, const struct verdict_row *row)
{
    const struct request *request = &change->request;
    struct json_writer *json = &request->node->json;

    json_writer_reset(json);
    if (change->removes)
        event_queue_removed(json, request->re, &row->message.id);
    else
        event_queue_undone(json, request->re, &row->message, row->version, &request->user);
    request_reply(request, json);
}

static void announce(const struct change *change, const struct verdict_row *row)
{
    const struct request *request = &change->request;

    metrics_add_labels(METRIC_MODERATION_DECISIONS,
                       change->removes ? LABEL_ACTION_REMOVE : LABEL_ACTION_UNDO,
                       LABEL_SOURCE_OPERATOR, 1);
    verdict_row_announce(request->node, row);
    moderators_announce(request->node, change->removes ? QUEUE_REMOVED : QUEUE_UNDONE,
                        &row->message.id, &request->user);
}

static void handle_changed(void *context, const struct pg_reply *answer)
{
    struct change *change = context;
    struct verdict_row row;

    if (answer->outcome != PG_OK) {
        request_fail_database(&change->request, answer);
    } else if (!PQntuples(answer->result)) {
        request_fail(&change->request, ERROR_NOT_FOUND, "message", 0);
    } else {
        verdict_row_read(answer->result, 0, &row);
        if (row.done) {
            reply(change, &row);
            announce(change, &row);
        } else {
            request_fail(&change->request, row.error, row.error_reason, 0);
        }
    }
    free(change);
}

static struct change *change_new(const struct request *request, bool removes)
{
    struct change *change = xcalloc(1, sizeof(*change));
    change->request = *request;
    change->removes = removes;
    return change;
}

static void bind_text(struct pg_params *params, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    pg_params_text_array(params, &text, &length, 1);
}

static void bind_message(struct pg_params *params, const struct request *request,
                         const struct uuid *message)
{
    const int32_t any_version = 0;

    pg_params_uuid(params, &request->user);
    pg_params_uuid_array(params, message, 1);
    pg_params_int4_array(params, &any_version, 1);
}

void command_run_queue_undo(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct pg_params params = PG_PARAMS_INIT;

    bind_message(&params, request, &command->queue_undo.mid);
    pg_params_int4(&params, node->config->moderation.undo_window_s);
    bind_text(&params, command->queue_undo.note);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_queue_undo, &params, handle_changed, change_new(request, false));
}

void command_run_queue_remove(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct pg_params params = PG_PARAMS_INIT;

    bind_message(&params, request, &command->queue_remove.mid);
    bind_text(&params, command->queue_remove.reason);
    bind_text(&params, command->queue_remove.note);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_queue_remove, &params, handle_changed,
                  change_new(request, true));
}
