/* SPDX-License-Identifier: Apache-2.0 */
/* Queries in flight on one libpq connection in pipeline mode.
 *
 * Each query is a unit of its own between two syncs, so that an error in one spares the next:
 *
 *     [Parse]  Bind Describe Execute  Sync          (the first part at a statement's first use)
 *
 * and libpq gives its results back in that order: [result NULL] result NULL PIPELINE_SYNC. Only the
 * sync completes the query. Rows can come before a COMMIT that fails, whose error then stands
 * between the rows and the sync; and a connection lost in between leaves the outcome unknown.
 *
 * Statements are prepared under the name "name.generation". A prepared statement can go stale: the
 * tables changed under its result type (0A000), or somebody deallocated it (26000), or the query
 * that was to prepare it failed in doing so, while others that rely on it were already behind it
 * on the wire. All are errors, thus rolled back, so the query is put back and sent once more under
 * the next generation's name. The old name stays behind in the server until the session ends; a
 * DEALLOCATE would fail if it weren't there, and take the query with it.
 *
 * A server that was demoted to a standby keeps its sessions, and refuses to write in them (25006).
 * Such a connection is given up, so that the next one finds the new primary.
 *
 * A commit that waits for a synchronous standby and whose wait is cancelled (pg_cancel_backend)
 * succeeds with a warning: it is committed on this server and maybe nowhere else. That is not what
 * PG_OK says, so the outcome is unknown. Warnings are translated; the name of the server's function
 * isn't.
 *
 * A query whose deadline passes in flight is answered at once but stays in the list, since its
 * results are still to come.
 */

#include "gateway/pg_pipeline.h"

#include "gateway/clock.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A statement's state on this connection. */
struct pg_prepared {
    const struct sql_statement *statement;
    unsigned generation;
    bool ready; /* sent to be prepared, and not known to be stale */
};

enum { NAME_BYTES = 64 }; /* Postgres' identifiers; longer ones would be cut */

static const char sqlstate_stale_plan[] = "0A000";   /* cached plan must not change result type */
static const char sqlstate_no_statement[] = "26000"; /* prepared statement does not exist */
static const char sqlstate_read_only[] = "25006";    /* a primary no more */
static const char sqlstate_unexpected[] = "XX000";

static struct pg_query *first(const struct list_node *list)
{
    return container_of(list_first(list), struct pg_query, link);
}

void pg_pipeline_init(struct pg_pipeline *pipeline, PGconn *pg, struct pg_queue *queue,
                      char fatal[static PG_SQLSTATE_BYTES + 1])
{
    *pipeline = (struct pg_pipeline){.pg = pg, .queue = queue, .fatal = fatal};
    list_init(&pipeline->in_flight);
}

void pg_pipeline_deinit(struct pg_pipeline *pipeline)
{
    assert(list_empty(&pipeline->in_flight));
    free(pipeline->prepared);
    pipeline->prepared = NULL;
    pipeline->prepared_count = 0;
}

/* Some dozens of statements at most: a search along the array is as fast as any. */
static struct pg_prepared *find_prepared(struct pg_pipeline *pipeline,
                                         const struct sql_statement *statement)
{
    for (size_t i = 0; i < pipeline->prepared_count; i++)
        if (pipeline->prepared[i].statement == statement)
            return &pipeline->prepared[i];

    pipeline->prepared = xreallocarray(pipeline->prepared, pipeline->prepared_count + 1,
                                       sizeof(*pipeline->prepared));
    struct pg_prepared *prepared = &pipeline->prepared[pipeline->prepared_count++];
    *prepared = (struct pg_prepared){.statement = statement};
    return prepared;
}

