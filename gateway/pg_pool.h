/* SPDX-License-Identifier: Apache-2.0 */
/* Several pipelined connections that share one queue. */
#pragma once

#include "gateway/pg_conn.h"

struct pg_pool;

/* `size` connections, each as pg_conn_new() would make it; the queue's limits are the pool's.
 * on_state is called for each connection's change, and with `listen` each connection gets each
 * notification: one pg_conn is better at that. */
struct pg_pool *pg_pool_new(uv_loop_t *loop, const struct pg_conn_options *options, size_t size);

/* As pg_conn_query(); goes to the ready connection with the fewest in flight, or waits for the
 * first that becomes ready. Queries of a pool have no order among them. */
void pg_pool_query(struct pg_pool *pool, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context);

bool pg_pool_ready(const struct pg_pool *pool);         /* at least one connection is */
size_t pg_pool_ready_count(const struct pg_pool *pool); /* how many are */
size_t pg_pool_in_flight(const struct pg_pool *pool);   /* sent, not done */
size_t pg_pool_queued(const struct pg_pool *pool);      /* not sent */
const struct pg_stats *pg_pool_stats(const struct pg_pool *pool);

/* As pg_conn_close(), for all. */
void pg_pool_close(struct pg_pool *pool, void (*closed)(void *context), void *context);
