/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelined Postgres connections and pools, against a real server that is made to fail. */

#include "gateway/clock.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "protocol/uuid.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"
#include "tests/store/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 10000, TRACE_MAX = 2048 };

/* What a test sees of its queries. */
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
    } replies[TRACE_MAX];
    bool inside; /* a call: done() mustn't come */
};

static const struct sql_statement select_number = {"select_number", "SELECT $1::int8"};
static const struct sql_statement divide = {"divide", "SELECT 1 / $1::int4"};
static const struct sql_statement sleep_for = {"sleep_for", "SELECT pg_sleep($1::int8 / 1000.0)"};
static const struct sql_statement backend_pid = {"backend_pid", "SELECT pg_backend_pid()"};

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

static void handle_done(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;
    int i = probe->done++;

    assert_false(probe->inside);
    assert_true(i < TRACE_MAX);
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

static void handle_closed(void *context)
{
    struct probe *probe = context;

    probe->closed++;
}

static void control(struct probe *probe, const char *sql)
{
    PGresult *result = PQexec(probe->control, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(probe->control));
    PQclear(result);
}

static struct pg_conn_options default_options(struct probe *probe)
{
    return (struct pg_conn_options){
        .conninfo = probe->conninfo,
        .context = probe,
        .on_state = handle_state,
        .on_notify = handle_notify,
    };
}

/* Opens the probe's connection and waits until it is up. */
static void open_conn(struct probe *probe, const struct pg_conn_options *options)
{
    probe->conn = pg_conn_new(&probe->loop, options);
    assert_false(pg_conn_ready(probe->conn));
    assert_true(loop_wait(&probe->loop, &probe->up, 1, WAIT_MS));
    assert_true(pg_conn_ready(probe->conn));
}

static void open_default(struct probe *probe)
{
    struct pg_conn_options options = default_options(probe);

    open_conn(probe, &options);
}

static void query(struct probe *probe, const struct sql_statement *statement,
                  struct pg_params *params)
{
    probe->inside = true;
    pg_conn_query(probe->conn, statement, params, handle_done, probe);
    probe->inside = false;
}

static void query_int8(struct probe *probe, const struct sql_statement *statement, int64_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int8(&params, value);
    query(probe, statement, &params);
    assert_null(params.data);
}

static void query_int4(struct probe *probe, const struct sql_statement *statement, int32_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int4(&params, value);
    query(probe, statement, &params);
}

static void wait_done(struct probe *probe, int count)
{
    if (!loop_wait(&probe->loop, &probe->done, count, WAIT_MS))
        fail_msg("%d of %d queries are done", probe->done, count);
}

static void assert_reply(struct probe *probe, int i, enum pg_outcome outcome, const char *sqlstate)
{
    assert_int_equal(probe->replies[i].outcome, outcome);
    assert_string_equal(probe->replies[i].sqlstate, sqlstate);
}

static int64_t conn_pid(struct probe *probe)
{
    int i = probe->done;

    query(probe, &backend_pid, NULL);
    wait_done(probe, i + 1);
    assert_reply(probe, i, PG_OK, "");
    return probe->replies[i].value;
}

static int set_up(void **state)
{
    struct probe *probe = xcalloc(1, sizeof(*probe));

    probe->conninfo = getenv("CHATGATE_TEST_DATABASE_URL");
    probe->control = PQconnectdb(probe->conninfo);
    assert_int_equal(PQstatus(probe->control), CONNECTION_OK);
    assert_int_equal(uv_loop_init(&probe->loop), 0);
    *state = probe;
    return 0;
}

static void close_conn(struct probe *probe)
{
    if (!probe->conn)
        return;
    pg_conn_close(probe->conn, handle_closed, probe);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, WAIT_MS));
    probe->conn = NULL;
}

static int tear_down(void **state)
{
    struct probe *probe = *state;

    close_conn(probe);
    PQfinish(probe->control);
    /* Nothing of ours may be left on the loop. */
    uv_run(&probe->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&probe->loop), 0);
    free(probe);
    return 0;
}

/* --- values --- */

