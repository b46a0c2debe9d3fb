/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/worker.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/worker.h"

struct probe {
    struct worker_job job;
    unsigned done, ran;
    unsigned order;
};

static uv_loop_t loop;
static struct worker *worker;
static unsigned done_total;
static atomic_uint running, most_running;
static struct probe extra; /* what a callback submits */

static int set_up(void **state)
{
    done_total = 0;
    running = most_running = 0;
    extra = (struct probe){0};
    return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
    worker = worker_free(worker);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void handle_run(struct worker_job *job)
{
    unsigned now = atomic_fetch_add(&running, 1) + 1;

    if (now > atomic_load(&most_running))
        atomic_store(&most_running, now);
    usleep(2000);
    atomic_fetch_sub(&running, 1);
}

static void handle_done(struct worker_job *job, bool ran)
{
    struct probe *probe = container_of(job, struct probe, job);

    probe->done++;
    probe->ran += ran;
    probe->order = ++done_total;
}

static void handle_done_then_submit(struct worker_job *job, bool ran)
{
    handle_done(job, ran);
    assert_int_equal(worker_submit(worker, &extra.job, handle_run, handle_done), 0);
}

static void handle_done_then_free(struct worker_job *job, bool ran)
{
    handle_done(job, ran);
    worker = worker_free(worker);
}

static int submit(struct probe *probe)
{
    return worker_submit(worker, &probe->job, handle_run, handle_done);
}

static void test_runs_and_completes_once(void **state)
{
    struct probe probes[3] = {0};

    worker = worker_new(&loop, 1, 10);
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&probes[i]), 0);
    assert_int_equal(worker_running(worker), 1);
    assert_int_equal(worker_queued(worker), 2);
    assert_int_equal(done_total, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(probes[i].done, 1);
        assert_int_equal(probes[i].ran, 1);
        assert_int_equal(probes[i].order, i + 1);
    }
    assert_int_equal(worker_running(worker), 0);
}

static void test_both_bounds_hold(void **state)
{
    struct probe probes[10] = {0};
    int accepted = 0;

    worker = worker_new(&loop, 2, 4);
    for (int i = 0; i < 10; i++)
        accepted += submit(&probes[i]) == 0;
    assert_int_equal(accepted, 6);
    assert_int_equal(submit(&probes[9]), WORKER_FULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done_total, 6);
    assert_true(atomic_load(&most_running) <= 2);
    for (int i = 6; i < 10; i++)
        assert_int_equal(probes[i].done, 0);
    assert_int_equal(submit(&probes[9]), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probes[9].ran, 1);
}

static void test_no_queue_at_all(void **state)
{
    struct probe first = {0}, second = {0};

    worker = worker_new(&loop, 1, 0);
    assert_int_equal(submit(&first), 0);
    assert_int_equal(submit(&second), WORKER_FULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(first.ran, 1);
}

static void test_done_may_submit(void **state)
{
    struct probe probe = {0};

    worker = worker_new(&loop, 1, 1);
    assert_int_equal(worker_submit(worker, &probe.job, handle_run, handle_done_then_submit), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(extra.ran, 1);
}

static void test_freeing_cancels_the_queue_only(void **state)
{
    struct probe probes[3] = {0};

    worker = worker_new(&loop, 1, 10);
    for (int i = 0; i < 3; i++)
        submit(&probes[i]);
    worker = worker_free(worker);
    assert_int_equal(done_total, 2);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(probes[0].ran, 1);
    assert_int_equal(probes[1].done, 1);
    assert_int_equal(probes[1].ran, 0);
    assert_int_equal(probes[2].done, 1);
    assert_int_equal(probes[2].ran, 0);
}

static void test_done_may_free_the_pool(void **state)
{
    struct probe probe = {0}, second = {0}, third = {0};

    worker = worker_new(&loop, 1, 2);
    assert_int_equal(worker_submit(worker, &probe.job, handle_run, handle_done_then_free), 0);
    submit(&second);
    submit(&third);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_null(worker);
    assert_int_equal(probe.ran, 1);
    assert_int_equal(second.ran, 1); /* started before the callback */
    assert_int_equal(third.done, 1);
    assert_int_equal(third.ran, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs_and_completes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_bounds_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_queue_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_done_may_submit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_freeing_cancels_the_queue_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_done_may_free_the_pool, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
