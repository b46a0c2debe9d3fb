/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/room.h: events in order, once, without a hole */
#include "room_bench.h"

static const struct uuid room_id = {{1}};
static struct listener_session one, two; /* of the teacher, of the student */

static int set_up(void **state)
{
    start_node();
    open_session(&one, &teacher);
    open_session(&two, &student);
    rooms_join(node.rooms, &one.session, &room_id, &teacher, &student, 3, -1);
    rooms_join(node.rooms, &two.session, &room_id, &teacher, &student, 3, -1);
    return 0;
}

static int tear_down(void **state)
{
    return stop_node();
}

/* A message of the teacher's that some way has brought here. */
static void come_in(int64_t number)
{
    char json[64];
    int length = snprintf(json, sizeof(json), "{\"t\":\"message\",\"seq\":%d}", (int)number);
    struct room_event event = {.room = room_id,
                               .sender = teacher,
                               .cid = cid,
                               .has_cid = true,
                               .number = number,
                               .json = json,
                               .length = (size_t)length};

    rooms_accept(node.rooms, &event);
    room_event_deinit(&event);
}

static void test_in_order_at_once(void **state)
{
    come_in(4);
    come_in(5);
    expect_told(&one, "4c 5c"); /* the cid is the sender's alone */
    expect_told(&two, "4 5");
    assert_int_equal(query_count, 0);
}

static void test_what_was_had_is_dropped(void **state)
{
    come_in(3);
    come_in(1);
    come_in(4);
    come_in(4);
    expect_told(&two, "4");
}

static void test_a_hole_is_read_first(void **state)
{
    come_in(6);
    expect_told(&two, "");
    assert_true(asked_for(&sql_events_after));
    assert_int_equal(asked_after(), 3);
    answer_events(&room_id, 4, 6);
    expect_told(&one, "4c 5c 6c");
    expect_told(&two, "4 5 6");
}

static void test_what_comes_while_a_hole_is_read(void **state)
{
    come_in(6);
    come_in(4); /* late, after all */
    expect_told(&two, "4");
    come_in(7);
    assert_int_equal(query_count, 1); /* one read at a time */
    answer_events(&room_id, 4, 6);
    expect_told(&two, "5 6");
    until(query_count == 1);
    assert_int_equal(asked_after(), 6);
    answer_events(&room_id, 7, 8);
    expect_told(&two, "7 8");
    come_in(8);
    come_in(9);
    expect_told(&two, "9");
}

static void test_a_failed_read_is_tried_again(void **state)
{
    come_in(5);
    answer(PG_UNKNOWN, NULL);
    assert_int_equal(query_count, 0);
    until(query_count == 1);
    assert_int_equal(asked_after(), 3);
    answer_events(&room_id, 4, 5);
    expect_told(&two, "4 5");
}

static void test_a_head_is_believed(void **state)
{
    rooms_saw_head(node.rooms, &room_id, 3);
    assert_int_equal(query_count, 0);
    rooms_saw_head(node.rooms, &room_id, 4);
    assert_int_equal(asked_after(), 3);
    answer_events(&room_id, 4, 4);
    expect_told(&two, "4");
}

static void test_removals_have_numbers_too(void **state)
{
    PGresult *result = new_events();

    come_in(5);
    add_event(result, &room_id, 4);
    add_event(result, &room_id, 5);
    set_text(result, 1, 2, "removed");
    set_int8(result, 1, 6, 2);
    set_int8(result, 1, 7, 5);
    set_null(result, 1, 8);
    answer(PG_OK, result);
    expect_told(&one, "4c -5");
    expect_told(&two, "4 -5");
}

static void test_the_rooms_of_strangers(void **state)
{
    PGresult *result = new_events();
    const struct uuid other = {{9}};

    rooms_saw_head(node.rooms, &other, 7);
    assert_int_equal(query_count, 0);
    come_in(5);
    add_event(result, &other, 1);
    add_event(result, &room_id, 4);
    answer(PG_OK, result);
    expect_told(&two, "4");
}

static void test_a_room_goes_with_its_last_member(void **state)
{
    come_in(5);
    leave_rooms(&one);
    assert_int_equal(rooms_count(node.rooms), 1);
    leave_rooms(&two);
    assert_int_equal(rooms_count(node.rooms), 0);
    answer_events(&room_id, 4, 5); /* nobody is there to hear it */
    come_in(6);
    expect_told(&two, "");
}

static void test_joining(void **state)
{
    static struct listener_session late, behind, other;

    open_session(&late, &student);
    open_session(&behind, &student);
    open_session(&other, &student);
    come_in(4);
    /* What the database said is older than what was handed out since. */
    assert_false(
        rooms_join(node.rooms, &late.session, &room_id, &teacher, &student, 3, -1)->behind);
    struct room_member *member =
        rooms_join(node.rooms, &behind.session, &room_id, &teacher, &student, 3, 3);
    assert_true(member->behind);
    assert_ptr_equal(rooms_join(node.rooms, &behind.session, &room_id, &teacher, &student, 4, 4),
                     member);
    /* And what it said may be newer. */
    assert_false(
        rooms_join(node.rooms, &other.session, &room_id, &teacher, &student, 6, -1)->behind);
    assert_int_equal(asked_after(), 4);
    answer_events(&room_id, 5, 7);
    expect_told(&late, "5 6 7");
    expect_told(&behind, ""); /* resuming is not the room's business */
    expect_told(&other, "7");
}

static void test_many_holes_share_reads(void **state)
{
    static struct listener_session member;
    struct uuid id = {{2}};

    open_session(&member, &student);
    come_in(5); /* a read is under way: the others gather */
    for (id.bytes[1] = 1; id.bytes[1] <= 70; id.bytes[1]++) {
        rooms_join(node.rooms, &member.session, &id, &teacher, &student, 1, -1);
        rooms_saw_head(node.rooms, &id, 2);
    }
    answer_events(&room_id, 4, 5);
    until(query_count == 1);
    assert_int_equal(asked_rooms(), 64);
    PGresult *result = new_events();
    for (id.bytes[1] = 1; id.bytes[1] <= 64; id.bytes[1]++)
        add_event(result, &id, 2);
    answer(PG_OK, result);
    until(query_count == 1);
    assert_int_equal(asked_rooms(), 6);
}

static void test_telling_without_a_number(void **state)
{
    struct frame *frame = frame_new("{\"t\":\"typing\"}", 14, FRAME_SHED);
    struct room *room = rooms_find(node.rooms, &room_id);

    room_tell(room, frame, &teacher);
    expect_told(&one, "");
    expect_told(&two, "typing");
    room_tell(room, frame, NULL);
    expect_told(&one, "typing");
    frame_unref(frame);
}

static void test_who_is_who(void **state)
{
    const struct room *room = rooms_find(node.rooms, &room_id);

    assert_true(uuid_equal(room_peer(room, &teacher), &student));
    assert_true(uuid_equal(room_peer(room, &student), &teacher));
    assert_true(room_has(room, &teacher) && room_has(room, &student));
    assert_false(room_has(room, &room_id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_in_order_at_once),
        TEST(test_what_was_had_is_dropped),
        TEST(test_a_hole_is_read_first),
        TEST(test_what_comes_while_a_hole_is_read),
        TEST(test_a_failed_read_is_tried_again),
        TEST(test_a_head_is_believed),
        TEST(test_removals_have_numbers_too),
        TEST(test_the_rooms_of_strangers),
        TEST(test_a_room_goes_with_its_last_member),
        TEST(test_joining),
        TEST(test_many_holes_share_reads),
        TEST(test_telling_without_a_number),
        TEST(test_who_is_who),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
