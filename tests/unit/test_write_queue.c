/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/write_queue.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/write_queue.h"
#include "gateway/writer.h"

enum { WRITES_MAX = 3000, NOW_MS = 1000 };

static struct write_queue queue;
static struct write writes[WRITES_MAX];
static unsigned write_count;

struct batch {
    struct list_node list;
    struct write_rooms rooms;
};

static struct write *add(uint8_t room, int64_t rule_set)
{
    struct write *write = &writes[write_count++];

    *write =
        (struct write){.message.room = {{room}}, .rule_set = rule_set, .deadline_ms = 10 * NOW_MS};
    list_init(&write->link);
    write_queue_add(&queue, write);
    return write;
}

static size_t take(struct batch *batch, size_t limit, uint64_t now_ms)
{
    *batch = (struct batch){0};
    list_init(&batch->list);
    write_queue_end_rest(&queue, now_ms);
    return write_queue_take(&queue, limit, &batch->list, &batch->rooms);
}

static size_t take_aside(struct batch *batch, uint64_t now_ms)
{
    list_init(&batch->list);
    return write_queue_take_aside(&queue, 100, &batch->list, now_ms);
}

static struct write *first_of(struct batch *batch)
{
    return container_of(list_first(&batch->list), struct write, link);
}

static int set_up(void **state)
{
    write_queue_init(&queue);
    write_count = 0;
    return 0;
}

static void test_the_oldest_of_one_rule_set_go_first(void **state)
{
    struct batch batch;

    add(1, 7);
    add(2, 7);
    add(3, 8);
    add(4, 7);
    assert_int_equal(take(&batch, 100, NOW_MS), 2);
    assert_ptr_equal(first_of(&batch), &writes[0]);
    assert_int_equal(queue.count, 2);
}

static void test_no_room_is_in_two_batches(void **state)
{
    struct batch first, second;

    add(1, 7);
    assert_int_equal(take(&first, 100, NOW_MS), 1);
    add(1, 7);
    add(2, 7);
    assert_int_equal(take(&second, 100, NOW_MS), 1);
    assert_ptr_equal(first_of(&second), &writes[2]);
    write_queue_settle(&queue, &second.list, &second.rooms);
    assert_int_equal(take(&second, 100, NOW_MS), 1); /* the second's again */
    write_queue_settle(&queue, &first.list, &first.rooms);
    assert_int_equal(take(&first, 100, NOW_MS), 2);
    assert_ptr_equal(first_of(&first), &writes[0]); /* still before the later one */
}

static void test_busy_rooms_rest_and_keep_their_order(void **state)
{
    struct batch batch;

    add(1, 7);
    add(1, 7);
    take(&batch, 100, NOW_MS);
    write_queue_settle_busy(&queue, &batch.list, &batch.rooms, NOW_MS);
    add(1, 7);
    assert_int_equal(take(&batch, 100, NOW_MS), 0);
    assert_int_equal(write_queue_due_ms(&queue), NOW_MS + WRITE_REST_MS);
    assert_int_equal(queue.count, 3);
    assert_int_equal(take(&batch, 100, NOW_MS + WRITE_REST_MS), 3);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(first_of(&batch), &writes[i]);
        list_remove(&writes[i].link);
    }
    assert_int_equal(write_queue_due_ms(&queue), UINT64_MAX);
}

static void test_a_room_that_stays_busy_is_set_aside_with_all_of_its_messages(void **state)
{
    struct batch batch;

    add(1, 7)->busy_rounds = WRITE_BUSY_ROUNDS;
    add(2, 7);
    add(1, 7);
    take(&batch, 1, NOW_MS);
    write_queue_settle_busy(&queue, &batch.list, &batch.rooms, NOW_MS);
    assert_int_equal(take(&batch, 100, NOW_MS + WRITE_REST_MS), 1);
    assert_ptr_equal(first_of(&batch), &writes[1]);
    add(1, 7);
    assert_int_equal(take_aside(&batch, NOW_MS), 3);
    assert_ptr_equal(first_of(&batch), &writes[0]);
    add(1, 7); /* behind those that are waited for */
    assert_int_equal(take(&batch, 100, NOW_MS + WRITE_REST_MS), 0);
}

static void test_rooms_that_are_aside_take_turns(void **state)
{
    struct batch batch;

    add(1, 7)->busy_rounds = WRITE_BUSY_ROUNDS;
    add(2, 7)->busy_rounds = WRITE_BUSY_ROUNDS;
    write_queue_set_aside(&queue);
    assert_int_equal(take_aside(&batch, NOW_MS), 1);
    assert_int_equal(take_aside(&(struct batch){0}, NOW_MS), 0); /* one at a time */
    write_queue_give_turn(&queue, &batch.list, NOW_MS);
    assert_int_equal(take_aside(&batch, NOW_MS), 0);
    assert_int_equal(write_queue_due_ms(&queue), NOW_MS + WRITE_ASIDE_MS);
    assert_int_equal(take_aside(&batch, NOW_MS + WRITE_ASIDE_MS), 1);
    assert_ptr_equal(first_of(&batch), &writes[1]);
    write_queue_settle_aside(&queue, &batch.list); /* to be tried again at once */
    assert_int_equal(take_aside(&batch, NOW_MS + WRITE_ASIDE_MS), 1);
    assert_ptr_equal(first_of(&batch), &writes[1]);
    assert_int_equal(queue.count, 1);
}

static void test_overdue_ones_are_found_in_front_and_aside(void **state)
{
    struct write *refused = &writes[WRITES_MAX - 1];

    add(1, 7)->busy_rounds = WRITE_BUSY_ROUNDS;
    add(1, 7)->deadline_ms = NOW_MS;
    write_queue_set_aside(&queue);
    add(2, 7);
    list_init(&refused->link);
    write_queue_refuse(&queue, refused);
    assert_ptr_equal(write_queue_take_overdue(&queue, NOW_MS), refused);
    assert_ptr_equal(write_queue_take_overdue(&queue, NOW_MS), &writes[1]);
    assert_null(write_queue_take_overdue(&queue, NOW_MS));
    assert_int_equal(queue.count, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_oldest_of_one_rule_set_go_first),
        TEST(test_no_room_is_in_two_batches),
        TEST(test_busy_rooms_rest_and_keep_their_order),
        TEST(test_a_room_that_stays_busy_is_set_aside_with_all_of_its_messages),
        TEST(test_rooms_that_are_aside_take_turns),
        TEST(test_overdue_ones_are_found_in_front_and_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
