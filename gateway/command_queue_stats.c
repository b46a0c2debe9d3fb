/* SPDX-License-Identifier: Apache-2.0 */
/* queue.stats: how long the queue is, and what was decided in the last day */
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/request.h"
#include "protocol/command.h"
#include "protocol/event_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { WINDOW_S = 24 * 60 * 60 };

struct stats {
    struct request request;
    int64_t pending, oldest_s;
};

/* The columns of sql/statements/queue_stats.sql. */
enum column { SCOPE, KEY, DELIVERED, BLOCKED, UNDONE, REMOVED, P50_MS, P95_MS };

static int64_t read_ms(const PGresult *result, int row, int column)
{
    return pg_is_null(result, row, column) ? -1 : pg_int8(result, row, column);
}

static void read_verdicts(const PGresult *result, int row, struct queue_verdicts *verdicts)
{
    *verdicts = (struct queue_verdicts){
        .delivered = pg_int8(result, row, DELIVERED),
        .blocked = pg_int8(result, row, BLOCKED),
        .undone = pg_int8(result, row, UNDONE),
        .removed = pg_int8(result, row, REMOVED),
        .p50_ms = read_ms(result, row, P50_MS),
        .p95_ms = read_ms(result, row, P95_MS),
    };
}

static bool row_is(const PGresult *result, int row, const char *scope)
{
    return !strcmp(pg_text(result, row, SCOPE, NULL), scope);
}

/* The rows of one scope, which follow one another. `groups` has room for all rows. */
static size_t read_groups(const PGresult *result, const char *scope, struct queue_group *groups)
{
    size_t count = 0;

    for (int row = 0; row < PQntuples(result); row++) {
        if (!row_is(result, row, scope))
            continue;
        groups[count].key = pg_text(result, row, KEY, NULL);
        read_verdicts(result, row, &groups[count++].verdicts);
    }
    return count;
}

/* An idle day has no rows at all, not even the total. */
static void reply_stats(const struct stats *stats, const PGresult *result)
{
    struct json_writer *json = &stats->request.node->json;
    struct queue_group *groups = xcalloc((size_t)PQntuples(result) + 1, sizeof(*groups));
    struct queue_stats out = {
        .pending = stats->pending,
        .oldest_s = stats->oldest_s,
        .window_s = WINDOW_S,
        .total = {.p50_ms = -1, .p95_ms = -1},
    };

    if (read_groups(result, "total", groups))
        out.total = groups[0].verdicts;
    out.operators = groups;
    out.operator_count = read_groups(result, "operator", groups);
    out.reasons = out.operators + out.operator_count;
    out.reason_count = read_groups(result, "reason", groups + out.operator_count);
    out.rules = out.reasons + out.reason_count;
    out.rule_count = read_groups(result, "rule", groups + out.operator_count + out.reason_count);
    json_writer_reset(json);
    event_queue_stats(json, stats->request.re, &out);
    request_reply(&stats->request, json);
    free(groups);
}

static void handle_stats(void *context, const struct pg_reply *reply)
{
    struct stats *stats = context;

    if (reply->outcome == PG_OK)
        reply_stats(stats, reply->result);
    else
        request_fail_database(&stats->request, reply);
    free(stats);
}

static void handle_gauges(void *context, const struct pg_reply *reply)
{
    struct stats *stats = context;
    struct pg_params params = PG_PARAMS_INIT;
    int64_t now_us = clock_unix_us();

    if (reply->outcome != PG_OK) {
        request_fail_database(&stats->request, reply);
        free(stats);
        return;
    }
    stats->pending = pg_int8(reply->result, 0, 0);
    if (!pg_is_null(reply->result, 0, 1) && pg_int8(reply->result, 0, 1) < now_us)
        stats->oldest_s = (now_us - pg_int8(reply->result, 0, 1)) / 1000000;
    pg_params_int8(&params, now_us - (int64_t)WINDOW_S * 1000000);
    pg_pool_query(stats->request.node->pool, &sql_queue_stats, &params, handle_stats, stats);
}

void command_run_queue_stats(const struct request *request, const struct command *command)
{
    struct stats *stats = xcalloc(1, sizeof(*stats));
    (void)command;

    stats->request = *request;
    pg_pool_query(request->node->pool, &sql_queue_gauges, NULL, handle_gauges, stats);
}