static void handle_values(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;
    const PGresult *result = reply->result;
    struct uuid id;
    size_t length;

    assert_int_equal(reply->outcome, PG_OK);
    pg_uuid(result, 0, 0, &id);
    assert_int_equal(id.bytes[0], 0x11);
    assert_int_equal(pg_int8(result, 0, 1), INT64_MIN);
    assert_int_equal(pg_int4(result, 0, 2), -7);
    assert_int_equal(pg_int8(result, 0, 2), -7);
    assert_true(pg_bool(result, 0, 3));
    assert_string_equal(pg_text(result, 0, 4, &length), "привет");
    assert_int_equal(length, 12);
    assert_true(pg_is_null(result, 0, 5));
    assert_null(pg_text(result, 0, 5, NULL));
    assert_memory_equal(pg_bytea(result, 0, 6, &length), "\0\377", 2);
    assert_int_equal(length, 2);
    assert_string_equal(pg_text(result, 0, 7, &length), "{\"a\": 1}");
    assert_int_equal(length, 8);
    pg_uuid(result, 0, 8, &id);
    assert_true(uuid_is_nil(&id));
    assert_int_equal(pg_int8(result, 0, 9), 0);
    assert_string_equal(pg_text(result, 0, 10, &length), "");
    assert_int_equal(pg_int4(result, 0, 11), -3);
    assert_int_equal(pg_int8(result, 0, 12), 0);
    probe->done++;
}

static void test_every_type_goes_there_and_back(void **state)
{
    static const struct sql_statement statement = {
        "every_type", "SELECT $1::uuid, $2::int8, $3::int4, $4::bool, $5::text, $6::text, "
                      "$7::bytea, $8::jsonb, $9::uuid, $10::int8, $11::text, -3::int2, $12::int8"};
    struct probe *probe = *state;
    struct pg_params params = PG_PARAMS_INIT;
    const struct uuid id = {{0x11, 0x22}};

    open_default(probe);
    pg_params_uuid(&params, &id);
    pg_params_int8(&params, INT64_MIN);
    pg_params_int4(&params, -7);
    pg_params_bool(&params, true);
    pg_params_cstring(&params, "привет");
    pg_params_text_or_null(&params, NULL, 0);
    pg_params_bytea(&params, "\0\377", 2);
    pg_params_jsonb(&params, "{\"a\":1}", 7);
    pg_params_uuid_or_null(&params, NULL);
    pg_params_int8_or_null(&params, NULL);
    pg_params_text(&params, "", 0);
    pg_params_null(&params);
    pg_conn_query(probe->conn, &statement, &params, handle_values, probe);
    wait_done(probe, 1);
}

static void handle_arrays(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;

    assert_int_equal(reply->outcome, PG_OK);
    assert_string_equal(
        pg_text(reply->result, 0, 0, NULL),
        "{11220000-0000-0000-0000-000000000000,33000000-0000-0000-0000-000000000000}|"
        "{1,-2,9223372036854775807}|{-4}|{a,NULL,\"\",\"б,\\\"\"}|{\"\\\\x0001\",NULL}|"
        "{\"{\\\"k\\\": [1]}\",NULL}|{33000000-0000-0000-0000-000000000000,NULL}|{}|{}");
    probe->done++;
}

static void test_every_array_goes_there(void **state)
{
    static const struct sql_statement statement = {
        "every_array",
        "SELECT concat_ws('|', $1::uuid[], $2::int8[], $3::int4[], $4::text[], $5::bytea[],"
        " $6::jsonb[], $7::uuid[], $8::text[], $9::int8[])"};
    struct probe *probe = *state;
    struct pg_params params = PG_PARAMS_INIT;
    const struct uuid ids[] = {{{0x11, 0x22}}, {{0x33}}};
    const struct uuid *const maybe_ids[] = {&ids[1], NULL};
    const int64_t longs[] = {1, -2, INT64_MAX};
    const int32_t ints[] = {-4};
    const char *const texts[] = {"a", NULL, "", "б,\""};
    const size_t text_lengths[] = {1, 0, 0, 4};
    const void *const blobs[] = {"\0\1", NULL};
    const size_t blob_lengths[] = {2, 0};
    const char *const jsons[] = {"{\"k\":[1]}", NULL};
    const size_t json_lengths[] = {9, 0};

    open_default(probe);
    pg_params_uuid_array(&params, ids, 2);
    pg_params_int8_array(&params, longs, 3);
    pg_params_int4_array(&params, ints, 1);
    pg_params_text_array(&params, texts, text_lengths, 4);
    pg_params_bytea_array(&params, blobs, blob_lengths, 2);
    pg_params_jsonb_array(&params, jsons, json_lengths, 2);
    pg_params_uuid_or_null_array(&params, maybe_ids, 2);
    pg_params_text_array(&params, NULL, NULL, 0);
    pg_params_int8_array(&params, NULL, 0);
    pg_conn_query(probe->conn, &statement, &params, handle_arrays, probe);
    wait_done(probe, 1);
}

