/* SPDX-License-Identifier: Apache-2.0 */
/* queue.decide: verdicts on pending messages, one or many, by compare-and-set */
#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
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

struct decide {
    struct request request;
    bool many;
};

static void bind_items(struct pg_params *params, const struct command_queue_decide *asked)
{
    size_t n = asked->count;
    struct uuid *ids = xcalloc(n, sizeof(*ids));
    int32_t *versions = xcalloc(n, sizeof(*versions));
    int64_t *claims = xcalloc(n, sizeof(*claims));
    const char **texts = xcalloc(3 * n, sizeof(*texts));
    size_t *lengths = xcalloc(3 * n, sizeof(*lengths));

    for (size_t i = 0; i < n; i++) {
        const struct command_decision *item = &asked->items[i];
        ids[i] = item->mid;
        versions[i] = item->version;
        claims[i] = item->claim;
        texts[i] = verdict_name(item->verdict);
        texts[n + i] = item->reason;
        texts[2 * n + i] = item->note;
    }
    for (size_t i = 0; i < 3 * n; i++)
        lengths[i] = texts[i] ? strlen(texts[i]) : 0;
    pg_params_uuid_array(params, ids, n);
    pg_params_int4_array(params, versions, n);
    for (size_t i = 0; i < 3; i++)
        pg_params_text_array(params, texts + i * n, lengths + i * n, n);
    pg_params_int8_array(params, claims, n);
    free(ids);
    free(versions);
    free(claims);
    free(texts);
    free(lengths);
}

static void announce(const struct request *request, const struct verdict_row *row)
{
    bool delivered = row->message.status == MESSAGE_DELIVERED;

    if (!row->done)
        return;
    metrics_add_labels(METRIC_MODERATION_DECISIONS,
                       delivered ? LABEL_ACTION_DELIVER : LABEL_ACTION_BLOCK, LABEL_SOURCE_OPERATOR,
                       1);
    verdict_row_announce(request->node, row);
    moderators_announce(request->node, QUEUE_DECIDED, &row->message.id, &request->user);
}

static void write_result(struct json_writer *json, const struct verdict_row *row)
{
    struct queue_result result = {
        .mid = row->message.id,
        .error = row->error,
        .error_reason = row->error_reason,
        .status = row->message.status,
        .seq = row->message.seq,
        .version = row->version,
        .has_by = row->has_by,
        .by = row->by,
    };
    event_queue_result(json, &result);
}

/* A single verdict that failed is an error; many are answered one by one. */
static bool fail_single(const struct decide *decide, const struct verdict_row *row)
{
    struct json_writer *json = &decide->request.node->json;

    if (decide->many || row->done)
        return false;
    if (row->error != ERROR_ALREADY_DECIDED) {
        request_fail(&decide->request, row->error, row->error_reason, 0);
        return true;
    }
    event_already_decided(json, decide->request.re, row->message.status,
                          row->has_by ? &row->by : NULL);
    request_reply_error(&decide->request, ERROR_ALREADY_DECIDED, json);
    return true;
}

static void reply_results(const struct decide *decide, const PGresult *result)
{
    const struct request *request = &decide->request;
    struct json_writer *json = &request->node->json;
    bool body = request->re == EVENT_BODY && !decide->many;
    struct verdict_row row;

    verdict_row_read(result, 0, &row);
    if (fail_single(decide, &row))
        return;
    json_writer_reset(json);
    if (!body)
        event_queue_results_begin(json, request->re);
    for (int i = 0; i < PQntuples(result); i++) {
        verdict_row_read(result, i, &row);
        write_result(json, &row);
    }
    if (!body)
        event_queue_results_end(json);
    request_reply(request, json);
}

static void handle_decided(void *context, const struct pg_reply *reply)
{
    struct decide *decide = context;

    if (reply->outcome != PG_OK) {
        request_fail_database(&decide->request, reply);
    } else if (!PQntuples(reply->result)) {
        request_fail(&decide->request, ERROR_NOT_FOUND, "message", 0);
    } else {
        reply_results(decide, reply->result);
        for (int i = 0; i < PQntuples(reply->result); i++) {
            struct verdict_row row;
            verdict_row_read(reply->result, i, &row);
            announce(&decide->request, &row);
        }
    }
    free(decide);
}

void command_run_queue_decide(const struct request *request, const struct command *command)
{
    struct decide *decide = xcalloc(1, sizeof(*decide));
    struct pg_params params = PG_PARAMS_INIT;

    decide->request = *request;
    decide->many = command->queue_decide.many;
    pg_params_uuid(&params, &request->user);
    bind_items(&params, &command->queue_decide);
    pg_params_cstring(&params, request->node->name);
    pg_pool_query(request->node->pool, &sql_queue_decide, &params, handle_decided, decide);
}
