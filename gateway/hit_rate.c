/* SPDX-License-Identifier: Apache-2.0 */
/* What share of the people who write does a rule hit?
 *
 * Distinct senders are counted, since one who sends the same thing a hundred times says nothing
 * about the rule. Counting them exactly would keep everybody's id; a bitmap of hashes counts them
 * nearly exactly as long as it is not crowded (linear counting: Whang, Vander-Zanden, Taylor 1990):
 * of m bits z are still zero, so about -m ln(z/m) different ones were there.
 */
#include "gateway/hit_rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"

enum { ALL_BITS = 1 << 16, RULE_BITS = 1 << 13, PER = 10000 };

struct counter {
    uint64_t *words;
    uint32_t bits, set;
};

struct hit_rate {
    struct counter all, *rules;
    size_t count;
    uint64_t window_ms, ends_ms;
    unsigned least;
};

static void count(struct counter *counter, uint32_t bits, uint64_t hash)
{
    uint32_t bit = (uint32_t)(hash % bits);

    if (!counter->words) {
        counter->bits = bits;
        counter->words = xcalloc(bits / 64, sizeof(*counter->words));
    }
    uint64_t *word = &counter->words[bit / 64], mask = UINT64_C(1) << (bit % 64);
    counter->set += !(*word & mask);
    *word |= mask;
}

static unsigned estimate(const struct counter *counter)
{
    uint32_t zero = counter->bits - counter->set;

    if (counter->set == 0)
        return 0;
    return (unsigned)lround(-(double)counter->bits *
                            log((zero ? (double)zero : 0.5) / (double)counter->bits));
}

static void clear(struct counter *counter)
{
    free(counter->words);
    *counter = (struct counter){0};
}

struct hit_rate *hit_rate_new(size_t rules, uint64_t window_ms, unsigned least)
{
    struct hit_rate *rate = xcalloc(1, sizeof(*rate));

    rate->rules = xcalloc(rules + 1, sizeof(*rate->rules));
    rate->count = rules;
    rate->window_ms = window_ms;
    rate->least = least;
    return rate;
}

static void clear_all(struct hit_rate *rate)
{
    clear(&rate->all);
    for (size_t i = 0; i < rate->count; i++)
        clear(&rate->rules[i]);
}

struct hit_rate *hit_rate_free(struct hit_rate *rate)
{
    if (!rate)
        return NULL;
    clear_all(rate);
    free(rate->rules);
    free(rate);
    return NULL;
}

void hit_rate_wrote(struct hit_rate *rate, uint64_t now_ms, uint64_t sender)
{
    if (now_ms >= rate->ends_ms) {
        clear_all(rate);
        rate->ends_ms = now_ms + rate->window_ms;
    }
    count(&rate->all, ALL_BITS, sender);
}

bool hit_rate_hit(struct hit_rate *rate, size_t rule, uint64_t sender, unsigned ceiling)
{
    count(&rate->rules[rule], RULE_BITS, sender);
    unsigned hits = hit_rate_hits(rate, rule);

    return hits >= rate->least && (uint64_t)hits * PER > (uint64_t)ceiling * hit_rate_senders(rate);
}

unsigned hit_rate_senders(const struct hit_rate *rate)
{
    return estimate(&rate->all);
}

unsigned hit_rate_hits(const struct hit_rate *rate, size_t rule)
{
    return estimate(&rate->rules[rule]);
}
