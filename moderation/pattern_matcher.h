/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of all rules at once over the words of a text (Vectorscan) */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "moderation/word_matcher.h"

struct matcher_scratch;
struct pattern_matcher;
struct word_view;

struct pattern_matcher *pattern_matcher_new(void);
struct pattern_matcher *pattern_matcher_free(struct pattern_matcher *matcher);

/* Adds a pattern as rules write it (pattern_syntax.h). Returns NULL, or what is wrong with it: text
 * that lives as long as the matcher. */
const char *pattern_matcher_add(struct pattern_matcher *matcher, const char *text, size_t length,
                                uint32_t tag);

/* After the last pattern. Returns NULL or what is wrong, as above. */
const char *pattern_matcher_compile(struct pattern_matcher *matcher);

/* Makes scratch fit this matcher, too. Returns 0 or -EIO. */
int pattern_matcher_fit(const struct pattern_matcher *matcher, struct matcher_scratch *scratch);

/* Calls `hit` for every match. Returns 0 or -EIO. */
int pattern_matcher_scan(const struct pattern_matcher *matcher,
                         const struct matcher_scratch *scratch, const struct word_view *view,
                         word_hit_fn hit, void *context);
