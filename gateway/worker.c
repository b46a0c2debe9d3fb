/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of blocking jobs on libuv's threads
 *
 * uv_queue_work() alone would queue without end: thousands of logins would each wait for minutes
 * behind the others, and name resolution behind all of them, since libuv's threads are everybody's.
 * So the pool gives libuv only as many jobs as may run at once, keeps a short queue of its own, and
 * says no to the rest at once, which the caller can tell its client.
 *
 * The pool is freed in two steps, as handles are: worker_free() ends the queue, and the last
 * running job, which nobody can interrupt, frees the memory. */
#include "gateway/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "protocol/xalloc.h"

struct worker {
    uv_loop_t *loop;
    struct list_node queued; /* worker_job::link */
    unsigned running_count, max_running;
    unsigned queued_count, max_queued;
    bool freed;
};

static void handle_run(uv_work_t *work)
{
    struct worker_job *job = container_of(work, struct worker_job, work);

    job->run(job);
}

static void handle_finished(uv_work_t *work, int status);

static void start(struct worker *worker, struct worker_job *job)
{
    int error = uv_queue_work(worker->loop, &job->work, handle_run, handle_finished);

    assert(error == 0); /* its only failure is a missing callback */
    worker->running_count++;
}

static void start_next(struct worker *worker)
{
    struct list_node *node = list_first(&worker->queued);

    if (!node || worker->running_count >= worker->max_running)
        return;
    list_remove(node);
    worker->queued_count--;
    start(worker, container_of(node, struct worker_job, link));
}

/* The next job starts before done is called, since done may do anything, such as free the pool. */
static void handle_finished(uv_work_t *work, int status)
{
    struct worker_job *job = container_of(work, struct worker_job, work);
    struct worker *worker = job->worker;

    worker->running_count--;
    start_next(worker);
    if (worker->freed && worker->running_count == 0)
        free(worker);
    job->done(job, status == 0);
}

struct worker *worker_new(uv_loop_t *loop, unsigned max_running, unsigned max_queued)
{
    struct worker *worker = xcalloc(1, sizeof(*worker));

    assert(max_running > 0);
    worker->loop = loop;
    worker->max_running = max_running;
    worker->max_queued = max_queued;
    list_init(&worker->queued);
    return worker;
}

static void cancel_queued(struct worker *worker)
{
    struct list_node *node;

    while ((node = list_first(&worker->queued)) != NULL) {
        struct worker_job *job = container_of(node, struct worker_job, link);

        list_remove(node);
        worker->queued_count--;
        job->done(job, false);
    }
}

struct worker *worker_free(struct worker *worker)
{
    if (!worker)
        return NULL;
    assert(!worker->freed);
    worker->freed = true;
    cancel_queued(worker);
    if (worker->running_count == 0)
        free(worker);
    return NULL;
}

int worker_submit(struct worker *worker, struct worker_job *job, worker_run_fn run,
                  worker_done_fn done)
{
    bool may_start = worker->running_count < worker->max_running;

    if (worker->freed || (!may_start && worker->queued_count >= worker->max_queued))
        return WORKER_FULL;
    job->worker = worker;
    job->run = run;
    job->done = done;
    list_init(&job->link);
    if (may_start) {
        start(worker, job);
        return 0;
    }
    list_append(&worker->queued, &job->link);
    worker->queued_count++;
    return 0;
}

unsigned worker_running(const struct worker *worker)
{
    return worker->running_count;
}

unsigned worker_queued(const struct worker *worker)
{
    return worker->queued_count;
}
