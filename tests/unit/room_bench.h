/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of rooms and resuming share: sessions that write down what they are sent, and a
 * database whose answers the test gives, when it wants to */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <endian.h>
#include <jansson.h>
#include <uv.h>

#include "gateway/config.h"
#include "gateway/node.h"
#include "gateway/own_sweep.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/room.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "gateway/user.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PATIENCE_MS = 20000, QUERIES_MAX = 8, TOLD_BYTES = 4096 };

static uv_loop_t loop;
static struct node node;
static struct config config = {.limits.outbound_bytes = 1 << 18};

static const struct uuid teacher = {{0x7e}}, student = {{0x57}}, cid = {{0xc1}};

/* --- the database --- */

struct query {
    const struct sql_statement *statement;
    struct pg_params params;
    pg_done_fn done;
    void *context;
};

static struct query queries[QUERIES_MAX]; /* not answered yet, oldest first */
static size_t query_count;

void pg_pool_query(struct pg_pool *pool, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context)
{
    assert_true(query_count < QUERIES_MAX);
    assert_false(params->failed);
    queries[query_count++] = (struct query){statement, *params, done, context};
    pg_params_init(params);
}

static inline bool asked_for(const struct sql_statement *statement)
{
    return query_count == 1 && queries[0].statement == statement;
}

/* Elements of the array parameter $2 of events_after, the only statement whose params matter. */
static inline const unsigned char *cursors(void)
{
    assert_ptr_equal(queries[0].statement, &sql_events_after);
    return queries[0].params.data + queries[0].params.offsets[1];
}

static inline size_t asked_rooms(void)
{
    uint32_t count;
    memcpy(&count, cursors() + 12, sizeof(count));
    return be32toh(count);
}

static inline int64_t asked_after(void)
{
    uint64_t number;
    memcpy(&number, cursors() + 24, sizeof(number));
    return (int64_t)be64toh(number);
}

/* Answers the oldest query, and clears the result. */
static inline void answer(enum pg_outcome outcome, PGresult *result)
{
    struct query query = queries[0];
    struct pg_reply reply = {.outcome = outcome, .result = result, .sqlstate = ""};

    assert_true(query_count > 0);
    memmove(queries, queries + 1, --query_count * sizeof(queries[0]));
    pg_params_deinit(&query.params);
    query.done(query.context, &reply);
    PQclear(result);
}

enum oid { OID_BOOL = 16, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25, OID_UUID = 2950 };

static inline PGresult *new_result(const enum oid *types, int columns)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc *descriptions = calloc((size_t)columns, sizeof(*descriptions));
    char name[] = "column";

    for (int i = 0; i < columns; i++) {
        descriptions[i].name = name;
        descriptions[i].format = 1;
        descriptions[i].typid = types[i];
    }
    assert_int_equal(PQsetResultAttrs(result, columns, descriptions), 1);
    free(descriptions);
    return result;
}

static inline void set_bytes(PGresult *result, int row, int column, const void *data, size_t bytes)
{
    char copy[64];
    memcpy(copy, data, bytes);
    assert_int_equal(PQsetvalue(result, row, column, copy, (int)bytes), 1);
}

static inline void set_uuid(PGresult *result, int row, int column, const struct uuid *value)
{
    set_bytes(result, row, column, value->bytes, sizeof(value->bytes));
}

static inline void set_int8(PGresult *result, int row, int column, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    set_bytes(result, row, column, &wire, sizeof(wire));
}

static inline void set_text(PGresult *result, int row, int column, const char *value)
{
    set_bytes(result, row, column, value, strlen(value));
}

static inline void set_null(PGresult *result, int row, int column)
{
    assert_int_equal(PQsetvalue(result, row, column, NULL, -1), 1);
}

/* The columns of sql/statements/events_after.sql. */
static inline PGresult *new_events(void)
{
    static const enum oid types[] = {OID_UUID, OID_INT8, OID_TEXT, OID_UUID, OID_UUID, OID_UUID,
                                     OID_INT8, OID_INT8, OID_TEXT, OID_INT8, OID_BOOL};
    return new_result(types, 11);
}

/* A message of the teacher's. */
static inline void add_event(PGresult *result, const struct uuid *room, int64_t number)
{
    int row = PQntuples(result);

    set_uuid(result, row, 0, room);
    set_int8(result, row, 1, number);
    set_text(result, row, 2, "message");
    set_uuid(result, row, 3, &cid);
    set_uuid(result, row, 4, &teacher);
    set_uuid(result, row, 5, &cid);
    set_int8(result, row, 6, number);
    set_null(result, row, 7);
    set_text(result, row, 8, "text");
    set_int8(result, row, 9, 0);
    set_bytes(result, row, 10, "", 1);
}

