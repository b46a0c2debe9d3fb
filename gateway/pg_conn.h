/* SPDX-License-Identifier: Apache-2.0 */
/* One pipelined connection to Postgres on a uv loop. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct pg_conn;
struct pg_fence;
struct pg_params;
struct sql_statement;

enum pg_outcome {
    PG_OK,       /* committed (if it writes); see result */
    PG_REFUSED,  /* a server's error, see sqlstate: surely rolled back */
    PG_NOT_SENT, /* no connection before the deadline, or the queue is full: surely not run */
    PG_UNKNOWN,  /* connection lost or deadline passed after sending: run, or not, or yet to run */
};

struct pg_reply {
    enum pg_outcome outcome;
    const PGresult *result; /* PG_OK: binary rows, borrowed for the call; else NULL */
    const char *sqlstate;   /* PG_REFUSED: five characters; else "" */
    const char *message;    /* PG_REFUSED while preparing: the server's words, which can't hold a
                               parameter's value; else "" */
};

/* Called exactly once for every query, never from inside pg_conn_query() or pg_pool_query(). It
 * may send queries and close connections. */
typedef void (*pg_done_fn)(void *context, const struct pg_reply *reply);

struct pg_stats {
    uint64_t connected;        /* connections that became ready */
    uint64_t connect_failures; /* tries that didn't */
    uint64_t lost;             /* ready connections that broke */
    uint64_t stalled;          /* of those: dropped by us because the server fell silent */
    uint64_t sent, ok, refused, not_sent, unknown;
    uint64_t late;     /* results dropped because their deadline had passed */
    uint64_t prepared; /* statements prepared */
    uint64_t resent;   /* queries sent again because their prepared statement had gone stale */
    uint64_t notices;  /* server notices, dropped unread: they may quote data */
    uint64_t notified; /* NOTIFY hints received */
};

/* Strings are copied. A zero takes the default in brackets. */
struct pg_conn_options {
    const char *conninfo;          /* libpq's keyword string or URI */
    const char *application_name;  /* ["chatgate"] */
    const char *settings;          /* more SQL for a new session, e.g. "SET enable_seqscan = off" */
    const char *const *listen;     /* channels to LISTEN on, NULL-terminated, or NULL */
    uint32_t connect_timeout_ms;   /* [3000] for name, socket, TLS, login and settings together */
    uint32_t statement_timeout_ms; /* [5000] the server's own */
    uint32_t lock_timeout_ms;      /* [1000] the server's own */
    uint32_t query_timeout_ms;     /* [statement_timeout_ms + 1000] from the call to done() */
    uint32_t stall_timeout_ms;     /* [query_timeout_ms + 1000] silence that drops a connection
                                      with queries in flight */
    size_t depth;                  /* [64] queries in flight on a connection */
    size_t queue_limit;            /* [10000] queries waiting to be sent */
    size_t queue_bytes;            /* [64 MiB] of their parameters */

    struct pg_fence *fence; /* borrowed for the connection's life: it judges which server may be
                               used, and ends the connections to one that was left; or NULL */

    void *context; /* handed to the callbacks below, each of which may be NULL */
    /* Became ready (up, reason ""), or was lost or couldn't be made (down; libpq's words). */
    void (*on_state)(void *context, bool up, const char *reason);
    void (*on_notify)(void *context, const char *channel, const char *payload);
    /* Each finished query, before its done(): for the latency metric. */
    void (*on_query)(void *context, const struct sql_statement *statement, enum pg_outcome outcome,
                     uint64_t elapsed_us);
};

/* 0, or -EINVAL with the reason in `error`: whether libpq can read this conninfo. */
int pg_conninfo_check(const char *conninfo, char *error, size_t error_bytes);

/* Starts to connect at once, and again with backoff for as long as it lives. Never fails: what is
 * wrong is told to on_state. */
struct pg_conn *pg_conn_new(uv_loop_t *loop, const struct pg_conn_options *options);

/* Queues a query and takes what is in `params` (left empty, whatever happens; NULL = no
 * parameters), as many as the statement has. `statement` must live as long as the connection.
 * Queries of one connection run in the order of the calls, save one whose stale prepared statement
 * must be made anew: it is sent again behind those that are already on their way. */
void pg_conn_query(struct pg_conn *conn, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context);

/* True between on_state(up) and on_state(down). */
bool pg_conn_ready(const struct pg_conn *conn);
size_t pg_conn_in_flight(const struct pg_conn *conn); /* sent, not done */
size_t pg_conn_queued(const struct pg_conn *conn);    /* not sent */
const struct pg_stats *pg_conn_stats(const struct pg_conn *conn);

/* Gives up what is in flight (PG_UNKNOWN) and queued (PG_NOT_SENT), then frees the connection,
 * then calls `closed` (may be NULL); all of it later, from the loop. No on_state comes after. */
void pg_conn_close(struct pg_conn *conn, void (*closed)(void *context), void *context);

/* For pg_pool: a connection that serves a shared queue, which outlives it, and counts into its
 * statistics; and a hint that there is something on the queue. */
struct pg_queue;
struct pg_conn *pg_conn_new_on(uv_loop_t *loop, const struct pg_conn_options *options,
                               struct pg_queue *queue);
void pg_conn_pump(struct pg_conn *conn);
