/* SPDX-License-Identifier: Apache-2.0 */
/* Does the combined matcher of a set find what a naive one finds?
 *
 * Databases of many literals have lost matches before (upstream bugs), depending on which literals
 * stand in them together, and a rule that silently never fires is worse than one that is refused.
 * The golden set is the rules' own examples, those of rules that are off included: real sentences,
 * with every rule's words in them.
 */
#include "moderation/rule_golden.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/matcher_scratch.h"
#include "moderation/rule_compiled.h"
#include "moderation/rule_file.h"
#include "moderation/screen.h"
#include "moderation/text_view.h"
#include "moderation/word_naive.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

struct hit {
    uint32_t tag, start, end;
};

struct hits {
    struct hit *items;
    size_t count, capacity;
};

struct golden {
    const struct rule_set *set;
    struct matcher_scratch scratch;
    struct text_view text;
    struct word_view words;
    struct word_naive *naive[LAYER_COUNT];
    struct hits found, expected;
};

static void collect(void *context, uint32_t tag, uint32_t start, uint32_t end)
{
    struct hits *hits = context;

    if (hits->count == hits->capacity) {
        hits->capacity = hits->capacity ? hits->capacity * 2 : 64;
        hits->items = xreallocarray(hits->items, hits->capacity, sizeof(*hits->items));
    }
    hits->items[hits->count++] = (struct hit){tag, start, end};
}

static int compare(const void *left, const void *right)
{
    const struct hit *a = left, *b = right;

    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->tag < b->tag ? -1 : a->tag > b->tag;
}

static void sort(struct hits *hits)
{
    if (hits->count > 0)
        qsort(hits->items, hits->count, sizeof(*hits->items), compare);
}

static bool same(const struct hits *a, const struct hits *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static bool read_with_both(struct golden *golden, const struct rule_item *item)
{
    golden->found.count = golden->expected.count = 0;
    if (text_view_read(&golden->text, item->text, item->length) != 0)
        return true; /* the examples' own check says so */
    word_view_build(&golden->words, &golden->text);
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        if (word_matcher_scan(golden->set->matchers[i], &golden->scratch, &golden->words, collect,
                              &golden->found) != 0)
            return false;
        word_naive_scan(golden->naive[i], &golden->words, collect, &golden->expected);
    }
    sort(&golden->found);
    sort(&golden->expected);
    return same(&golden->found, &golden->expected);
}

static bool check_rule(struct golden *golden, const struct rule *rule, struct rule_error *error)
{
    for (size_t i = 0; i < rule->item_count; i++) {
        const struct rule_item *item = &rule->items[i];

        if (item->kind != ITEM_MATCH && item->kind != ITEM_CLEAN)
            continue;
        if (!read_with_both(golden, item))
            return rule_error_set(error, rule->source, item->line, item->column,
                                  "the combined matcher finds %zu words here, a naive one %zu",
                                  golden->found.count, golden->expected.count);
    }
    return true;
}

bool rule_golden_check(const struct rule_set *set, struct rule_error *error)
{
    struct golden golden = {.set = set, .scratch = MATCHER_SCRATCH_INIT};
    bool good = true;

    for (size_t i = 0; i < LAYER_COUNT; i++) {
        if (word_matcher_fit(set->matchers[i], &golden.scratch) != 0)
            return rule_error_set(error, "", 0, 0, "Vectorscan: no scratch memory");
    }
    text_view_init(&golden.text, SCREEN_TEXT_BYTES_MAX);
    word_view_init(&golden.words, SCREEN_TEXT_BYTES_MAX);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        golden.naive[i] = word_naive_new(set->matchers[i]);
    for (size_t i = 0; good && i < set->list.count; i++)
        good = check_rule(&golden, &set->list.rules[i], error);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        word_naive_free(golden.naive[i]);
    free(golden.found.items);
    free(golden.expected.items);
    word_view_deinit(&golden.words);
    text_view_deinit(&golden.text);
    matcher_scratch_deinit(&golden.scratch);
    return good;
}
