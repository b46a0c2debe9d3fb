/* SPDX-License-Identifier: Apache-2.0 */
/* Many literals at once over the words of a text
 *
 * One literal database for all rules: a scan costs the same for ten literals and for ten thousand.
 * A closed side of a word is an edge byte inside its literal, so the database itself knows word
 * edges and false candidates hardly come out; what it cannot know is checked in the callback: the
 * length of runs of one letter, and the ending of a word in the phonetic form.
 *
 * Combined databases have lost matches before (upstream bugs), and a moderation rule that silently
 * never fires is worse than one that is refused. So a new database is asked for each of its
 * literals once, before anybody uses it.
 */
#include "moderation/word_matcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hs/hs.h>

#include "moderation/alphabet.h"
#include "moderation/matcher_scratch.h"
#include "moderation/rule_set.h"
#include "moderation/translit.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

/* A phonetic stem this long is no chance; a shorter one needs a Russian ending. */
enum { PHONETIC_LONG = 4 };

struct literal {
    struct word_pattern pattern;
    uint32_t tag;
};

struct word_matcher_builder {
    struct literal *literals;
    size_t count, capacity;
};

struct word_matcher {
    struct literal *literals;
    size_t count;
    hs_database_t *database; /* NULL if there are no literals */
};

struct word_matcher_builder *word_matcher_builder_new(void)
{
    return xcalloc(1, sizeof(struct word_matcher_builder));
}

struct word_matcher_builder *word_matcher_builder_free(struct word_matcher_builder *builder)
{
    if (!builder)
        return NULL;
    free(builder->literals);
    free(builder);
    return NULL;
}

void word_matcher_add(struct word_matcher_builder *builder, const struct word_pattern *pattern,
                      uint32_t tag)
{
    if (builder->count == builder->capacity) {
        builder->capacity = builder->capacity ? builder->capacity * 2 : 256;
        builder->literals =
            xreallocarray(builder->literals, builder->capacity, sizeof(*builder->literals));
    }
    builder->literals[builder->count++] = (struct literal){.pattern = *pattern, .tag = tag};
}

size_t word_matcher_count(const struct word_matcher *matcher)
{
    return matcher->count;
}

/* The literal as the database sees it: with its edges. Returns its length. */
static size_t write_literal(const struct word_pattern *pattern, char out[WORD_PATTERN_MAX + 2])
{
    size_t n = 0;

    if (!pattern->open_left)
        out[n++] = ALPHABET_EDGE;
    memcpy(out + n, pattern->bytes, pattern->length);
    n += pattern->length;
    if (!pattern->open_right)
        out[n++] = ALPHABET_EDGE;
    return n;
}

size_t word_matcher_literal(const struct word_matcher *matcher, size_t index,
                            char out[WORD_PATTERN_MAX + 2])
{
    return write_literal(&matcher->literals[index].pattern, out);
}

/* ---- scanning ---- */

struct scan {
    const struct word_matcher *matcher;
    const struct word_view *view;
    word_hit_fn hit;
    void *context;
};

static bool runs_suffice(const struct word_pattern *pattern, const uint8_t *run)
{
    for (size_t i = 0; i < pattern->length; i++) {
        if (run[i] < pattern->run[i])
            return false;
    }
    return true;
}

static bool ending_fits(const struct word_view *view, uint32_t end)
{
    const uint8_t *rest = view->bytes + end;
    size_t n = 0;

    while (rest[n] != ALPHABET_EDGE)
        n++;
    return translit_is_ending(rest, n);
}

void word_matcher_judge(const struct word_matcher *matcher, size_t index,
                        const struct word_view *view, uint32_t to, word_hit_fn hit, void *context)
{
    const struct literal *literal = &matcher->literals[index];
    const struct word_pattern *pattern = &literal->pattern;
    uint32_t end = to - !pattern->open_right;
    uint32_t start = end - pattern->length;

    if (!runs_suffice(pattern, view->run + start))
        return;
    if (pattern->phonetic && pattern->open_right && pattern->length < PHONETIC_LONG &&
        !ending_fits(view, end))
        return;
    hit(context, literal->tag, start, end);
}

static int handle_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void *context)
{
    const struct scan *scan = context;

    word_matcher_judge(scan->matcher, id, scan->view, (uint32_t)to, scan->hit, scan->context);
    return 0;
}

int word_matcher_fit(const struct word_matcher *matcher, struct matcher_scratch *scratch)
{
    return matcher_scratch_fit(scratch, matcher->database);
}

int word_matcher_scan(const struct word_matcher *matcher, struct matcher_scratch *scratch,
                      const struct word_view *view, word_hit_fn hit, void *context)
{
    struct scan scan = {.matcher = matcher, .view = view, .hit = hit, .context = context};

    if (!matcher->database)
        return 0;
    hs_error_t error = hs_scan(matcher->database, (const char *)view->bytes, (unsigned)view->length,
                               0, scratch->scratch, handle_match, &scan);
    return error == HS_SUCCESS ? 0 : -EIO;
}

/* ---- compiling ---- */