static void test_session_settings(void **state)
{
    static const struct sql_statement statement = {
        "settings", "SELECT 1 WHERE current_setting('statement_timeout') = '4s'"
                    " AND current_setting('lock_timeout') = '500ms'"
                    " AND current_setting('synchronous_commit') = 'on'"
                    " AND current_setting('jit') = 'off'"
                    " AND current_setting('enable_seqscan') = 'off'"
                    " AND current_setting('client_encoding') = 'UTF8'"
                    " AND current_setting('application_name') = 'store-test'"};
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.application_name = "store-test";
    options.statement_timeout_ms = 4000;
    options.lock_timeout_ms = 500;
    options.settings = "SET enable_seqscan = off";
    control(probe, "ALTER ROLE chatgate SET synchronous_commit = off");
    open_conn(probe, &options);
    query(probe, &statement, NULL);
    wait_done(probe, 1);
    control(probe, "ALTER ROLE chatgate RESET synchronous_commit");
    assert_reply(probe, 0, PG_OK, "");
    assert_int_equal(probe->replies[0].value, 1);
}

static void test_wrong_settings_are_told(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.settings = "SET no_such_setting = 1";
    probe->conn = pg_conn_new(&probe->loop, &options);
    assert_true(loop_wait(&probe->loop, &probe->down, 2, WAIT_MS));
    assert_non_null(strstr(probe->reason, "no_such_setting"));
    assert_false(pg_conn_ready(probe->conn));
}

/* --- the pipeline --- */

static void test_a_thousand_in_order(void **state)
{
    struct probe *probe = *state;

    open_default(probe);
    for (int i = 0; i < 1000; i++)
        query_int8(probe, &select_number, i);
    assert_int_equal(pg_conn_in_flight(probe->conn), 64);
    assert_int_equal(pg_conn_queued(probe->conn), 936);
    wait_done(probe, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_reply(probe, i, PG_OK, "");
        assert_int_equal(probe->replies[i].value, i);
    }
    assert_int_equal(pg_conn_stats(probe->conn)->prepared, 1);
    assert_int_equal(pg_conn_stats(probe->conn)->ok, 1000);
    assert_int_equal(pg_conn_in_flight(probe->conn), 0);
}

static void test_a_refused_query_spares_the_next(void **state)
{
    struct probe *probe = *state;

    open_default(probe);
    for (int i = 0; i < 100; i++)
        query_int4(probe, &divide, i % 3 == 0 ? 0 : 1);
    wait_done(probe, 100);
    for (int i = 0; i < 100; i++)
        assert_reply(probe, i, i % 3 == 0 ? PG_REFUSED : PG_OK, i % 3 == 0 ? "22012" : "");
    assert_string_equal(probe->message, ""); /* might quote values */
}

static void test_a_commit_that_fails_after_the_rows(void **state)
{
    static const struct sql_statement insert = {
        "insert_deferred", "INSERT INTO deferred_unique VALUES ($1) RETURNING a"};
    struct probe *probe = *state;

    control(probe, "DROP TABLE IF EXISTS deferred_unique; CREATE TABLE deferred_unique"
                   " (a int8, UNIQUE (a) DEFERRABLE INITIALLY DEFERRED)");
    open_default(probe);
    query_int8(probe, &insert, 1);
    query_int8(probe, &insert, 1);
    query_int8(probe, &insert, 2);
    wait_done(probe, 3);
    assert_reply(probe, 0, PG_OK, "");
    assert_reply(probe, 1, PG_REFUSED, "23505");
    assert_reply(probe, 2, PG_OK, "");
}

