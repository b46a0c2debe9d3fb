/* SPDX-License-Identifier: Apache-2.0 */
/* Many literals at once over the words of a text (Vectorscan) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/word_pattern.h"

struct rule_cache;
struct word_matcher;
struct matcher_scratch;
struct word_view;

/* Collects literals, then compiles them. */
struct word_matcher_builder;
struct word_matcher_builder *word_matcher_builder_new(void);
struct word_matcher_builder *word_matcher_builder_free(struct word_matcher_builder *builder);

/* `tag` comes back with each hit. Equal literals may have several tags. */
void word_matcher_add(struct word_matcher_builder *builder, const struct word_pattern *pattern,
                      uint32_t tag);

/* Returns an immutable matcher, or NULL with what is wrong in `why`. Takes the compiled database
 * from the cache (may be NULL) if it is there, and checks it against every literal, one by one. */
struct word_matcher *word_matcher_compile(struct word_matcher_builder *builder,
                                          const struct rule_cache *cache, char *why,
                                          size_t why_bytes);
struct word_matcher *word_matcher_free(struct word_matcher *matcher);
size_t word_matcher_count(const struct word_matcher *matcher);

/* A hit: bytes [start, end) of the view, without edges. */
typedef void (*word_hit_fn)(void *context, uint32_t tag, uint32_t start, uint32_t end);

/* Makes scratch fit this matcher, too. Returns 0 or -EIO. */
int word_matcher_fit(const struct word_matcher *matcher, struct matcher_scratch *scratch);

/* Calls `hit` for every literal in the view, in order of their ends. The scratch must have been
 * made to fit. Returns 0 or -EIO. */
int word_matcher_scan(const struct word_matcher *matcher, struct matcher_scratch *scratch,
                      const struct word_view *view, word_hit_fn hit, void *context);

/* For word_naive.c. A literal (`index` < word_matcher_count()) as it stands in a view, with its
 * edges; returns its length. And what becomes of one that ends at byte `to`: the checks that no
 * database can make, then `hit`. */
size_t word_matcher_literal(const struct word_matcher *matcher, size_t index,
                            char out[WORD_PATTERN_MAX + 2]);
void word_matcher_judge(const struct word_matcher *matcher, size_t index,
                        const struct word_view *view, uint32_t to, word_hit_fn hit, void *context);
