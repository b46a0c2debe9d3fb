/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/resume.h: what follows the cursors, in order, at the client's pace */
#include "gateway/resume.h"
#include "room_bench.h"

enum { HEAD = 100 };

static const struct uuid room_id = {{1}};
static struct listener_session listener;
static struct session *const session = &listener.session;

static int set_up(void **state)
{
    start_node();
    open_session(&listener, &student);
    return 0;
}

static int tear_down(void **state)
{
    session->resume = resume_free(session->resume);
    return stop_node();
}

static void join(const struct uuid *id, int64_t cursor)
{
    resume_join(session, id, &teacher, &student, HEAD, cursor, true);
}

static void live_event(int64_t number)
{
    char json[64];
    int length = snprintf(json, sizeof(json), "{\"t\":\"message\",\"seq\":%d}", (int)number);
    struct room_event event = {
        .room = room_id, .number = number, .json = json, .length = (size_t)length};

    rooms_accept(node.rooms, &event);
    room_event_deinit(&event);
}

/* --- own messages --- */

/* The columns of sql/statements/own_since.sql. */
static PGresult *new_own(void)
{
    static const enum oid types[] = {OID_UUID, OID_UUID, OID_UUID, OID_UUID, OID_TEXT,
                                     OID_INT8, OID_INT8, OID_TEXT, OID_INT8, OID_BOOL,
                                     OID_TEXT, OID_INT4, OID_UUID, OID_UUID, OID_INT8};
    return new_result(types, 15);
}

static void add_own(PGresult *result, const char *status)
{
    int row = PQntuples(result);

    for (int column = 0; column < 4; column++)
        set_uuid(result, row, column, &cid);
    set_text(result, row, 4, status);
    set_null(result, row, 5);
    set_null(result, row, 6);
    set_text(result, row, 7, "text");
    set_int8(result, row, 8, 0);
    set_bytes(result, row, 9, "", 1);
    set_text(result, row, 10, "contact.phone");
    set_bytes(result, row, 11, "\0\0\0\1", 4);
    set_uuid(result, row, 12, &teacher);
    set_uuid(result, row, 13, &student);
    set_null(result, row, 14);
}

static void answer_own(void)
{
    assert_true(asked_for(&sql_own_since));
    answer(PG_OK, new_own());
}

/* --- joining --- */

static void test_nothing_to_catch_up_with(void **state)
{
    join(&room_id, HEAD);
    resume_start(session, 7, NULL);
    answer_own();
    expect_told(&listener, "synced:7");
    assert_null(session->resume);
    live_event(HEAD + 1);
    expect_told(&listener, "101");
}

static void test_without_a_cursor_from_the_head(void **state)
{
    join(&room_id, -1);
    resume_start(session, 1, NULL);
    answer_own();
    live_event(HEAD + 1);
    expect_told(&listener, "synced:1 101");
}

static void test_cursors_that_are_reset(void **state)
{
    const struct uuid far = {{2}}, ahead = {{3}}, stale = {{4}};

    resume_join(session, &far, &teacher, &student, 20000, 1, true);
    resume_join(session, &ahead, &teacher, &student, 5, 6, true);
    resume_join(session, &stale, &teacher, &student, 5, 4, false);
    expect_told(&listener, "reset:20000 reset:5 reset:5");
    resume_start(session, 1, NULL);
    answer_own();
    expect_told(&listener, "synced:1");
}

/* --- catching up --- */

static void test_live_events_wait(void **state)
{
    join(&room_id, 97);
    resume_start(session, 1, NULL);
    assert_int_equal(asked_after(), 97);
    live_event(101);
    expect_told(&listener, "");
    answer_events(&room_id, 98, 100);
    assert_int_equal(asked_after(), 100);
    answer_events(&room_id, 101, 101);
    answer_own();
    live_event(102);
    expect_told(&listener, "98 99 100 101 synced:1 102");
}

