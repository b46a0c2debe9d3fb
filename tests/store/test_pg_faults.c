/* SPDX-License-Identifier: Apache-2.0 */
/* Postgres connections and pools whose server is killed, frozen, late or away. */

#include "gateway/clock.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "tests/store/loop.h"
#include "tests/store/pg_probe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- failing servers --- */

static void test_a_connection_killed_in_flight(void **state)
{
    struct probe *probe = *state;
    char sql[100];

    probe_open_default(probe);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", (int)probe_pid(probe));
    probe_query_int8(probe, &sleep_for, 5000);
    probe_query_int8(probe, &select_number, 1);
    probe_control(probe, sql);
    probe_wait(probe, 3);
    probe_assert_reply(probe, 1, PG_UNKNOWN, "");
    probe_assert_reply(probe, 2, PG_UNKNOWN, "");
    assert_true(loop_wait(&probe->loop, &probe->down, 1, PROBE_WAIT_MS));
    assert_string_equal(probe->reason, "connection lost, sqlstate 57P01");
    probe_query_int8(probe, &select_number, 7); /* waits for the next connection */
    probe_wait(probe, 4);
    assert_int_equal(probe->up, 2);
    assert_int_equal(probe->replies[3].value, 7);
    assert_int_equal(pg_conn_stats(probe->conn)->lost, 1);
}

static void test_a_connection_killed_at_rest(void **state)
{
    struct probe *probe = *state;
    char sql[100];

    probe_open_default(probe);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", (int)probe_pid(probe));
    probe_control(probe, sql);
    assert_true(loop_wait(&probe->loop, &probe->down, 1, PROBE_WAIT_MS));
    assert_string_equal(probe->reason, "connection lost, sqlstate 57P01");
    assert_true(loop_wait(&probe->loop, &probe->up, 2, PROBE_WAIT_MS));
}

/* A demoted server keeps its sessions and refuses to write. */
static void test_a_server_that_becomes_a_standby(void **state)
{
    static const struct sql_statement write = {"write", "SELECT demoted()", 0};
    struct probe *probe = *state;

    probe_control(probe, "CREATE OR REPLACE FUNCTION demoted() RETURNS int8 LANGUAGE plpgsql AS"
                         " $$BEGIN RAISE read_only_sql_transaction; END$$");
    probe_open_default(probe);
    probe_query(probe, &write, NULL);
    assert_true(loop_wait(&probe->loop, &probe->down, 1, PROBE_WAIT_MS));
    probe_assert_reply(probe, 0, PG_REFUSED, "25006");
    assert_string_equal(probe->reason, "connection lost, sqlstate 25006");
    assert_true(loop_wait(&probe->loop, &probe->up, 2, PROBE_WAIT_MS));
}

static void test_a_deadline(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    uint64_t start_ms;

    options.query_timeout_ms = 200;
    options.stall_timeout_ms = 5000;
    probe_open(probe, &options);
    start_ms = clock_now_ms();
    probe_query_int8(probe, &sleep_for, 600);
    probe_query_int8(probe, &select_number, 1);
    probe_wait(probe, 2);
    assert_in_range(clock_now_ms() - start_ms, 190, 500);
    probe_assert_reply(probe, 0, PG_UNKNOWN, "");
    probe_assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_int_equal(pg_conn_in_flight(probe->conn), 2); /* their results are still to come */
    loop_sleep(&probe->loop, 600);
    assert_int_equal(pg_conn_in_flight(probe->conn), 0);
    assert_int_equal(pg_conn_stats(probe->conn)->late, 2);
    probe_query_int8(probe, &select_number, 3);
    probe_wait(probe, 3);
    assert_int_equal(probe->replies[2].value, 3);
    assert_int_equal(probe->down, 0);
}

static void test_a_frozen_server(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    pid_t pid;

    options.query_timeout_ms = 300;
    options.stall_timeout_ms = 600;
    probe_open(probe, &options);
    pid = (pid_t)probe_pid(probe);
    kill(pid, SIGSTOP);
    probe_query_int8(probe, &select_number, 1);
    probe_wait(probe, 2);
    probe_assert_reply(probe, 1, PG_UNKNOWN, "");
    assert_true(loop_wait(&probe->loop, &probe->down, 1, PROBE_WAIT_MS));
    assert_string_equal(probe->reason, "the server doesn't answer");
    kill(pid, SIGCONT);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, PROBE_WAIT_MS));
    assert_int_equal(pg_conn_stats(probe->conn)->stalled, 1);
}

