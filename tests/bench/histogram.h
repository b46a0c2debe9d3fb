/* SPDX-License-Identifier: Apache-2.0 */
/* Durations counted in buckets of about 1.5 % width */
#pragma once

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 6, /* 64 buckets for each power of two */
    HISTOGRAM_POWERS = 30,   /* up to 2^36 us, about 19 hours */
    HISTOGRAM_BUCKETS = (HISTOGRAM_POWERS + 1) << HISTOGRAM_STEP_BITS,
};

/* Embedded; all zero is empty. */
struct histogram {
    uint64_t count, sum_us, max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t duration_us);

/* The duration that `percent` of all do not exceed, in microseconds (a bucket's upper end, and
 * never above the longest one seen); 0 if there are none. */
uint64_t histogram_percentile_us(const struct histogram *histogram, double percent);