/* The read saw more than this node had been told of. */
static void test_ahead_of_the_room(void **state)
{
    join(&room_id, 99);
    resume_start(session, 1, NULL);
    answer_events(&room_id, 100, 102);
    expect_told(&listener, "100 101 102");
    assert_int_equal(query_count, 2); /* the room's own read, and the own messages */
    answer_events(&room_id, 101, 102);
    answer_own();
    live_event(103);
    expect_told(&listener, "synced:1 103");
}

static void test_a_client_that_reads_slowly(void **state)
{
    join(&room_id, 90);
    resume_start(session, 1, NULL);
    session->outbound.bytes = 1 << 16;
    answer_events(&room_id, 91, 95);
    assert_int_equal(query_count, 0);
    live_event(101);
    session->outbound.bytes = 0;
    resume_continue(session);
    assert_int_equal(asked_after(), 95);
    answer_events(&room_id, 96, 101);
    answer_own();
    expect_told(&listener, "91 92 93 94 95 96 97 98 99 100 101 synced:1");
}

/* Half of the queue is for what is live: a page that finds no room is read again, a smaller one. */
static void test_a_page_that_finds_no_room(void **state)
{
    join(&room_id, 90);
    resume_start(session, 1, NULL);
    session->outbound.bytes = 1 << 17;
    session->outbound.count = 1;
    answer_events(&room_id, 91, 95);
    expect_told(&listener, "");
    session->outbound.bytes = 1; /* not yet empty: nothing is read */
    resume_start(session, 2, NULL);
    assert_int_equal(query_count, 0);
    session->outbound.bytes = session->outbound.count = 0;
    resume_continue(session);
    assert_int_equal(asked_after(), 90);
    answer_events(&room_id, 91, 100);
    expect_told(&listener, "91 92 93 94 95 96 97 98 99 100");
}

static void test_a_failed_read_is_tried_again(void **state)
{
    join(&room_id, 99);
    resume_start(session, 1, NULL);
    answer(PG_UNKNOWN, NULL);
    assert_int_equal(query_count, 0);
    until(query_count == 1);
    assert_int_equal(asked_after(), 99);
    answer_events(&room_id, 100, 100);
    answer(PG_NOT_SENT, NULL); /* the own messages */
    until(query_count == 1);
    answer_own();
    expect_told(&listener, "100 synced:1");
}

static void test_a_session_that_is_gone(void **state)
{
    join(&room_id, 99);
    resume_start(session, 1, NULL);
    session->resume = resume_free(session->resume);
    leave_rooms(&listener);
    handle_remove(&node.sessions, session->handle);
    answer_events(&room_id, 100, 100);
    expect_told(&listener, "");
    assert_int_equal(query_count, 0);
}

/* Rows that somebody deleted by hand never come: the client is told to start anew. */
static void test_numbers_that_are_missing(void **state)
{
    join(&room_id, 97);
    resume_start(session, 1, NULL);
    answer_events(&room_id, 98, 98);
    assert_int_equal(asked_after(), 98);
    answer(PG_OK, new_events());
    answer_own();
    live_event(101);
    expect_told(&listener, "98 reset:100 synced:1 101");
}

static void test_many_rooms(void **state)
{
    struct uuid id = {{2}};
    PGresult *result = new_events();

    for (id.bytes[1] = 1; id.bytes[1] <= 20; id.bytes[1]++)
        join(&id, HEAD - 1);
    resume_start(session, 1, NULL);
    assert_int_equal(asked_rooms(), 16);
    for (id.bytes[1] = 1; id.bytes[1] <= 16; id.bytes[1]++)
        add_event(result, &id, HEAD);
    answer(PG_OK, result);
    assert_int_equal(asked_rooms(), 4);
}

/* --- own messages, and again --- */

