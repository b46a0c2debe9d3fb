/* SPDX-License-Identifier: Apache-2.0 */
/* When the next batch may leave */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct write_pace {
    uint64_t due_us; /* when all batches that were sent will have been paid for */
};

enum {
    WRITE_PACE_GAP_US = 2000,
    WRITE_PACE_BURST = 16,
};

#define WRITE_PACE_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

/* How long the next batch should wait for company: 0 = not at all. Times are clock_now_us(). */
uint64_t write_pace_wait_us(const struct write_pace *pace, uint64_t now_us);

/* A batch leaves. */
void write_pace_spend(struct write_pace *pace, uint64_t now_us);
