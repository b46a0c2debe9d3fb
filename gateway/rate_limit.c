/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, single and in a bounded table of keys
 *
 * A bucket is one number: the time at which it will be full again (the generic cell rate algorithm,
 * turned round). Taking tokens moves that time on by what they take to fill; the tokens are there
 * if it stays within a burst of now. So nothing has to be refilled, a zeroed bucket is a full one,
 * and a time in the past says that the bucket may be forgotten. It is a double because milliseconds
 * are too coarse for high rates: in Unix milliseconds it still resolves 0.25 us.
 *
 * The table is set-associative, like a cache: a key may lie in one of eight places, found by a
 * SipHash under a random key, of which 64 bits stand for the key itself. It cannot grow, needs no
 * sweep, and when an attacker floods it, keys with the least debt are forgotten first, so that
 * those who guessed most stay. */
#include "gateway/rate_limit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#include "gateway/siphash.h"
#include "protocol/xalloc.h"

enum { WAYS = 8 };

/* More than doubles round by, for times up to 2^42 ms (Unix time until 2109). */
static const double rounding_ms = 0.001;

struct rate_entry {
    uint64_t hash;
    struct rate_limit bucket;
};

struct rate_table {
    uint8_t hash_key[SIPHASH_KEY_BYTES];
    double rate_per_s, burst;
    size_t sets; /* a power of two */
    struct rate_entry entries[];
};

static double filling_ms(double tokens, double rate_per_s)
{
    return tokens * 1000 / rate_per_s;
}

static double start_of(const struct rate_limit *bucket, int64_t now_ms)
{
    return fmax(bucket->full_at_ms, (double)now_ms);
}

int64_t rate_limit_check(const struct rate_limit *bucket, int64_t now_ms, double rate_per_s,
                         double burst, double n)
{
    double debt_ms = start_of(bucket, now_ms) - (double)now_ms;
    double needed_ms = filling_ms(fmin(n, burst), rate_per_s);
    double late_ms = debt_ms + needed_ms - filling_ms(burst, rate_per_s);

    assert(rate_per_s > 0 && burst > 0);
    return late_ms <= rounding_ms ? 0 : (int64_t)ceil(late_ms - rounding_ms);
}

int64_t rate_limit_take(struct rate_limit *bucket, int64_t now_ms, double rate_per_s, double burst,
                        double n)
{
    int64_t retry_after_ms = rate_limit_check(bucket, now_ms, rate_per_s, burst, n);

    if (retry_after_ms == 0)
        bucket->full_at_ms = start_of(bucket, now_ms) + filling_ms(n, rate_per_s);
    return retry_after_ms;
}

void rate_limit_debit(struct rate_limit *bucket, int64_t now_ms, double rate_per_s, double burst,
                      double n)
{
    double full_at_ms = start_of(bucket, now_ms) + filling_ms(n, rate_per_s);
    double latest_ms = (double)now_ms + 2 * filling_ms(burst, rate_per_s);

    bucket->full_at_ms = fmax(fmin(full_at_ms, latest_ms), bucket->full_at_ms);
}

struct rate_table *rate_table_new(size_t entries, double rate_per_s, double burst)
{
    struct rate_table *table;
    size_t sets = 1;

    while (sets * WAYS < entries)
        sets *= 2;
    table = xcalloc(1, sizeof(*table) + sets * WAYS * sizeof(table->entries[0]));
    table->sets = sets;
    if (getrandom(table->hash_key, sizeof(table->hash_key), 0) != sizeof(table->hash_key))
        abort(); /* cannot happen for so few bytes: getrandom(2) */
    rate_table_configure(table, rate_per_s, burst);
    return table;
}

struct rate_table *rate_table_free(struct rate_table *table)
{
    free(table);
    return NULL;
}

void rate_table_configure(struct rate_table *table, double rate_per_s, double burst)
{
    assert(rate_per_s > 0 && burst > 0);
    table->rate_per_s = rate_per_s;
    table->burst = burst;
}

static uint64_t hash_of(const struct rate_table *table, const void *key, size_t bytes)
{
    return siphash24(table->hash_key, key, bytes);
}

static size_t set_of(const struct rate_table *table, uint64_t hash)
{
    return (size_t)(hash & (table->sets - 1)) * WAYS;
}

/* The place of `hash`, or SIZE_MAX. An unused entry is one of hash 0 with a full bucket: harmless.
 */
static size_t find(const struct rate_table *table, uint64_t hash)
{
    size_t set = set_of(table, hash);

    for (size_t i = set; i < set + WAYS; i++)
        if (table->entries[i].hash == hash)
            return i;
    return SIZE_MAX;
}

/* The bucket nearest to full: an unused one, an expired one, or the one with the least debt. */
static size_t evict(struct rate_table *table, uint64_t hash)
{
    size_t set = set_of(table, hash), least = set;

    for (size_t i = set + 1; i < set + WAYS; i++)
        if (table->entries[i].bucket.full_at_ms < table->entries[least].bucket.full_at_ms)
            least = i;
    table->entries[least] = (struct rate_entry){.hash = hash};
    return least;
}

static struct rate_limit *bucket_of(struct rate_table *table, const void *key, size_t bytes)
{
    uint64_t hash = hash_of(table, key, bytes);
    size_t place = find(table, hash);

    if (place == SIZE_MAX)
        place = evict(table, hash);
    return &table->entries[place].bucket;
}

int64_t rate_table_take(struct rate_table *table, const void *key, size_t bytes, int64_t now_ms)
{
    return rate_limit_take(bucket_of(table, key, bytes), now_ms, table->rate_per_s, table->burst,
                           1);
}

void rate_table_debit(struct rate_table *table, const void *key, size_t bytes, int64_t now_ms)
{
    rate_limit_debit(bucket_of(table, key, bytes), now_ms, table->rate_per_s, table->burst, 1);
}

int64_t rate_table_check(const struct rate_table *table, const void *key, size_t bytes,
                         int64_t now_ms)
{
    size_t place = find(table, hash_of(table, key, bytes));

    if (place == SIZE_MAX)
        return 0;
    return rate_limit_check(&table->entries[place].bucket, now_ms, table->rate_per_s, table->burst,
                            1);
}

void rate_table_credit(struct rate_table *table, const void *key, size_t bytes)
{
    size_t place = find(table, hash_of(table, key, bytes));

    if (place != SIZE_MAX)
        table->entries[place].bucket.full_at_ms -= filling_ms(1, table->rate_per_s);
}

void rate_table_forgive(struct rate_table *table, const void *key, size_t bytes)
{
    size_t place = find(table, hash_of(table, key, bytes));

    if (place != SIZE_MAX)
        table->entries[place] = (struct rate_entry){0};
}