/* A stall of the loop itself must not be taken for the server's. */
static void test_a_stalled_loop(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.query_timeout_ms = 300;
    options.stall_timeout_ms = 500;
    probe_open(probe, &options);
    probe_query_int8(probe, &select_number, 4);
    usleep(800 * 1000);
    probe_wait(probe, 1);
    probe_assert_reply(probe, 0, PG_OK, "");
    assert_int_equal(probe->down, 0);
}

static void test_a_database_that_comes_late(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
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
    probe_query_int8(probe, &select_number, 1);
    probe_wait(probe, 1);
    probe_assert_reply(probe, 0, PG_NOT_SENT, "");
    assert_true(probe->down > 0);
    assert_int_equal(probe->up, 0);

    assert_int_equal(symlink(directory, link), 0);
    assert_true(loop_wait(&probe->loop, &probe->up, 1, PROBE_WAIT_MS));
    probe_query_int8(probe, &select_number, 2);
    probe_wait(probe, 2);
    probe_assert_reply(probe, 1, PG_OK, "");
    unlink(link);
    PQconninfoFree(real);
}

static void test_a_host_by_name(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    const char *port = strstr(probe->conninfo, "port=") + 5;
    char conninfo[200];

    /* Nobody's name first, then one that may have an address of each family. */
    snprintf(conninfo, sizeof(conninfo),
             "host=no-such-host.invalid,localhost port=%.*s user=chatgate dbname=postgres",
             (int)strcspn(port, " "), port);
    options.conninfo = conninfo;
    probe_open(probe, &options);
    probe_query_int8(probe, &select_number, 2);
    probe_wait(probe, 1);
    probe_assert_reply(probe, 0, PG_OK, "");
}

static void test_a_name_that_does_not_resolve(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.conninfo = "host=no-such-host.invalid";
    probe->conn = pg_conn_new(&probe->loop, &options);
    assert_true(loop_wait(&probe->loop, &probe->down, 1, PROBE_WAIT_MS));
    assert_non_null(strstr(probe->reason, "no-such-host.invalid"));
}

static void test_a_full_queue(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.depth = 2;
    options.queue_limit = 3;
    probe_open(probe, &options);
    for (int i = 0; i < 7; i++)
        probe_query_int8(probe, &select_number, i);
    assert_int_equal(pg_conn_in_flight(probe->conn), 2);
    assert_int_equal(pg_conn_queued(probe->conn), 3);
    probe_wait(probe, 7);
    assert_int_equal(pg_conn_stats(probe->conn)->not_sent, 2);
    assert_int_equal(pg_conn_stats(probe->conn)->ok, 5);
}

static void test_notify(void **state)
{
    static const char *const channels[] = {"chat \"hints\"", "other", NULL};
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.listen = channels;
    probe_open(probe, &options);
    probe_control(probe, "SELECT pg_notify('chat \"hints\"', 'an id')");
    assert_true(loop_wait(&probe->loop, &probe->notified, 1, PROBE_WAIT_MS));
    assert_string_equal(probe->notification, "chat \"hints\":an id");
}

/* --- closing --- */

static void test_close_answers_everything(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.depth = 1;
    probe_open(probe, &options);
    probe_query_int8(probe, &sleep_for, 3000);
    probe_query_int8(probe, &select_number, 1);
    pg_conn_close(probe->conn, probe_handle_closed, probe);
    probe_query_int8(probe, &select_number, 2);
    assert_int_equal(probe->done, 0);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, PROBE_WAIT_MS));
    probe->conn = NULL;
    assert_int_equal(probe->done, 3);
    probe_assert_reply(probe, 0, PG_UNKNOWN, "");
    probe_assert_reply(probe, 1, PG_NOT_SENT, "");
    probe_assert_reply(probe, 2, PG_NOT_SENT, "");
    assert_int_equal(probe->down, 0);
}

static void handle_done_by_closing(void *context, const struct pg_reply *reply)
{
    struct probe *probe = context;

    probe->done++;
    if (probe->done == 1)
        pg_conn_close(probe->conn, probe_handle_closed, probe);
    else
        assert_int_not_equal(reply->outcome, PG_REFUSED);
}

