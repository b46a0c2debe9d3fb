/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/outbound.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/outbound.h"
#include "protocol/frame.h"

/* Every frame is {"n":0000} behind a header of two bytes. */
enum { FRAME_BYTES = 12, NUMBER_AT = 7, UNLIMITED = 1 << 20 };

static struct outbound queue;

static int set_up(void **state)
{
    outbound_init(&queue);
    return 0;
}

static int tear_down(void **state)
{
    outbound_deinit(&queue);
    assert_true(outbound_empty(&queue));
    return 0;
}

static enum outbound_result push(int number, enum frame_class class, size_t limit_bytes)
{
    char json[32];
    int length = snprintf(json, sizeof(json), "{\"n\":%04d}", number);
    struct frame *frame = frame_new(json, (size_t)length, class);

    assert_int_equal(frame_length(frame), FRAME_BYTES);
    enum outbound_result result = outbound_push(&queue, frame, limit_bytes);
    frame_unref(frame); /* the queue has a reference of its own */
    return result;
}

static void push_many(int first, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(push(first + i, FRAME_KEEP, UNLIMITED), OUTBOUND_QUEUED);
}

/* What fits into `room` is these frames, in this order. */
static void expect_taken(size_t room, int first, int count)
{
    char buffer[4096], digits[16];

    assert_true(room <= sizeof(buffer));
    assert_int_equal(outbound_take(&queue, buffer, room), count * FRAME_BYTES);
    for (int i = 0; i < count; i++) {
        snprintf(digits, sizeof(digits), "%04d", first + i);
        assert_memory_equal(buffer + i * FRAME_BYTES + NUMBER_AT, digits, 4);
    }
}

static void test_whole_frames_in_order(void **state)
{
    assert_int_equal(outbound_next_bytes(&queue), 0);
    push_many(0, 5);
    assert_int_equal(queue.bytes, 5 * FRAME_BYTES);
    assert_int_equal(outbound_next_bytes(&queue), FRAME_BYTES);
    expect_taken(FRAME_BYTES - 1, 0, 0);
    expect_taken(2 * FRAME_BYTES, 0, 2);
    expect_taken(2 * FRAME_BYTES - 1, 2, 1);
    expect_taken(4096, 3, 2);
    assert_true(outbound_empty(&queue));
    expect_taken(4096, 0, 0);
}

static void test_an_empty_queue_holds_no_memory(void **state)
{
    push_many(0, 20);
    expect_taken(4096, 0, 20);
    assert_null(queue.ring);
    assert_int_equal(queue.bytes, 0);
}

/* The ring wraps and grows while its first frame is anywhere. */
static void test_the_ring_turns(void **state)
{
    int in = 0, out = 0;

    push_many(in, 3);
    in += 3;
    for (int round = 0; round < 200; round++) {
        int more = round % 7 == 0 ? 6 : 2;
        push_many(in, more);
        in += more;
        expect_taken(2 * FRAME_BYTES, out, 2);
        out += 2;
    }
    while (out < in) {
        expect_taken(FRAME_BYTES, out, 1);
        out++;
    }
    assert_true(outbound_empty(&queue));
}

static void test_the_limit(void **state)
{
    const size_t limit = 10 * FRAME_BYTES;

    for (int i = 0; i < 10; i++)
        assert_int_equal(push(i, FRAME_KEEP, limit), OUTBOUND_QUEUED);
    assert_int_equal(push(10, FRAME_KEEP, limit), OUTBOUND_FULL);
    assert_int_equal(queue.bytes, limit);
    expect_taken(FRAME_BYTES, 0, 1);
    assert_int_equal(push(10, FRAME_KEEP, limit), OUTBOUND_QUEUED);
    expect_taken(4096, 1, 10);
}

/* One that is larger than the limit must still be deliverable: alone. */
static void test_a_frame_above_the_limit(void **state)
{
    assert_int_equal(push(0, FRAME_KEEP, 1), OUTBOUND_QUEUED);
    assert_int_equal(push(1, FRAME_KEEP, 1), OUTBOUND_FULL);
    expect_taken(4096, 0, 1);
}

static void test_sheddable_frames_only_in_the_lower_half(void **state)
{
    const size_t limit = 10 * FRAME_BYTES;

    for (int i = 0; i < 5; i++)
        assert_int_equal(push(i, FRAME_SHED, limit), OUTBOUND_QUEUED);
    assert_int_equal(push(5, FRAME_SHED, limit), OUTBOUND_SHED);
    assert_int_equal(push(5, FRAME_KEEP, limit), OUTBOUND_QUEUED);
    expect_taken(4096, 0, 6);
}

/* What must arrive finds room by dropping what need not, and keeps its order. */
static void test_shedding_makes_room(void **state)
{
    const size_t limit = 10 * FRAME_BYTES;

    push(0, FRAME_KEEP, limit);
    for (int i = 0; i < 4; i++)
        assert_int_equal(push(900 + i, FRAME_SHED, limit), OUTBOUND_QUEUED);
    for (int i = 1; i < 10; i++)
        assert_int_equal(push(i, FRAME_KEEP, limit), OUTBOUND_QUEUED);
    assert_int_equal(queue.bytes, limit);
    assert_int_equal(push(10, FRAME_KEEP, limit), OUTBOUND_FULL);
    expect_taken(4096, 0, 10);
}

static void test_frames_are_shared(void **state)
{
    struct frame *frame = frame_new("{}", 2, FRAME_KEEP);
    struct outbound other;

    outbound_init(&other);
    outbound_push(&queue, frame, UNLIMITED);
    outbound_push(&other, frame, UNLIMITED);
    frame_unref(frame);
    outbound_deinit(&other);
    assert_int_equal(outbound_next_bytes(&queue), 4); /* a sanitizer sees whether it is alive */
    char buffer[4];
    assert_int_equal(outbound_take(&queue, buffer, sizeof(buffer)), 4);
    assert_memory_equal(buffer, "\x81\x02{}", 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole_frames_in_order),   TEST(test_an_empty_queue_holds_no_memory),
        TEST(test_the_ring_turns),          TEST(test_the_limit),
        TEST(test_a_frame_above_the_limit), TEST(test_sheddable_frames_only_in_the_lower_half),
        TEST(test_shedding_makes_room),     TEST(test_frames_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
