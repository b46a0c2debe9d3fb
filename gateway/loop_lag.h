/* SPDX-License-Identifier: Apache-2.0 */
/* How long the event loop is kept from its other work by one turn */
#pragma once

#include <uv.h>

struct loop_lag;

/* Starts measuring: every turn's busy time goes to METRIC_EVENT_LOOP_LAG_SECONDS, the longest of
 * the last one to two windows to METRIC_EVENT_LOOP_LAG_MAX_SECONDS. To be called before the loop
 * runs first (it switches libuv's idle-time accounting on). Its handles do not keep the loop
 * alive. */
struct loop_lag *loop_lag_new(uv_loop_t *loop);

/* The memory goes when the loop has closed the handles. Takes NULL, returns NULL. */
struct loop_lag *loop_lag_free(struct loop_lag *lag);

enum { LOOP_LAG_WINDOW_MS = 30000 };

/* The longest turn of the present and the last window, in seconds. */
double loop_lag_max_s(const struct loop_lag *lag);