static void test_own_messages_come_before_synced(void **state)
{
    PGresult *result = new_own();

    resume_start(session, 1, &(int64_t){5});
    add_own(result, "pending_moderation");
    add_own(result, "delivered");
    answer(PG_OK, result);
    expect_told(&listener, "own status synced:1");
}

/* The verdict came while the page was read, from which it is still pending. */
static void test_own_messages_that_are_out_of_date(void **state)
{
    PGresult *result = new_own();

    resume_start(session, 1, NULL);
    assert_true(own_sweep_tell(node.own_sweep, &cid, 2));
    assert_false(own_sweep_tell(node.own_sweep, &cid, 1));
    add_own(result, "pending_moderation");
    answer(PG_OK, result);
    expect_told(&listener, "synced:1");
}

static void test_own_messages_that_find_no_room(void **state)
{
    resume_start(session, 1, NULL);
    session->outbound.bytes = 1 << 17;
    session->outbound.count = 1;
    PGresult *result = new_own();
    add_own(result, "pending_moderation");
    answer(PG_OK, result);
    assert_int_equal(query_count, 0);
    session->outbound.bytes = session->outbound.count = 0;
    resume_continue(session);
    result = new_own();
    for (int i = 0; i < 50; i++) /* a whole page, of the smaller size: there may be more */
        add_own(result, "blocked");
    answer(PG_OK, result);
    answer_own();
    assert_non_null(strstr(listener.told, "own own synced:1"));
}

static void test_one_start_after_the_other(void **state)
{
    join(&room_id, 99);
    resume_start(session, 1, NULL);
    resume_start(session, 2, NULL);
    assert_int_equal(query_count, 1);
    answer_events(&room_id, 100, 100);
    answer_own();
    answer_own();
    expect_told(&listener, "100 synced:1 synced:2");
    assert_null(session->resume);
}

/* The cursor goes back while a page is on its way: what it brings is not what follows. */
static void test_a_client_that_asks_again_meanwhile(void **state)
{
    join(&room_id, 97);
    resume_start(session, 1, NULL);
    resume_rewind(session, &room_id, 95);
    answer_events(&room_id, 98, 100);
    expect_told(&listener, "");
    assert_int_equal(asked_after(), 95);
    answer_events(&room_id, 96, 100);
    expect_told(&listener, "96 97 98 99 100");
}

static void test_a_client_that_asks_too_often(void **state)
{
    int64_t starts = 0;

    while (resume_start(session, starts + 1, NULL))
        starts++;
    assert_int_equal(starts, 32);
    answer_own();
    assert_true(resume_start(session, 33, NULL));
}

static void test_a_client_that_asks_again(void **state)
{
    join(&room_id, HEAD);
    resume_rewind(session, &room_id, 98);
    resume_start(session, 2, NULL);
    live_event(101);
    answer_events(&room_id, 99, 101);
    answer_own();
    expect_told(&listener, "99 100 101 synced:2");
    resume_rewind(session, &room_id, 102); /* ahead of the room */
    expect_told(&listener, "reset:101");
    assert_true(resume_knows(session, &room_id));
    assert_false(resume_knows(session, &cid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_to_catch_up_with),
        TEST(test_without_a_cursor_from_the_head),
        TEST(test_cursors_that_are_reset),
        TEST(test_live_events_wait),
        TEST(test_ahead_of_the_room),
        TEST(test_a_client_that_reads_slowly),
        TEST(test_a_page_that_finds_no_room),
        TEST(test_a_failed_read_is_tried_again),
        TEST(test_a_session_that_is_gone),
        TEST(test_numbers_that_are_missing),
        TEST(test_many_rooms),
        TEST(test_own_messages_come_before_synced),
        TEST(test_own_messages_that_are_out_of_date),
        TEST(test_own_messages_that_find_no_room),
        TEST(test_one_start_after_the_other),
        TEST(test_a_client_that_asks_again),
        TEST(test_a_client_that_asks_again_meanwhile),
        TEST(test_a_client_that_asks_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
