/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of blocking jobs on libuv's threads */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "protocol/list.h"

struct worker;
struct worker_job;

/* Runs on another thread: touches nothing but the job's own memory. */
typedef void (*worker_run_fn)(struct worker_job *job);

/* Runs on the loop, exactly once for each accepted job and never inside worker_submit(). The job
 * is the caller's again and may be freed. `ran` is false if the pool was freed before its turn. */
typedef void (*worker_done_fn)(struct worker_job *job, bool ran);

/* Embedded in the caller's request, which lives until done. The fields belong to the pool. */
struct worker_job {
    uv_work_t work;
    struct list_node link; /* worker::queued */
    struct worker *worker;
    worker_run_fn run;
    worker_done_fn done;
};

enum worker_result {
    WORKER_FULL = 1, /* the queue is full, or the pool is being freed: done will not be called */
};

/* At most `max_running` jobs run at once (they share libuv's four threads with everybody else) and
 * `max_queued` more wait in order. */
struct worker *worker_new(uv_loop_t *loop, unsigned max_running, unsigned max_queued);

/* Completes what is queued with ran = false at once, and lets what runs finish: the loop keeps
 * turning until the last done, after which the pool's memory goes. Takes NULL, returns NULL. */
struct worker *worker_free(struct worker *worker);

/* 0, or WORKER_FULL. */
int worker_submit(struct worker *worker, struct worker_job *job, worker_run_fn run,
                  worker_done_fn done);

unsigned worker_running(const struct worker *worker);
unsigned worker_queued(const struct worker *worker);
