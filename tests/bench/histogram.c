/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact below 64 us; above it a bucket is a 64th of its power of two, so that a percentile is at
 * most 1.6 % too high whatever its size, and adding one is two shifts.
 */
#include "tests/bench/histogram.h"

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

static unsigned bucket_of(uint64_t duration_us)
{
    if (duration_us < STEPS)
        return (unsigned)duration_us;
    unsigned power = 63 - (unsigned)__builtin_clzll(duration_us) - HISTOGRAM_STEP_BITS;
    if (power >= HISTOGRAM_POWERS)
        return HISTOGRAM_BUCKETS - 1;
    return ((power + 1) << HISTOGRAM_STEP_BITS) + (unsigned)(duration_us >> power) - STEPS;
}

static uint64_t upper_end_us(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned power = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t step = bucket & (STEPS - 1);
    return ((STEPS + step + 1) << power) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t duration_us)
{
    histogram->count++;
    histogram->sum_us += duration_us;
    if (duration_us > histogram->max_us)
        histogram->max_us = duration_us;
    histogram->buckets[bucket_of(duration_us)]++;
}

uint64_t histogram_percentile_us(const struct histogram *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100;
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen && (double)seen >= wanted) {
            uint64_t end = upper_end_us(i);
            return end < histogram->max_us ? end : histogram->max_us;
        }
    }
    return histogram->max_us;
}
