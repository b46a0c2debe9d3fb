/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/word_matcher.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/matcher_scratch.h"
#include "moderation/rule_set.h"
#include "moderation/word_matcher.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum { CAPACITY = 4096, HITS_MAX = 64 };

struct views {
    struct text_view text;
    struct word_view words;
    struct matcher_scratch scratch;
};

struct hits {
    uint32_t tags[HITS_MAX];
    size_t count;
};

struct adding {
    struct word_matcher_builder *builder;
    uint32_t tag;
};

static int setup(void **state)
{
    static struct views views;

    text_view_init(&views.text, CAPACITY);
    word_view_init(&views.words, CAPACITY);
    views.scratch = MATCHER_SCRATCH_INIT;
    *state = &views;
    return 0;
}

static int teardown(void **state)
{
    struct views *views = *state;

    matcher_scratch_deinit(&views->scratch);
    word_view_deinit(&views->words);
    text_view_deinit(&views->text);
    return 0;
}

static void add(void *context, const struct word_pattern *pattern)
{
    const struct adding *adding = context;

    word_matcher_add(adding->builder, pattern, adding->tag);
}

/* One tag a word, from 0 on. */
static struct word_matcher *compile(const char *const words[], size_t count)
{
    struct adding adding = {.builder = word_matcher_builder_new()};
    char why[128];

    for (size_t i = 0; i < count; i++) {
        adding.tag = (uint32_t)i;
        assert_null(word_pattern_parse(words[i], strlen(words[i]), add, &adding));
    }
    struct word_matcher *matcher = word_matcher_compile(adding.builder, NULL, why, sizeof(why));
    word_matcher_builder_free(adding.builder);
    assert_non_null(matcher);
    return matcher;
}

static void handle_hit(void *context, uint32_t tag, uint32_t start, uint32_t end)
{
    struct hits *hits = context;

    assert_true(start < end);
    assert_true(hits->count < HITS_MAX);
    hits->tags[hits->count++] = tag;
}

static struct hits scan(struct views *views, const struct word_matcher *matcher, const char *text)
{
    struct hits hits = {.count = 0};

    assert_int_equal(text_view_read(&views->text, text, strlen(text)), 0);
    word_view_build(&views->words, &views->text);
    assert_int_equal(word_matcher_fit(matcher, &views->scratch), 0);
    assert_int_equal(word_matcher_scan(matcher, &views->scratch, &views->words, handle_hit, &hits),
                     0);
    return hits;
}

static size_t count(void **state, const char *word, const char *text)
{
    struct word_matcher *matcher = compile(&word, 1);
    struct hits hits = scan(*state, matcher, text);

    word_matcher_free(matcher);
    return hits.count;
}

static void test_word_edges(void **state)
{
    assert_int_equal(count(state, "кот", "кот, кот! (кот)"), 3);
    assert_int_equal(count(state, "кот", "который скот"), 0);
    assert_int_equal(count(state, "кот*", "который скот"), 1);
    assert_int_equal(count(state, "*кот", "который скот"), 1);
    assert_int_equal(count(state, "*кот*", "который скот"), 2);
}

static void test_runs(void **state)
{
    assert_int_equal(count(state, "касса", "каса"), 0);
    assert_int_equal(count(state, "касса", "касссса"), 1);
    assert_int_equal(count(state, "каса", "касса"), 1);
}

static void test_disguises(void **state)
{
    assert_int_equal(count(state, "мороз", "M O P O 3"), 1); /* all Latin, and a digit */
    assert_int_equal(count(state, "мороз", "м о р о з"), 1);
    assert_int_equal(count(state, "мороз", "мopoз"), 1);
    assert_int_equal(count(state, "мороз", "moroz"), 1);
    assert_int_equal(count(state, "мороз", "м\u200Bо\u200Bр\u200Bо\u200Bз"), 1);
}

/* A short stem by sound needs a Russian ending: English must not fire. */
static void test_short_stems_need_endings(void **state)
{
    assert_int_equal(count(state, "дом*", "doma"), 1);
    assert_int_equal(count(state, "дом*", "dominoes"), 0);
}

static void test_equal_literals_have_all_tags(void **state)
{
    const char *const words[] = {"слово", "слов*", "слово"};
    struct word_matcher *matcher = compile(words, 3);
    struct hits hits = scan(*state, matcher, "слово");

    assert_int_equal(hits.count, 3);
    word_matcher_free(matcher);
}

/* ---- the cache ---- */

struct kept {
    char key[256], *data;
    size_t key_length, length;
    unsigned stores, loads;
};

static void *kept_load(void *context, const void *key, size_t key_length, size_t *length)
{
    struct kept *kept = context;

    if (!kept->data)
        return NULL;
    kept->loads++;
    *length = kept->length;
    return xmemdup(kept->data, kept->length);
}

static void kept_store(void *context, const void *key, size_t key_length, const void *data,
                       size_t length)
{
    struct kept *kept = context;

    assert_true(key_length > 0);
    free(kept->data);
    kept->data = xmemdup(data, length);
    kept->length = length;
    kept->stores++;
}

static struct word_matcher *compile_cached(const char *word, struct kept *kept)
{
    struct adding adding = {.builder = word_matcher_builder_new()};
    struct rule_cache cache = {.context = kept, .load = kept_load, .store = kept_store};
    char why[128];

    assert_null(word_pattern_parse(word, strlen(word), add, &adding));
    struct word_matcher *matcher = word_matcher_compile(adding.builder, &cache, why, sizeof(why));
    word_matcher_builder_free(adding.builder);
    assert_non_null(matcher);
    return matcher;
}

static void test_a_database_comes_from_the_cache(void **state)
{
    struct kept kept = {.stores = 0};

    word_matcher_free(compile_cached("мороз", &kept));
    assert_int_equal(kept.stores, 1);
    struct word_matcher *matcher = compile_cached("мороз", &kept);
    assert_int_equal(kept.loads, 1);
    assert_int_equal(kept.stores, 1);
    assert_int_equal(scan(*state, matcher, "мороз").count, 1);
    word_matcher_free(matcher);
    free(kept.data);
}

/* Bytes that are none of a database's, and a database of other words. */
static void test_a_bad_cache_is_made_anew(void **state)
{
    struct kept kept = {.stores = 0};

    word_matcher_free(compile_cached("жара", &kept));
    struct word_matcher *matcher = compile_cached("мороз", &kept);
    assert_int_equal(kept.stores, 2);
    assert_int_equal(scan(*state, matcher, "мороз").count, 1);
    word_matcher_free(matcher);
    memset(kept.data, 'x', kept.length);
    matcher = compile_cached("мороз", &kept);
    assert_int_equal(kept.stores, 3);
    assert_int_equal(scan(*state, matcher, "мороз").count, 1);
    word_matcher_free(matcher);
    free(kept.data);
}

static void test_empty(void **state)
{
    struct word_matcher *matcher = compile(NULL, 0);

    assert_int_equal(word_matcher_count(matcher), 0);
    assert_int_equal(scan(*state, matcher, "слово").count, 0);
    word_matcher_free(matcher);
    assert_null(word_matcher_free(NULL));
    assert_null(word_matcher_builder_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word_edges),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_disguises),
        cmocka_unit_test(test_short_stems_need_endings),
        cmocka_unit_test(test_equal_literals_have_all_tags),
        cmocka_unit_test(test_a_database_comes_from_the_cache),
        cmocka_unit_test(test_a_bad_cache_is_made_anew),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
