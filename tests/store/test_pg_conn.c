/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelined Postgres connections: values, errors, statements, against a real server. */

#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/pg_row.h"
#include "protocol/uuid.h"
#include "protocol/xalloc.h"
#include "tests/store/loop.h"
#include "tests/store/pg_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
        "every_type",
        "SELECT $1::uuid, $2::int8, $3::int4, $4::bool, $5::text, $6::text, "
        "$7::bytea, $8::jsonb, $9::uuid, $10::int8, $11::text, -3::int2, $12::int8",
        12};
    struct probe *probe = *state;
    struct pg_params params = PG_PARAMS_INIT;
    const struct uuid id = {{0x11, 0x22}};

    probe_open_default(probe);
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
    probe_wait(probe, 1);
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
        " $6::jsonb[], $7::uuid[], $8::text[], $9::int8[])",
        9};
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

    probe_open_default(probe);
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
    probe_wait(probe, 1);
}

static void test_session_settings(void **state)
{
    static const struct sql_statement statement = {
        "settings",
        "SELECT 1 WHERE current_setting('statement_timeout') = '4s'"
        " AND current_setting('lock_timeout') = '500ms'"
        " AND current_setting('synchronous_commit') = 'on'"
        " AND current_setting('jit') = 'off'"
        " AND current_setting('enable_seqscan') = 'off'"
        " AND current_setting('client_encoding') = 'UTF8'"
        " AND current_setting('application_name') = 'store-test'",
        0};
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.application_name = "store-test";
    options.statement_timeout_ms = 4000;
    options.lock_timeout_ms = 500;
    options.settings = "SET enable_seqscan = off";
    probe_control(probe, "ALTER ROLE chatgate SET synchronous_commit = off");
    probe_open(probe, &options);
    probe_query(probe, &statement, NULL);
    probe_wait(probe, 1);
    probe_control(probe, "ALTER ROLE chatgate RESET synchronous_commit");
    probe_assert_reply(probe, 0, PG_OK, "");
    assert_int_equal(probe->replies[0].value, 1);
}

static void test_wrong_settings_are_told(void **state)
{
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.settings = "SET no_such_setting = 1";
    probe->conn = pg_conn_new(&probe->loop, &options);
    assert_true(loop_wait(&probe->loop, &probe->down, 2, PROBE_WAIT_MS));
    assert_non_null(strstr(probe->reason, "no_such_setting"));
    assert_false(pg_conn_ready(probe->conn));
}

/* --- the pipeline --- */

static void test_a_thousand_in_order(void **state)
{
    struct probe *probe = *state;

    probe_open_default(probe);
    for (int i = 0; i < 1000; i++)
        probe_query_int8(probe, &select_number, i);
    assert_int_equal(pg_conn_in_flight(probe->conn), 64);
    assert_int_equal(pg_conn_queued(probe->conn), 936);
    probe_wait(probe, 1000);
    for (int i = 0; i < 1000; i++) {
        probe_assert_reply(probe, i, PG_OK, "");
        assert_int_equal(probe->replies[i].value, i);
    }
    assert_int_equal(pg_conn_stats(probe->conn)->prepared, 1);
    assert_int_equal(pg_conn_stats(probe->conn)->ok, 1000);
    assert_int_equal(pg_conn_in_flight(probe->conn), 0);
}

static void test_a_refused_query_spares_the_next(void **state)
{
    struct probe *probe = *state;

    probe_open_default(probe);
    for (int i = 0; i < 100; i++)
        probe_query_int4(probe, &divide, i % 3 == 0 ? 0 : 1);
    probe_wait(probe, 100);
    for (int i = 0; i < 100; i++)
        probe_assert_reply(probe, i, i % 3 == 0 ? PG_REFUSED : PG_OK, i % 3 == 0 ? "22012" : "");
    assert_string_equal(probe->message, ""); /* might quote values */
}

static void test_a_commit_that_fails_after_the_rows(void **state)
{
    static const struct sql_statement insert = {
        "insert_deferred", "INSERT INTO deferred_unique VALUES ($1) RETURNING a", 1};
    struct probe *probe = *state;

    probe_control(probe, "DROP TABLE IF EXISTS deferred_unique; CREATE TABLE deferred_unique"
                         " (a int8, UNIQUE (a) DEFERRABLE INITIALLY DEFERRED)");
    probe_open_default(probe);
    probe_query_int8(probe, &insert, 1);
    probe_query_int8(probe, &insert, 1);
    probe_query_int8(probe, &insert, 2);
    probe_wait(probe, 3);
    probe_assert_reply(probe, 0, PG_OK, "");
    probe_assert_reply(probe, 1, PG_REFUSED, "23505");
    probe_assert_reply(probe, 2, PG_OK, "");
}

