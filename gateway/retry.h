/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try: exponential backoff with full jitter. */
#pragma once

#include <stdint.h>

/* Embedded; there is nothing to free. */
struct retry {
    uint32_t base_ms, cap_ms;
    uint32_t attempts; /* tries since the last success */
    uint64_t random;   /* generator's state */
};

/* `base_ms` bounds the first wait, `cap_ms` every wait; 0 < base_ms <= cap_ms. `seed` makes the
 * waits of one run repeatable; retry_seed() gives one that no two processes share. */
void retry_init(struct retry *retry, uint32_t base_ms, uint32_t cap_ms, uint64_t seed);
uint64_t retry_seed(void);

/* The next wait: uniform in [1, min(cap_ms, base_ms * 2^attempts)]. Counts the attempt. */
uint32_t retry_next_ms(struct retry *retry);

/* It worked: the next wait starts from base_ms again. */
void retry_reset(struct retry *retry);