static void test_a_statement_that_cannot_be_prepared(void **state)
{
    static const struct sql_statement missing = {"missing", "SELECT a FROM not_made_yet"};
    struct probe *probe = *state;

    control(probe, "DROP TABLE IF EXISTS not_made_yet");
    open_default(probe);
    /* The second relies on what the first was to prepare. */
    query(probe, &missing, NULL);
    query(probe, &missing, NULL);
    query_int8(probe, &select_number, 5);
    wait_done(probe, 3);
    assert_reply(probe, 0, PG_REFUSED, "42P01");
    assert_string_equal(probe->message, "relation \"not_made_yet\" does not exist");
    assert_reply(probe, 1, PG_OK, "");
    assert_reply(probe, 2, PG_REFUSED, "42P01");

    control(probe, "CREATE TABLE not_made_yet AS SELECT 9::int8 AS a");
    query(probe, &missing, NULL);
    wait_done(probe, 4);
    assert_reply(probe, 3, PG_OK, "");
    assert_int_equal(probe->replies[3].value, 9);
}

static void test_stale_prepared_statements_are_made_anew(void **state)
{
    static const struct sql_statement star = {"star", "SELECT * FROM changing"};
    static const struct sql_statement deallocate = {"deallocate", "DEALLOCATE ALL"};
    struct probe *probe = *state;

    control(probe, "DROP TABLE IF EXISTS changing; CREATE TABLE changing AS SELECT 3::int8 AS a");
    open_default(probe);
    query(probe, &star, NULL);
    wait_done(probe, 1);
    assert_int_equal(probe->replies[0].columns, 1);

    control(probe, "ALTER TABLE changing ADD b int");
    query(probe, &star, NULL);
    query(probe, &star, NULL);
    wait_done(probe, 3);
    for (int i = 1; i < 3; i++) {
        assert_reply(probe, i, PG_OK, "");
        assert_int_equal(probe->replies[i].columns, 2);
    }
    assert_int_equal(pg_conn_stats(probe->conn)->resent, 2);

    query(probe, &deallocate, NULL);
    query(probe, &star, NULL);
    wait_done(probe, 5);
    assert_reply(probe, 4, PG_OK, "");
    assert_int_equal(pg_conn_stats(probe->conn)->resent, 3);
}

static void test_the_server_s_timeouts(void **state)
{
    static const struct sql_statement lock = {
        "lock", "WITH locked AS (SELECT a FROM lockable FOR UPDATE) SELECT count(*) FROM locked"};
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.statement_timeout_ms = 300;
    options.lock_timeout_ms = 100;
    control(probe, "DROP TABLE IF EXISTS lockable; CREATE TABLE lockable AS SELECT 1 AS a");
    control(probe, "BEGIN; SELECT a FROM lockable FOR UPDATE");
    open_conn(probe, &options);
    query_int8(probe, &sleep_for, 5000);
    query(probe, &lock, NULL);
    wait_done(probe, 2);
    control(probe, "ROLLBACK");
    assert_reply(probe, 0, PG_REFUSED, "57014");
    assert_reply(probe, 1, PG_REFUSED, "55P03");
}

