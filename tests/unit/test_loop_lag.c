/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/loop_lag.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/loop_lag.h"
#include "gateway/metrics.h"

static uv_loop_t loop;
static struct loop_lag *lag;

static int set_up(void **state)
{
    uv_loop_init(&loop);
    lag = loop_lag_new(&loop);
    return 0;
}

static int tear_down(void **state)
{
    lag = loop_lag_free(lag);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void handle_quick(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void handle_slow(uv_timer_t *timer)
{
    usleep(60000);
    uv_close((uv_handle_t *)timer, NULL);
}

static void handle_readable(uv_poll_t *poll, int status, int events)
{
    usleep(60000);
    uv_close((uv_handle_t *)poll, NULL);
}

static void run_timer(uint64_t delay_ms, uv_timer_cb callback)
{
    uv_timer_t timer;

    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, callback, delay_ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_waiting_is_no_lag(void **state)
{
    double turns = metrics_value(METRIC_EVENT_LOOP_LAG_SECONDS, 0, 0);

    run_timer(300, handle_quick);
    assert_true(loop_lag_max_s(lag) < .25); /* even on a busy machine */
    assert_true(metrics_value(METRIC_EVENT_LOOP_LAG_SECONDS, 0, 0) > turns);
}

static void test_slow_timer_is_lag(void **state)
{
    run_timer(10, handle_slow);
    run_timer(1, handle_quick);
    assert_true(loop_lag_max_s(lag) >= .06);
    assert_true(loop_lag_max_s(lag) < 5);
    assert_true(metrics_value(METRIC_EVENT_LOOP_LAG_MAX_SECONDS, 0, 0) == loop_lag_max_s(lag));
}

/* libuv calls back for sockets inside its poll phase. */
static void test_slow_socket_callback_is_lag(void **state)
{
    uv_poll_t poll;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    uv_poll_init(&loop, &poll, ends[0]);
    uv_poll_start(&poll, UV_READABLE, handle_readable);
    uv_run(&loop, UV_RUN_DEFAULT);
    run_timer(1, handle_quick);
    assert_true(loop_lag_max_s(lag) >= .06);
    close(ends[0]);
    close(ends[1]);
}

static void test_start_up_is_no_lag(void **state)
{
    usleep(300000);
    run_timer(1, handle_quick);
    run_timer(1, handle_quick);
    assert_true(loop_lag_max_s(lag) < .25);
}

/* It must neither keep the loop alive nor keep it from its end. */
static void test_does_not_hold_the_loop(void **state)
{
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waiting_is_no_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_timer_is_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_socket_callback_is_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start_up_is_no_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_does_not_hold_the_loop, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
