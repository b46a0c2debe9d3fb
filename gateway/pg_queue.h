/* SPDX-License-Identifier: Apache-2.0 */
/* Queries that wait for a connection, and the life of one query. */
#pragma once

#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "protocol/list.h"

enum { PG_SQLSTATE_BYTES = 5 };

/* One query: on the queue, then on a connection's pipeline, then gone. */
struct pg_query {
    struct list_node link; /* pg_queue::waiting, ::rejected or pg_pipeline::in_flight */
    const struct sql_statement *statement;
    struct pg_params params;
    pg_done_fn done; /* NULL: has been called */
    void *context;
    uint64_t asked_us, deadline_ms, sent_ms;

    /* What the pipeline has heard of it. */
    unsigned generation; /* of the prepared statement that it runs */
    bool preparing;      /* the statement's own result comes first */
    bool resent;
    bool unreplicated; /* committed, but not where it was to be waited for */
    PGresult *result;
    char sqlstate[PG_SQLSTATE_BYTES + 1]; /* "" = no error yet */
    char *message;                        /* or NULL */
};

/* Bounded in number and bytes. Shared by the connections of a pool, as are its statistics. */
struct pg_queue {
    const struct pg_conn_options *options;
    struct list_node waiting;  /* pg_query::link, to be sent, oldest first */
    struct list_node rejected; /* pg_query::link, to be answered by the timer */
    size_t count, bytes;       /* of waiting */
    struct pg_stats stats;
    bool closing;
    uv_timer_t timer;
    uint64_t timer_due_ms;       /* UINT64_MAX: not running */
    void (*wake)(void *context); /* see pg_queue_wake(); or NULL */
    void *wake_context;
    void (*closed)(void *context);
    void *closed_context;
};

/* `options` are completed ones and borrowed for the queue's life. */
struct pg_queue *pg_queue_new(uv_loop_t *loop, const struct pg_conn_options *options);

/* Answers what waits (PG_NOT_SENT) and frees the queue, later; then calls `closed`. */
void pg_queue_close(struct pg_queue *queue, void (*closed)(void *context), void *context);

/* As pg_conn_query(), which see. The query waits, or is rejected and answered from the timer. */
void pg_queue_add(struct pg_queue *queue, const struct sql_statement *statement,
                  struct pg_params *params, pg_done_fn done, void *context);

/* The oldest waiting query, now the caller's; NULL if there is none. */
struct pg_query *pg_queue_take(struct pg_queue *queue);

/* Gives it back, to be the next one. It keeps its deadline. */
void pg_queue_put_back(struct pg_queue *queue, struct pg_query *query);

/* A connection that would have taken queries is gone: if some wait, other connections should. */
void pg_queue_wake(struct pg_queue *queue);

/* Calls done, with what the query has heard if `outcome` is PG_OK or PG_REFUSED. Only once; a
 * query that was answered already (at its deadline) is left alone. */
void pg_query_answer(struct pg_queue *queue, struct pg_query *query, enum pg_outcome outcome);
void pg_query_free(struct pg_query *query);