static void test_what_is_larger_than_the_socket(void **state)
{
    static const struct sql_statement length = {"length", "SELECT length($1)"};
    enum { LARGE = 8 << 20, COUNT = 6 };
    struct probe *probe = *state;
    char *text = xmalloc(LARGE);

    memset(text, 'x', LARGE);
    open_default(probe);
    for (int i = 0; i < COUNT; i++) {
        struct pg_params params = PG_PARAMS_INIT;

        pg_params_text(&params, text, LARGE);
        query(probe, &length, &params);
    }
    /* The first fills the socket; the others wait on our queue, not in libpq. */
    assert_int_equal(pg_conn_in_flight(probe->conn), 1);
    wait_done(probe, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(probe->replies[i].value, LARGE);
    free(text);
}

static void test_parameters_that_are_too_large(void **state)
{
    struct probe *probe = *state;
    struct pg_params params = PG_PARAMS_INIT;
    char *text = xcalloc(1, PG_PARAMS_BYTES_MAX + 1);

    open_default(probe);
    pg_params_text(&params, text, PG_PARAMS_BYTES_MAX + 1);
    assert_true(params.failed);
    query(probe, &select_number, &params);
    wait_done(probe, 1);
    assert_reply(probe, 0, PG_REFUSED, "54000");
    free(text);
}

/* --- failing servers --- */

static void test_a_connection_killed_in_flight(void **state)
{
    struct probe *probe = *state;
    char sql[100];

    open_default(probe);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", (int)conn_pid(probe));
    query_int8(probe, &sleep_for, 5000);
    query_int8(probe, &select_number, 1);
    control(probe, sql);
    wait_done(probe, 3);
    assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_reply(probe, 2, PG_UNKNOWN, "");
    assert_true(loop_wait(&probe->loop, &probe->down, 1, WAIT_MS));
    assert_string_equal(probe->reason, "connection lost, sqlstate 57P01");
    query_int8(probe, &select_number, 7); /* waits for the next connection */
    wait_done(probe, 4);
    assert_int_equal(probe->up, 2);
    assert_int_equal(probe->replies[3].value, 7);
    assert_int_equal(pg_conn_stats(probe->conn)->lost, 1);
}

static void test_a_connection_killed_at_rest(void **state)
{
    struct probe *probe = *state;
    char sql[100];

    open_default(probe);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", (int)conn_pid(probe));
    control(probe, sql);
    assert_true(loop_wait(&probe->loop, &probe->down, 1, WAIT_MS));
    assert_string_equal(probe->reason, "connection lost, sqlstate 57P01");
    assert_true(loop_wait(&probe->loop, &probe->up, 2, WAIT_MS));
}

static void test_a_deadline(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    uint64_t start_ms;

    options.query_timeout_ms = 200;
    options.stall_timeout_ms = 5000;
    open_conn(probe, &options);
    start_ms = clock_now_ms();
    query_int8(probe, &sleep_for, 600);
    query_int8(probe, &select_number, 1);
    wait_done(probe, 2);
    assert_in_range(clock_now_ms() - start_ms, 190, 500);
    assert_reply(probe, 0, PG_UNKNOWN, "");
    assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_int_equal(pg_conn_in_flight(probe->conn), 2); /* their results are still to come */
    loop_sleep(&probe->loop, 600);
    assert_int_equal(pg_conn_in_flight(probe->conn), 0);
    assert_int_equal(pg_conn_stats(probe->conn)->late, 2);
    query_int8(probe, &select_number, 3);
    wait_done(probe, 3);
    assert_int_equal(probe->replies[2].value, 3);
    assert_int_equal(probe->down, 0);
}

static void test_a_frozen_server(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    pid_t pid;

    options.query_timeout_ms = 300;
    options.stall_timeout_ms = 600;
    open_conn(probe, &options);
    pid = (pid_t)conn_pid(probe);
    kill(pid, SIGSTOP);
    query_int8(probe, &select_number, 1);
    wait_done(probe, 2);
    assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_true(loop_wait(&probe->loop, &probe->down, 1, WAIT_MS));
    assert_string_equal(probe->reason, "the server doesn't answer");
    kill(pid, SIGCONT);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, WAIT_MS));
    assert_int_equal(pg_conn_stats(probe->conn)->stalled, 1);
}

/* A stall of the loop itself must not be taken for the server's. */
static void test_a_stalled_loop(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.query_timeout_ms = 300;
    options.stall_timeout_ms = 500;
    open_conn(probe, &options);
    query_int8(probe, &select_number, 4);
    usleep(800 * 1000);
    wait_done(probe, 1);
    assert_reply(probe, 0, PG_OK, "");
    assert_int_equal(probe->down, 0);
}

static void test_a_database_that_comes_late(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    PQconninfoOption *real = PQconninfoParse(probe->conninfo, NULL);
    char conninfo[300], link[] = "/tmp/chatgate-late-XXXXXX";
    const char *directory = NULL, *port = NULL;

    for (PQconninfoOption *o = real; o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0)
            directory = o->val;
        if (strcmp(o->keyword, "port") == 0)
            port = o->val;
    }
    assert_non_null(mkdtemp(link));
    rmdir(link);
    snprintf(conninfo, sizeof(conninfo), "host=%s port=%s user=chatgate dbname=postgres", link,
             port);
    options.conninfo = conninfo;
    options.query_timeout_ms = 400;
    probe->conn = pg_conn_new(&probe->loop, &options);
    query_int8(probe, &select_number, 1);
    wait_done(probe, 1);
    assert_reply(probe, 0, PG_NOT_SENT, "");
    assert_true(probe->down > 0);
    assert_int_equal(probe->up, 0);

    assert_int_equal(symlink(directory, link), 0);
    assert_true(loop_wait(&probe->loop, &probe->up, 1, WAIT_MS));
    query_int8(probe, &select_number, 2);
    wait_done(probe, 2);
    assert_reply(probe, 1, PG_OK, "");
    unlink(link);
    PQconninfoFree(real);
}