static void format_name(const struct pg_prepared *prepared, char name[static NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%.48s.%u", prepared->statement->name, prepared->generation);
}

static int send_prepare(struct pg_pipeline *pipeline, struct pg_prepared *prepared,
                        struct pg_query *query, const char *name)
{
    if (prepared->ready)
        return 1;
    query->preparing = true;
    pipeline->queue->stats.prepared++;
    prepared->ready = true;
    return PQsendPrepare(pipeline->pg, name, prepared->statement->text, query->params.count,
                         query->params.types);
}

static int send_execute(struct pg_pipeline *pipeline, const struct pg_query *query,
                        const char *name)
{
    const struct pg_params *params = &query->params;
    const char *values[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];

    for (int i = 0; i < params->count; i++) {
        values[i] = NULL;
        if (params->lengths[i] == 0)
            values[i] = "";
        else if (params->lengths[i] > 0)
            values[i] = (const char *)params->data + params->offsets[i];
        formats[i] = 1;
    }
    return PQsendQueryPrepared(pipeline->pg, name, params->count, values, params->lengths, formats,
                               1);
}

bool pg_pipeline_send(struct pg_pipeline *pipeline, struct pg_query *query)
{
    struct pg_prepared *prepared = find_prepared(pipeline, query->statement);
    char name[NAME_BYTES];

    query->generation = prepared->generation;
    query->preparing = false;
    format_name(prepared, name);
    /* Without its Sync nothing of this is committed, not even what the server has received. */
    if (!send_prepare(pipeline, prepared, query, name) || !send_execute(pipeline, query, name)) {
        pg_queue_put_back(pipeline->queue, query);
        return false;
    }
    query->sent_ms = clock_now_ms();
    list_append(&pipeline->in_flight, &query->link);
    pipeline->count++;
    pipeline->queue->stats.sent++;
    return PQpipelineSync(pipeline->pg) == 1;
}

void pg_fatal_sqlstate(const PGresult *error, char fatal[static PG_SQLSTATE_BYTES + 1])
{
    const char *severity = PQresultErrorField(error, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    if (severity && sqlstate && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC")))
        snprintf(fatal, PG_SQLSTATE_BYTES + 1, "%s", sqlstate);
}

void pg_pipeline_take_notice(struct pg_pipeline *pipeline, const PGresult *notice)
{
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

    /* libpq reads a query's notices while its results are being taken. */
    if (function && !strcmp(function, "SyncRepWaitForLSN") && !list_empty(&pipeline->in_flight))
        first(&pipeline->in_flight)->unreplicated = true;
}

static void take_error(struct pg_query *query, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(query->sqlstate, sizeof(query->sqlstate), "%s",
             sqlstate ? sqlstate : sqlstate_unexpected);
    if (query->preparing && message)
        query->message = xstrdup(message);
}

/* Takes one result of the oldest query, before its sync. The first error is the one that counts. */
static void take_result(struct pg_pipeline *pipeline, struct pg_query *query, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (query->sqlstate[0] != '\0') {
        PQclear(result);
        return;
    }
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        pg_fatal_sqlstate(result, pipeline->fatal);
        take_error(query, result);
        PQclear(result);
        return;
    }
    if (query->preparing) {
        query->preparing = false;
        PQclear(result);
        return;
    }
    PQclear(query->result);
    query->result = result;
}

/* Whether the query failed only because its prepared statement was stale, and may go again. */
static bool went_stale(struct pg_pipeline *pipeline, struct pg_query *query)
{
    struct pg_prepared *prepared = find_prepared(pipeline, query->statement);

    if (query->sqlstate[0] == '\0')
        return false;
    if (query->preparing) {
        /* It never came to be; who relied on it finds out by 26000. */
        if (prepared->generation == query->generation)
            prepared->ready = false;
        return false;
    }
    if (strcmp(query->sqlstate, sqlstate_stale_plan) != 0 &&
        strcmp(query->sqlstate, sqlstate_no_statement) != 0)
        return false;
    if (prepared->generation == query->generation && prepared->ready) {
        prepared->generation++;
        prepared->ready = false;
    }
    return query->done && !query->resent;
}

static enum pg_outcome outcome_of(const struct pg_query *query)
{
    if (query->sqlstate[0] != '\0')
        return PG_REFUSED;
    if (query->unreplicated)
        return PG_UNKNOWN;
    /* A sync without a result before it: libpq and we disagree about what was sent. */
    return query->result ? PG_OK : PG_UNKNOWN;
}

static void complete(struct pg_pipeline *pipeline, struct pg_query *query)
{
    list_remove(&query->link);
    pipeline->count--;
    if (went_stale(pipeline, query)) {
        query->resent = true;
        query->sqlstate[0] = '\0';
        PQclear(query->result);
        query->result = NULL;
        pipeline->queue->stats.resent++;
        pg_queue_put_back(pipeline->queue, query);
        return;
    }
    if (!query->done)
        pipeline->queue->stats.late++;
    if (strcmp(query->sqlstate, sqlstate_read_only) == 0) {
        memcpy(pipeline->fatal, sqlstate_read_only, sizeof(sqlstate_read_only));
        pipeline->unfit = true;
    }
    pg_query_answer(pipeline->queue, query, outcome_of(query));
    pg_query_free(query);
}

bool pg_pipeline_read(struct pg_pipeline *pipeline)
{
    int nulls = 0;

    while (!list_empty(&pipeline->in_flight) && !PQisBusy(pipeline->pg)) {
        PGresult *result = PQgetResult(pipeline->pg);

        if (!result) {
            /* One ends a command's results; two in a row: libpq expects no more, but we do. */
            if (++nulls == 2)
                return false;
            continue;
        }
        nulls = 0;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            complete(pipeline, first(&pipeline->in_flight));
        } else {
            take_result(pipeline, first(&pipeline->in_flight), result);
        }
    }
    return PQstatus(pipeline->pg) == CONNECTION_OK && !pipeline->unfit;
}

uint64_t pg_pipeline_expire(struct pg_pipeline *pipeline, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;

    /* done() may append queries, but removes none. */
    LIST_FOREACH (node, &pipeline->in_flight) {
        struct pg_query *query = container_of(node, struct pg_query, link);

        if (!query->done)
            continue;
        if (query->deadline_ms <= now_ms)
            pg_query_answer(pipeline->queue, query, PG_UNKNOWN);
        else if (query->deadline_ms < next_ms)
            next_ms = query->deadline_ms;
    }
    return next_ms;
}

uint64_t pg_pipeline_oldest_ms(const struct pg_pipeline *pipeline)
{
    return list_empty(&pipeline->in_flight) ? UINT64_MAX : first(&pipeline->in_flight)->sent_ms;
}

void pg_pipeline_abandon(struct pg_pipeline *pipeline, struct list_node *lost)
{
    list_splice(lost, &pipeline->in_flight);
    pipeline->count = 0;
}

void pg_pipeline_answer_lost(struct pg_queue *queue, struct list_node *lost)
{
    while (!list_empty(lost)) {
        struct pg_query *query = first(lost);

        pg_query_answer(queue, query, PG_UNKNOWN);
        pg_query_free(query);
    }
}