static inline void answer_events(const struct uuid *room, int64_t first, int64_t last)
{
    PGresult *result = new_events();

    for (int64_t number = first; number <= last; number++)
        add_event(result, room, number);
    answer(PG_OK, result);
}

/* --- sessions --- */

/* What a session was sent, in a word each: "4" a message, "4c" with its cid, "-5" a removal,
 * "reset:9", "synced:1", "own", "status". */
struct listener_session {
    struct session session;
    struct user user;
    char told[TOLD_BYTES];
};

static inline struct listener_session *listener_of(struct session *session)
{
    return container_of(session, struct listener_session, session);
}

static inline int64_t member_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static inline void word_for(const json_t *object, char out[32])
{
    const char *type = json_string_value(json_object_get(object, "t"));

    if (!strcmp(type, "message"))
        snprintf(out, 32, "%d%s", (int)member_int(object, "seq"),
                 json_object_get(object, "cid") ? "c" : "");
    else if (!strcmp(type, "removed"))
        snprintf(out, 32, "-%d", (int)member_int(object, "seq"));
    else if (!strcmp(type, "reset"))
        snprintf(out, 32, "reset:%d", (int)member_int(object, "head"));
    else if (!strcmp(type, "synced"))
        snprintf(out, 32, "synced:%d", (int)member_int(object, "re"));
    else
        snprintf(out, 32, "%s", type);
}

void session_send(struct session *session, struct frame *frame)
{
    char *told = listener_of(session)->told, word[32];
    json_t *object = json_loadb(frame_payload(frame), frame_payload_length(frame), 0, NULL);

    assert_non_null(object);
    word_for(object, word);
    json_decref(object);
    assert_true(strlen(told) + strlen(word) + 2 < TOLD_BYTES);
    if (*told)
        strcat(told, " ");
    strcat(told, word);
}

void session_send_json(struct session *session, struct json_writer *json)
{
    struct frame *frame = frame_new(json_text(json), json_length(json), FRAME_KEEP);

    json_writer_reset(json);
    session_send(session, frame);
    frame_unref(frame);
}

struct session *session_get(struct node *of, struct handle handle)
{
    return handle_get(&of->sessions, handle);
}

static inline void open_session(struct listener_session *listener, const struct uuid *user)
{
    *listener = (struct listener_session){
        .user = {.id = *user},
        .session = {.node = &node, .state = SESSION_LIVE, .user = &listener->user},
    };
    list_init(&listener->session.rooms);
    listener->session.handle = handle_add(&node.sessions, &listener->session);
}

static inline void leave_rooms(struct listener_session *listener)
{
    while (!list_empty(&listener->session.rooms))
        room_leave(
            container_of(list_first(&listener->session.rooms), struct room_member, session_link));
}

/* What was told since it was asked last. */
static inline void expect_told(struct listener_session *listener, const char *expected)
{
    assert_string_equal(listener->told, expected);
    *listener->told = 0;
}

/* --- life --- */

#define until(condition)                                                                           \
    do {                                                                                           \
        uint64_t end_ms = uv_hrtime() / 1000000 + PATIENCE_MS;                                     \
        while (!(condition)) {                                                                     \
            uv_run(&loop, UV_RUN_NOWAIT);                                                          \
            assert_true(uv_hrtime() / 1000000 < end_ms);                                           \
        }                                                                                          \
    } while (0)

static inline void start_node(void)
{
    query_count = 0;
    uv_loop_init(&loop);
    node = (struct node){.loop = &loop, .config = &config};
    node.wheel = timer_wheel_new(&loop, 10, 64);
    node.rooms = rooms_new(&node);
    node.own_sweep = own_sweep_new(&node);
    handle_table_init(&node.sessions);
    json_writer_init(&node.json);
}

static inline int stop_node(void)
{
    size_t cursor = 0;

    for (struct session *session; (session = handle_next(&node.sessions, &cursor)) != NULL;) {
        leave_rooms(listener_of(session));
        handle_remove(&node.sessions, session->handle);
    }
    while (query_count)
        answer(PG_NOT_SENT, NULL);
    rooms_free(node.rooms);
    own_sweep_free(node.own_sweep);
    handle_table_deinit(&node.sessions);
    json_writer_deinit(&node.json);
    timer_wheel_free(node.wheel);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}