static void test_close_from_inside_done(void **state)
{
    struct probe *probe = *state;

    probe_open_default(probe);
    for (int i = 0; i < 100; i++) {
        struct pg_params params = PG_PARAMS_INIT;

        pg_params_int8(&params, i);
        pg_conn_query(probe->conn, &select_number, &params, handle_done_by_closing, probe);
    }
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, PROBE_WAIT_MS));
    assert_int_equal(probe->done, 100);
    probe->conn = NULL;
}

static void test_close_while_connecting(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    for (int turns = 0; turns < 60; turns++) {
        probe->closed = 0;
        probe->conn = pg_conn_new(&probe->loop, &options);
        for (int i = 0; i < turns; i++) {
            uv_run(&probe->loop, UV_RUN_NOWAIT);
            usleep(100);
        }
        probe_close(probe);
    }
}

/* --- pools --- */

static void pool_query(struct probe *probe, struct pg_pool *pool,
                       const struct sql_statement *statement, int64_t value)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int8(&params, value);
    probe->inside = true;
    pg_pool_query(pool, statement, &params, probe_handle_done, probe);
    probe->inside = false;
}

static void close_pool(struct probe *probe, struct pg_pool *pool)
{
    pg_pool_close(pool, probe_handle_closed, probe);
    assert_true(loop_wait(&probe->loop, &probe->closed, 1, PROBE_WAIT_MS));
}

static void test_a_pool_spreads(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    struct pg_pool *pool = pg_pool_new(&probe->loop, &options, 3);
    uint64_t start_ms;

    assert_false(pg_pool_ready(pool));
    pool_query(probe, pool, &select_number, 1); /* waits for the first that is up */
    probe_wait(probe, 1);
    assert_true(loop_wait(&probe->loop, &probe->up, 3, PROBE_WAIT_MS));
    assert_int_equal(pg_pool_ready_count(pool), 3);
    start_ms = clock_now_ms();
    for (int i = 0; i < 3; i++)
        pool_query(probe, pool, &sleep_for, 300);
    assert_int_equal(pg_pool_in_flight(pool), 3);
    probe_wait(probe, 4);
    assert_in_range(clock_now_ms() - start_ms, 290, 800);
    close_pool(probe, pool);
}

static void test_a_pool_outlives_its_connections(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    struct pg_pool *pool;

    options.application_name = "doomed";
    options.depth = 4;
    pool = pg_pool_new(&probe->loop, &options, 2);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, PROBE_WAIT_MS));
    for (int i = 0; i < 50; i++)
        pool_query(probe, pool, &sleep_for, 10);
    assert_int_equal(pg_pool_queued(pool), 42);
    probe_control(probe, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                         " WHERE application_name = 'doomed' LIMIT 1");
    probe_wait(probe, 50);
    /* What was in flight on the one is unknown; all the rest went through. */
    assert_in_range(pg_pool_stats(pool)->unknown, 1, 4);
    assert_int_equal(pg_pool_stats(pool)->ok + pg_pool_stats(pool)->unknown, 50);
    assert_true(loop_wait(&probe->loop, &probe->up, 3, PROBE_WAIT_MS));
    close_pool(probe, pool);
}

static void test_a_pool_closed_at_work(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);
    struct pg_pool *pool;

    options.depth = 1;
    pool = pg_pool_new(&probe->loop, &options, 2);
    assert_true(loop_wait(&probe->loop, &probe->up, 2, PROBE_WAIT_MS));
    for (int i = 0; i < 5; i++)
        pool_query(probe, pool, &sleep_for, 3000);
    close_pool(probe, pool);
    assert_int_equal(probe->done, 5);
    probe_assert_reply(probe, 0, PG_UNKNOWN, "");
    probe_assert_reply(probe, 1, PG_UNKNOWN, "");
    probe_assert_reply(probe, 4, PG_NOT_SENT, "");
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, probe_set_up, probe_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_connection_killed_in_flight),
        STORE_TEST(test_a_connection_killed_at_rest),
        STORE_TEST(test_a_server_that_becomes_a_standby),
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
    };

    if (!getenv("CHATGATE_TEST_DATABASE_URL")) {
        fputs("skipped: no server, see tests/store/run\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