static hs_database_t *compile_database(const struct literal *literals, size_t count, char *why,
                                       size_t why_bytes)
{
    char *text = xmalloc(count * (WORD_PATTERN_MAX + 2));
    const char **starts = xreallocarray(NULL, count, sizeof(*starts));
    size_t *lengths = xreallocarray(NULL, count, sizeof(*lengths));
    unsigned *ids = xreallocarray(NULL, count, sizeof(*ids));
    unsigned *flags = xcalloc(count, sizeof(*flags));
    hs_database_t *database = NULL;
    hs_compile_error_t *error = NULL;

    for (size_t i = 0; i < count; i++) {
        char *at = text + i * (WORD_PATTERN_MAX + 2);

        lengths[i] = write_literal(&literals[i].pattern, at);
        starts[i] = at;
        ids[i] = (unsigned)i;
    }
    if (hs_compile_lit_multi(starts, flags, ids, lengths, (unsigned)count, HS_MODE_BLOCK, NULL,
                             &database, &error) != HS_SUCCESS) {
        snprintf(why, why_bytes, "Vectorscan: %s", error ? error->message : "failed");
        hs_free_compile_error(error);
        database = NULL;
    }
    free(flags);
    free(ids);
    free(lengths);
    free(starts);
    free(text);
    return database;
}

struct probe {
    unsigned id;
    unsigned long long end;
    bool found;
};

static int handle_probe(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void *context)
{
    struct probe *probe = context;

    if (id == probe->id && to == probe->end)
        probe->found = true;
    return 0;
}

/* Returns the index of a literal that the database does not find, or `count`. */
static size_t find_lost_literal(const struct word_matcher *matcher, hs_scratch_t *scratch)
{
    for (size_t i = 0; i < matcher->count; i++) {
        char text[WORD_PATTERN_MAX + 4] = "\n";
        size_t n = 1 + write_literal(&matcher->literals[i].pattern, text + 1);
        struct probe probe = {.id = (unsigned)i, .end = n};

        text[n] = '\n';
        if (hs_scan(matcher->database, text, (unsigned)n + 1, 0, scratch, handle_probe, &probe) !=
                HS_SUCCESS ||
            !probe.found)
            return i;
    }
    return matcher->count;
}

static bool check_database(const struct word_matcher *matcher, char *why, size_t why_bytes)
{
    hs_scratch_t *scratch = NULL;

    if (hs_alloc_scratch(matcher->database, &scratch) != HS_SUCCESS) {
        snprintf(why, why_bytes, "Vectorscan: no scratch memory");
        return false;
    }
    size_t lost = find_lost_literal(matcher, scratch);
    hs_free_scratch(scratch);
    if (lost < matcher->count)
        snprintf(why, why_bytes, "the combined matcher loses literal %zu of %zu", lost,
                 matcher->count);
    return lost == matcher->count;
}

/* ---- the cache ---- */

/* All that goes into a database: its literals, in their order. */
static char *cache_key(const struct word_matcher *matcher, size_t *length)
{
    char *key = xmalloc(matcher->count * (WORD_PATTERN_MAX + 3));

    *length = 0;
    for (size_t i = 0; i < matcher->count; i++) {
        size_t n = write_literal(&matcher->literals[i].pattern, key + *length + 1);

        key[*length] = (char)n;
        *length += n + 1;
    }
    return key;
}

static hs_database_t *load_database(const struct rule_cache *cache, const char *key,
                                    size_t key_length)
{
    size_t length = 0;
    char *bytes = cache->load(cache->context, key, key_length, &length);
    hs_database_t *database = NULL;

    /* Vectorscan refuses what another version of it, or another kind of processor, made. */
    if (bytes && hs_deserialize_database(bytes, length, &database) != HS_SUCCESS)
        database = NULL;
    free(bytes);
    return database;
}

static void store_database(const struct rule_cache *cache, const char *key, size_t key_length,
                           const hs_database_t *database)
{
    char *bytes = NULL;
    size_t length = 0;

    if (hs_serialize_database(database, &bytes, &length) != HS_SUCCESS)
        return;
    cache->store(cache->context, key, key_length, bytes, length);
    free(bytes);
}

static bool get_database(struct word_matcher *matcher, const struct rule_cache *cache, char *why,
                         size_t why_bytes)
{
    size_t length = 0;
    char *key = cache ? cache_key(matcher, &length) : NULL;

    matcher->database = cache ? load_database(cache, key, length) : NULL;
    bool good = matcher->database && check_database(matcher, why, why_bytes);
    if (!good) {
        hs_free_database(matcher->database);
        matcher->database = compile_database(matcher->literals, matcher->count, why, why_bytes);
        good = matcher->database && check_database(matcher, why, why_bytes);
        if (good && cache)
            store_database(cache, key, length, matcher->database);
    }
    free(key);
    return good;
}

struct word_matcher *word_matcher_compile(struct word_matcher_builder *builder,
                                          const struct rule_cache *cache, char *why,
                                          size_t why_bytes)
{
    struct word_matcher *matcher = xcalloc(1, sizeof(*matcher));

    matcher->literals = builder->literals;
    matcher->count = builder->count;
    builder->literals = NULL;
    builder->count = builder->capacity = 0;
    if (matcher->count == 0 || get_database(matcher, cache, why, why_bytes))
        return matcher;
    return word_matcher_free(matcher);
}

struct word_matcher *word_matcher_free(struct word_matcher *matcher)
{
    if (!matcher)
        return NULL;
    hs_free_database(matcher->database);
    free(matcher->literals);
    free(matcher);
    return NULL;
}
