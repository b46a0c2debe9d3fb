/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of Postgres connections asks, and what it hears. */
#pragma once

#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "sql/embedded.h"

enum { PROBE_WAIT_MS = 10000, PROBE_REPLIES_MAX = 2048 };

/* The state of a cmocka test; counts what its callbacks hear. */
struct probe {
    uv_loop_t loop;
    const char *conninfo;
    PGconn *control; /* a plain, blocking one */
    struct pg_conn *conn;
    int up, down, closed, done, notified;
    char reason[256], notification[64], message[128];
    struct {
        enum pg_outcome outcome;
        char sqlstate[6];
        int64_t value; /* first field, if it's an integer */
        int columns;
    } replies[PROBE_REPLIES_MAX];
    bool inside; /* a call: done() mustn't come */
};

/* SELECT $1::int8; 1 / $1::int4; sleep for $1::int8 ms; the session's pid. */
extern const struct sql_statement select_number, divide, sleep_for, backend_pid;

int probe_set_up(void **state);
int probe_tear_down(void **state); /* closes the connection, and sees that the loop is empty */

struct pg_conn_options probe_options(struct probe *probe);

/* Opens probe->conn and waits until it is up. */
void probe_open(struct probe *probe, const struct pg_conn_options *options);
void probe_open_default(struct probe *probe);
void probe_close(struct probe *probe);

/* On a connection of its own, at once; fails the test if it can't. */
void probe_control(struct probe *probe, const char *sql);

/* Their replies come to probe->replies, in the order of their ends. */
void probe_query(struct probe *probe, const struct sql_statement *statement,
                 struct pg_params *params);
void probe_query_int8(struct probe *probe, const struct sql_statement *statement, int64_t value);
void probe_query_int4(struct probe *probe, const struct sql_statement *statement, int32_t value);
void probe_handle_done(void *context, const struct pg_reply *reply);
void probe_handle_closed(void *context);

/* Waits until `count` queries are done. */
void probe_wait(struct probe *probe, int count);
void probe_assert_reply(struct probe *probe, int i, enum pg_outcome outcome, const char *sqlstate);

/* Of the session's backend. */
int64_t probe_pid(struct probe *probe);
