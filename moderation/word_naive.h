/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a matcher found without Vectorscan, to see whether it finds them all */
#pragma once

#include "moderation/word_matcher.h"

struct word_naive;

/* Borrows the matcher for its life. */
struct word_naive *word_naive_new(const struct word_matcher *matcher);
struct word_naive *word_naive_free(struct word_naive *naive);

/* As word_matcher_scan(), but for the order of the hits. */
void word_naive_scan(const struct word_naive *naive, const struct word_view *view, word_hit_fn hit,
                     void *context);
