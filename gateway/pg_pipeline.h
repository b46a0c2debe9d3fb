/* SPDX-License-Identifier: Apache-2.0 */
/* Queries in flight on one libpq connection in pipeline mode. No event loop in here. */
#pragma once

#include "gateway/pg_queue.h"

struct pg_prepared;

/* Embedded in pg_conn. */
struct pg_pipeline {
    PGconn *pg; /* borrowed */
    struct pg_queue *queue;
    struct list_node in_flight; /* pg_query::link, in the order of their results */
    size_t count;
    char *fatal;                  /* see pg_fatal_sqlstate() */
    struct pg_prepared *prepared; /* what this connection has prepared */
    size_t prepared_count;
    bool unfit; /* the server has become a standby */
};

/* `pg` is connected, idle and in pipeline mode. `fatal` is where to note why it ended. */
void pg_pipeline_init(struct pg_pipeline *pipeline, PGconn *pg, struct pg_queue *queue,
                      char fatal[static PG_SQLSTATE_BYTES + 1]);
void pg_pipeline_deinit(struct pg_pipeline *pipeline); /* nothing may be in flight */

/* Takes the query and hands it to libpq, preparing its statement first if need be. False: the
 * connection is broken; the query is back on the queue if it surely wasn't run, else in flight. */
bool pg_pipeline_send(struct pg_pipeline *pipeline, struct pg_query *query);

/* Takes the results that libpq has read and answers the queries that are complete. False: the
 * connection is broken, or of no more use. */
bool pg_pipeline_read(struct pg_pipeline *pipeline);

/* Answers PG_UNKNOWN where the deadline has passed; their results are dropped when they come.
 * Returns the next deadline, or UINT64_MAX. */
uint64_t pg_pipeline_expire(struct pg_pipeline *pipeline, uint64_t now_ms);

/* When the oldest query in flight was sent; UINT64_MAX if there is none. */
uint64_t pg_pipeline_oldest_ms(const struct pg_pipeline *pipeline);

/* Moves all that is in flight to `lost`, to be answered by pg_pipeline_answer_lost() once the
 * connection is out of the way. */
void pg_pipeline_abandon(struct pg_pipeline *pipeline, struct list_node *lost);
void pg_pipeline_answer_lost(struct pg_queue *queue, struct list_node *lost);

/* A notice of the server's, which may tell of the oldest query. */
void pg_pipeline_take_notice(struct pg_pipeline *pipeline, const PGresult *notice);

/* If this error ends the session, copies its code to `fatal`, else leaves that alone. */
void pg_fatal_sqlstate(const PGresult *error, char fatal[static PG_SQLSTATE_BYTES + 1]);
