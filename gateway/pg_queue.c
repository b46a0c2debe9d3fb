/* SPDX-License-Identifier: Apache-2.0 */
/* Queries that wait for a connection, and the life of one query.
 *
 * A query is made by pg_queue_add(), taken by a connection that has room on its pipeline, and freed
 * after its answer. A connection that is away takes nothing, so queries gather here, up to the
 * queue's limits and up to their deadlines; the timer answers those whose time has come with
 * PG_NOT_SENT. A query that can't even wait is put aside and answered by the same timer in the
 * next turn of the loop, so that no caller is called back from inside its own call.
 *
 * All queries have the same time to live and join at the end, so the list is nearly in the order
 * of the deadlines. Only one put back can be older, and it stands in front, where it belongs.
 */

#include "gateway/pg_queue.h"

#include "gateway/clock.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* program_limit_exceeded: what the server would say of parameters that are too large. */
static const char sqlstate_limit[] = "54000";

static void handle_timer(uv_timer_t *timer);

static struct pg_query *first(const struct list_node *list)
{
    return container_of(list_first(list), struct pg_query, link);
}

static void arm(struct pg_queue *queue, uint64_t due_ms)
{
    uint64_t now_ms = clock_now_ms();

    if (queue->closing || due_ms >= queue->timer_due_ms)
        return;
    queue->timer_due_ms = due_ms;
    uv_timer_start(&queue->timer, handle_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

struct pg_queue *pg_queue_new(uv_loop_t *loop, const struct pg_conn_options *options)
{
    struct pg_queue *queue = xcalloc(1, sizeof(*queue));

    queue->options = options;
    queue->timer_due_ms = UINT64_MAX;
    list_init(&queue->waiting);
    list_init(&queue->rejected);
    uv_timer_init(loop, &queue->timer);
    queue->timer.data = queue;
    return queue;
}

void pg_query_free(struct pg_query *query)
{
    assert(!query->done);
    list_remove(&query->link);
    pg_params_deinit(&query->params);
    PQclear(query->result);
    free(query->message);
    free(query);
}

static void count(struct pg_stats *stats, enum pg_outcome outcome)
{
    switch (outcome) {
    case PG_OK:
        stats->ok++;
        break;
    case PG_REFUSED:
        stats->refused++;
        break;
    case PG_NOT_SENT:
        stats->not_sent++;
        break;
    case PG_UNKNOWN:
        stats->unknown++;
        break;
    }
}

void pg_query_answer(struct pg_queue *queue, struct pg_query *query, enum pg_outcome outcome)
{
    const struct pg_conn_options *options = queue->options;
    pg_done_fn done = query->done;
    const struct pg_reply reply = {
        .outcome = outcome,
        .result = outcome == PG_OK ? query->result : NULL,
        .sqlstate = outcome == PG_REFUSED ? query->sqlstate : "",
        .message = outcome == PG_REFUSED && query->message ? query->message : "",
    };

    if (!done)
        return;
    query->done = NULL;
    count(&queue->stats, outcome);
    if (options->on_query)
        options->on_query(options->context, query->statement, outcome,
                          clock_now_us() - query->asked_us);
    done(query->context, &reply);
}

static void reject(struct pg_queue *queue, struct pg_query *query)
{
    list_append(&queue->rejected, &query->link);
    arm(queue, 0);
}

void pg_queue_add(struct pg_queue *queue, const struct sql_statement *statement,
                  struct pg_params *params, pg_done_fn done, void *context)
{
    struct pg_query *query = xcalloc(1, sizeof(*query));

    assert(done);
    list_init(&query->link);
    query->statement = statement;
    query->done = done;
    query->context = context;
    query->asked_us = clock_now_us();
    query->deadline_ms = query->asked_us / 1000 + queue->options->query_timeout_ms;
    if (params) {
        query->params = *params;
        pg_params_init(params);
    }

    assert(query->params.failed || query->params.count == statement->param_count);
    if (query->params.failed) {
        memcpy(query->sqlstate, sqlstate_limit, sizeof(sqlstate_limit));
        reject(queue, query);
        return;
    }
    if (queue->closing || queue->count >= queue->options->queue_limit ||
        queue->bytes + query->params.length > queue->options->queue_bytes) {
        reject(queue, query);
        return;
    }
    list_append(&queue->waiting, &query->link);
    queue->count++;
    queue->bytes += query->params.length;
    arm(queue, query->deadline_ms);
}

struct pg_query *pg_queue_take(struct pg_queue *queue)
{
    struct pg_query *query;

    if (list_empty(&queue->waiting))
        return NULL;
    query = first(&queue->waiting);
    list_remove(&query->link);
    queue->count--;
    queue->bytes -= query->params.length;
    return query;
}

void pg_queue_put_back(struct pg_queue *queue, struct pg_query *query)
{
    list_prepend(&queue->waiting, &query->link);
    queue->count++;
    queue->bytes += query->params.length;
    arm(queue, query->deadline_ms);
}

void pg_queue_wake(struct pg_queue *queue)
{
    if (queue->wake && !queue->closing && !list_empty(&queue->waiting))
        queue->wake(queue->wake_context);
}

static void answer_rejected(struct pg_queue *queue)
{
    struct list_node rejected = LIST_INIT(rejected);

    /* What the callbacks add is answered in the next turn. */
    list_splice(&rejected, &queue->rejected);
    while (!list_empty(&rejected)) {
        struct pg_query *query = first(&rejected);

        pg_query_answer(queue, query, query->sqlstate[0] ? PG_REFUSED : PG_NOT_SENT);
        pg_query_free(query);
    }
}

/* Answers those whose deadline has passed; puts the timer on the next one. */
static void expire(struct pg_queue *queue, uint64_t now_ms)
{
    while (!list_empty(&queue->waiting)) {
        struct pg_query *query = first(&queue->waiting);

        if (query->deadline_ms > now_ms) {
            arm(queue, query->deadline_ms);
            return;
        }
        pg_queue_take(queue);
        pg_query_answer(queue, query, PG_NOT_SENT);
        pg_query_free(query);
    }
}

static void handle_timer(uv_timer_t *timer)
{
    struct pg_queue *queue = timer->data;

    queue->timer_due_ms = UINT64_MAX;
    answer_rejected(queue);
    expire(queue, clock_now_ms());
}

static void handle_closed(uv_handle_t *handle)
{
    struct pg_queue *queue = handle->data;

    /* Callbacks may still add; what they add is rejected, hence answered here too. */
    expire(queue, UINT64_MAX);
    while (!list_empty(&queue->rejected))
        answer_rejected(queue);

    void (*closed)(void *context) = queue->closed;
    void *context = queue->closed_context;
    free(queue);
    closed(context);
}

void pg_queue_close(struct pg_queue *queue, void (*closed)(void *context), void *context)
{
    assert(!queue->closing);
    queue->closing = true;
    queue->closed = closed;
    queue->closed_context = context;
    uv_close((uv_handle_t *)&queue->timer, handle_closed);
}