static void test_a_statement_that_cannot_be_prepared(void **state)
{
    static const struct sql_statement missing = {"missing", "SELECT a FROM not_made_yet", 0};
    struct probe *probe = *state;

    probe_control(probe, "DROP TABLE IF EXISTS not_made_yet");
    probe_open_default(probe);
    /* The second relies on what the first was to prepare. */
    probe_query(probe, &missing, NULL);
    probe_query(probe, &missing, NULL);
    probe_query_int8(probe, &select_number, 5);
    probe_wait(probe, 3);
    probe_assert_reply(probe, 0, PG_REFUSED, "42P01");
    assert_string_equal(probe->message, "relation \"not_made_yet\" does not exist");
    probe_assert_reply(probe, 1, PG_OK, "");
    probe_assert_reply(probe, 2, PG_REFUSED, "42P01");

    probe_control(probe, "CREATE TABLE not_made_yet AS SELECT 9::int8 AS a");
    probe_query(probe, &missing, NULL);
    probe_wait(probe, 4);
    probe_assert_reply(probe, 3, PG_OK, "");
    assert_int_equal(probe->replies[3].value, 9);
}

static void test_stale_prepared_statements_are_made_anew(void **state)
{
    static const struct sql_statement star = {"star", "SELECT * FROM changing", 0};
    static const struct sql_statement deallocate = {"deallocate", "DEALLOCATE ALL", 0};
    struct probe *probe = *state;

    probe_control(probe,
                  "DROP TABLE IF EXISTS changing; CREATE TABLE changing AS SELECT 3::int8 AS a");
    probe_open_default(probe);
    probe_query(probe, &star, NULL);
    probe_wait(probe, 1);
    assert_int_equal(probe->replies[0].columns, 1);

    probe_control(probe, "ALTER TABLE changing ADD b int");
    probe_query(probe, &star, NULL);
    probe_query(probe, &star, NULL);
    probe_wait(probe, 3);
    for (int i = 1; i < 3; i++) {
        probe_assert_reply(probe, i, PG_OK, "");
        assert_int_equal(probe->replies[i].columns, 2);
    }
    assert_int_equal(pg_conn_stats(probe->conn)->resent, 2);

    probe_query(probe, &deallocate, NULL);
    probe_query(probe, &star, NULL);
    probe_wait(probe, 5);
    probe_assert_reply(probe, 4, PG_OK, "");
    assert_int_equal(pg_conn_stats(probe->conn)->resent, 3);
}

static void test_the_server_s_timeouts(void **state)
{
    static const struct sql_statement lock = {
        "lock", "WITH locked AS (SELECT a FROM lockable FOR UPDATE) SELECT count(*) FROM locked",
        0};
    struct probe *probe = *state;
    struct pg_conn_options options = probe_options(probe);

    options.statement_timeout_ms = 300;
    options.lock_timeout_ms = 100;
    probe_control(probe, "DROP TABLE IF EXISTS lockable; CREATE TABLE lockable AS SELECT 1 AS a");
    probe_control(probe, "BEGIN; SELECT a FROM lockable FOR UPDATE");
    probe_open(probe, &options);
    probe_query_int8(probe, &sleep_for, 5000);
    probe_query(probe, &lock, NULL);
    probe_wait(probe, 2);
    probe_control(probe, "ROLLBACK");
    probe_assert_reply(probe, 0, PG_REFUSED, "57014");
    probe_assert_reply(probe, 1, PG_REFUSED, "55P03");
}

static void test_what_is_larger_than_the_socket(void **state)
{
    static const struct sql_statement length = {"length", "SELECT length($1)", 1};
    enum { LARGE = 8 << 20, COUNT = 6 };
    struct probe *probe = *state;
    char *text = xmalloc(LARGE);

    memset(text, 'x', LARGE);
    probe_open_default(probe);
    for (int i = 0; i < COUNT; i++) {
        struct pg_params params = PG_PARAMS_INIT;

        pg_params_text(&params, text, LARGE);
        probe_query(probe, &length, &params);
    }
    /* The first fills the socket; the others wait on our queue, not in libpq. */
    assert_int_equal(pg_conn_in_flight(probe->conn), 1);
    probe_wait(probe, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(probe->replies[i].value, LARGE);
    free(text);
}

static void test_parameters_that_are_too_large(void **state)
{
    struct probe *probe = *state;
    struct pg_params params = PG_PARAMS_INIT;
    char *text = xcalloc(1, PG_PARAMS_BYTES_MAX + 1);

    probe_open_default(probe);
    pg_params_text(&params, text, PG_PARAMS_BYTES_MAX + 1);
    assert_true(params.failed);
    probe_query(probe, &select_number, &params);
    probe_wait(probe, 1);
    probe_assert_reply(probe, 0, PG_REFUSED, "54000");
    free(text);
}

static void test_conninfo_check(void **state)
{
    char error[100];

    assert_int_equal(pg_conninfo_check("postgresql://a@b/c", error, sizeof(error)), 0);
    assert_true(pg_conninfo_check("postgresql://[::1", error, sizeof(error)) < 0);
    assert_true(strlen(error) > 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, probe_set_up, probe_tear_down)

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
        cmocka_unit_test(test_conninfo_check),
    };

    if (!getenv("CHATGATE_TEST_DATABASE_URL")) {
        fputs("skipped: no server, see tests/store/run\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
