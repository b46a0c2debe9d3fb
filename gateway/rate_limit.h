/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, single and in a bounded table of keys */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A bucket of `burst` tokens that fills by `rate_per_s`. All zero is a full one. Rate and burst are
 * told on every call, so a reload of the limits needs no walk over the buckets. Times are
 * milliseconds of any one clock that does not go back. */
struct rate_limit {
    double full_at_ms; /* when the bucket will be, or was, full */
};

#define RATE_LIMIT_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

/* Takes `n` tokens. Returns 0, or the milliseconds (at least 1) after which the same call would
 * succeed, and takes nothing. `n` above `burst` needs a full bucket and leaves a debt. `rate_per_s`
 * and `burst` are above 0. */
int64_t rate_limit_take(struct rate_limit *bucket, int64_t now_ms, double rate_per_s, double burst,
                        double n);

/* What rate_limit_take() would return; takes nothing. */
int64_t rate_limit_check(const struct rate_limit *bucket, int64_t now_ms, double rate_per_s,
                         double burst, double n);

/* Takes `n` tokens whether they are there or not: for what happened already, such as sends heard
 * from other nodes. The debt ends at one burst. */
void rate_limit_debit(struct rate_limit *bucket, int64_t now_ms, double rate_per_s, double burst,
                      double n);

/* Buckets by key (an account, an address) in a fixed amount of memory: 16 bytes an entry. Keys are
 * hashed under a random key of the table. An entry expires when its bucket is full again; where
 * entries compete for a place, the one with the least debt is forgotten. */
struct rate_table;

/* Room for at least `entries` keys. */
struct rate_table *rate_table_new(size_t entries, double rate_per_s, double burst);
struct rate_table *rate_table_free(struct rate_table *table);

/* New limits, at once for all keys. */
void rate_table_configure(struct rate_table *table, double rate_per_s, double burst);

/* As the functions above, for one token of `key`'s bucket. */
int64_t rate_table_take(struct rate_table *table, const void *key, size_t bytes, int64_t now_ms);
int64_t rate_table_check(const struct rate_table *table, const void *key, size_t bytes,
                         int64_t now_ms);
void rate_table_debit(struct rate_table *table, const void *key, size_t bytes, int64_t now_ms);

/* Gives one token back that was taken for nothing. */
void rate_table_credit(struct rate_table *table, const void *key, size_t bytes);

/* Forgets a key: its bucket is full again. */
void rate_table_forgive(struct rate_table *table, const void *key, size_t bytes);
