/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a matcher found without Vectorscan, to see whether it finds them all
 *
 * A list of literals for each pair of first bytes, and memcmp: too slow for messages, too simple to
 * be wrong, and fast enough to read all examples of a large set at each reload.
 */
#include "moderation/word_naive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum { PAIRS = 1 << 16 };

struct entry {
    uint32_t next; /* of the same pair, + 1; 0 ends */
    uint8_t length;
    char bytes[WORD_PATTERN_MAX + 2];
};

struct word_naive {
    const struct word_matcher *matcher;
    struct entry *entries; /* by literal */
    uint32_t first[PAIRS]; /* + 1; 0 = none */
};

static size_t pair_at(const void *bytes)
{
    const uint8_t *at = bytes;

    return (size_t)at[0] << 8 | at[1];
}

struct word_naive *word_naive_new(const struct word_matcher *matcher)
{
    struct word_naive *naive = xcalloc(1, sizeof(*naive));
    size_t count = word_matcher_count(matcher);

    naive->matcher = matcher;
    naive->entries = xcalloc(count + 1, sizeof(*naive->entries));
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &naive->entries[i];

        entry->length = (uint8_t)word_matcher_literal(matcher, i, entry->bytes);
        assert(entry->length >= 2); /* one letter has two edges, or a second letter */
        uint32_t *first = &naive->first[pair_at(entry->bytes)];
        entry->next = *first;
        *first = (uint32_t)i + 1;
    }
    return naive;
}

struct word_naive *word_naive_free(struct word_naive *naive)
{
    if (!naive)
        return NULL;
    free(naive->entries);
    free(naive);
    return NULL;
}

void word_naive_scan(const struct word_naive *naive, const struct word_view *view, word_hit_fn hit,
                     void *context)
{
    for (uint32_t at = 0; at + 1 < view->length; at++) {
        uint32_t left = (uint32_t)view->length - at;

        for (uint32_t i = naive->first[pair_at(view->bytes + at)]; i > 0;) {
            const struct entry *entry = &naive->entries[i - 1];

            if (entry->length <= left && memcmp(entry->bytes, view->bytes + at, entry->length) == 0)
                word_matcher_judge(naive->matcher, i - 1, view, at + entry->length, hit, context);
            i = entry->next;
        }
    }
}
