/* SPDX-License-Identifier: Apache-2.0 */
/* Several pipelined connections that share one queue.
 *
 * The queue belongs to the pool, and the connections draw from it when they have room. So a query
 * waits for no particular connection: if one is lost, what it hadn't sent goes out on the others.
 */

#include "gateway/pg_pool.h"

#include "gateway/pg_options.h"
#include "gateway/pg_queue.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <stdlib.h>

struct pg_pool {
    struct pg_conn_options *options;
    struct pg_queue *queue;
    size_t size, open; /* connections; of them, those not closed yet */
    void (*closed)(void *context);
    void *closed_context;
    struct pg_conn *conns[];
};

/* A connection was lost while queries wait: the others take what they can. */
static void handle_wake(void *context)
{
    struct pg_pool *pool = context;

    for (size_t i = 0; i < pool->size; i++)
        pg_conn_pump(pool->conns[i]);
}

struct pg_pool *pg_pool_new(uv_loop_t *loop, const struct pg_conn_options *options, size_t size)
{
    struct pg_pool *pool = xcalloc(1, sizeof(*pool) + size * sizeof(*pool->conns));

    assert(size > 0);
    pool->options = pg_options_new(options);
    pool->queue = pg_queue_new(loop, pool->options);
    pool->queue->wake = handle_wake;
    pool->queue->wake_context = pool;
    pool->size = pool->open = size;
    for (size_t i = 0; i < size; i++)
        pool->conns[i] = pg_conn_new_on(loop, pool->options, pool->queue);
    return pool;
}

static struct pg_conn *least_busy(const struct pg_pool *pool)
{
    struct pg_conn *best = NULL;

    for (size_t i = 0; i < pool->size; i++) {
        struct pg_conn *conn = pool->conns[i];

        if (!pg_conn_ready(conn))
            continue;
        if (!best || pg_conn_in_flight(conn) < pg_conn_in_flight(best))
            best = conn;
    }
    return best;
}

void pg_pool_query(struct pg_pool *pool, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context)
{
    struct pg_conn *conn = least_busy(pool);

    pg_queue_add(pool->queue, statement, params, done, context);
    if (conn)
        pg_conn_pump(conn);
}

size_t pg_pool_ready_count(const struct pg_pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->size; i++)
        count += pg_conn_ready(pool->conns[i]);
    return count;
}

bool pg_pool_ready(const struct pg_pool *pool)
{
    return pg_pool_ready_count(pool) > 0;
}

size_t pg_pool_in_flight(const struct pg_pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->size; i++)
        count += pg_conn_in_flight(pool->conns[i]);
    return count;
}

size_t pg_pool_queued(const struct pg_pool *pool)
{
    return pool->queue->count;
}

const struct pg_stats *pg_pool_stats(const struct pg_pool *pool)
{
    return &pool->queue->stats;
}

static void free_pool(void *context)
{
    struct pg_pool *pool = context;
    void (*closed)(void *context) = pool->closed;
    void *closed_context = pool->closed_context;

    pg_options_free(pool->options);
    free(pool);
    if (closed)
        closed(closed_context);
}

static void handle_conn_closed(void *context)
{
    struct pg_pool *pool = context;

    if (--pool->open == 0)
        pg_queue_close(pool->queue, free_pool, pool);
}

void pg_pool_close(struct pg_pool *pool, void (*closed)(void *context), void *context)
{
    pool->closed = closed;
    pool->closed_context = context;
    for (size_t i = 0; i < pool->size; i++)
        pg_conn_close(pool->conns[i], handle_conn_closed, pool);
    pool->size = 0; /* they free themselves */
}
