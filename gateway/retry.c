/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential backoff with full jitter.
 *
 * When a server comes back, all its clients have noticed its death at the same moment. A plain
 * exponential backoff keeps them in step, so they would knock together again and again; a wait
 * that is uniform over the whole interval spreads them evenly, and costs the single client nothing:
 * it waits half as long on the average. ("Exponential Backoff And Jitter", AWS Architecture Blog.)
 */

#include "gateway/retry.h"

#include "gateway/clock.h"

#include <assert.h>
#include <sys/random.h>
#include <unistd.h>

/* splitmix64: any seed will do, zero too, and the state is one word. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void retry_init(struct retry *retry, uint32_t base_ms, uint32_t cap_ms, uint64_t seed)
{
    assert(base_ms > 0 && base_ms <= cap_ms);
    *retry = (struct retry){.base_ms = base_ms, .cap_ms = cap_ms, .random = seed};
}

uint64_t retry_seed(void)
{
    uint64_t seed;

    /* Short of entropy at boot: what follows need only differ between processes. */
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = clock_now_us() ^ ((uint64_t)getpid() << 32);
    return seed;
}

uint32_t retry_next_ms(struct retry *retry)
{
    uint64_t bound = retry->cap_ms;

    if (retry->attempts < 32 && ((uint64_t)retry->base_ms << retry->attempts) < bound)
        bound = (uint64_t)retry->base_ms << retry->attempts;
    if (retry->attempts < UINT32_MAX)
        retry->attempts++;
    return (uint32_t)(1 + next_random(&retry->random) % bound);
}

void retry_reset(struct retry *retry)
{
    retry->attempts = 0;
}