static void test_a_host_by_name(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    const char *port = strstr(probe->conninfo, "port=") + 5;
    char conninfo[200];

    /* Nobody's name first, then one that may have an address of each family. */
    snprintf(conninfo, sizeof(conninfo),
             "host=no-such-host.invalid,localhost port=%.*s user=chatgate dbname=postgres",
             (int)strcspn(port, " "), port);
    options.conninfo = conninfo;
    open_conn(probe, &options);
    query_int8(probe, &select_number, 2);
    wait_done(probe, 1);
    assert_reply(probe, 0, PG_OK, "");
}

static void test_a_name_that_does_not_resolve(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.conninfo = "host=no-such-host.invalid";
    probe->conn = pg_conn_new(&probe->loop, &options);
    assert_true(loop_wait(&probe->loop, &probe->down, 1, WAIT_MS));
    assert_non_null(strstr(probe->reason, "no-such-host.invalid"));
}

static void test_a_full_queue(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.depth = 2;
    options.queue_limit = 3;
    open_conn(probe, &options);
    for (int i = 0; i < 7; i++)
        query_int8(probe, &select_number, i);
    assert_int_equal(pg_conn_in_flight(probe->conn), 2);
    assert_int_equal(pg_conn_queued(probe->conn), 3);
    wait_done(probe, 7);
    assert_int_equal(pg_conn_stats(probe->conn)->not_sent, 2);
    assert_int_equal(pg_conn_stats(probe->conn)->ok, 5);
}

static void test_notify(void **state)
{
    static const char *const channels[] = {"chat \"hints\"", "other", NULL};
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.listen = channels;
    open_conn(probe, &options);
    control(probe, "SELECT pg_notify('chat \"hints\"', 'an id')");
    assert_true(loop_wait(&probe->loop, &probe->notified, 1, WAIT_MS));
    assert_string_equal(probe->notification, "chat \"hints\":an id");
}

/* --- closing --- */

static void test_close_answers_everything(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    options.depth = 1;
    open_conn(probe, &options);
    query_int8(probe, &sleep_for, 3000);
    query_int8(probe, &select_number, 1);
    pg_conn_close(probe->conn, handle_closed, probe);
    query_int8(probe, &select_number, 2);
    assert_int_equal(probe->done, 0);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, WAIT_MS));
    probe->conn = NULL;
    assert_int_equal(probe->done, 3);
    assert_reply(probe, 0, PG_UNKNOWN, "");
    assert_reply(probe, 1, PG_NOT_SENT, "");
    assert_reply(probe, 2, PG_NOT_SENT, "");
    assert_int_equal(probe->down, 0);
}

static void handle_done_by_closing(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;

    probe->done++;
    if (probe->done == 1)
        pg_conn_close(probe->conn, handle_closed, probe);
    else
        assert_int_not_equal(reply->outcome, PG_REFUSED);
}

static void test_close_from_inside_done(void **state)
{
    struct probe *probe = *state;

    open_default(probe);
    for (int i = 0; i < 100; i++) {
        struct pg_params params = PG_PARAMS_INIT;

        pg_params_int8(&params, i);
        pg_conn_query(probe->conn, &select_number, &params, handle_done_by_closing, probe);
    }
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, WAIT_MS));
    assert_int_equal(probe->done, 100);
    probe->conn = NULL;
}

static void test_close_while_connecting(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);

    for (int turns = 0; turns < 60; turns++) {
        probe->closed = 0;
        probe->conn = pg_conn_new(&probe->loop, &options);
        for (int i = 0; i < turns; i++) {
            uv_run(&probe->loop, UV_RUN_NOWAIT);
            usleep(100);
        }
        close_conn(probe);
    }
}

/* --- pools --- */

static void pool_query(struct probe *probe, struct pg_pool *pool,
                       const struct sql_statement *statement, int64_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int8(&params, value);
    probe->inside = true;
    pg_pool_query(pool, statement, &params, handle_done, probe);
    probe->inside = false;
}

static void close_pool(struct probe *probe, struct pg_pool *pool)
{
    pg_pool_close(pool, handle_closed, probe);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, WAIT_MS));
}

