/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of Postgres connections asks, and what it hears. */

#include "tests/store/pg_probe.h"

#include "gateway/pg_row.h"
#include "protocol/xalloc.h"
#include "tests/store/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct sql_statement select_number = {"select_number", "SELECT $1::int8", 1};
const struct sql_statement divide = {"divide", "SELECT 1 / $1::int4", 1};
const struct sql_statement sleep_for = {"sleep_for", "SELECT pg_sleep($1::int8 / 1000.0)", 1};
const struct sql_statement backend_pid = {"backend_pid", "SELECT pg_backend_pid()", 0};

static void handle_state(void *context, bool up, const char *reason)
{
    struct probe *probe = context;

    if (up)
        probe->up++;
    else
        probe->down++;
    snprintf(probe->reason, sizeof(probe->reason), "%s", reason);
}

static void handle_notify(void *context, const char *channel, const char *payload)
{
    struct probe *probe = context;

    probe->notified++;
    snprintf(probe->notification, sizeof(probe->notification), "%s:%s", channel, payload);
}

void probe_handle_done(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;
    int i = probe->done++;

    assert_false(probe->inside);
    assert_true(i < PROBE_REPLIES_MAX);
    probe->replies[i].outcome = reply->outcome;
    snprintf(probe->replies[i].sqlstate, sizeof(probe->replies[i].sqlstate), "%s", reply->sqlstate);
    if (*reply->message)
        snprintf(probe->message, sizeof(probe->message), "%s", reply->message);
    if (!reply->result)
        return;
    probe->replies[i].columns = PQnfields(reply->result);
    if (PQntuples(reply->result) > 0 && PQftype(reply->result, 0) != 2278 /* void */)
        probe->replies[i].value = pg_int8(reply->result, 0, 0);
}

void probe_handle_closed(void *context)
{
    struct probe *probe = context;

    probe->closed++;
}

void probe_control(struct probe *probe, const char *sql)
{
    PGresult *result = PQexec(probe->control, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(probe->control));
    PQclear(result);
}

struct pg_conn_options probe_options(struct probe *probe)
{
    return (struct pg_conn_options){
        .conninfo = probe->conninfo,
        .context = probe,
        .on_state = handle_state,
        .on_notify = handle_notify,
    };
}

void probe_open(struct probe *probe, const struct pg_conn_options *options)
{
    probe->conn = pg_conn_new(&probe->loop, options);
    assert_false(pg_conn_ready(probe->conn));
    assert_true(loop_wait(&probe->loop, &probe->up, 1, PROBE_WAIT_MS));
    assert_true(pg_conn_ready(probe->conn));
}

void probe_open_default(struct probe *probe)
{
    struct pg_conn_options options = probe_options(probe);

    probe_open(probe, &options);
}

void probe_query(struct probe *probe, const struct sql_statement *statement,
                 struct pg_params *params)
{
    probe->inside = true;
    pg_conn_query(probe->conn, statement, params, probe_handle_done, probe);
    probe->inside = false;
}

void probe_query_int8(struct probe *probe, const struct sql_statement *statement, int64_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int8(&params, value);
    probe_query(probe, statement, &params);
    assert_null(params.data);
}

void probe_query_int4(struct probe *probe, const struct sql_statement *statement, int32_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int4(&params, value);
    probe_query(probe, statement, &params);
}

void probe_wait(struct probe *probe, int count)
{
    if (!loop_wait(&probe->loop, &probe->done, count, PROBE_WAIT_MS))
        fail_msg("%d of %d queries are done", probe->done, count);
}

void probe_assert_reply(struct probe *probe, int i, enum pg_outcome outcome, const char *sqlstate)
{
    assert_int_equal(probe->replies[i].outcome, outcome);
    assert_string_equal(probe->replies[i].sqlstate, sqlstate);
}

int64_t probe_pid(struct probe *probe)
{
    int i = probe->done;

    probe_query(probe, &backend_pid, NULL);
    probe_wait(probe, i + 1);
    probe_assert_reply(probe, i, PG_OK, "");
    return probe->replies[i].value;
}

int probe_set_up(void **state)
{
    struct probe *probe = xcalloc(1, sizeof(*probe));

    probe->conninfo = getenv("CHATGATE_TEST_DATABASE_URL");
    probe->control = PQconnectdb(probe->conninfo);
    assert_int_equal(PQstatus(probe->control), CONNECTION_OK);
    assert_int_equal(uv_loop_init(&probe->loop), 0);
    *state = probe;
    return 0;
}

void probe_close(struct probe *probe)
{
    if (!probe->conn)
        return;
    pg_conn_close(probe->conn, probe_handle_closed, probe);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, PROBE_WAIT_MS));
    probe->conn = NULL;
}

int probe_tear_down(void **state)
{
    struct probe *probe = *state;

    probe_close(probe);
    PQfinish(probe->control);
    /* Nothing of ours may be left on the loop. */
    uv_run(&probe->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&probe->loop), 0);
    free(probe);
    return 0;
}
