/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/timer_wheel.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/timer_wheel.h"

enum { SLOT_MS = 5, SLOTS = 8, ENTRIES = 100 };

struct probe {
    struct timer_entry entry;
    uint64_t armed_ms, fired_ms;
    unsigned fired;
    struct probe *victim; /* what its callback cancels, or arms */
};

static uv_loop_t loop;
static struct timer_wheel *wheel;
static unsigned fired_total;

static int set_up(void **state)
{
    uv_loop_init(&loop);
    wheel = timer_wheel_new(&loop, SLOT_MS, SLOTS);
    fired_total = 0;
    return 0;
}

static int tear_down(void **state)
{
    wheel = timer_wheel_free(wheel);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void init(struct probe *probe)
{
    memset(probe, 0, sizeof(*probe));
    timer_entry_init(&probe->entry);
}

static void handle_fire(struct timer_entry *entry)
{
    struct probe *probe = container_of(entry, struct probe, entry);

    assert_false(timer_entry_armed(entry));
    probe->fired++;
    fired_total++;
    probe->fired_ms = uv_now(&loop);
}

static void handle_cancel_victim(struct timer_entry *entry)
{
    handle_fire(entry);
    timer_wheel_cancel(&container_of(entry, struct probe, entry)->victim->entry);
}

static void handle_arm_victim(struct timer_entry *entry)
{
    handle_fire(entry);
    timer_wheel_arm(wheel, &container_of(entry, struct probe, entry)->victim->entry, 0,
                    handle_fire);
}

static void handle_arm_again(struct timer_entry *entry)
{
    handle_fire(entry);
    if (container_of(entry, struct probe, entry)->fired < 5)
        timer_wheel_arm(wheel, entry, 0, handle_arm_again);
}

static void arm(struct probe *probe, uint64_t delay_ms, timer_fn fire)
{
    probe->armed_ms = uv_now(&loop);
    timer_wheel_arm(wheel, &probe->entry, delay_ms, fire);
}

/* Delays from zero to several turns of the wheel. */
static void test_fires_once_and_never_early(void **state)
{
    static struct probe probes[ENTRIES];

    for (unsigned i = 0; i < ENTRIES; i++) {
        init(&probes[i]);
        arm(&probes[i], i * 2, handle_fire);
        assert_true(timer_entry_armed(&probes[i].entry));
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < ENTRIES; i++) {
        assert_int_equal(probes[i].fired, 1);
        assert_true(probes[i].fired_ms >= probes[i].armed_ms + i * 2);
    }
}

static void test_cancel(void **state)
{
    struct probe probe, kept;

    init(&probe);
    init(&kept);
    timer_wheel_cancel(&probe.entry);
    arm(&probe, 10, handle_fire);
    arm(&kept, 10, handle_fire);
    timer_wheel_cancel(&probe.entry);
    assert_false(timer_entry_armed(&probe.entry));
    timer_wheel_cancel(&probe.entry);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probe.fired, 0);
    assert_int_equal(kept.fired, 1);
}

/* A heartbeat is pushed back again and again, and fires once after the last time. */
static void test_arming_again_moves_it(void **state)
{
    struct probe probe;

    init(&probe);
    arm(&probe, 10, handle_fire);
    arm(&probe, 60, handle_fire);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probe.fired, 1);
    assert_true(probe.fired_ms >= probe.armed_ms + 60);
}

static void test_callback_may_cancel_its_neighbours(void **state)
{
    struct probe first, second;

    init(&first);
    init(&second);
    first.victim = &second;
    second.victim = &first;
    arm(&first, 10, handle_cancel_victim);
    arm(&second, 10, handle_cancel_victim);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(fired_total, 1);
    assert_int_equal(first.fired, 1);
}

static void test_callback_may_arm(void **state)
{
    struct probe probe, victim, again;

    init(&probe);
    init(&victim);
    init(&again);
    probe.victim = &victim;
    arm(&probe, 10, handle_arm_victim);
    arm(&victim, 100000, handle_fire);
    arm(&again, 0, handle_arm_again);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probe.fired, 1);
    assert_int_equal(victim.fired, 1);
    assert_true(victim.fired_ms > probe.fired_ms);
    assert_int_equal(again.fired, 5);
}

/* The loop is blocked for more than a turn of the wheel: everything due fires, nothing else. */
static void test_after_a_stall(void **state)
{
    static struct probe probes[ENTRIES];
    struct probe far;

    init(&far);
    for (unsigned i = 0; i < ENTRIES; i++) {
        init(&probes[i]);
        arm(&probes[i], i / 2, handle_fire);
    }
    arm(&far, 5000, handle_fire);
    usleep(SLOT_MS * SLOTS * 3 * 1000);
    uv_run(&loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < ENTRIES; i++)
        assert_int_equal(probes[i].fired, 1);
    assert_int_equal(far.fired, 0);
    timer_wheel_cancel(&far.entry);
}

/* With nothing armed the timer rests, and the ticks of the pause are not made up for. */
static void test_idle_wheel_lets_the_loop_end(void **state)
{
    struct probe probe;

    init(&probe);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    usleep(SLOT_MS * SLOTS * 2 * 1000);
    uv_update_time(&loop);
    arm(&probe, 20, handle_fire);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probe.fired, 1);
    assert_true(probe.fired_ms >= probe.armed_ms + 20);
    assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fires_once_and_never_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arming_again_moves_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_callback_may_cancel_its_neighbours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_callback_may_arm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_stall, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_idle_wheel_lets_the_loop_end, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
