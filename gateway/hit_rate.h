/* SPDX-License-Identifier: Apache-2.0 */
/* What share of the people who write does a rule hit? */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hit_rate;

/* For `rules` rules, in windows of `window_ms`. Nothing is said of a rule before `least` senders
 * were hit. About 8 KiB, and 1 KiB for each rule that hit. */
struct hit_rate *hit_rate_new(size_t rules, uint64_t window_ms, unsigned least);
struct hit_rate *hit_rate_free(struct hit_rate *rate); /* takes NULL, returns NULL */

/* Somebody wrote; `sender` is a hash of who. */
void hit_rate_wrote(struct hit_rate *rate, uint64_t now_ms, uint64_t sender);

/* A rule hit this sender, who wrote. True if that is more than `ceiling` of 10,000 senders of this
 * window. */
bool hit_rate_hit(struct hit_rate *rate, size_t rule, uint64_t sender, unsigned ceiling);

/* Distinct senders so far, about: of all, and those whom a rule hit. */
unsigned hit_rate_senders(const struct hit_rate *rate);
unsigned hit_rate_hits(const struct hit_rate *rate, size_t rule);