static void test_a_pool_spreads(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    struct pg_pool *pool = pg_pool_new(&probe->loop, &options, 3);
    uint64_t start_ms;

    assert_false(pg_pool_ready(pool));
    pool_query(probe, pool, &select_number, 1); /* waits for the first that is up */
    wait_done(probe, 1);
    assert_true(loop_wait(&probe->loop, &probe->up, 3, WAIT_MS));
    assert_int_equal(pg_pool_ready_count(pool), 3);
    start_ms = clock_now_ms();
    for (int i = 0; i < 3; i++)
        pool_query(probe, pool, &sleep_for, 300);
    assert_int_equal(pg_pool_in_flight(pool), 3);
    wait_done(probe, 4);
    assert_in_range(clock_now_ms() - start_ms, 290, 800);
    close_pool(probe, pool);
}

static void test_a_pool_outlives_its_connections(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    struct pg_pool *pool;

    options.application_name = "doomed";
    options.depth = 4;
    pool = pg_pool_new(&probe->loop, &options, 2);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, WAIT_MS));
    for (int i = 0; i < 50; i++)
        pool_query(probe, pool, &sleep_for, 10);
    assert_int_equal(pg_pool_queued(pool), 42);
    control(probe, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'doomed' LIMIT 1");
    wait_done(probe, 50);
    /* What was in flight on the one is unknown; all the rest went through. */
    assert_in_range(pg_pool_stats(pool)->unknown, 1, 4);
    assert_int_equal(pg_pool_stats(pool)->ok + pg_pool_stats(pool)->unknown, 50);
    assert_true(loop_wait(&probe->loop, &probe->up, 3, WAIT_MS));
    close_pool(probe, pool);
}

static void test_a_pool_closed_at_work(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = default_options(probe);
    struct pg_pool *pool;

    options.depth = 1;
    pool = pg_pool_new(&probe->loop, &options, 2);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, WAIT_MS));
    for (int i = 0; i < 5; i++)
        pool_query(probe, pool, &sleep_for, 3000);
    close_pool(probe, pool);
    assert_int_equal(probe->done, 5);
    assert_reply(probe, 0, PG_UNKNOWN, "");
    assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_reply(probe, 4, PG_NOT_SENT, "");
}

static void test_conninfo_check(void **state)
{
    char error[100];

    assert_int_equal(pg_conninfo_check("postgresql://a@b/c", error, sizeof(error)), 0);
    assert_true(pg_conninfo_check("postgresql://[::1", error, sizeof(error)) < 0);
    assert_true(strlen(error) > 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_every_type_goes_there_and_back),
        STORE_TEST(test_every_array_goes_there),
        STORE_TEST(test_session_settings),
        STORE_TEST(test_wrong_settings_are_told),
        STORE_TEST(test_a_thousand_in_order),
        STORE_TEST(test_a_refused_query_spares_the_next),
        STORE_TEST(test_a_commit_that_fails_after_the_rows),
        STORE_TEST(test_a_statement_that_cannot_be_prepared),
        STORE_TEST(test_stale_prepared_statements_are_made_anew),
        STORE_TEST(test_the_server_s_timeouts),
        STORE_TEST(test_what_is_larger_than_the_socket),
        STORE_TEST(test_parameters_that_are_too_large),
        STORE_TEST(test_a_connection_killed_in_flight),
        STORE_TEST(test_a_connection_killed_at_rest),
        STORE_TEST(test_a_deadline),
        STORE_TEST(test_a_frozen_server),
        STORE_TEST(test_a_stalled_loop),
        STORE_TEST(test_a_database_that_comes_late),
        STORE_TEST(test_a_host_by_name),
        STORE_TEST(test_a_name_that_does_not_resolve),
        STORE_TEST(test_a_full_queue),
        STORE_TEST(test_notify),
        STORE_TEST(test_close_answers_everything),
        STORE_TEST(test_close_from_inside_done),
        STORE_TEST(test_close_while_connecting),
        STORE_TEST(test_a_pool_spreads),
        STORE_TEST(test_a_pool_outlives_its_connections),
        STORE_TEST(test_a_pool_closed_at_work),
        cmocka_unit_test(test_conninfo_check),
    };

    if (!getenv("CHATGATE_TEST_DATABASE_URL")) {
        fputs("skipped: no server, see tests/store/run\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
